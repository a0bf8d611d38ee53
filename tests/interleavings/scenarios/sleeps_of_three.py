# Three threads sleep: each until its own time, and none for ever.

import _thread
import time

interrupts = "tick"
START = time.ticks_ms()
ends = {}


def sleep(name, ms):
    time.sleep_ms(ms)
    ends[name] = time.ticks_diff(time.ticks_ms(), START)


def main():
    _thread.start_new_thread(sleep, ("short", 2))
    _thread.start_new_thread(sleep, ("long", 9))
    sleep("longest", 12)


def end():
    assert ends["short"] >= 2 and ends["long"] >= 9 and ends["longest"] >= 12
    # The tick under way, and those that come between a look at the clock and the wait.
    assert ends["short"] <= 5 and ends["long"] <= 12 and ends["longest"] <= 15
