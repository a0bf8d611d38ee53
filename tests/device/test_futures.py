"""concurrent.futures: what its objects promise. CPython's own tests say the rest."""

import threading
import time
from concurrent import futures
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from prelude import free_memory, wait_until


def raised_by(function, *args, **kwargs):
    try:
        function(*args, **kwargs)
    except Exception as error:
        return type(error), str(error)


def fail(error):
    raise error


@pytest.mark.lane("long", "RPI_PICO")
def test_future():
    told = []
    future = Future()
    future.add_done_callback(lambda f: told.append(("first", f.result())))
    future.add_done_callback(lambda f: told.append(("second", f is future)))
    assert not future.done() and not future.running() and not future.cancelled()
    assert repr(future).endswith(" state=pending>")
    start = time.ticks_us()
    assert raised_by(future.result, timeout=0.02)[0] is futures.TimeoutError
    assert time.ticks_diff(time.ticks_us(), start) >= 20000
    assert raised_by(future.exception, 0)[0] is futures.TimeoutError
    assert future.set_running_or_notify_cancel() is True and future.running()
    assert future.cancel() is False and told == []
    assert raised_by(future.set_running_or_notify_cancel)[0] is RuntimeError
    future.set_result(5)
    assert told == [("first", 5), ("second", True)] and future.done()
    assert future.result() == 5 and future.exception() is None and not future.cancel()
    error, text = raised_by(future.set_result, 6)
    assert error is futures.InvalidStateError
    assert text == f"FINISHED: {future!r}" and text.endswith("state=finished returned int>")
    future.add_done_callback(told.append)
    assert told[2] is future

    future = Future()
    future.set_exception(KeyError(1))
    assert raised_by(future.result)[0] is KeyError and future.exception().args == (1,)
    assert repr(future).endswith(" state=finished raised KeyError>")

    future = Future()
    future.add_done_callback(told.append)
    assert future.cancel() and future.cancel() and future.cancelled() and told[3] is future
    assert raised_by(future.result)[0] is futures.CancelledError
    assert raised_by(future.exception)[0] is futures.CancelledError
    assert future.set_running_or_notify_cancel() is False and future.cancelled()
    assert raised_by(future.set_result, 1)[0] is futures.InvalidStateError


@pytest.mark.lane("long", "RPI_PICO")
def test_a_class_that_inherits():
    class Named(Future):
        def __init__(self, name):
            super().__init__()
            self.name = name

    class Uninitialised(Future):
        def __init__(self):
            pass

    future = Named("x")
    future.set_result(1)
    assert (future.name, future.result(timeout=0), future.exception()) == ("x", 1, None)
    assert repr(future).startswith("<Named at 0x"), repr(future)
    for made in object.__new__(Future), Uninitialised():
        assert raised_by(made.done) == (RuntimeError, "Future.__init__() not called")
    for other in Future.__bases__[0](), 1, Future, object():
        assert raised_by(Future.done, other)[0] is TypeError, other
    assert raised_by(Future, 1)[0] is raised_by(Future().result, 1, 2)[0] is TypeError
    unlucky = Future()
    unlucky._run(lambda: None)  # it has no call
    assert raised_by(unlucky.result)[0] is TypeError


# What is cancelled, or has been called, keeps neither the function nor its arguments.
@pytest.mark.lane("long", "RPI_PICO")
def test_a_future_forgets_its_call():
    import _thread

    def waiting(work, size):
        return _thread._submit(work, len, (bytearray(size),))

    for end in (lambda future: future._run(work.task_done), lambda future: future.cancel()):
        work = _thread._Queue()
        waiting(work, 1)
        lost = []
        for _ in range(3):
            before = free_memory()
            kept = [waiting(work, 1000) for _ in range(10)]
            for future in kept:
                end(future)
            lost.append(before - free_memory())
            assert all(future.done() for future in kept)
        assert min(lost) < 5000, lost
    work.shutdown()
    assert waiting(work, 1) is None
    assert raised_by(_thread._submit, 1, len, ())[0] is TypeError
    assert raised_by(_thread._submit, work, len, [])[0] is TypeError


