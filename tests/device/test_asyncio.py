"""asyncio on the main thread, beside other threads."""

import _thread
import asyncio
import time

import pytest


@pytest.mark.lane("long", "RPI_PICO")
def test_tasks_beside_busy_threads():
    running = [True]
    steps = []

    def compute():
        while running:
            pass

    async def step(name, ms):
        for i in range(10):
            await asyncio.sleep_ms(ms)
            steps.append((name, i))

    async def main():
        await asyncio.gather(step("a", 10), step("b", 15))

    for _ in range(3):
        _thread.start_new_thread(compute, ())
    start = time.ticks_ms()
    asyncio.run(main())
    took = time.ticks_diff(time.ticks_ms(), start)
    running.clear()
    assert sorted(steps) == [(name, i) for name in "ab" for i in range(10)], steps
    assert 150 <= took < 300, f"ten steps of 15 ms took {took} ms"


def test_a_thread_wakes_a_task():
    """ThreadSafeFlag is the bridge from threads to asyncio."""
    latencies = []

    async def main():
        flag = asyncio.ThreadSafeFlag()
        stamps = []

        def signal():
            for _ in range(20):
                time.sleep_ms(10)
                stamps.append(time.ticks_us())
                flag.set()

        _thread.start_new_thread(signal, ())
        for i in range(20):
            await asyncio.wait_for(flag.wait(), 1)
            latencies.append(time.ticks_diff(time.ticks_us(), stamps[i]))

    asyncio.run(main())
    assert len(latencies) == 20
    print(f"a task is woken within {max(latencies)} us")
    assert max(latencies) < 10000, f"woken after {latencies} us"


@pytest.mark.boards("RPI_PICO")
@pytest.mark.parametrize("beside, most", [("nobody", 1000), ("computing", 10000)])
def test_a_hard_interrupt_handler_wakes_a_task(beside, most):
    """It schedules nothing: that an interrupt came is all that can end the wait."""
    from machine import PWM, Pin

    running = [beside == "computing"]
    stamps, latencies = [0], []
    flag = asyncio.ThreadSafeFlag()

    def on_edge(pin):
        stamps[0] = time.ticks_us()
        flag.set()

    def compute():
        while running[0]:
            pass

    async def main():
        for _ in range(60):
            await flag.wait()
            latencies.append(time.ticks_diff(time.ticks_us(), stamps[0]))

    if running[0]:
        _thread.start_new_thread(compute, ())
    # An edge each 5,263 us: some come right after a look at the flag, before any task waits for it.
    pwm = PWM(Pin(2), freq=95, duty_u16=32768)
    pin = Pin(2)
    pin.irq(on_edge, Pin.IRQ_RISING | Pin.IRQ_FALLING, hard=True)
    asyncio.run(main())
    pin.irq(None)
    pwm.deinit()
    running[0] = False
    print(f"a task is woken within {max(latencies)} us")
    assert max(latencies) < most, f"woken after {latencies} us"
