# What threads and locks cost a program that uses them.

import _thread

STARTS = 20


def loop(n):
    for i in range(n):
        pass


def acquire_release(n):
    lock = _thread.allocate_lock()
    for i in range(n):
        lock.acquire()
        lock.release()


def with_lock(n):
    lock = _thread.allocate_lock()
    for i in range(n):
        with lock:
            pass


def time_out(n):
    lock = _thread.allocate_lock()
    lock.acquire()
    for i in range(n):
        lock.acquire(True, 0)


def append_pop(n):
    items = [1, 2, 3]
    for i in range(n):
        items.append(1)
        items.pop()


measure("acquire() + release()", acquire_release, 2000, loop)
measure("with lock", with_lock, 2000, loop)
if hasattr(_thread, "TIMEOUT_MAX"):
    measure("acquire(True, 0) that fails", time_out, 2000, loop)
measure("list append() + pop()", append_pop, 2000, loop)


# Two threads that wait for each other in turns: two hand-overs each time. The other one never ends.
ping = _thread.allocate_lock()
pong = _thread.allocate_lock()
ping.acquire()
pong.acquire()


def answer(wait_for, wake):
    while True:
        wait_for.acquire()
        wake.release()


def take_turns(n):
    wait_for, wake = pong, ping
    for i in range(n):
        wake.release()
        wait_for.acquire()


_thread.start_new_thread(answer, (ping, pong))
measure("hand-over of a lock", take_turns, 2000, loop, 2)


# Start a thread that ends at once, and wait for it.
done = _thread.allocate_lock()
done.acquire()


def end():
    done.release()


def start_and_wait(n):
    for i in range(n):
        _thread.start_new_thread(end, ())
        done.acquire()


for size in (4096, 8192):
    _thread.stack_size(size)
    measure("start and wait, %d KiB stack" % (size // 1024), start_and_wait, STARTS, loop)


# How long a thread takes to its first line, while the one that starts it waits for it.
def note_time():
    times[0] = time.ticks_us()
    done.release()


def until_first_line(n):
    total = 0
    for i in range(n):
        start = time.ticks_us()
        _thread.start_new_thread(note_time, ())
        done.acquire()
        total += time.ticks_diff(times[0], start)
    return total


times = [0]
_thread.stack_size(4096)
until_first_line(1)
report("start to first line", "ns", until_first_line(STARTS) * 1000, STARTS)


# How deep a thread can recurse.
def report_depth(size):
    report("recursion in %d KiB" % (size // 1024), "calls", depth(), 1)
    done.release()


for size in (4096, 8192, 16384):
    _thread.stack_size(size)
    _thread.start_new_thread(report_depth, (size,))
    done.acquire()
