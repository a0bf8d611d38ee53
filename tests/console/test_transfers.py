"""A soft reset ends transfers, and leaves the buses as they were."""

import pytest

from modthread.device import Device

BUSES = """
import _thread, time
from machine import I2C, SPI, UART, Pin
spi = SPI(0, {baudrate}, sck=Pin(18), mosi=Pin(19), miso=Pin(16))
i2c = I2C(0, freq={freq}, scl=Pin(5), sda=Pin(4), timeout=2000000)
uart = UART(1, {baudrate}, tx=Pin(8), rx=Pin(9), timeout=2000, txbuf=32)
"""
LONG = """
_thread.start_new_thread(spi.write, (bytes(4000),))
_thread.start_new_thread(i2c.writeto, (0x3c, bytes(1000)))
_thread.start_new_thread(i2c.writeto, (0x3c, bytes(1000)))
_thread.start_new_thread(uart.write, (bytes(1000),))
time.sleep_ms(5)
"""
CHECK = """
got = bytearray(100)
spi.write_readinto(bytes([7]) * 100, got)
assert got[1:] == bytes([7]) * 99, got
assert i2c.writeto(0x3c, bytes(100)) == 100
i2c.writeto_mem(0x50, 3, bytes(50))
assert i2c.readfrom_mem(0x50, 3, 50) == bytes(50)
assert uart.write(bytes(100)) == 100
import rp2
channels = [rp2.DMA() for _ in range(12)]
"""


@pytest.mark.boards("RPI_PICO")
def test_soft_reset_amidst_transfers(device: Device) -> None:
    slow = device.run(BUSES.format(baudrate=20000, freq=10000) + LONG, limit=20)
    assert slow.error == b""
    after = device.run(BUSES.format(baudrate=1000000, freq=400000) + CHECK, limit=20)
    assert after.error == b""
