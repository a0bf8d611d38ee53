"""Limits of the figures: the contract, which fails the command, and goals, which do not."""

from modthread._bench.results import MORE_IS_BETTER, Row

# Single-threaded code against the same firmware without threads.
MOST_RATIO = 1.02
GOAL_RATIO = 1.01

# MicroPython's own benchmark programs, whose names end so, are held to it together: each of them
# depends a little on how the heap is filled, and where names differ, on its lookup cache.
PROGRAM = ".py"
PROGRAMS_MEAN = "geometric mean of these"

# The most that a program with threads should pay, in the row's unit.
GOALS = {
    "acquire() + release()": 640,
    "with lock": 650,
    "hand-over of a lock": 950,
    "start and wait, 4 KiB stack": 9000,
    "start and wait, 8 KiB stack": 12000,
    "gc.collect() for each thread": 3000,
    "heap per thread": 160,
    "heap per lock": 16,
    **{
        f"sleep_us({us}) beside {threads}, {part}": limit
        for us in (500, 1000, 2000)
        for threads in (4, 8)
        for part, limit in (("99 %", 100), ("worst", 200))
    },
    "sleep_ms(10) beside 4, worst": 200,
    "sleep_ms(10) beside 8, worst": 200,
    "lock handed over beside 4, median": 200,
    "lock handed over beside 4, worst": 200,
    "acquire() that times out beside 4, worst": 200,
    "acquire() that times out beside 8, worst": 200,
    "edge to waiting thread beside 4, 99 %": 150,
    "edge to waiting thread beside 4, worst": 300,
    "with RLock": 1125,
    "with RLock, nested": 940,
    "Event.set() + wait()": 1250,
    "Queue.put() + get()": 1875,
    "Queue there and back": 4690,
    "Condition there and back": 5310,
    "Thread() + start() + join()": 12500,
    "submit() + result()": 9375,
    "heap of import threading, queue": 2048,
    "heap of RLock": 32,
    "heap of Condition": 48,
    "heap of Event": 48,
    "heap of Semaphore": 64,
    "heap of Queue(8)": 112,
    "heap of Thread, beyond its stack": 144,
    "flash": 8000,
    "flash of lib/": 14000,
    "RAM": 3500,
}

# On a board whose emulator counts cycles.
CYCLES = {
    "acquire() + release()": 800,
    "start and wait, 4 KiB stack": 12000,
}

# The least, where more is better.
LEAST = {
    "work of 8, of one's": 99,
    "least of 8 to most": 97,
    "work at the prompt, of one's": 99,
    "work of 32, of one's": 99,
    "work beside a loop of 1 kHz, of one's": 90,
    "work beside 3 of sleep_ms(5), of one's": 97,
    "work beside 1 KiB by I2C, of one's": 90,
    "work beside 8 KiB by SPI, of one's": 90,
    "work beside 200 bytes by UART, of one's": 90,
}


def broken(name: str, row: Row) -> str | None:
    """Return what to say where the row breaks the contract, None where it does not."""
    if row.ratio is None or name.endswith(PROGRAM):
        return None
    if row.unit in MORE_IS_BETTER:
        less = f"{name}: {row.value:g}, but {row.value_without:g} without threads"
        return less if row.ratio < 1 else None
    more = f"{name}: {row.ratio:.3f} times what it takes without threads, at most {MOST_RATIO}"
    return more if row.ratio > MOST_RATIO else None


def goal(name: str, row: Row) -> str:
    """Return the goal, for the ratio where there is one, for people; empty where it has none."""
    if row.ratio is None:
        if name in LEAST:
            return f"≥ {LEAST[name]}"
        most = _most(name, row)
        return "" if most is None else f"≤ {most:,}"
    return "≥ 1" if row.unit in MORE_IS_BETTER else f"≤ {GOAL_RATIO}"


def missed(name: str, row: Row) -> bool:
    """Return whether the row misses its goal."""
    if row.ratio is None:
        if name in LEAST:
            return row.value < LEAST[name]
        most = _most(name, row)
        return most is not None and row.value > most
    return row.ratio < 1 if row.unit in MORE_IS_BETTER else row.ratio > GOAL_RATIO


def _most(name: str, row: Row) -> int | None:
    return (CYCLES if row.unit == "cycles" else GOALS).get(name)
