# What many threads get done, and how soon one of them runs that has waited while others compute.

import _thread
import sys

ON_PICO = sys.platform == "rp2"  # its emulator is slow
WINDOW_MS = 1600  # in which each of 32 threads has ten turns of 5 ms
ROUNDS = 200 if ON_PICO else 2000
EDGE_US = 1000


def counting(running, counts, i):
    while running:
        counts[i] += 1


class Busy:
    """n threads that count until stop()."""

    def __init__(self, n):
        self.running = [True]
        self.counts = [0] * n
        for i in range(n):
            _thread.start_new_thread(counting, (self.running, self.counts, i))

    def stop(self):
        self.running.clear()
        time.sleep_ms(50)


def sleeping(running, us):
    while running:
        time.sleep_us(us)


def work(n, sleepers=0, us=0):
    """Return what n threads count in a second, the least and the most that one does."""
    busy = Busy(n)
    for _ in range(sleepers):
        _thread.start_new_thread(sleeping, (busy.running, us))
    before = list(busy.counts)
    start = time.ticks_us()
    time.sleep_ms(WINDOW_MS)
    after = list(busy.counts)
    took = time.ticks_diff(time.ticks_us(), start)
    busy.stop()
    gc.collect()
    each = [later - earlier for earlier, later in zip(before, after)]
    return sum(each) * 1000000 // took, min(each), max(each)


alone, _, _ = work(1)
for n in (2, 4, 8, 16, 32):
    total, least, most = work(n)
    report("work of %d, of one's" % n, "%", 100 * total, alone)
    report("least of %d to most" % n, "%", 100 * least, most)


total, _, _ = work(1, 1, 950)  # with what the loop takes: each millisecond
report("work beside a loop of 1 kHz, of one's", "%", 100 * total, alone)
total, _, _ = work(1, 3, 5000)
report("work beside 3 of sleep_ms(5), of one's", "%", 100 * total, alone)


def report_lateness(name, times):
    times.sort()
    for part, i in (("median", len(times) // 2), ("99 %", len(times) * 99 // 100), ("worst", -1)):
        report("%s, %s" % (name, part), "us", times[i], 1)


def lateness(sleep, amount, us):
    times = [0] * ROUNDS
    for i in range(ROUNDS):
        start = time.ticks_us()
        sleep(amount)
        times[i] = time.ticks_diff(time.ticks_us(), start) - us
    return times


def lateness_of_timeouts():
    times = [0] * ROUNDS
    for i in range(ROUNDS):
        start = time.ticks_us()
        gate.acquire(True, 0.005)
        times[i] = time.ticks_diff(time.ticks_us(), start) - 5000
    return times


gate = _thread.allocate_lock()
gate.acquire()
ended = _thread.allocate_lock()
ended.acquire()
released = [0]


def take(times):
    """Take what others release, and note how much later the clock of `released` is."""
    for i in range(len(times)):
        gate.acquire()
        times[i] = time.ticks_diff(time.ticks_us(), released[0])
    ended.release()


def hand_over():
    """Return how late a thread goes on that another one gives a lock."""
    times = [0] * ROUNDS
    _thread.start_new_thread(take, (times,))
    time.sleep_ms(100)  # until it waits
    for _ in range(ROUNDS):
        time.sleep_ms(3)
        while not gate.locked():  # MicroPython's own threads may not have let the waiter run
            time.sleep_ms(1)
        released[0] = time.ticks_us()
        gate.release()
    ended.acquire()
    return times


def release_gate(source):
    gate.release()


def wait_for_edges(start):
    """Return how late a thread goes on that waits for what comes each EDGE_US.

    `start` starts that, and returns the function that stops it.
    """
    times = [0] * (ROUNDS + 1)
    _thread.start_new_thread(take, (times,))
    time.sleep_ms(100)  # until it waits
    stop = start()
    ended.acquire()
    stop()
    gate.acquire(False)  # for an edge too many
    first = times[0] // EDGE_US
    late = [since - (first + i) * EDGE_US for i, since in enumerate(times)]
    return late[1:]  # when the first one comes the others are still owed what start() took


def start_pin():
    """A pin rises; the chip's PIO drives it, and no thread. The handler is a hard one."""
    import rp2
    from machine import Pin

    @rp2.asm_pio(set_init=rp2.PIO.OUT_LOW)
    def square():
        set(pins, 1)[4]
        set(pins, 0)[4]

    pin = Pin(2, Pin.OUT, value=0)
    machine = rp2.StateMachine(0, square, freq=10000, set_base=pin)
    pin.irq(release_gate, Pin.IRQ_RISING, hard=True)
    released[0] = time.ticks_us()
    machine.active(1)

    def stop():
        machine.active(0)
        pin.irq(None)

    return stop


def start_timer():
    """A timer fires in the interrupt of the tick, when the clock has whole milliseconds."""
    from machine import Timer

    released[0] = 0
    return Timer(period=EDGE_US // 1000, callback=release_gate).deinit


for n in (4, 8):
    busy = Busy(n)
    for us in (500, 1000, 2000):
        report_lateness("sleep_us(%d) beside %d" % (us, n), lateness(time.sleep_us, us, us))
    report_lateness("sleep_ms(10) beside %d" % n, lateness(time.sleep_ms, 10, 10000))
    if n == 4:
        report_lateness("lock handed over beside 4", hand_over())
    if hasattr(_thread, "TIMEOUT_MAX"):
        report_lateness("acquire() that times out beside %d" % n, lateness_of_timeouts())
        if n == 4:
            late = wait_for_edges(start_pin if ON_PICO else start_timer)
            report_lateness("edge to waiting thread beside 4", late)
    busy.stop()


def work_beside(transfer):
    """Return what a thread counts in a second while this one makes transfers."""
    busy = Busy(1)
    before, start = busy.counts[0], time.ticks_us()
    for _ in range(5):
        transfer()
    took = time.ticks_diff(time.ticks_us(), start)
    counted = busy.counts[0] - before
    busy.stop()
    return counted * 1000000 // took


def measure_transfers():
    from machine import I2C, SPI, UART, Pin

    i2c = I2C(0, freq=400000, scl=Pin(5), sda=Pin(4))
    spi = SPI(0, 1000000, sck=Pin(18), mosi=Pin(19), miso=Pin(16))
    uart = UART(0, 115200, tx=Pin(0), rx=Pin(1), timeout=1000)
    pixels, text = b"\x40" + bytes(1024), bytes(200)

    def send():
        uart.write(text)
        uart.flush()

    calls = (
        ("1 KiB by I2C", lambda: i2c.writeto(0x3C, pixels)),
        ("8 KiB by SPI", lambda: spi.write(bytes(8192))),
        ("200 bytes by UART", send),
    )
    for name, call in calls:
        report("work beside %s, of one's" % name, "%", 100 * work_beside(call), alone)


if ON_PICO:
    measure_transfers()
