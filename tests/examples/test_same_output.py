"""A program for CPython prints the same on the host and on the board."""

import subprocess
import sys

import pytest

from modthread.device import Device

FUTURES = """
import queue
import threading
from concurrent.futures import (
    FIRST_EXCEPTION, Future, ThreadPoolExecutor, as_completed, wait,
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
"""

ASYNCIO = """
import asyncio
import asyncio.threads
import threading
from concurrent.futures import ThreadPoolExecutor

async def double(x):
    await asyncio.sleep(0.001)
    return 2 * x

def call(loop):
    said = []
    loop.call_soon_threadsafe(said.append, "soon")
    future = asyncio.run_coroutine_threadsafe(double(21), loop)
    print(future.result(5), future.done(), said)
    try:
        asyncio.run_coroutine_threadsafe(5, loop)
    except TypeError as error:
        print(error)
    return threading.current_thread() is threading.main_thread()

async def main():
    loop = asyncio.get_running_loop()
    print(await asyncio.to_thread(call, loop), await asyncio.to_thread(dict, a=1))
    with ThreadPoolExecutor(1) as pool:
        print(await loop.run_in_executor(pool, pow, 2, 5))
        print(await asyncio.wrap_future(pool.submit(pow, 2, 6)))
    try:
        await asyncio.to_thread(int, "x")
    except ValueError:
        print("a ValueError")

asyncio.run(main())
try:
    asyncio.get_running_loop()
except RuntimeError as error:
    print(error)
"""


@pytest.mark.lane("long", "RPI_PICO")
@pytest.mark.parametrize("program", [FUTURES, ASYNCIO], ids=["futures", "asyncio"])
def test_same_output(device: Device, program: str) -> None:
    host = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    board = device.run(program, limit=60)
    assert board.error == b""
    assert board.output.decode().splitlines() == host.stdout.decode().splitlines()
