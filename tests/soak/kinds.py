"""Threads of eight kinds that a soft reset is to end. The host sets SEED.

Prints how much memory was free before, and how many threads there were.
"""

import gc

gc.collect()
free = gc.mem_free()

import _thread
import random
import time

print((free, len(_thread._threads())))
random.seed(SEED)
shared = _thread.allocate_lock()
never = _thread.allocate_lock()
never.acquire()


def compute(number):
    while True:
        number = number * 5 + 3 & 0xFFFF


def allocate(number):
    kept = []
    while True:
        kept.append(bytearray(random.getrandbits(7)))
        if len(kept) > 20:
            kept.pop(0)


def in_with(number):
    while True:
        with shared:
            time.sleep_us(random.getrandbits(9))


def block(number):
    if number & 1:
        never.acquire()
    while True:
        never.acquire(1, 0.003)


def sleep(number):
    while True:
        time.sleep_ms(random.getrandbits(5) if number & 1 else 100000)


def talk(number):
    while True:
        print(number, end=" ")
        time.sleep_us(random.getrandbits(10))


def write_files(number):
    while True:
        with open(f"soak{number & 3}.txt", "w") as file:
            for _ in range(4):
                file.write("x" * 50)
        with open(f"soak{number & 3}.txt") as file:
            file.read()


def start_others(number):
    while True:
        try:
            _thread.start_new_thread(random.choice((int, time.sleep_ms)), (random.getrandbits(2),))
        except (MemoryError, RuntimeError):
            pass
        time.sleep_us(random.getrandbits(11))


KINDS = compute, allocate, in_with, block, sleep, talk, write_files, start_others

_thread.stack_size(8192)  # for files
for number in range(1 + random.getrandbits(3)):
    try:
        _thread.start_new_thread(random.choice(KINDS), (number,))
    except MemoryError:
        break
time.sleep_us(random.getrandbits(13))
