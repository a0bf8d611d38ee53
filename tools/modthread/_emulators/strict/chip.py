"""The chip around the strict processor: its ROM, resets, clocks and UARTs."""

import random
import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from rp2040py.clock.clock import IClock
from rp2040py.gpio_pin import GPIOPin, GPIOPinState
from rp2040py.peripherals.clocks import RPClocks
from rp2040py.peripherals.psm import WDSEL_CLOCKS, WDSEL_RESETS
from rp2040py.peripherals.reset import RESETS_BITS_MASK, RPReset
from rp2040py.peripherals.timer import RPTimer
from rp2040py.rp2040 import RP2040

from modthread import peripherals
from modthread._emulators.strict import RULES, Settings
from modthread._emulators.strict.buses import I2c, Spi, Uart
from modthread._emulators.strict.core import Bus
from modthread.errors import ModthreadError
from modthread.peripherals import I2CDevice, Peripheral, PinDevice, SpiDevice, UartPeer

SSI = 0x18000000
IO_QSPI = 0x40018000
CLOCKS = 0x40008000
RESETS = 0x4000C000

# Bits of RESETS, and where their blocks are: pico-sdk's hardware/regs/resets.h and addressmap.h.
IN_RESET = {
    0: ("ADC", 0x4004C000),
    1: ("BUSCTRL", 0x40030000),
    2: ("DMA", 0x50000000),
    3: ("I2C0", 0x40044000),
    4: ("I2C1", 0x40048000),
    5: ("IO_BANK0", 0x40014000),
    6: ("IO_QSPI", 0x40018000),
    8: ("PADS_BANK0", 0x4001C000),
    9: ("PADS_QSPI", 0x40020000),
    10: ("PIO0", 0x50200000),
    11: ("PIO1", 0x50300000),
    12: ("PLL_SYS", 0x40028000),
    13: ("PLL_USB", 0x4002C000),
    14: ("PWM", 0x40050000),
    15: ("RTC", 0x4005C000),
    16: ("SPI0", 0x4003C000),
    17: ("SPI1", 0x40040000),
    18: ("SYSCFG", 0x40004000),
    19: ("SYSINFO", 0x40000000),
    20: ("TBMAN", 0x4006C000),
    21: ("TIMER", 0x40054000),
    22: ("UART0", 0x40034000),
    23: ("UART1", 0x40038000),
    24: ("USBCTRL", 0x50110000),
}
# Bits of WAKE_EN1:WAKE_EN0 and of SLEEP_EN1:SLEEP_EN0, and the interrupts that end without the
# clock: pico-sdk's hardware/regs/clocks.h and intctrl.h.
CLOCKED: dict[int, tuple[str, tuple[int, ...]]] = {
    2: ("ADC", (22,)),
    3: ("BUSCTRL", ()),
    5: ("DMA", (11, 12)),
    6: ("I2C0", (23,)),
    7: ("I2C1", (24,)),
    8: ("IO_BANK0", (13,)),
    11: ("PADS_BANK0", ()),
    12: ("PIO0", (7, 8)),
    13: ("PIO1", (9, 10)),
    14: ("PLL_SYS", ()),
    15: ("PLL_USB", ()),
    17: ("PWM", (4,)),
    22: ("RTC", (25,)),
    25: ("SPI0", (18,)),
    27: ("SPI1", (19,)),
    34: ("SYSCFG", ()),
    35: ("SYSINFO", ()),
    36: ("TBMAN", ()),
    37: ("TIMER", (0, 1, 2, 3)),
    39: ("UART0", (20,)),
    41: ("UART1", (21,)),
    42: ("USBCTRL", (5,)),
}
# What everybody's firmware uses in reset, on every Pico, where it reads as after one and keeps no
# value. SIE_CTRL: runtime_init_usb_power_down() in pico-sdk's runtime_init.c. UARTFR of both: what
# MicroPython's machine_uart_deinit_all() waits for at each soft reset, whether they were used or
# not.
TOLERATED = frozenset({0x5011004C, 0x40034018, 0x40038018})
ADDRESS = dict(IN_RESET.values())
WAKE_EN = (0xA0, 0xA4)
SLEEP_EN = (0xA8, 0xAC)
PERI_CTRL = 0x48
PERI_HERTZ = {2: 48_000_000, 4: 12_000_000}  # by AUXSRC, where it is not the clock of the processor
DEFAULT = Settings()
PLACE = re.compile(r"(i2c|spi|uart|gpio)(\d+)(?::(0x[0-9a-f]{2}|\w+=\d+(?:,\w+=\d+)*))?")
HIGH = {GPIOPinState.HIGH, GPIOPinState.INPUT_PULL_UP}
LOW = {GPIOPinState.LOW, GPIOPinState.INPUT_PULL_DOWN}


