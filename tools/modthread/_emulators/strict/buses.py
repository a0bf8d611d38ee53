"""The chip's buses: SPI, I2C and UARTs that take the time they take, with devices on them.

rp2040py's are done at once, and some of their flags are not those of the chip. Chapters are those
of the RP2040's datasheet.
"""

from collections.abc import Callable, Iterable

from rp2040py.peripherals import i2c as registers
from rp2040py.peripherals.i2c import RPI2C, I2CMode
from rp2040py.peripherals.spi import RPSPI, ISPIDMAChannels
from rp2040py.peripherals.uart import (
    RPUART,
    UARTDR,
    UARTICR,
    UARTRXINTR,
    UARTTXINTR,
    IUARTDMAChannels,
)
from rp2040py.rp2040 import RP2040
from rp2040py.utils.fifo import FIFO

from modthread.peripherals import I2CDevice, SpiDevice, UartPeer

SECOND = 1e9  # of the board's clock, which counts nanoseconds


class Spi(RPSPI):
    """Each word takes its bits' time (4.4.3)."""

    def __init__(self, rp2040: RP2040, name: str, irq: int, dreq: ISPIDMAChannels) -> None:
        super().__init__(rp2040, name, irq, dreq)
        self.device: SpiDevice | None = None  # nothing drives the input
        self._answer = 0
        self._alarm = rp2040.clock.create_alarm(self._end)
        self.on_transmit = self._begin

    def _begin(self, value: int) -> None:
        device = self.device
        selected = device and not ("cs" in device.levels and device.levels["cs"]())
        self._answer = device.transfer(value) if device and selected else 0
        self._alarm.schedule(self.data_bits / (self.clock_frequency or 1e6) * SECOND)

    def _end(self) -> None:
        self.complete_transmit(self._answer)


class I2c(RPI2C):
    """A master whose bytes take the time of their bits, with devices by address (4.3)."""

    LEVELS = registers.R_TX_EMPTY | registers.R_RX_FULL
    TX_EMPTY_CTRL = 1 << 8

    def __init__(self, rp2040: RP2040, name: str, irq: int) -> None:
        self._latched = 0
        super().__init__(rp2040, name, irq)
        self.devices: dict[int, I2CDevice] = {}
        self._device: I2CDevice | None = None
        self._flushing = False  # since an abort, until the program has seen it
        self._then: Callable[[], None] = self.complete_stop
        self._alarm = rp2040.clock.create_alarm(lambda: self._then())
        self.on_start = self._start
        self.on_connect = self._connect
        self.on_write_byte = self._write
        self.on_read_byte = self._read
        self.on_stop = self._stop_condition

    def reset(self) -> None:
        """Give all registers the values of power-on."""
        super().reset()
        self._alarm.cancel()
        self._flushing = False

    @property
    def int_raw(self) -> int:
        """The raw interrupts; two of them say how full the FIFOs are (IC_RAW_INTR_STAT)."""
        if not self.enable & registers.ENABLE:
            return self._latched
        shifting = self.control & self.TX_EMPTY_CTRL and self._busy
        empty = self._tx_fifo.item_count <= self.tx_threshold and not shifting
        full = self._rx_fifo.item_count > self.rx_threshold
        return self._latched | registers.R_TX_EMPTY * empty | registers.R_RX_FULL * full

    @int_raw.setter
    def int_raw(self, value: int) -> None:
        self._latched = value & ~self.LEVELS

    def read_uint32(self, offset: int) -> int:
        """Return a register's value."""
        if offset == registers.IC_TX_ABRT_SOURCE:
            return self.abort_source
        if offset == registers.IC_CLR_TX_ABRT:
            self._flushing = False
        if offset == registers.IC_CLR_INTR:
            self._flushing = False
        value = super().read_uint32(offset)
        self.check_interrupts()
        return int(value)

    def write_uint32(self, offset: int, value: int) -> None:
        """Set a register, or put a byte or a command into the FIFO."""
        if offset == registers.IC_DATA_CMD and self._flushing:
            return
        if offset == registers.IC_INTR_MASK:
            self.int_enable = value
        elif offset not in (registers.IC_DMA_CR, registers.IC_SDA_HOLD):
            super().write_uint32(offset, value)
        self.check_interrupts()

    def _abort(self, reason: int) -> None:
        self.abort_source = 0
        super()._abort(reason)
        self._flushing = True

    def _after(self, bits: float, then: Callable[[], None]) -> None:
        period = (self.scl_high_period + self.scl_low_period) / self.rp2040.clk_sys
        stretch = self._device.stretch if self._device else 0.0
        self._then = then
        self._alarm.schedule((bits * period + stretch) * SECOND)

    def _done(self, call: Callable[[], None]) -> Callable[[], None]:
        def then() -> None:
            call()
            self.check_interrupts()

        return then

    def _start(self, repeated: bool) -> None:
        self._after(1, self._done(self.complete_start))

    def _connect(self, address: int, mode: I2CMode) -> None:
        self._device = self.devices.get(address)
        known = self._device is not None and self._device.begin(mode == I2CMode.READ)
        self._after(9, self._done(lambda: self.complete_connect(known)))

    def _write(self, value: int) -> None:
        assert self._device
        known = self._device.write(value)
        self._after(9, self._done(lambda: self.complete_write(known)))

    def _read(self, ack: bool) -> None:
        assert self._device
        value = self._device.read()
        self._after(9, self._done(lambda: self.complete_read(value)))

    def _stop_condition(self) -> None:
        device, self._device = self._device, None
        if device:
            device.end()
        self._after(1, self._done(self.complete_stop))


