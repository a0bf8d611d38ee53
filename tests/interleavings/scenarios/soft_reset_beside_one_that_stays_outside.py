# A soft reset deletes a thread in C code without the GIL that does not come back.

import _thread
import model

reset = True
interrupts = "tick"
L = _thread.allocate_lock()


def stays():
    with L:
        model.stay_outside()


def main():
    _thread.start_new_thread(stays, ())
    _thread.start_new_thread(L.acquire, ())
    for _ in range(1):
        pass
