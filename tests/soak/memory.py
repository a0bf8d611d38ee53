"""Four threads at work and a collection each second: memory stays flat. The host sets SEED and SIZE.

Prints for how many seconds of the board's time that went on.
"""

import _thread
import gc
import random
import time

random.seed(SEED)
WINDOW = 20  # seconds whose least use of memory is compared
SLACK = 1024  # bytes that a conservative collection may keep for a while
ended = []
errors = []
running = [True]
lock = _thread.allocate_lock()
table = {}


def rest():
    time.sleep_ms(50 + random.getrandbits(6))


def allocate():
    kept = [bytes(8)] * 10
    for number in range(30):
        kept[number % 10] = bytearray(number * 7 & 127)
    text = "".join(str(number) for number in range(10))
    assert text == "0123456789", text


def share():
    for number in range(5):
        with lock:
            table[number] = table.get(number, 0) + 1


def start():
    done = _thread.allocate_lock()
    done.acquire()
    _thread.start_new_thread(done.release, ())
    assert done.acquire(1, 30)


def fail():
    for kind in (ValueError, KeyError, OSError):
        try:
            with lock:
                raise kind([1, 2, 3])
        except kind as e:
            assert e.args == ([1, 2, 3],)


def work(task):
    try:
        while running[0]:
            task()
            rest()
    except BaseException as e:
        errors.append(e)
    ended.append(task)


TASKS = allocate, share, start, fail
for task in TASKS:
    _thread.start_new_thread(work, (task,))
first = last = None
least = 1 << 30
begin = time.ticks_ms()
for second in range(1, SIZE + 1):
    time.sleep_ms(max(0, time.ticks_diff(time.ticks_add(begin, 1000), time.ticks_ms())))
    begin = time.ticks_add(begin, 1000)
    assert not errors, errors
    gc.collect()
    least = min(least, gc.mem_alloc())
    if second % WINDOW == 0:
        last = least
        first = first or last
        least = 1 << 30
        assert last < first + SLACK, f"{first} bytes after {WINDOW} s, {last} after {second} s"
running[0] = False
while len(ended) < len(TASKS):
    time.sleep_ms(10)
assert not errors, errors
assert not lock.locked()
print(SIZE)
