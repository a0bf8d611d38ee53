# What locks, events, semaphores and barriers say, and who goes on when.
import threading


def told(what, function, *args, **kwargs):
    try:
        print(what, function(*args, **kwargs))
    except Exception as error:
        print(what, type(error).__name__, error)


lock, rlock, condition = threading.Lock(), threading.RLock(), threading.Condition()
told("release what is free:", rlock.release)
told("take it:", lock.acquire)
told("take it again, at once:", lock.acquire, False)
told("take it again, soon:", lock.acquire, timeout=0.01)
told("take it twice:", lambda: (rlock.acquire(), rlock.acquire()))
told("notify without the lock:", condition.notify)
told("wait without the lock:", condition.wait)
told("a semaphore below 0:", threading.Semaphore, -1)
told("release too often:", threading.BoundedSemaphore(1).release)

event = threading.Event()
told("wait for an event:", event.wait, 0.01)
event.set()
told("wait for it again:", event.wait, 0.01)

barrier = threading.Barrier(3)
turns = []


def pass_barrier(n):
    turns.append(("before", n))
    barrier.wait()
    with lock:
        turns.append(("after", n))


threads = [threading.Thread(target=pass_barrier, args=(n,)) for n in range(2)]
for thread in threads:
    thread.start()
barrier.wait()
lock.release()
for thread in threads:
    thread.join()
print(sorted(turns[:2]), sorted(turns[2:]), barrier.n_waiting, barrier.broken)
barrier.abort()
try:
    barrier.wait()
except threading.BrokenBarrierError as error:
    print("broken:", isinstance(error, RuntimeError))
