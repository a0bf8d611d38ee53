# What many threads cost that wait: memory and collections.

import _thread

STACK_SIZE = 4096

hold = _thread.allocate_lock()
hold.acquire()
wait = hold.acquire
_thread.stack_size(STACK_SIZE)


def start_waiting(n):
    for i in range(n):
        _thread.start_new_thread(wait, ())


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


def collection(n):
    """Report what a collection takes beside n threads that wait, and return it."""
    time.sleep_ms(10)  # so that as many ticks fall into it each time
    took = cost(collect, 20)
    report("gc.collect() beside %d" % n, "ns", took, 20)
    return took


alone = cost(collect, 20)
running = 0
for n in (1, 2, 4, 8, 16):
    start_waiting(n - running)
    running = n
    collection(n)

# Begin with a tick: the next one would let those run that have just been started.
time.sleep_ms(2)
report("start_new_thread(), new stack", "ns", elapsed(start_waiting, 4), 4)
growth(start_waiting, 0)
report("heap per thread", "bytes", growth(start_waiting, 12) - 12 * STACK_SIZE, 12)
report("gc.collect() for each thread", "ns", collection(32) - alone, 20 * 32)

growth(make_locks, 0)
report("heap per lock", "bytes", growth(make_locks, len(locks)), len(locks))
