"""The program that emulates an RP2040: rp2040py behind a pseudo-terminal.

``python -m modthread._emulators.rp2040 [-icount sleep=on] [-strict off] firmware.uf2`` prints the
name of the pseudo-terminal. With ``-radio`` it is a Pico W; ``-forward 8080:80`` makes port 8080
of the host the board's port 80. rp2040py's own command lacks what this module, ``radio`` and
``strict`` add.
"""

import argparse
import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from rp2040py.boards import BOARDS, BoardSpec
from rp2040py.cli.pty_repl import PtyInteractiveRepl
from rp2040py.device.base_device import BaseDevice
from rp2040py.execute_batch import execute_batch
from rp2040py.external.bootsel_button import BootselButton
from rp2040py.gpio_pin import GPIOPin, GPIOPinState
from rp2040py.simulator import Simulator
from rp2040py.usb.cdc import ENDPOINT_ZERO

from modthread._emulators import radio, strict
from modthread._emulators.emulator import ALL_KEPT
from modthread._emulators.forward import Forward
from modthread._emulators.radio import Radio
from modthread.errors import ModthreadError

PULL_UP = 1 << 16  # in SIE_CTRL: the device is on the bus (RP2040 datasheet, 4.1.4)
PERIOD = 0.001  # seconds of the board's time between two looks at the host's clock


class SerialLine(PtyInteractiveRepl):
    """The board's USB serial line on a pseudo-terminal.

    A read that the board starts is answered when there is something to read, as on a bus. rp2040py
    answers at once with an empty packet. That would be an interrupt every 10 us, and the board
    would spend most of its time there. It takes no notice of a device that leaves the bus and
    comes back, as machine.USBDevice.active() makes it do.
    """

    def __init__(self, device: BaseDevice) -> None:
        super().__init__(device.cdc, device.simulator, on_quit=sys.exit)
        usb = device.cdc.usb
        assert usb.on_endpoint_read
        assert usb.on_reset
        self._answer = usb.on_endpoint_read
        self._reset = usb.on_reset
        self._reads: dict[int, int] = {}  # endpoint: bytes that fit
        self._pulled_up = self._has_left = False
        self._control = usb._handle_sie_ctrl_write
        usb.on_endpoint_read = self._read
        usb.on_reset = self._forget
        setattr(usb, "_handle_sie_ctrl_write", self._set_control)  # noqa: B010

    def pump(self) -> bool:
        """Pass on what fits of the input that has come; return whether that was all of it."""
        done = super().pump()
        if self._cdc.tx_fifo.item_count:
            reads, self._reads = self._reads, {}
            for endpoint, size in reads.items():
                self._answer(endpoint, size)
        return done

    def _read(self, endpoint: int, size: int) -> None:
        if endpoint == ENDPOINT_ZERO:
            self._answer(endpoint, size)
        else:
            self._reads[endpoint] = size
            self.pump()

    def _forget(self) -> None:
        self._reads.clear()
        self._reset()
        self._pulled_up = self._has_left = False

    def _set_control(self, value: int) -> None:
        """Set SIE_CTRL. The host makes a device anew that has been away."""
        self._control(value)
        before, self._pulled_up = self._pulled_up, bool(value & PULL_UP)
        if before and not self._pulled_up:
            self._forget()
            self._has_left = True
        elif self._pulled_up and self._has_left:
            self._has_left = False
            self._cdc.usb.reset_device()


def connect_pad(pin: GPIOPin) -> None:
    """Let the pin read what it drives, as on the chip (RP2040 datasheet, 2.19.1).

    rp2040py leaves its input as it was, so no edge that the board makes would interrupt it.
    """

    def changed(state: GPIOPinState, _: GPIOPinState) -> None:
        if state in (GPIOPinState.LOW, GPIOPinState.HIGH):
            pin.set_input_value(state is GPIOPinState.HIGH)
        else:
            pin.release_input()

    pin.add_listener(changed)


