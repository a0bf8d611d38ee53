# What becomes of futures, step by step, and a queue between two threads.
import queue
import threading
from concurrent.futures import (
    FIRST_EXCEPTION,
    Future,
    ThreadPoolExecutor,
    as_completed,
    wait,
)


def raised(function, *args):
    try:
        return function(*args)
    except Exception as error:
        return type(error).__name__, str(error)


def show(future):
    start, end = repr(future).split(" at ")
    return start, end.split(" ", 1)[1]


future = Future()
future.add_done_callback(lambda f: print("callback", f.done(), f.result()))
print(show(future), future.set_running_or_notify_cancel(), show(future), future.cancel())
future.set_result("x")
print(show(future), raised(future.set_result, 1)[0], future.exception())
cancelled = Future()
print(cancelled.cancel(), show(cancelled), raised(cancelled.result)[0])


def who():
    return threading.current_thread().name


gate = threading.Event()
begun = []
with ThreadPoolExecutor(2, "pool", initializer=begun.append, initargs=("begun",)) as pool:
    print(pool.submit(who).result(), begun)
    print(list(pool.map(divmod, (7, 8), (2, 3))), raised(pool.submit(divmod, 1, 0).result)[0])
    busy = [pool.submit(gate.wait) for _ in range(3)]
    print(busy[2].cancel(), show(busy[2]))
    bad = pool.submit(int, "x")
    gate.set()
    done, rest = wait([bad], return_when=FIRST_EXCEPTION)
    print(len(done), len(rest), type(bad.exception()).__name__)
    print(sorted(f.result() for f in as_completed([pool.submit(pow, n, 2) for n in range(9)])))
print(raised(pool.submit, who), raised(ThreadPoolExecutor, 0), busy[0].result())

numbers = queue.Queue(2)


def produce():
    for n in range(5):
        numbers.put(n)
    numbers.join()
    print("joined")


thread = threading.Thread(target=produce, name="producer")
thread.start()
for _ in range(5):
    print(numbers.get(timeout=5))
print(raised(numbers.get, False)[0], thread.name, thread.is_alive())
for _ in range(5):
    numbers.task_done()
thread.join()
print(raised(numbers.task_done))
