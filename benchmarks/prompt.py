# What a thread gets done while the board waits at its prompt. The host sends this, waits, and calls
# report_prompt().

import _thread


def counting():
    while True:
        counts[0] += 1


def mark():
    return counts[0], time.ticks_us()


def per_second(start):
    count, us = mark()
    return (count - start[0]) * 1000000 // time.ticks_diff(us, start[1])


def report_prompt():
    report("work at the prompt, of one's", "%", 100 * per_second(at_prompt), alone)


counts = [0]
_thread.start_new_thread(counting, ())
time.sleep_ms(20)
start = mark()
time.sleep_ms(500)
alone = per_second(start)
at_prompt = mark()
