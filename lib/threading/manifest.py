metadata(version="0.2.0", description="CPython's threading on modthread's _thread")
module("threading.py")
