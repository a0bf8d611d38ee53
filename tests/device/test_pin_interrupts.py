"""Interrupts of pins beside threads: on boards that have pins."""

import _thread
import micropython
import queue
import sys
import threading
import time

import pytest
from machine import Pin, Timer
from prelude import start_computing, wait_until

CALLS_IN_A_HARD_HANDLER = 6  # and so says docs/rp2040.md
EDGES = Pin.IRQ_RISING | Pin.IRQ_FALLING


def toggle(pin, times):
    for _ in range(times):
        pin.toggle()
        time.sleep_us(50)


@pytest.mark.boards("RPI_PICO")
@pytest.mark.parametrize("hard", [False, True])
def test_a_thousand_starts_under_timer_and_pin_interrupts(hard):
    edges = [0]
    ran = [0]

    def on_edge(pin):
        edges[0] += 1

    def work():
        ran[0] += 1

    pin = Pin(2, Pin.OUT)
    pin.irq(on_edge, EDGES, hard=hard)
    timers = [Timer(period=period, callback=lambda timer: pin.toggle()) for period in (1, 2, 3)]
    for i in range(1000):
        _thread.start_new_thread(work, ())
        if i % 16 == 0:
            time.sleep_ms(1)
    while len(_thread._threads()) > 1:
        time.sleep_ms(1)
    for timer in timers:
        timer.deinit()
    pin.irq(None)
    assert ran == [1000], ran
    print(f"{edges[0]} edges")
    assert edges[0] > 50, f"{edges[0]} edges"


@pytest.mark.boards("RPI_PICO")
def test_hard_handlers_beside_computing_threads():
    edges = [0]
    running = [True]

    def on_edge(pin):
        edges[0] += 1

    def compute():
        while running:
            pass

    pin = Pin(2, Pin.OUT)
    pin.irq(on_edge, EDGES, hard=True)
    for _ in range(4):
        _thread.start_new_thread(compute, ())
    toggle(pin, 200)
    running.clear()
    pin.irq(None)
    assert edges == [200], edges


@pytest.mark.boards("RPI_PICO")
def test_an_edge_soon_lets_the_thread_go_on_that_waits_for_it():
    """PIO drives the pin, and no thread: each millisecond it rises."""
    import rp2

    @rp2.asm_pio(set_init=rp2.PIO.OUT_LOW)
    def square():
        set(pins, 1)[4]
        set(pins, 0)[4]

    risen = threading.Semaphore(0)
    pin = Pin(2, Pin.OUT, value=0)
    machine = rp2.StateMachine(0, square, freq=10000, set_base=pin)
    pin.irq(lambda pin: risen.release(), Pin.IRQ_RISING, hard=True)
    running = start_computing(4)
    time.sleep_ms(50)
    late = []
    start = time.ticks_us()
    machine.active(1)
    for _ in range(60):
        risen.acquire()
        late.append(time.ticks_diff(time.ticks_us(), start) - len(late) * 1000)
    machine.active(0)
    pin.irq(None)
    running.clear()
    late.sort()
    print(f"median {late[30]}, worst {late[-1]} us late")
    assert late[0] > 0
    assert late[-1] <= 300, f"{late[-1]} us late"


@pytest.mark.boards("RPI_PICO")
def test_a_hard_handler_has_a_stack_of_its_own():
    depths = []

    def deep(n):
        depths[-1] = n
        deep(n + 1)

    def on_edge(pin):
        try:
            deep(1)
        except RuntimeError:
            pass

    def in_thread():
        depths.append(0)
        pin.toggle()
        time.sleep_ms(5)

    pin = Pin(2, Pin.OUT)
    pin.irq(on_edge, EDGES, hard=True)
    depths.append(0)
    pin.toggle()
    _thread.stack_size(4096)
    _thread.start_new_thread(in_thread, ())
    time.sleep_ms(20)
    pin.irq(None)
    print(depths)
    assert depths == [CALLS_IN_A_HARD_HANDLER] * 2, depths


@pytest.mark.boards("RPI_PICO")
@pytest.mark.parametrize("what", ["print", "import", "compare", "file"])
def test_what_needs_much_stack_at_each_depth_of_a_hard_handler(what):
    """A guard below that stack is looked at each millisecond: a board that lives on is right."""
    nested = [(), ()]
    for _ in range(300):
        nested = [(data,) for data in nested]

    def work():
        if what == "print":
            sys.print_exception(error)
        elif what == "import":
            __import__("collections")
        elif what == "compare":
            nested[0] == nested[1]
        else:
            open("/in_a_handler.txt")

    def call(n):
        if n:
            call(n - 1)
        else:
            work()

    def on_edge(pin):
        try:
            call(depth)
            ended.append("ok")
        except Exception as raised:
            ended.append(type(raised))

    error = ZeroDivisionError("in a handler")
    micropython.alloc_emergency_exception_buf(100)
    pin = Pin(2, Pin.OUT)
    pin.irq(on_edge, EDGES, hard=True)
    for depth in range(CALLS_IN_A_HARD_HANDLER + 2):
        ended = [None]
        ended.clear()  # with room for one: there is no heap in the handler
        pin.toggle()
        time.sleep_ms(3)
        print(depth, ended)
        assert ended and ended[0] in ("ok", RuntimeError, MemoryError, OSError), ended
    pin.irq(None)
    assert ended[0] is RuntimeError, ended


@pytest.mark.boards("RPI_PICO")
def test_a_hard_handler_sets_an_event():
    """No wake-up is lost, whenever the handler comes, and the line stays whole."""
    pressed = threading.Event()
    seen = []
    running = [True]

    def on_edge(pin):
        pressed.set()

    def work():
        while running:
            if pressed.wait(2) and running:
                pressed.clear()
                seen.append(1)

    def come_and_go():
        while running:
            pressed.wait(0.0005)

    pin = Pin(2, Pin.OUT, value=0)
    pin.irq(on_edge, EDGES, hard=True)
    threads = [threading.Thread(target=function) for function in (work, come_and_go, come_and_go)]
    for thread in threads:
        thread.start()
    for presses in range(1, 201):
        pin.toggle()
        wait_until(lambda: len(seen) >= presses)
    running.clear()
    pressed.set()
    for thread in threads:
        thread.join()


@pytest.mark.boards("RPI_PICO")
def test_a_queue_refuses_a_hard_handler():
    things = queue.Queue()
    refused = []
    pin = Pin(2, Pin.OUT, value=0)

    def on_edge(pin):
        try:
            things.put(None)
        except RuntimeError as error:
            refused.append(error)

    pin.irq(on_edge, EDGES, hard=True)
    pin.on()
    wait_until(lambda: refused)
    assert len(refused) == 1  # without its text: a handler has no memory for that
    assert things.empty()
