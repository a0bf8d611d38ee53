"""Recursion without end is RuntimeError at every stack size, and the board lives on."""

import _thread
import gc
import re
import time

import pytest


def call(depth):
    depth[0] += 1
    call(depth)


def call_with_locals(depth, *args, **kwargs):
    depth[0] += 1
    a, b, c, d = (args, kwargs, depth, depth[0])
    return call_with_locals(depth, a, b, c, d, key=d)


def sort(depth):
    depth[0] += 1
    sorted([1, 2], key=lambda _: sort(depth))


def attribute(depth):
    class Asking:
        def __getattr__(self, name):
            depth[0] += 1
            return getattr(self, name + "_")

    Asking().start


def construct(depth):
    class Nested:
        def __init__(self):
            depth[0] += 1
            self.inner = Nested()

    Nested()


def generate(depth):
    def inner():
        depth[0] += 1
        yield from inner()

    list(inner())


def evaluate(depth):
    depth[0] += 1
    eval("evaluate(depth)", {"evaluate": evaluate, "depth": depth})


def handle(depth):
    depth[0] += 1
    try:
        handle(depth)
    finally:
        depth[1:] = [depth[0]]


def print_nested(depth):
    nested = ()
    for _ in range(4000):
        nested = (nested,)
        depth[0] += 1
    str(nested)


def nested(wrap, depth, times=2000):
    data = ()
    for _ in range(times):
        data = wrap(data)
        depth[0] += 1
    return data


def compare_tuples(depth):
    nested(lambda data: (data,), depth) == nested(lambda data: (data,), depth)


def order_lists(depth):
    nested(lambda data: [data], depth) < nested(lambda data: [data], depth)


def compare_dicts(depth):
    nested(lambda data: {1: data}, depth, 500) == nested(lambda data: {1: data}, depth, 500)


def find_in_tuple(depth):
    nested(lambda data: (data,), depth) in [nested(lambda data: (data,), depth)]


def hash_tuples(depth):
    hash(nested(lambda data: (data,), depth))


def hash_sets(depth):
    nested(lambda data: frozenset([data]), depth)


def call_objects(depth):
    class Calling:
        pass

    Calling.__call__ = Calling()
    Calling()()


def compile_expression(depth):
    eval("-" * 1000 + "depth", {"depth": depth})


def compile_condition(depth):
    condition = "depth"
    for _ in range(200):
        condition = f"(({condition}) or depth) and depth"
    eval(f"1 if {condition} else 2", {"depth": depth})


def compile_targets(depth):
    exec("(" * 400 + "a" + ",)" * 400 + " = depth", {"depth": depth})


def compile_groups(depth):
    re.compile("(?:" * 1000 + ")" * 1000)


def run_to_the_end(function, size):
    """Runs function(depth) in a thread of that stack size; returns the depth and what it raised."""
    depth = [0]
    raised = []

    def run():
        try:
            function(depth)
        except BaseException as error:
            raised.append(error)

    _thread.stack_size(size)
    _thread.start_new_thread(run, ())
    start = time.ticks_ms()
    while len(_thread._threads()) > 1:
        assert time.ticks_diff(time.ticks_ms(), start) < 10000, f"depth {depth[0]} and no end"
        time.sleep_ms(1)
    return depth[0], raised


def check(error, depth):
    assert type(error) is RuntimeError, f"{error!r} at depth {depth}"
    assert str(error) == "maximum recursion depth exceeded", f"{error!r} at depth {depth}"


@pytest.mark.parametrize("size", [4096, 8192, 16384, 65536])
def test_every_kind_of_recursion(size):
    for function in (
        call,
        call_with_locals,
        sort,
        attribute,
        construct,
        generate,
        evaluate,
        handle,
        print_nested,
    ):
        depth, raised = run_to_the_end(function, size)
        print(f"{function.__name__}: depth {depth}")
        assert raised, f"{function.__name__} raised nothing at depth {depth}"
        check(raised[0], depth)
    gc.collect()


@pytest.mark.parametrize(
    "size", [4096, pytest.param(8192, marks=pytest.mark.lane("long", "RPI_PICO"))]
)
def test_data_and_programs_nested_deep(size):
    for function in (
        compare_tuples,
        order_lists,
        compare_dicts,
        find_in_tuple,
        hash_tuples,
        hash_sets,
        call_objects,
        compile_expression,
        compile_condition,
        compile_targets,
        compile_groups,
    ):
        depth, raised = run_to_the_end(function, size)
        assert raised, f"{function.__name__} raised nothing, data {depth} deep"
        check(raised[0], function.__name__)
        gc.collect()


def test_depth_grows_with_the_stack():
    sizes = (4096, 8192, 16384, 65536)
    depths = [run_to_the_end(call, size)[0] for size in sizes]
    print(f"stacks of {sizes} bytes: {depths} calls")
    assert depths[0] >= 8, f"{depths[0]} calls on 4096 bytes"
    for i in range(3):
        assert depths[i + 1] > 1.8 * depths[i] * sizes[i + 1] / sizes[i] / 2, depths


def test_again_and_again_in_one_thread():
    depths = []

    def recurse(_):
        for _ in range(50):
            depth = [0]
            try:
                call(depth)
            except RuntimeError:
                depths.append(depth[0])

    run_to_the_end(recurse, 8192)
    assert len(depths) == 50 and min(depths) == max(depths), depths


def test_four_threads_at_once_beside_main():
    """Each thread has the limit of its own stack."""
    raised = []
    alone = {size: run_to_the_end(call, size)[0] for size in (4096, 16384)}

    def recurse(size):
        for _ in range(10):
            depth = [0]
            try:
                call(depth)
            except RuntimeError as error:
                raised.append((size, depth[0], error))
            time.sleep_ms(1)

    for size in (4096, 16384, 4096, 16384):
        _thread.stack_size(size)
        _thread.start_new_thread(recurse, (size,))
    for _ in range(20):
        depth = [0]
        try:
            call(depth)
        except RuntimeError as error:
            check(error, depth[0])
    start = time.ticks_ms()
    while len(raised) < 40:
        assert time.ticks_diff(time.ticks_ms(), start) < 10000, f"{len(raised)} of 40"
        time.sleep_ms(5)
    for size, depth, error in raised:
        check(error, depth)
        assert abs(depth - alone[size]) <= 2, f"{size} bytes: {depth} calls, alone {alone[size]}"
