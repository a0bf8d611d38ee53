# A soft reset lets threads run their finally: one that waits, and one that takes the first SystemExit for nothing.

import _thread
import model
import time

reset = True
leave = 2
interrupts = ""
L = _thread.allocate_lock()
L.acquire()


def waits():
    try:
        L.acquire()
    finally:
        model.leave()


def takes_its_time():
    try:
        time.sleep_ms(500)
    except SystemExit:
        pass
    try:
        time.sleep_ms(500)
    finally:
        model.leave()


def main():
    _thread.start_new_thread(waits, ())
    _thread.start_new_thread(takes_its_time, ())
    time.sleep_ms(1)
