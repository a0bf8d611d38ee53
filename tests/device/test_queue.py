"""queue: what its classes promise. CPython's own tests say the rest."""

import queue
import threading
import time

import pytest


def raised_by(function, *args, **kwargs):
    try:
        function(*args, **kwargs)
    except Exception as error:
        return type(error)


def test_order():
    for make, expected in (
        (queue.Queue, [3, 1, 2]),
        (queue.LifoQueue, [2, 1, 3]),
        (queue.PriorityQueue, [1, 2, 3]),
        (queue.SimpleQueue, [3, 1, 2]),
    ):
        q = make()
        assert q.empty() and raised_by(q.get_nowait) is queue.Empty
        for item in (3, 1, 2):
            q.put(item)
        assert q.qsize() == 3 and [q.get() for _ in range(3)] == expected
        start = time.ticks_us()
        assert raised_by(q.get, timeout=0.02) is queue.Empty
        assert time.ticks_diff(time.ticks_us(), start) >= 20000
        assert raised_by(q.get, timeout=-1) is ValueError


def test_full():
    q = queue.Queue(2)
    q.put(1)
    q.put_nowait(2)
    assert q.full() and raised_by(q.put_nowait, 3) is queue.Full
    assert raised_by(q.put, 3, timeout=0.001) is queue.Full
    threading.Thread(target=lambda: (time.sleep_ms(5), q.get())).start()
    q.put(3, timeout=5)
    assert [q.get(), q.get()] == [2, 3]


@pytest.mark.parametrize("size", [0, 1, 3])
def test_producers_and_consumers(size):
    q = queue.Queue(size)
    got = []

    def produce(first):
        for n in range(first, first + 20):
            q.put(n)

    def consume():
        while (item := q.get()) is not None:
            got.append(item)
            q.task_done()
        q.task_done()

    producers = [threading.Thread(target=produce, args=(n,)) for n in (0, 20, 40)]
    consumers = [threading.Thread(target=consume) for _ in range(2)]
    for thread in producers + consumers:
        thread.start()
    for thread in producers:
        thread.join()
    for _ in consumers:
        q.put(None)
    q.join()
    for thread in consumers:
        thread.join()
    assert sorted(got) == list(range(60)), got
    assert raised_by(q.task_done) is ValueError


def test_shutdown():
    q = queue.Queue()
    q.put(1)
    ended = []
    q.shutdown()
    assert raised_by(q.put, 2) is queue.ShutDown
    assert q.get() == 1 and raised_by(q.get) is queue.ShutDown
    q = queue.Queue(1)
    threads = [threading.Thread(target=lambda: ended.append(raised_by(q.get))) for _ in range(2)]
    for thread in threads:
        thread.start()
    time.sleep_ms(5)
    q.shutdown(immediate=True)
    for thread in threads:
        thread.join()
    assert ended == [queue.ShutDown] * 2
    assert raised_by(q.get_nowait) is queue.ShutDown


def test_a_class_with_methods_of_its_own():
    class Doubling(queue.Queue):
        def _init(self, maxsize):
            self.held = []

        def _qsize(self):
            return len(self.held)

        def _put(self, item):
            if item is None:
                raise OSError("none")
            assert self.mutex.locked()
            self.held += [item, item]

        def _get(self):
            return self.held.pop()

    q = Doubling(3)
    assert raised_by(q.put, None) is OSError and not q.mutex.locked()
    q.put(1)
    q.put(timeout=1, item=2)
    assert q.full() and raised_by(q.put, 3, False) is queue.Full
    got = []
    thread = threading.Thread(target=lambda: [got.append(q.get()) for _ in range(6)])
    thread.start()
    q.put(3)
    thread.join()
    assert got == [2, 2, 1, 3, 3, 1] or sorted(got) == [1, 1, 2, 2, 3, 3], got
    assert not q.mutex.locked() and q.unfinished_tasks == 3


# Who asks for the mutex while a thread waits without one holds the thread back all the same.
def test_mutex():
    q = queue.Queue()
    got = []
    thread = threading.Thread(target=lambda: got.append(q.get()))
    thread.start()
    time.sleep_ms(2)
    with q.mutex:
        q.queue.append(1)
        threading.Thread(target=q.put, args=(2,)).start()
        time.sleep_ms(5)
        assert got == [] and q.queue == [1]
    thread.join()
    assert got == [1] and q.get() == 2
