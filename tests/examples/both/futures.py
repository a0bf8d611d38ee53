# A pool of threads, and what its futures become.
from concurrent import futures
import threading


def told(what, function, *args, **kwargs):
    try:
        print(what, function(*args, **kwargs))
    except Exception as error:
        print(what, type(error).__name__, error)


def fail():
    raise ValueError("it fails")


go = threading.Event()
with futures.ThreadPoolExecutor(1) as pool:
    first = pool.submit(go.wait)
    second = pool.submit(fail)
    third = pool.submit(pow, 2, 10)
    told("too early:", lambda: third.done())
    told("cancel the last:", third.cancel)
    third.add_done_callback(lambda future: print("called back", future.cancelled()))
    go.set()
    told("first:", first.result)
    told("second:", second.result)
    print(type(second.exception()).__name__, second.done(), third.cancelled())
    print(list(pool.map(lambda a, b: a * b, range(5), range(5))))
told("after its end:", pool.submit, pow, 2, 2)

with futures.ThreadPoolExecutor(3) as pool:
    work = [pool.submit(pow, n, 2) for n in range(10)]
    print(sorted(future.result() for future in futures.as_completed(work)))
    done, not_done = futures.wait(work)
    print(len(done), len(not_done))