def follow_level(pin: GPIOPin, timer: RPTimer, device: PinDevice) -> None:
    """Tell `device` of each edge of `pin`; a pin that floats keeps its level."""
    before = pin.value in HIGH

    def changed(state: GPIOPinState, _: GPIOPinState) -> None:
        nonlocal before
        if state in HIGH | LOW and (state in HIGH) != before:
            before = not before
            device.edge(before, timer._micros())

    pin.add_listener(changed)


class Resets(RPReset):
    """All peripherals are in reset at power-on; in rp2040py they never are."""

    def __init__(self, rp2040: RP2040, name: str) -> None:
        super().__init__(rp2040, name)
        self.held = RESETS_BITS_MASK

    def read_uint32(self, offset: int) -> int:
        """Return a register's value."""
        values = {0x0: self.held, 0x8: RESETS_BITS_MASK & ~self.held}
        return values[offset] if offset in values else int(super().read_uint32(offset))

    def write_uint32(self, offset: int, value: int) -> None:
        """Set a register."""
        if offset == 0x0:
            self.held = value & RESETS_BITS_MASK
        else:
            super().write_uint32(offset, value)


class Clocks(RPClocks):
    """With the registers that gate clocks, which rp2040py does not have."""

    def __init__(self, rp2040: RP2040, name: str) -> None:
        super().__init__(rp2040, name)
        self.gates = dict.fromkeys((*WAKE_EN, *SLEEP_EN), 0xFFFFFFFF)

    def reset(self) -> None:
        """Give all registers the values of power-on."""
        super().reset()
        self.gates = dict.fromkeys(self.gates, 0xFFFFFFFF)

    def read_uint32(self, offset: int) -> int:
        """Return a register's value."""
        return self.gates[offset] if offset in self.gates else int(super().read_uint32(offset))

    def write_uint32(self, offset: int, value: int) -> None:
        """Set a register."""
        if offset in self.gates:
            self.gates[offset] = value & 0xFFFFFFFF
        else:
            super().write_uint32(offset, value)
        if offset == PERI_CTRL:
            self.rp2040.clk_peri = PERI_HERTZ.get(value >> 5 & 7, self.rp2040.clk_sys)

    def without(self, low: int, high: int) -> Iterator[int]:
        """Yield the bits of `high`:`low`, a pair of registers, that stop a clock."""
        stopped = ~(self.gates[high] << 32 | self.gates[low])
        return (bit for bit in CLOCKED if stopped >> bit & 1)


