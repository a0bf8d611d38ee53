# A queue that shuts down lets all go that wait for it, to put something or to get something.

import _thread

interrupts = ""
full = _thread._Queue(1)
empty = _thread._Queue()
through = []


def put():
    try:
        full.put(1)
        full.put(2)
    except _thread._ShutDown:
        through.append(1)


def get():
    try:
        empty.get()
    except _thread._ShutDown:
        through.append(2)


def main():
    _thread.start_new_thread(put, ())
    _thread.start_new_thread(get, ())
    for _ in range(2):
        pass
    full.shutdown()
    empty.shutdown()


def end():
    assert sorted(through) == [1, 2]