@pytest.mark.lane("long", "RPI_PICO")
def test_waiting_threads_go_on():
    for end, expected in (
        (lambda f: f.set_result(1), 1),
        (lambda f: f.set_exception(KeyError()), KeyError),
        (lambda f: f.cancel(), futures.CancelledError),
    ):
        future = Future()
        results = []

        def wait():
            try:
                results.append(future.result())
            except Exception as error:
                results.append(type(error))

        threads = [threading.Thread(target=wait) for _ in range(3)]
        for thread in threads:
            thread.start()
        time.sleep_ms(5)
        assert results == []
        end(future)
        for thread in threads:
            thread.join()
        assert results == [expected] * 3, results


@pytest.mark.lane("long", "RPI_PICO")
@pytest.mark.expect_output(r"exception calling callback for <Future at 0x[\s\S]+ValueError: 7")
def test_a_callback_that_raises():
    told = []
    future = Future()
    future.add_done_callback(lambda f: fail(ValueError(7)))
    future.add_done_callback(told.append)
    future.set_result(1)
    assert told == [future]


def capture(*args, **kwargs):
    return args, kwargs


def test_pool():
    with ThreadPoolExecutor(2, thread_name_prefix="worker") as pool:
        for _ in range(3):  # an idle worker is used again
            name = pool.submit(lambda: threading.current_thread().name).result()
            assert name == "worker_0", name
        assert len(pool._threads) == 1
        expected = ((1,), {"self": 2, "fn": 3})
        assert pool.submit(capture, 1, self=2, fn=3).result() == expected
        assert raised_by(pool.submit)[0] is raised_by(pool.submit, fn=capture)[0] is TypeError
        assert raised_by(pool.submit(fail, KeyError(1)).result)[0] is KeyError
        gate = threading.Event()
        waiting = [pool.submit(gate.wait) for _ in range(3)]
        wait_until(lambda: waiting[1].running())
        assert len(pool._threads) == 2 and not waiting[2].running()
        assert waiting[2].cancel() and not waiting[1].cancel()
        gate.set()
        assert waiting[0].result() is True
        assert list(pool.map(pow, range(10), range(10))) == [n**n for n in range(10)]
        results = pool.map(divmod, [1, 1, 1], [2, 0, 5])
        assert next(results) == (0, 1) and raised_by(next, results)[0] is ZeroDivisionError
        results = pool.map(time.sleep, [0, 0.05], timeout=0.02)
        assert next(results) is None and raised_by(next, results)[0] is futures.TimeoutError
    assert all(not thread.is_alive() for thread in pool._threads)
    expected = (RuntimeError, "cannot schedule new futures after shutdown")
    assert raised_by(pool.submit, capture) == expected
    assert raised_by(ThreadPoolExecutor, 0) == (ValueError, "max_workers must be greater than 0")
    assert raised_by(ThreadPoolExecutor, 1, "", 2) == (TypeError, "initializer must be a callable")
    assert ThreadPoolExecutor()._max_workers == 5


@pytest.mark.lane("long", "RPI_PICO")
def test_shutdown():
    gate = threading.Event()
    pool = ThreadPoolExecutor(1)
    first, *others = [pool.submit(gate.wait) for _ in range(4)]
    wait_until(first.running)
    pool.shutdown(wait=False, cancel_futures=True)
    assert not first.done() and all(future.cancelled() for future in others)
    assert futures.wait(others).done == set(others)
    gate.set()
    pool.shutdown()
    assert first.result() is True
    pool = ThreadPoolExecutor(1)
    work = [pool.submit(time.sleep_ms, 1) for _ in range(5)]
    pool.shutdown(wait=False)  # what was submitted is done
    assert [future.result(5) for future in work] == [None] * 5
    pool.shutdown()