class Chip(Bus):
    """An RP2040 that boots as the chip does: from its ROM, which copies and checks boot2."""

    def __init__(self, clock: IClock | None = None, settings: Settings = DEFAULT) -> None:
        """Power the chip on."""
        super().__init__(clock)
        for rule in RULES:
            setattr(self, rule, rule in settings.rules)
        self.core.takes_faults = settings.takes_faults
        self.resets = self._resets = Resets(self, "RESETS_BASE")
        self.clocks = self._clocks = Clocks(self, "CLOCKS_BASE")
        self.peripherals |= {RESETS >> 12: self.resets, CLOCKS >> 12: self.clocks}
        self.uart = [
            Uart(self, f"UART{n}_BASE", one.irq, one.dreq) for n, one in enumerate(self.uart)
        ]
        self.spi = [Spi(self, f"SPI{n}", one.irq, one.dreq) for n, one in enumerate(self.spi)]
        self.i2c = [I2c(self, f"I2C{n}", one.irq) for n, one in enumerate(self.i2c)]
        for name, blocks in (("UART", self.uart), ("SPI", self.spi), ("I2C", self.i2c)):
            self.peripherals |= {ADDRESS[f"{name}{n}"] >> 12: one for n, one in enumerate(blocks)}
        self._keepers: dict[str, Peripheral] = {}  # by the names of their files
        self.tolerated = TOLERATED
        self._let_systick_end_sleep()
        self.sram[:] = random.Random(settings.ram).randbytes(len(self.sram))
        for block in (RESETS, CLOCKS, SSI):
            self.follow(block)

    def wire(self, what: str) -> None:
        """Wire a device to a bus or a pin: ``i2c0:0x3c=ssd1306``, ``spi0=loop``, ``gpio14=edges``.

        Its pins have names: ``spi1:dc=15,cs=13=st7789``.
        """
        place, name = what.rsplit("=", 1) if "=" in what else (what, "")
        device = peripherals.device(name)
        found = PLACE.fullmatch(place)
        kind, number, rest = found.groups(default="") if found else ("", "0", "")
        match self._end(kind, int(number)), device:
            case I2c() as bus, I2CDevice() if rest.startswith("0x"):
                bus.devices[int(rest, 16)] = device
            case Spi() as bus, SpiDevice() if not rest.startswith("0x"):
                device.levels = self._levels(rest)
                if missing := device.NEEDS - device.levels.keys():
                    raise ModthreadError(
                        f"-wire {what!r}: which pin is {min(missing)}? Say it as in"
                        f" {kind}{number}:{min(missing)}=15={name}"
                    )
                bus.device = device
            case Uart() as bus, UartPeer() if not rest:
                bus.peer = device
            case GPIOPin() as pin, PinDevice() if not rest:
                follow_level(pin, self.timer, device)
            case _:
                raise ModthreadError(
                    f"-wire {what!r}: say what and where, as in i2c0:0x3c=ssd1306, spi0=loop,"
                    " uart1=echo, gpio14=edges"
                )
        if device.KEPT:
            address = f"-{rest}" if rest.startswith("0x") else ""
            self._keepers[f"{kind}{number}{address}{device.KEPT}"] = device

    def keep(self, folder: Path) -> None:
        """Write what wired devices have kept into files of `folder`, named after their places."""
        for name, device in self._keepers.items():
            (folder / name).write_bytes(device.kept())

    def _end(self, kind: str, number: int) -> object:
        """Return the chip's end of a wire, None if it has no such."""
        ends: dict[str, Sequence[object]] = {
            "i2c": self.i2c,
            "spi": self.spi,
            "uart": self.uart,
            "gpio": self.gpio,
        }
        return ends[kind][number] if kind in ends and number < len(ends[kind]) else None

    def _levels(self, pins: str) -> dict[str, Callable[[], bool]]:
        numbers = dict(pin.split("=") for pin in pins.split(",") if pin)
        for number in numbers.values():
            if not self._end("gpio", int(number)):
                raise ModthreadError(f"-wire: the chip has no pin {number}; name one of 0 to 29")
        return {name: partial(self._is_high, int(number)) for name, number in numbers.items()}

    def _is_high(self, number: int) -> bool:
        return self.gpio[number].value in HIGH

    def reset(self, *, preserve_flash: bool = False, from_watchdog: bool = False) -> None:
        """Reset the chip, or of it what the watchdog is to reset."""
        domains = self.psm.wdsel if from_watchdog else WDSEL_RESETS | WDSEL_CLOCKS
        super().reset(preserve_flash=preserve_flash, from_watchdog=from_watchdog)
        if not isinstance(self.resets, Resets):
            return  # power is just coming on
        if domains & WDSEL_RESETS:
            self._resets.held = RESETS_BITS_MASK
        for block in (RESETS, CLOCKS, SSI):
            self.follow(block)

    def leave_reset(self) -> None:
        """Start the ROM; rp2040py would start boot2 where it lies in flash, without the ROM."""

    def follow(self, block: int) -> None:
        """See what registers of `block`, where something has been written, close or open."""
        if block in (RESETS, CLOCKS):
            self._close()
        elif block in (SSI, IO_QSPI):
            # Reads of flash need the SSI in its mode for that, and the flash's chip select.
            control, enabled = self.ssi.read_uint32(0), self.ssi.read_uint32(8)
            reads = control >> 8 & 3 == 3
            self.flash_is_mapped = bool(enabled & 1 and reads and self.qspi[1].ctrl >> 8 & 3 == 0)

    def _close(self) -> None:
        closed = {}
        if self.clocks_gated:
            for bit in self._clocks.without(*WAKE_EN):
                closed[CLOCKED[bit][0]] = f"{CLOCKED[bit][0]}, which has no clock"
        if self.reset_state:
            for bit, (name, _) in IN_RESET.items():
                if self._resets.held >> bit & 1:
                    closed[name] = f"{name}, which is in reset"
        self.closed = {ADDRESS[name] >> 12: why for name, why in closed.items()}
        self.usb_ram_closed = closed.get("USBCTRL")
        silent = (n for bit in self._clocks.without(*SLEEP_EN) for n in CLOCKED[bit][1])
        self.gated_in_sleep = sum(1 << number for number in silent)

    def _let_systick_end_sleep(self) -> None:
        # rp2040py marks it as pending and lets the processor sleep on.
        alarm = self.ppb.systick_alarm
        pend = alarm.callback

        def fire() -> None:
            pend()
            if self.core.waiting and self.core.pending_systick:
                self.core.waiting = not self.core.check_for_interrupts()

        alarm.callback = fire
