# A callback runs on the main thread while it sleeps, beside a thread that computes.

import _thread
import model
import time

interrupts = "callback callback tick"
ran = []


def callback():
    assert _thread.get_ident() == 1
    ran.append(1)


def compute():
    for _ in range(3):
        pass


def main():
    _thread.start_new_thread(compute, ())
    time.sleep_ms(2)
    for _ in range(2):
        pass
    before = model.taken(model.CALLBACK)
    time.sleep_ms(1)
    assert len(ran) >= before
