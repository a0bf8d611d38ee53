# The last one in a line gives up, and comes again: it is in the line, and is notified.

import _thread
import time

interrupts = "tick"
S = _thread._Semaphore(0)
acquired = []


def acquire():
    acquired.append(S.acquire())


def give_up():
    acquired.append(S.acquire(True, 0.001) or S.acquire())


def main():
    _thread.start_new_thread(acquire, ())
    _thread.start_new_thread(give_up, ())
    time.sleep_ms(2)
    S.release(2)


def end():
    assert acquired == [True, True]
