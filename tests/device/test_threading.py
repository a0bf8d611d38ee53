"""threading: what its objects promise. CPython's own tests say the rest."""

import threading
import time

import pytest
from prelude import free_memory, wait_until


def raised_by(function, *args, **kwargs):
    try:
        function(*args, **kwargs)
    except Exception as error:
        return type(error), str(error)


def test_thread():
    results = []
    gate = threading.Event()

    def work(*args, **kwargs):
        gate.wait()
        me = threading.current_thread()
        results.append((args, kwargs, me.name, me.ident == threading.get_ident(), me.is_alive()))

    thread = threading.Thread(target=work, args=(1, 2), kwargs={"k": 3}, name="worker")
    assert repr(thread) == "<Thread(worker, initial)>" and thread.ident is None
    assert thread.is_alive() is False and thread.daemon is False
    assert raised_by(thread.join) == (RuntimeError, "cannot join thread before it is started")
    thread.start()
    assert thread in threading.enumerate() and threading.active_count() == 2
    assert raised_by(thread.start) == (RuntimeError, "threads can only be started once")
    gate.set()
    thread.join()
    assert results == [((1, 2), {"k": 3}, "worker", True, True)], results
    assert repr(thread) == f"<Thread(worker, stopped {thread.ident})>" and not thread.is_alive()
    assert threading.enumerate() == [threading.main_thread()]
    assert threading.current_thread() is threading.main_thread()
    join = threading.current_thread().join
    assert raised_by(join) == (RuntimeError, "cannot join current thread")


