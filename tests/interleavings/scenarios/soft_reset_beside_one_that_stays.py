# A soft reset deletes a thread that does not leave, in whatever state it is.

import _thread
import time

reset = True
interrupts = "tick"


def stays():
    while True:
        try:
            while True:
                time.sleep_ms(20)
        except SystemExit:
            pass


def main():
    _thread.start_new_thread(stays, ())
    for _ in range(1):
        pass
