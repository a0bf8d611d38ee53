# A lock has one owner.

import _thread

interrupts = "tick"
L = _thread.allocate_lock()
inside = []
order = []


def section(name):
    with L:
        inside.append(name)
        for _ in range(2):
            assert inside == [name]
        inside.pop()
        order.append(name)


def main():
    _thread.start_new_thread(section, (1,))
    section(0)


def end():
    assert sorted(order) == [0, 1]
    assert not L.locked()
