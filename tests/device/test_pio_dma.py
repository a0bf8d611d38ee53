"""PIO, DMA and USB's device object beside threads."""

import _thread
import time

import pytest


class Busy:
    """Threads that compute while the block lasts."""

    def __init__(self, threads=2):
        self.threads = threads

    def work(self):
        while self.running:
            pass

    def __enter__(self):
        self.running = True
        for _ in range(self.threads):
            _thread.start_new_thread(self.work, ())

    def __exit__(self, *error):
        self.running = False


@pytest.mark.boards("RPI_PICO")
def test_pio_beside_computing_threads():
    import rp2

    @rp2.asm_pio()
    def program():
        pull()
        mov(isr, invert(osr))
        push()

    machine = rp2.StateMachine(0, program, freq=1000000)
    machine.active(1)
    with Busy():
        for value in range(50):
            machine.put(value)
            assert machine.get() == 0xFFFFFFFF - value
    machine.active(0)


@pytest.mark.boards("RPI_PICO")
def test_pio_interrupt_beside_computing_threads():
    import rp2

    hits = [0]

    def on_irq(pio):
        hits[0] += 1

    @rp2.asm_pio()
    def interrupt():
        pull()
        irq(rel(0))

    machine = rp2.StateMachine(0, interrupt, freq=1000000)
    machine.irq(on_irq)
    machine.active(1)
    with Busy():
        for i in range(20):
            machine.put(i)
            time.sleep_ms(2)
    machine.active(0)
    machine.irq(None)
    assert hits == [20], hits


@pytest.mark.boards("RPI_PICO")
def test_dma_beside_computing_threads():
    import rp2

    source = bytes(range(256)) * 4
    dma = rp2.DMA()
    with Busy():
        for _ in range(10):
            target = bytearray(len(source))
            control = dma.pack_ctrl()
            dma.config(
                read=source, write=target, count=len(source) // 4, ctrl=control, trigger=True
            )
            while dma.active():
                pass
            assert target == source
    dma.close()


@pytest.mark.boards("RPI_PICO")
def test_the_line_lives_with_a_device_object():
    import machine

    device = machine.USBDevice()  # from now on TinyUSB runs on the main thread
    lock = _thread.allocate_lock()
    lock.acquire()

    def talk():
        for i in range(20):
            print("line", i, "x" * 100)
        lock.release()

    with Busy():
        _thread.start_new_thread(talk, ())
        assert lock.acquire(1, 20)
    assert not device.active()


@pytest.mark.boards("RPI_PICO")
def test_watchdog_fed_by_a_thread():
    import machine

    # It cannot be stopped: the long period leaves time to reset the board.
    watchdog = machine.WDT(timeout=8000)
    fed = [0]
    running = [True]

    def feed():
        while running:
            watchdog.feed()
            fed[0] += 1
            time.sleep_ms(5)

    _thread.start_new_thread(feed, ())
    time.sleep_ms(60)
    running.clear()
    assert fed[0] >= 8, fed
    machine.mem32[0x40058000] &= ~(1 << 30)  # WATCHDOG_CTRL_ENABLE (RP2040 datasheet, 4.7.6)