def test_subclass_and_names():
    class Counter(threading.Thread):
        def __init__(self, n):
            super().__init__(daemon=True)
            self.n = n

        def run(self):
            self.n += 1

    class Bad(threading.Thread):
        def __init__(self):
            pass

    threads = [Counter(n) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert [thread.n for thread in threads] == [1, 2, 3, 4]
    assert [thread.name for thread in threads] == [f"Thread-{n}" for n in range(1, 5)]
    assert [threading.Thread(name=name).name for name in ("", 9)] == ["Thread-5", "9"]
    assert threads[0].daemon
    assert raised_by(Bad().start) == (RuntimeError, "thread.__init__() not called")


class Returning(threading.Thread):
    """As programs write it: with what CPython's class has for its own use."""

    def __init__(self, function, *args):
        threading.Thread.__init__(self, target=function, args=args)
        self._kwargs["base"] = 16
        self.result = None

    def __call__(self):
        return "not what the thread runs"

    def run(self):
        self.result = self._target(*self._args, **self._kwargs)
        super().run()


def test_subclass_that_runs_the_target_itself():
    calls = []

    def target(*args, **kwargs):
        calls.append((args, kwargs))
        return len(calls)

    thread = Returning(target, 1, 2)
    thread.start()
    thread.join()
    assert thread.result == 1 and calls == [((1, 2), {"base": 16})] * 2, calls
    for name in "_target", "_args", "_kwargs":
        assert raised_by(getattr, thread, name)[0] is AttributeError
        setattr(thread, name, None)
        assert getattr(thread, name) in (None, {})
        delattr(thread, name)
        assert raised_by(getattr, thread, name)[0] is AttributeError


def test_arguments_of_any_kind():
    calls = []

    def target(*args, **kwargs):
        calls.append((args, kwargs))

    for args, kwargs in (((), None), ([1], None), (iter("ab"), {}), ((1,) * 20, {"x": 1})):
        thread = threading.Thread(None, target, "x", args, kwargs)
        thread.start()
        thread.join()
    expected = [((), {}), ((1,), {}), (("a", "b"), {}), ((1,) * 20, {"x": 1})]
    assert calls == expected, calls
    assert raised_by(threading.Thread, 1)[0] is AssertionError
    assert raised_by(threading.Thread, colour=1)[0] is TypeError


def test_no_thread_where_one_is_expected():
    import _thread

    class Uninitialised(threading.Thread):
        def __init__(self, number):
            pass

    made = object.__new__(threading.Thread), Uninitialised(1), threading.Thread.__bases__[0]()
    for thread in made[:2]:
        assert raised_by(thread.is_alive) == (RuntimeError, "Thread.__init__() not called")
        assert raised_by(repr, thread)[0] is raised_by(thread.start)[0] is RuntimeError
    for other in made[2], 1, threading.Thread, object():
        assert raised_by(threading.Thread.start, other)[0] is TypeError, other
    assert raised_by(threading.Thread.start)[0] is TypeError
    assert raised_by(lambda: type("Both", (threading.Thread, list), {}))[0] is TypeError
    assert raised_by(threading.Thread().start, 1)[0] is TypeError
    for function in _thread._thread_class, _thread._future_class:
        for variables in 1, None, (), object():
            assert raised_by(function, variables)[0] is TypeError


def test_join_with_a_timeout():
    gate = threading.Event()
    thread = threading.Thread(target=gate.wait)
    thread.start()
    start = time.ticks_us()
    assert thread.join(0.02) is None and thread.join(-1) is None
    assert time.ticks_diff(time.ticks_us(), start) >= 20000 and thread.is_alive()
    gate.set()
    thread.join()
    assert not thread.is_alive()


@pytest.mark.expect_output(r"Exception in thread bad:\s+Traceback[\s\S]+ValueError: 7")
def test_an_exception():
    seen = []

    def fail():
        raise ValueError(7)

    def run():
        thread = threading.Thread(target=fail, name="bad")
        thread.start()
        thread.join()
        return thread

    run()
    threading.excepthook = seen.append
    thread = run()
    [args] = seen
    assert args.exc_type is ValueError and args.exc_value.args == (7,) and args.thread is thread


def test_dummy_thread():
    import _thread

    seen = []

    def live():
        seen.append(threading.current_thread())
        time.sleep_ms(20)

    _thread.start_new_thread(live, ())
    wait_until(lambda: seen)
    assert seen[0].name == "Dummy-1" and seen[0].daemon and seen[0] in threading.enumerate()
    assert raised_by(seen[0].join) == (RuntimeError, "cannot join a dummy thread")
    assert repr(seen[0]) == f"<_DummyThread(Dummy-1, started daemon {seen[0].ident})>"
    wait_until(lambda: _thread._count() == 0)
    assert seen[0] not in threading.enumerate() and not seen[0].is_alive()
    handle = _thread.start_joinable_thread(live)
    wait_until(lambda: len(seen) == 2)
    assert seen[1] in threading.enumerate() and seen[1].ident == handle.ident
    handle.join()
    assert handle.is_done() and seen[1] not in threading.enumerate() and not seen[1].is_alive()
    main = threading.main_thread()
    assert repr(main) == "<_MainThread(MainThread, started 1)>" and main.is_alive()


def test_event():
    event = threading.Event()
    assert event.wait(0.001) is False and event.is_set() is False
    told = []
    for _ in range(3):
        threading.Thread(target=lambda: told.append(event.wait())).start()
    time.sleep_ms(5)
    event.set()
    wait_until(lambda: told == [True] * 3)
    assert event.wait(0) is True
    event.clear()
    assert event.is_set() is False


def test_semaphore():
    semaphore = threading.BoundedSemaphore(2)
    assert semaphore.acquire() and semaphore.acquire() and not semaphore.acquire(False)
    assert semaphore.acquire(timeout=0.001) is False
    semaphore.release(2)
    expected = (ValueError, "Semaphore released too many times")
    assert raised_by(semaphore.release) == expected
    assert raised_by(threading.Semaphore, -1)[0] is ValueError
    assert raised_by(semaphore.release, 0) == (ValueError, "n must be one or more")
    assert isinstance(semaphore, threading.Semaphore) and repr(semaphore).endswith(": value=2/2>")

    class Door(threading.Semaphore):
        def __init__(self):
            super().__init__(0)

    door = Door()
    assert not door.acquire(blocking=False) and not door.acquire(timeout=-1)
    door.release(n=3)
    with door:
        assert door._value == 2
    assert door._value == 3
    now, most, lock = [0], [0], threading.Lock()

    def work():
        with semaphore:
            with lock:
                now[0] += 1
                most[0] = max(most[0], now[0])
            time.sleep_ms(2)
            with lock:
                now[0] -= 1

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [2], most


def test_barrier():
    barrier = threading.Barrier(3, action=lambda: order.append("action"))
    order = []

    def work():
        for _ in range(3):
            order.append(barrier.wait(5))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert order.count("action") == 3
    assert sorted(i for i in order if i != "action") == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert raised_by(barrier.wait, 0.001)[0] is threading.BrokenBarrierError and barrier.broken
    assert raised_by(barrier.wait)[0] is threading.BrokenBarrierError
    barrier.reset()
    assert not barrier.broken and barrier.n_waiting == 0
    ended = []
    threading.Thread(target=lambda: ended.append(raised_by(barrier.wait)[0])).start()
    wait_until(lambda: barrier.n_waiting == 1)
    barrier.abort()
    wait_until(lambda: ended == [threading.BrokenBarrierError])


def test_timer():
    came = []
    timers = [threading.Timer(0.02, lambda n: came.append(n), (n,)) for n in range(2)]
    for timer in timers:
        timer.start()
    timers[0].cancel()
    for timer in timers:
        timer.join()
    assert came == [1], came


def test_local():
    mine = threading.local()
    mine.x = 1
    seen = []

    def work(n):
        seen.append(hasattr(mine, "x"))
        mine.x = n
        time.sleep_ms(2)
        seen.append((n, mine.x))

    threads = [threading.Thread(target=work, args=(n,)) for n in (2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(seen[:2]) == [False, False] and sorted(seen[2:]) == [(2, 2), (3, 3)], seen
    assert mine.x == 1 and mine.__dict__ == {"x": 1}
    del mine.x
    assert raised_by(getattr, mine, "x")[0] is AttributeError
    assert raised_by(threading.local, 1)[0] is TypeError


def in_thread(call):
    results = []
    thread = threading.Thread(target=lambda: results.append(call()))
    thread.start()
    thread.join()
    return results[0]


class Mine(threading.local):
    number = 2

    def __init__(self, *args, **kwargs):
        super().__init__()
        self.args = args
        self.__dict__.update(kwargs)

    def squared(self):
        return self.number**2

    @property
    def half(self):
        return self.number / 2

    @half.setter
    def half(self, value):
        self.number = value * 2


def test_local_class():
    mine = Mine(1, x=2)
    mine.half = 3
    assert mine.__dict__ == {"args": (1,), "x": 2, "number": 6}, mine.__dict__
    assert (mine.squared(), mine.half, Mine.number) == (36, 3, 2)

    def other():
        first = (mine.args, mine.x, mine.number, mine.squared(), mine.half)
        mine.number = 4
        del mine.x
        assert raised_by(getattr, mine, "x")[0] is AttributeError
        assert raised_by(setattr, mine, "__dict__", {})[0] is AttributeError
        return first + (mine.squared(), mine.__dict__)

    for _ in range(2):
        assert in_thread(other) == ((1,), 2, 2, 4, 1, 16, {"args": (1,), "number": 4})
    assert mine.__dict__ == {"args": (1,), "x": 2, "number": 6}, mine.__dict__
    assert isinstance(mine, threading.local) and not hasattr(threading.local(), "args")


class Wrapping(Mine):
    def __new__(cls, *args):
        return super().__new__(cls, *args)

    def __setattr__(self, name, value):
        super().__setattr__(name, [value])

    def __getattr__(self, name):
        return "no " + name


@pytest.mark.lane("long", "RPI_PICO")
def test_local_class_with_special_methods():
    mine = Wrapping(1)
    mine.x = 2
    assert (mine.args, mine.x, mine.y) == ([(1,)], [2], "no y")
    assert in_thread(lambda: (mine.args, mine.x)) == ([(1,)], "no x")


# The next access of that thread makes its attributes once more.
@pytest.mark.lane("long", "RPI_PICO")
def test_local_class_whose_init_fails():
    class Picky(threading.local):
        def __init__(self, fails):
            fails.append(threading.get_ident())
            assert len(fails) != 2, "this one"

    idents = []
    mine = Picky(idents)

    def other():
        error = raised_by(setattr, mine, "x", 1)
        mine.x = 2
        return error, mine.__dict__

    assert in_thread(other) == ((AssertionError, "this one"), {"x": 2})
    assert len(idents) == 3 and idents[1] == idents[2] != idents[0], idents


@pytest.mark.lane("long", "RPI_PICO")
def test_local_arguments():
    class Plain(threading.local):
        pass

    for made in (threading.local, Plain):
        for args, kwargs in (((1,), {}), ((), {"a": 1})):
            error = raised_by(lambda: made(*args, **kwargs))
            assert error == (TypeError, "Initialization arguments are not supported"), error


# What outlives a thread, the next one that comes to it removes.
def test_local_forgets_threads():
    mine = threading.local()

    def work():
        mine.big = bytearray(1000)

    def rounds(n):
        for _ in range(n):
            thread = threading.Thread(target=work)
            thread.start()
            thread.join()

    rounds(3)
    lost = []
    for _ in range(3):
        before = free_memory()
        rounds(20)
        lost.append(before - free_memory())
    assert min(lost) < 3000, lost


# As MicroPython's own _thread.
def test_a_line_says_what_is_missing():
    import sys

    class Module:
        __name__ = "_thread"
        allocate_lock = threading.Lock

    found = {name: sys.modules.pop(name, None) for name in ("_thread", "threading", "queue")}
    sys.modules["_thread"] = Module
    try:
        for name in ("threading", "queue"):
            expected = f"{name} needs a firmware with modthread's _thread"
            assert raised_by(__import__, name) == (ImportError, expected)
    finally:
        del sys.modules["_thread"]
        sys.modules.update({name: module for name, module in found.items() if module})
