# A callback that raises while the main thread waits for a lock spoils nothing.

import _thread
import time

interrupts = "callback callback tick"
prints = True
L = _thread.allocate_lock()
ran = []


def callback():
    ran.append(1)
    raise ValueError


def helper():
    with L:
        time.sleep_ms(1)


def main():
    _thread.start_new_thread(helper, ())
    for _ in range(2):
        with L:
            pass
    time.sleep_ms(1)
    with L:
        pass


def end():
    assert not L.locked()
