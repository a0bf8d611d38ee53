"""Several boards at once in one test: scripts side by side, and lines that are connected."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from modthread._link.session import Consumer, Result
from modthread._reports.tracebacks import LineEnds
from modthread.device import Device


def run_together(
    devices: Sequence[Device], sources: Sequence[str], limit: float, connected: bool = False
) -> list[Result]:
    """Run a script on each board, all at the same time, and return how each has ended.

    With `connected`, two boards read from sys.stdin what the other one prints. print() sends two
    characters at a line's end, and one newline arrives. Byte 3 interrupts the reader, byte 4 ends
    the output. Blocks until all have ended, each at most for its limit. Raises the error of the
    first board that has one, after the others have come to their end.
    """
    relays: list[Consumer | None] = [None] * len(devices)
    if connected:
        one, other = devices
        relays = [Relay(other), Relay(one)]
    for device, source in zip(devices, sources, strict=True):
        device.session.begin(source, limit)
    with ThreadPoolExecutor(len(devices)) as threads:
        ends = [
            threads.submit(device.follow, limit, relay)
            for device, relay in zip(devices, relays, strict=True)
        ]
    return [end.result() for end in ends]


class Relay:
    """Passes on what one board prints to the script that runs on another."""

    def __init__(self, to: Device) -> None:
        self._to = to
        self._ends = LineEnds()

    def __call__(self, data: bytes) -> None:
        """Pass on `data`."""
        self._to.session.send(self._ends(data))
