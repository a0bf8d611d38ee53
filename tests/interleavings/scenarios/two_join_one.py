# Whoever joins a thread goes on when that has ended, and not before.

import _thread

interrupts = "tick"
ended = []
through = []
one = _thread._ThreadHandle()


def work():
    ended.append(1)


def join():
    one.join()
    assert ended and one.is_done()
    through.append(1)


def main():
    _thread.start_joinable_thread(work, one)
    other = _thread.start_joinable_thread(join)
    join()
    other.join()


def end():
    assert len(through) == 2
