# What a hand-over costs among few and many threads: a ring of them, each of which waits for the one
# before it.

import _thread


def member(gates, running, i):
    while True:
        gates[i].acquire()
        if not running:
            return
        gates[(i + 1) % len(gates)].release()


def rounds(gates, n):
    for i in range(n):
        gates[1].release()
        gates[0].acquire()


def ring(size, hand_overs=1024):
    gates = [_thread.allocate_lock() for i in range(size)]
    running = [True]
    for i, gate in enumerate(gates):
        gate.acquire()
        if i > 0:
            _thread.start_new_thread(member, (gates, running, i))
    rounds(gates, 1)
    took = elapsed(lambda n: rounds(gates, n), hand_overs // size)
    running.clear()
    for gate in gates:
        gate.release()
    time.sleep_ms(50)
    gc.collect()
    report("hand-over in a ring of %d" % size, "ns", took, hand_overs)


for size in (2, 8, 32):
    ring(size)
