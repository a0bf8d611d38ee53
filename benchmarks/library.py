# What the modules of lib/ cost: threading, queue and concurrent.futures.

import gc

gc.collect()
before_import = gc.mem_free()

import queue
import threading

gc.collect()
report("heap of import threading, queue", "bytes", before_import - gc.mem_free(), 1)


def loop(n):
    for i in range(n):
        pass


def with_rlock(n):
    lock = threading.RLock()
    for i in range(n):
        with lock:
            pass


def with_rlock_nested(n):
    lock = threading.RLock()
    with lock:
        for i in range(n):
            with lock:
                pass


def event_set_wait(n):
    event = threading.Event()
    for i in range(n):
        event.set()
        event.wait()


def queue_put_get(n):
    q = queue.Queue()
    for i in range(n):
        q.put(i)
        q.get()


def start_join(n):
    for i in range(n):
        thread = threading.Thread(target=nothing)
        thread.start()
        thread.join()


def nothing():
    pass


measure("with RLock", with_rlock, 2000, loop)
measure("with RLock, nested", with_rlock_nested, 2000, loop)
measure("Event.set() + wait()", event_set_wait, 2000, loop)
measure("Queue.put() + get()", queue_put_get, 1000, loop)
threading.stack_size(4096)
measure("Thread() + start() + join()", start_join, 50, loop)


# There and back between two threads.
requests = queue.Queue()
answers = queue.Queue()
condition = threading.Condition(threading.Lock())
turn = [0]


def answer_queue():
    while True:
        answers.put(requests.get())


def ask_queue(n):
    put = requests.put
    get = answers.get
    for i in range(n):
        put(i)
        get()


def answer_condition():
    with condition:
        while True:
            while turn[0] != 1:
                condition.wait()
            turn[0] = 0
            condition.notify()


def ask_condition(n):
    with condition:
        for i in range(n):
            turn[0] = 1
            condition.notify()
            while turn[0] != 0:
                condition.wait()


for name, ask, answer in (
    ("Queue there and back", ask_queue, answer_queue),
    ("Condition there and back", ask_condition, answer_condition),
):
    threading.Thread(target=answer, daemon=True).start()
    measure(name, ask, 1000, loop)


# A pool whose one worker is idle.
from concurrent.futures import ThreadPoolExecutor


def submit_result(n):
    submit = pool.submit
    for i in range(n):
        submit(nothing).result()


pool = ThreadPoolExecutor(1)
measure("submit() + result()", submit_result, 500, loop)
pool.shutdown()


# The heap of each, beyond the stack of a thread.
def free():
    gc.collect()
    return gc.mem_free()


def heap_of(make, n=20):
    made = [None] * n
    before = free()
    for i in range(n):
        made[i] = make()
    return before - free(), n


def waiting_thread():
    thread = threading.Thread(target=gate.wait)
    thread.start()
    return thread


gate = threading.Event()
for name, make in (
    ("RLock", threading.RLock),
    ("Condition", threading.Condition),
    ("Event", threading.Event),
    ("Semaphore", threading.Semaphore),
    ("Queue(8)", lambda: queue.Queue(8)),
):
    heap_of(make)
    report("heap of " + name, "bytes", *heap_of(make))
total, n = heap_of(waiting_thread, 8)
report("heap of Thread, beyond its stack", "bytes", total - n * 4096, n)
