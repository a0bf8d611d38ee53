# Ctrl-C at any point ends an acquire() that nobody else would.

import _thread

interrupts = "ctrl_c tick"
L = _thread.allocate_lock()
raised = []
L.acquire()


def main():
    try:
        L.acquire()
        assert False
    except KeyboardInterrupt:
        raised.append(1)


def end():
    assert raised == [1]
    assert L.locked()
