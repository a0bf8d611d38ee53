# A reentrant lock has one owner, who may take it again; an interrupt finds it with a count that is whole.

import _thread

interrupts = "tick"
R = _thread.RLock()
inside = []
order = []


def section(name):
    with R:
        inside.append(name)
        with R:
            assert inside == [name]
        assert R._recursion_count() == 1
        inside.pop()
        order.append(name)


def main():
    _thread.start_new_thread(section, (1,))
    section(0)


def end():
    assert sorted(order) == [0, 1]
    assert not R.locked()
