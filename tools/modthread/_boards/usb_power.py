"""The power of a USB socket, switched by uhubctl where that is installed and the hub can do it."""

import re
import shutil
import subprocess
from dataclasses import dataclass

from modthread._boards import usb
from modthread.errors import ModthreadError

LIMIT = 20.0  # seconds that uhubctl may take
OFF = 2  # seconds without power


@dataclass(frozen=True)
class HubPort:
    """A port of a hub, both as uhubctl names them: ``1-1`` and ``4``."""

    hub: str
    number: str

    def power_cycle(self) -> None:
        """Take away the power of what is plugged in, and give it back; blocks for seconds.

        Raises ModthreadError where that is impossible.
        """
        command = ["uhubctl", "--location", self.hub, "--ports", self.number]
        command += ["--action", "cycle", "--delay", str(OFF)]
        if shutil.which(command[0]) is None:
            raise ModthreadError("uhubctl is not installed")
        try:
            result = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT)
        except subprocess.TimeoutExpired:
            raise ModthreadError("uhubctl does not answer") from None
        if result.returncode:
            said = f"{result.stdout}{result.stderr}".strip() or "it said nothing"
            raise ModthreadError(f"uhubctl: {said.splitlines()[0]}")


def hub_port(port: str) -> HubPort | None:
    """Return where the board on `port` is plugged in, None where USB does not tell."""
    board = usb.at(port)
    match = re.match(r"(.+)[-.](\d+)$", board.location) if board else None
    return HubPort(match[1], match[2]) if match else None
