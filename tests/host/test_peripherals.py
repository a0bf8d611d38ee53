"""What is wired to an emulated Pico."""

import pytest

from modthread._emulators.strict.buses import I2c, Spi, Uart
from modthread._emulators.strict.chip import Chip
from modthread.errors import ModthreadError
from modthread.peripherals import Echo, Memory, SpiDevice, Ssd1306


def test_a_display_shows_what_it_is_sent() -> None:
    display = Ssd1306()
    assert display.begin(read=False)
    for value in (0x80, 0x21, 0x80, 10, 0x80, 11, 0x80, 0x22, 0x80, 1, 0x80, 1):
        assert display.write(value)
    display.end()
    display.begin(read=False)
    for value in (0x40, 0b1, 0b10000000):
        display.write(value)
    display.end()
    lit = {(x, y) for y, row in enumerate(display.picture()) for x, on in enumerate(row) if on}
    assert lit == {(10, 8), (11, 15)}


def test_a_memory_keeps_what_is_written() -> None:
    memory = Memory()
    memory.begin(read=False)
    assert [memory.write(value) for value in (254, 1, 2)] == [True, True, False]
    memory.begin(read=False)
    memory.write(254)
    memory.begin(read=True)
    assert [memory.read(), memory.read(), memory.read()] == [1, 255, 0]


def test_loop_and_echo() -> None:
    loop = SpiDevice()
    assert [loop.transfer(value) for value in (1, 2, 3)] == [0, 1, 2]
    assert list(Echo().receive(65)) == [65]


def test_devices_are_wired() -> None:
    chip = Chip()
    for what in ("i2c1:0x3c=ssd1306", "spi0=modthread.peripherals:SpiDevice", "uart1=echo"):
        chip.wire(what)
    i2c, spi, uart = chip.i2c[1], chip.spi[0], chip.uart[1]
    assert isinstance(i2c, I2c)
    assert isinstance(i2c.devices[0x3C], Ssd1306)
    assert isinstance(spi, Spi)
    assert isinstance(spi.device, SpiDevice)
    assert isinstance(uart, Uart)
    assert isinstance(uart.peer, Echo)


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("i2c0=ssd1306", "say what and where"),
        ("i2c0:0x3c=echo", "say what and where"),
        ("spi2=loop", "say what and where"),
        ("spi0", "no device ''"),
        ("spi0=lcd", "no device 'lcd'"),
        ("spi0=modthread.peripherals:Lcd", "no device 'modthread.peripherals:Lcd'"),
    ],
)
def test_what_cannot_be_wired_is_refused(what: str, said: str) -> None:
    with pytest.raises(ModthreadError, match=said):
        Chip().wire(what)
