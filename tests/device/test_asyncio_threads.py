"""MicroPython's asyncio has one event loop: a second one beside it, in another thread, is an error."""

import _thread
import asyncio
import time


def wait_until(condition, ms=10000):
    start = time.ticks_ms()
    while not condition():
        assert time.ticks_diff(time.ticks_ms(), start) < ms, "it takes too long"
        time.sleep_ms(5)


def in_thread(function):
    """Calls function in a thread; returns what it gives, or what it raises."""
    results = []

    def work():
        try:
            results.append(function())
        except BaseException as error:
            results.append(error)

    _thread.stack_size(8192)
    _thread.start_new_thread(work, ())
    wait_until(lambda: results)
    return results[0]


async def job(seen, ms=30):
    seen.add(_thread.get_ident())
    await asyncio.sleep_ms(ms)
    seen.add(_thread.get_ident())
    return "done"


RUNS = [
    lambda seen: asyncio.run(job(seen)),
    lambda seen: asyncio.get_event_loop().run_until_complete(job(seen)),
    lambda seen: asyncio.new_event_loop().run_until_complete(job(seen)),
]


def test_second_loop_is_an_error():
    """The second loop never runs, and the first one goes on."""
    for run in RUNS[:2]:
        seen, others = set(), set()

        async def main():
            errors = []

            def work():
                try:
                    run(others)
                except BaseException as error:
                    errors.append(error)

            _thread.stack_size(8192)
            _thread.start_new_thread(work, ())
            result = await job(seen)
            while not errors:
                await asyncio.sleep_ms(5)
            return result, errors[0]

        result, error = asyncio.run(main())
        assert result == "done"
        assert isinstance(error, RuntimeError) and "another thread" in str(error), repr(error)
        assert seen == {_thread.get_ident()}
        assert others == set()


def test_one_loop_after_another():
    """In whatever thread, also after an exception."""
    for run in RUNS:
        seen = set()
        assert in_thread(lambda: run(seen)) == "done"
        assert len(seen) == 1 and _thread.get_ident() not in seen
        assert run(set()) == "done"

    async def fail():
        raise KeyError

    try:
        asyncio.run(fail())
        assert False, "nothing was raised"
    except KeyError:
        pass
    assert in_thread(lambda: asyncio.run(job(set()))) == "done"


def test_loop_within_a_loop():
    """In one thread nothing is different from MicroPython's."""

    async def outer():
        return asyncio.run(job(set(), 1))

    assert asyncio.run(outer()) == "done"
