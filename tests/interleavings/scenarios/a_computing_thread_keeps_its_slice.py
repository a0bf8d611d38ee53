# Threads that compute take turns of a switch interval, which is three ticks here: no turn is shorter.

import _thread
import time

interrupts = ""
_thread.setswitchinterval(0.003)
turns = []  # of whom, and how many times it went round


def compute(name):
    for _ in range(150):
        if not turns or turns[-1][0] != name:
            turns.append([name, 0])
        turns[-1][1] += 1


def use_a_part():
    for _ in range(60):
        pass


def main():
    _thread.start_new_thread(use_a_part, ())
    time.sleep_ms(2)
    _thread.start_new_thread(compute, (1,))  # on the task of the one that has ended
    compute(0)


def end():
    # Who comes from a wait, as the main thread does, has a shorter one first.
    assert all(times >= 40 for name, times in turns[1:-2]), turns
