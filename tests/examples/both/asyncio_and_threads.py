# Threads call coroutines, and coroutines wait for threads.
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
