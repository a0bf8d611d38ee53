"""asyncio.threads: from a coroutine to threads, and from a thread to the loop."""

import asyncio
import asyncio.threads
import gc
import threading
import time
from concurrent.futures import CancelledError, ThreadPoolExecutor, TimeoutError

import pytest


def raised_by(function, *args, **kwargs):
    try:
        function(*args, **kwargs)
    except Exception as error:
        return type(error)


async def later(result, ms=5):
    await asyncio.sleep_ms(ms)
    if isinstance(result, Exception):
        raise result
    return result


def test_to_thread():
    steps = []

    def work(*args, **kwargs):
        time.sleep_ms(20)
        return args, kwargs, threading.current_thread() is not threading.main_thread()

    async def step():
        while True:
            steps.append(0)
            await asyncio.sleep_ms(2)

    async def main():
        task = asyncio.create_task(step())
        assert await asyncio.to_thread(work, 1, b=2) == ((1,), {"b": 2}, True)
        assert len(steps) > 3, steps  # the loop has gone on
        squares = [asyncio.to_thread(pow, n, 2) for n in range(4)]
        assert await asyncio.gather(*squares) == [0, 1, 4, 9]
        try:
            await asyncio.to_thread(lambda: 1 // 0)
            assert False
        except ZeroDivisionError:
            pass
        try:
            await asyncio.wait_for(asyncio.to_thread(work), 0.005)
            assert False
        except asyncio.TimeoutError:
            pass
        with ThreadPoolExecutor(1) as pool:
            loop = asyncio.get_running_loop()
            assert await loop.run_in_executor(pool, pow, 2, 5) == 32
            gate = threading.Event()
            busy = pool.submit(gate.wait)
            waiting = loop.run_in_executor(pool, pow, 2, 5)
            await asyncio.sleep_ms(1)
            waiting.cancel()
            gate.set()
            try:
                await waiting
                assert False
            except asyncio.CancelledError:
                pass
            assert busy.result() is True
        task.cancel()

    for _ in range(2):  # also with a loop that is made anew
        asyncio.run(main())
        asyncio.new_event_loop()
    assert raised_by(asyncio.get_running_loop) is RuntimeError


def test_run_coroutine_threadsafe():
    ended = []

    async def endless():
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(threading.current_thread() is threading.main_thread())

    def work(loop):
        call = asyncio.run_coroutine_threadsafe
        assert call(later(42), loop).result(5) == 42
        assert raised_by(call(later(KeyError()), loop).result, 5) is KeyError
        assert raised_by(call, 5, loop) is TypeError
        future = call(endless(), loop)
        assert raised_by(future.result, 0.01) is TimeoutError
        assert future.cancel() is True and raised_by(future.result) is CancelledError
        assert call(later(1), loop).result(5) == 1
        assert ended == [True], ended  # the coroutine has been cancelled, too
        many = [call(later(n, n % 3), loop) for n in range(10)]
        return [future.result(5) for future in many]

    async def main():
        return await asyncio.to_thread(work, asyncio.get_event_loop())

    assert asyncio.run(main()) == list(range(10))


@pytest.mark.lane("long", "RPI_PICO")
def test_the_loop_in_a_thread():
    """It runs on without tasks until it is stopped."""
    loop = asyncio.new_event_loop()
    early = []
    loop.call_soon_threadsafe(early.append, 1)  # before it runs
    threading.stack_size(8192)
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    assert asyncio.run_coroutine_threadsafe(later(3), loop).result(5) == 3 and early == [1]
    loop.call_soon_threadsafe(loop.stop)
    thread.join(5)
    assert not thread.is_alive()


@pytest.mark.parametrize("where", ["main", "thread"])
def test_a_call_wakes_the_loop_at_once(where):
    latencies = []

    async def main():
        loop = asyncio.get_running_loop()
        event = asyncio.Event()

        def work():
            for n in range(20):
                time.sleep_ms(7)
                stamps.append(time.ticks_us())
                loop.call_soon_threadsafe(event.set)

        stamps = []
        thread = threading.Thread(target=work)
        thread.start()
        for n in range(20):
            await event.wait()
            latencies.append(time.ticks_diff(time.ticks_us(), stamps[n]))
            event.clear()
        await asyncio.to_thread(thread.join)

    threading.stack_size(8192)
    gc.collect()
    if where == "main":
        asyncio.run(main())
    else:
        thread = threading.Thread(target=asyncio.run, args=(main(),))
        thread.start()
        thread.join()
    median = sorted(latencies)[10]
    print(f"a task goes on {median} us after the call")
    assert median < 3500, latencies  # the loop by itself looks every 5 ms


@pytest.mark.lane("long", "RPI_PICO")
@pytest.mark.expect_output(r"Exception in callback[\s\S]+ZeroDivisionError")
def test_a_callback_that_raises():
    async def main():
        loop = asyncio.get_running_loop()
        told = []
        loop.call_soon_threadsafe(lambda: 1 // 0)
        loop.call_soon_threadsafe(told.append, 1)
        await asyncio.sleep_ms(5)
        assert told == [1]

    asyncio.run(main())


def test_queue():
    async def main():
        queue = asyncio.threads.Queue(2)
        got = []

        def produce(first):
            for n in range(first, first + 10):
                queue.sync_q.put(n)

        async def consume():
            while (item := await queue.async_q.get()) is not None:
                got.append(item)
                queue.async_q.task_done()
            queue.async_q.task_done()

        work = [asyncio.create_task(asyncio.to_thread(produce, n)) for n in (0, 10)]
        consumers = [asyncio.create_task(consume()) for _ in range(3)]
        for task in work:
            await task
        for _ in consumers:
            await queue.async_q.put(None)
        await queue.async_q.join()
        for task in consumers:
            await task
        assert sorted(got) == list(range(20)), got

        # The other way: coroutines put, a thread gets.
        def take():
            time.sleep_ms(5)
            items = []
            for _ in range(12):
                items.append(queue.get())
            return items

        taken = asyncio.create_task(asyncio.to_thread(take))
        for n in range(12):
            await queue.async_q.put(n)
        assert await taken == list(range(12))
        try:
            queue.async_q.get_nowait()
            assert False
        except asyncio.threads.QueueEmpty:
            pass

        # One who gave up takes nothing from another.
        gave_up, other = [asyncio.create_task(queue.async_q.get()) for _ in range(2)]
        await asyncio.sleep_ms(1)
        queue.put(1)
        gave_up.cancel()
        assert await asyncio.wait_for(other, 5) == 1

        waiting = asyncio.create_task(queue.async_q.get())
        await asyncio.sleep_ms(1)
        await asyncio.to_thread(queue.shutdown)
        try:
            await asyncio.wait_for(waiting, 5)
            assert False
        except asyncio.threads.QueueShutDown:
            pass

    asyncio.run(main())
