metadata(version="0.2.0", description="CPython's queue on modthread's _thread")
module("queue.py")
