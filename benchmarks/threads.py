# What threads and locks cost a program that uses them.

import _thread

WAITING = 16  # threads
STACK_SIZE = 4096


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


def append_pop(n):
    items = [1, 2, 3]
    for i in range(n):
        items.append(1)
        items.pop()


measure("acquire() + release()", acquire_release, 2000, loop)
measure("with lock", with_lock, 2000, loop)
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
    measure("start and wait, %d KiB stack" % (size // 1024), start_and_wait, 20, loop)


# How deep a thread can recurse.
def depth(level=0):
    try:
        return depth(level + 1)
    except RuntimeError:
        return level


def report_depth(size):
    report("recursion in %d KiB" % (size // 1024), "calls", depth(), 1)
    done.release()


for size in (4096, 8192, 16384):
    _thread.stack_size(size)
    _thread.start_new_thread(report_depth, (size,))
    done.acquire()


# Many threads that wait.
hold = _thread.allocate_lock()
hold.acquire()
wait = hold.acquire


def start_waiting(n):
    for i in range(n):
        _thread.start_new_thread(wait, ())


def collect(n):
    for i in range(n):
        gc.collect()


locks = [None] * 100


def make_locks(n):
    for i in range(n):
        locks[i] = _thread.allocate_lock()


def free():
    gc.collect()
    return gc.mem_free()


def growth(function, n):
    before = free()
    function(n)
    return before - free()


_thread.stack_size(STACK_SIZE)
alone = cost(collect, 20)
time.sleep_ms(2)  # so that as many ticks fall into it each time
report("start_new_thread(), new stack", "ns", elapsed(start_waiting, WAITING), WAITING)
time.sleep_ms(10)
beside = cost(collect, 20)
report("gc.collect() for each thread", "ns", beside - alone, 20 * WAITING)

for name, function, n, known in (
    ("heap per thread", start_waiting, WAITING, STACK_SIZE),
    ("heap per lock", make_locks, len(locks), 0),
):
    growth(function, 0)
    report(name, "bytes", growth(function, n) - n * known, n)