class Uart(RPUART):
    """With FIFOs both ways, and bytes that take their bits' time (4.2).

    The transmit interrupt can be cleared: in rp2040py it is there again at once, without end.
    """

    IFLS = 0x34
    RT_INTERRUPT = 1 << 6
    BUSY, TXFF, TXFE = 1 << 3, 1 << 5, 1 << 7
    LEVELS = (4, 8, 16, 24, 28)  # of 32, as IFLS chooses
    TIMEOUT_BITS = 32  # after which less than that level is announced, too

    def __init__(self, rp2040: RP2040, name: str, irq: int, dreq: IUARTDMAChannels) -> None:
        super().__init__(rp2040, name, irq, dreq)
        self.peer = UartPeer()
        self._levels = 0x12
        self._sending: int | None = None
        self._coming: list[int] = []
        self._receiving = False
        self._tx_fifo = FIFO(32)
        self._tx_alarm = rp2040.clock.create_alarm(self._sent)
        self._rx_alarm = rp2040.clock.create_alarm(self._came)
        self._timeout_alarm = rp2040.clock.create_alarm(self._timed_out)

    @property
    def flags(self) -> int:
        """UARTFR."""
        busy = self._sending is not None
        return (
            int(super().flags) & ~self.TXFE
            | self.BUSY * busy
            | self.TXFF * self._tx_fifo.full
            | self.TXFE * self._tx_fifo.empty
        )

    def _bits(self, count: float) -> float:
        return float(count / self.baud_rate * SECOND) if self.baud_divider else SECOND

    def check_interrupts(self) -> None:
        """Let the processor know whether there is an interrupt."""
        self.rp2040.set_interrupt(self.irq, bool(self._interrupt_status & self._interrupt_mask))

    def _raise(self, interrupt: int) -> None:
        self._interrupt_status |= interrupt
        self.check_interrupts()

    def _send_next(self) -> None:
        if self._sending is None and not self._tx_fifo.empty:
            self._sending = self._tx_fifo.pull()
            self._tx_alarm.schedule(self._bits(10))
            level = self.LEVELS[self._levels & 7] if self.fifos_enabled else 0
            if self._tx_fifo.item_count == level:
                self._raise(UARTTXINTR)
        self._ask_dma()

    def _ask_dma(self) -> None:
        dma = self.rp2040.dma
        (dma.clear_dreq if self._tx_fifo.full else dma.set_dreq)(self.dreq.tx)

    def _sent(self) -> None:
        value, self._sending = self._sending, None
        assert value is not None
        if self.on_byte:
            self.on_byte(value)
        self.feed(self.peer.receive(value))
        self._send_next()

    def feed(self, values: Iterable[int]) -> None:
        """Send bytes to the board, one after the other."""
        self._coming += values
        self._receive_next()

    def _receive_next(self) -> None:
        if self._coming and not self._receiving:
            self._receiving = True
            self._rx_alarm.schedule(self._bits(10))

    def _came(self) -> None:
        self._receiving = False
        was_full = self.rx_fifo.full
        self.rx_fifo.push(self._coming.pop(0))
        if not was_full and self.rx_fifo.item_count == self.LEVELS[self._levels >> 3 & 7]:
            self._raise(UARTRXINTR)
        self._timeout_alarm.schedule(self._bits(self.TIMEOUT_BITS))
        self._receive_next()

    def _timed_out(self) -> None:
        if not self.rx_fifo.empty:
            self._raise(self.RT_INTERRUPT)

    def read_uint32(self, offset: int) -> int:
        """Return a register's value, or a byte that has come."""
        if offset == self.IFLS:
            return self._levels
        if offset == UARTDR:
            value = self.rx_fifo.pull()
            if self.rx_fifo.item_count < self.LEVELS[self._levels >> 3 & 7]:
                self._interrupt_status &= ~UARTRXINTR
            if self.rx_fifo.empty:
                self._interrupt_status &= ~self.RT_INTERRUPT
            self.check_interrupts()
            return int(value)
        return int(super().read_uint32(offset))

    def write_uint32(self, offset: int, value: int) -> None:
        """Set a register, or send a byte."""
        if offset == self.IFLS:
            self._levels = value
        elif offset == UARTDR:
            self._tx_fifo.push(value & 0xFF)
            self._send_next()
        elif offset == UARTICR:
            self._interrupt_status &= ~self.raw_write_value
            self.check_interrupts()
        else:
            super().write_uint32(offset, value)
