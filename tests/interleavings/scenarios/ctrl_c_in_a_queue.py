# Ctrl-C ends get(): the item that was meant for it is for the next in line.

import _thread
import model

interrupts = "ctrl_c"
Q = _thread._Queue()
raised = [0]


def put():
    Q.put(1)


def main():
    _thread.start_new_thread(Q.get, ())
    _thread.start_new_thread(put, ())
    try:
        Q.get()
        Q.put(2)
    except KeyboardInterrupt:
        raised[0] = 1


def end():
    assert raised[0] <= model.taken(model.CTRL_C)