class RealTime:
    """Holds back the clock of an idle board, which would run ahead of the host's clock."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._epoch = time.monotonic()  # when the board's clock would have been 0
        self._alarm = simulator.clock.create_alarm(self._look)
        self._look()

    @property
    def ahead(self) -> float:
        """How many seconds the board is ahead of the host."""
        return float(self._simulator.clock.nanos) / 1e9 - (time.monotonic() - self._epoch)

    def _look(self) -> None:
        if self.ahead > 0:
            self._simulator.stop()
        else:
            self._epoch += -self.ahead  # what a busy board has lost it does not catch up
        self._alarm.schedule(PERIOD * 1e9)


Run = Callable[[Simulator], None]


def keep(device: BaseDevice, folder: Path) -> None:
    """Write what wired devices have kept into files of `folder`, and then one more."""
    strict.keep(device, folder)
    (folder / ALL_KEPT).touch()


async def emulate(
    device: BaseDevice, run: Run, real_time: bool, wireless: Radio | None, forwards: list[Forward]
) -> None:
    """Let `run` run `device`, whose flash has the firmware, until a breakpoint ends it.

    The host can connect to the ports of a board that is `wireless`, as `forwards` say.
    """
    simulator = device.simulator
    simulator.bind_loop()
    breakpoints: list[int] = []

    def on_break(code: int) -> None:
        breakpoints.append(code)
        simulator.stop()

    device.mcu.on_break = on_break
    clock = RealTime(simulator) if real_time else None
    if wireless:
        await wireless.forward(forwards)
    line = SerialLine(device)
    await line.start()
    print(f"The serial line is {line.slave_path}", flush=True)
    for number, pin in enumerate(device.mcu.gpio):
        if not (wireless and number in radio.PINS):
            connect_pad(pin)
    device.mcu.leave_reset()
    while not breakpoints:
        simulator.stopped = False
        run(simulator)
        await asyncio.sleep(max(0, clock.ahead) if clock else 0)
    sys.exit(f"breakpoint {breakpoints[0]} at {device.mcu.core.pc:#x}")


def _board(wireless: Radio | None) -> BoardSpec:
    if not wireless:
        return BOARDS["pico"]
    # rp2040py has a LED where the Pico W has a pin of the radio.
    return replace(BOARDS["pico_w"], extras=(BootselButton, lambda: wireless))


def main() -> None:
    """Parse the command line and emulate."""
    parser = argparse.ArgumentParser(prog="modthread._emulators.rp2040", description=__doc__)
    parser.add_argument("image", type=Path, help="the UF2 file to boot")
    parser.add_argument(
        "-icount",
        choices=["sleep=on", "sleep=off"],
        default="sleep=off",
        help="whether an idle board waits for real time, as with QEMU's option of that name",
    )
    parser.add_argument(
        "-strict",
        default=os.environ.get("MODTHREAD_STRICT", "on"),
        help="on: refuse what the chip refuses (default); off; or RULE=off,..., and ram=SEED for"
        " what is in RAM at power-on, hardfault=taken to let the program's handler have a fault;"
        f" the rules are {', '.join(strict.RULES)}; the default can be in MODTHREAD_STRICT",
    )
    parser.add_argument("-radio", action="store_true", help="with the radio of a Pico W")
    parser.add_argument(
        "-forward",
        type=lambda text: [Forward.parse(one) for one in text.split(",")],
        default=[],
        metavar="HOST:BOARD,...",
        help="let the host connect to ports of the board, through these ports of the host",
    )
    parser.add_argument(
        "-wire",
        action="append",
        default=[],
        metavar="PLACE=DEVICE",
        help="wire a device of modthread.peripherals: i2c0:0x3c=ssd1306, spi0=loop, uart1=echo,"
        " gpio14=edges; nothing is wired with -strict off, whose buses take no time",
    )
    parser.add_argument(
        "-keep",
        type=Path,
        metavar="FOLDER",
        help="write what wired devices have kept into files there, at each SIGUSR1",
    )
    options = parser.parse_args()
    wireless = Radio() if options.radio else None
    board = replace(_board(wireless), image=options.image)
    rest = (options.icount == "sleep=on", wireless, options.forward)
    if options.strict == "off":
        device = BaseDevice(board=board)
        asyncio.run(emulate(device, partial(execute_batch, tick_batch=1), *rest))
        return
    try:
        settings = strict.Settings.parse(options.strict)
        device = strict.device(board, settings)
        for one in options.wire:
            strict.wire(device, one)
        if options.keep:
            signal.signal(signal.SIGUSR1, lambda *_: keep(device, options.keep))
        asyncio.run(emulate(device, strict.run, *rest))
    except ModthreadError as error:
        parser.error(str(error))
    except strict.RefusedError as refused:
        sys.exit(strict.told(refused, device))


if __name__ == "__main__":
    main()
