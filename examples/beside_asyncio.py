# Coroutines wait for a thread, and a thread calls a coroutine. `asyncio.threads` adds this to MicroPython's asyncio.

import asyncio
import asyncio.threads
import time


def slow_read(name):
    time.sleep_ms(60)  # a driver that blocks
    return name + " 21 C"


async def blink():
    while True:
        print("blink")
        await asyncio.sleep_ms(25)


async def ask(question):
    await asyncio.sleep_ms(10)
    return "yes" if question == "warm?" else "no"


def control(loop, readings):
    while (reading := readings.get()) is not None:  # blocks this thread
        warm = asyncio.run_coroutine_threadsafe(ask("warm?"), loop).result()
        print(reading, "warm:", warm)


async def main():
    blinking = asyncio.create_task(blink())  # goes on all the time
    readings = asyncio.threads.Queue(2)
    thread = asyncio.create_task(
        asyncio.to_thread(control, asyncio.get_running_loop(), readings.sync_q)
    )
    for name in ("kitchen", "garden"):
        await readings.async_q.put(await asyncio.to_thread(slow_read, name))
    await readings.async_q.put(None)
    await thread
    blinking.cancel()


asyncio.run(main())
print("The loop has ended")