@pytest.mark.lane("long", "RPI_PICO")
@pytest.mark.expect_output(r"Exception in initializer:\s+Traceback[\s\S]+ValueError: bad")
def test_initializer():
    seen = []
    with ThreadPoolExecutor(2, initializer=seen.append, initargs=(7,)) as pool:
        assert pool.submit(lambda: list(seen)).result() == [7]
    pool = ThreadPoolExecutor(1, initializer=lambda: (time.sleep_ms(5), fail(ValueError("bad"))))
    work = [pool.submit(capture) for _ in range(3)]
    expected = "A thread initializer failed, the thread pool is not usable anymore"
    for future in work:
        assert raised_by(future.result) == (futures.BrokenThreadPool, expected)
    assert raised_by(pool.submit, capture) == (futures.BrokenThreadPool, expected)
    assert issubclass(futures.BrokenThreadPool, futures.BrokenExecutor)
    pool.shutdown()


@pytest.mark.lane("long", "RPI_PICO")
def test_wait():
    ended, failed, cancelled, told, pending = [Future() for _ in range(5)]
    ended.set_result(1)
    failed.set_exception(KeyError())
    cancelled.cancel()
    told.cancel()
    told.set_running_or_notify_cancel()
    for fs, when, done in (
        ([ended, pending, ended], futures.FIRST_COMPLETED, {ended}),
        ([ended, failed, pending], futures.FIRST_EXCEPTION, {ended, failed}),
        ([ended, failed, told], futures.ALL_COMPLETED, {ended, failed, told}),
        ([cancelled, told, pending], futures.FIRST_COMPLETED, {told}),
    ):
        assert futures.wait(fs, return_when=when) == (done, set(fs) - done)
    assert futures.wait([ended, pending], 0.002) == ({ended}, {pending})
    assert raised_by(futures.wait, [ended], None, "never")[0] is ValueError
    assert futures.wait([]) == (set(), set())
    with ThreadPoolExecutor(3) as pool:
        a, b, c = [pool.submit(time.sleep_ms, ms) for ms in (2, 20, 200)]
        assert futures.wait([c, b, a], return_when=futures.FIRST_COMPLETED).done == {a}
        d = pool.submit(fail, KeyError())
        done, rest = futures.wait([b, c, d], return_when=futures.FIRST_EXCEPTION)
        assert d in done and c in rest
        assert futures.wait([a, b, c, d]).not_done == set()
    assert pending._waiters == ended._waiters == c._waiters == ()


@pytest.mark.lane("long", "RPI_PICO")
def test_as_completed():
    with ThreadPoolExecutor(3) as pool:
        a, b, c = [pool.submit(time.sleep_ms, ms) for ms in (40, 1, 20)]
        assert list(futures.as_completed([a, b, c, a])) == [b, c, a]
        d = pool.submit(time.sleep_ms, 50)
        got = []
        error = raised_by(lambda: [got.append(f) for f in futures.as_completed([a, d], 0.005)])
        assert error == (futures.TimeoutError, "1 (of 2) futures unfinished") and got == [a]
        many = [pool.submit(pow, n, 2) for n in range(30)]
        assert sum(f.result() for f in futures.as_completed(many)) == sum(n * n for n in range(30))
    assert d._waiters == ()


def test_a_callback_may_submit():
    """A callback that interrupts the main thread, also where that has the pools' lock."""
    import micropython

    results = []
    scheduled = [0]

    def submit(_):
        results.append(pool.submit(pow, 2, 8))

    def schedule():
        for _ in range(20):
            try:
                micropython.schedule(submit, None)
                scheduled[0] += 1
            except RuntimeError:  # the queue is full
                pass
            time.sleep_us(300)

    with ThreadPoolExecutor(2) as pool:
        thread = threading.Thread(target=schedule)
        thread.start()
        while thread.is_alive():
            assert pool.submit(pow, 2, 3).result() == 8
        wait_until(lambda: len(results) == scheduled[0] > 0)
        assert [future.result() for future in results] == [256] * len(results)
