"""start_new_thread(function, args[, kwargs]): what it takes, returns and refuses."""

import _thread
import time

import pytest
from prelude import wait_until


def start_and_collect(function, *arguments):
    """Starts the function and waits until it has appended its result to its first argument."""
    results = []
    _thread.start_new_thread(function, (results,) + arguments[:1], *arguments[1:])
    wait_until(lambda: results)
    return results[0]


def test_arguments_reach_the_function():
    def positional(results, value):
        results.append(value)

    def keywords(results, value, scale=1, *, offset=0, **rest):
        results.append((value * scale + offset, rest))

    marker = object()
    assert start_and_collect(positional, marker) is marker
    assert start_and_collect(keywords, 4) == (4, {})
    assert start_and_collect(keywords, 4, {}) == (4, {})
    assert start_and_collect(keywords, 4, {"scale": 10, "offset": 2, "x": 1}) == (42, {"x": 1})


def test_keywords_are_taken_at_the_start():
    results = []
    kwargs = {"value": 1}
    _thread.start_new_thread(lambda value: results.append(value), (), kwargs)
    kwargs["value"] = 2
    kwargs["other"] = 3
    wait_until(lambda: results)
    assert results == [1], results


def test_no_arguments():
    results = []
    _thread.start_new_thread(lambda: results.append("ran"), ())
    wait_until(lambda: results)


class Worker:
    def __init__(self, results, value=0):
        results.append(("init", value))
        self.results = results

    def method(self, value):
        self.results.append(("method", value))

    def __call__(self, value):
        self.results.append(("call", value))


def test_every_callable_will_do():
    results = []
    worker = Worker(results)
    for callable, args in (
        (worker.method, (1,)),
        (worker, (2,)),
        (Worker, (results, 3)),
        (results.append, (4,)),
        (lambda value: results.append(value), (5,)),
    ):
        count = len(results)
        _thread.start_new_thread(callable, args)
        wait_until(lambda count=count: len(results) > count)
    assert results == [("init", 0), ("method", 1), ("call", 2), ("init", 3), 4, 5], results


def test_start_returns_the_identifier():
    for _ in range(20):
        idents = []
        ident = _thread.start_new_thread(
            lambda idents=idents: idents.append(_thread.get_ident()), ()
        )
        wait_until(lambda idents=idents: idents)
        assert idents == [ident], f"returned {ident}, get_ident() inside {idents}"


@pytest.mark.rows(
    "arguments",
    [
        "",
        "f",
        "f, (), {}, 1",
        "None, ()",
        "1, ()",
        "'f', ()",
        "f, []",
        "f, None",
        "f, 1",
        "f, 'ab'",
        "f, {}",
        "f, (), ()",
        "f, (), []",
        "f, (), None",
        "f, (), 1",
        "f, (), {1: 2}",
        "f, (), {None: 2}",
        "f, (), {b'a': 2}",
        "f, (), {'a': 1, (): 2}",
    ],
)
def test_wrong_arguments(arguments):
    ran = []
    names = {"start": _thread.start_new_thread, "f": lambda *args, **kwargs: ran.append(args)}
    threads = len(_thread._threads())
    try:
        eval(f"start({arguments})", names)
    except TypeError as error:
        assert str(error), "the exception says nothing"
    else:
        assert False, "no TypeError"
    assert len(_thread._threads()) == threads, "a thread was created"
    time.sleep_ms(10)
    assert not ran, f"the function ran with {ran}"


class Tuple(tuple):
    pass


class Dict(dict):
    pass


class Int(int):
    pass


class Float(float):
    pass


def test_instances_of_subclasses():
    """As in CPython, where a subclass of tuple, dict, int or float will do."""
    seen = []
    done = _thread.allocate_lock()
    done.acquire()

    def function(*args, **kwargs):
        seen.append((args, kwargs))
        done.release()

    keywords = Dict()
    keywords["c"] = 3
    _thread.start_new_thread(function, Tuple((1, 2)), keywords)
    assert done.acquire(Int(1), Float(2.0))
    assert seen == [((1, 2), {"c": 3})]
    assert done.acquire(Int(0)) is False
    assert done.acquire(1, Int(0)) is False
    assert _thread.stack_size(Int(8192)) == 0
    assert _thread.stack_size(0) == 8192
    interval = _thread.getswitchinterval()
    _thread.setswitchinterval(Float(0.002))
    assert abs(_thread.getswitchinterval() - 0.002) < 1e-6
    _thread.setswitchinterval(interval)
