"""An emulated board: a process that prints the name of a pseudo-terminal and then runs."""

import os
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from modthread._base import process, project
from modthread._boards.boards import Board
from modthread._emulators.forward import LOOPBACK, Forward, HostPort
from modthread.errors import ModthreadError

SEED_SIZE = 32  # bytes, of ports/qemu/entropy.c
START_LIMIT = 10.0  # seconds until the port's name must be there, before the board's time scale
STOP_LIMIT = 5.0
KEEP_LIMIT = 10.0  # until all is in files that wired devices have kept, before that scale
ALL_KEPT = "all"  # the last of these files


class Emulator:
    """The process that emulates `board`; starting it twice is a restart.

    It dies with this process, however this process ends.
    """

    def __init__(
        self, board: Board, icount: str | None = None, forwards: Sequence[Forward] = ()
    ) -> None:
        """Prepare; `icount` overrides the board's own setting, ``off`` runs without.

        The host can connect to the board's ports that `forwards` name, or to those of the board's
        own setting.
        """
        assert board.emulator is not None
        if forwards and not board.emulator.forward:
            raise ModthreadError(
                f"{board.name} has no network that this host could reach; leave out --forward"
            )
        self._board = board
        self._config = board.emulator
        self._icount = icount or board.emulator.icount
        self._process: subprocess.Popen[bytes] | None = None
        self._folder = tempfile.TemporaryDirectory(prefix="modthread-")
        self._forwards = forwards or [Forward(port) for port in board.emulator.forwarded]
        self._host_ports: dict[int, HostPort] = {}  # by the board's ports

    @property
    def forwarded(self) -> dict[int, str]:
        """What the host connects to, by the ports of the board that has been started."""
        return {port: f"{LOOPBACK}:{host.number}" for port, host in self._host_ports.items()}

    @property
    def pid(self) -> int | None:
        """The process's number, or None where it is stopped."""
        return self._process.pid if self._process else None

    def start(self) -> str:
        """Start the board afresh and return its port; blocks until the port is there.

        Raises ModthreadError where the emulator or the firmware is missing or refused.
        """
        self._end_process()
        self._take_host_ports()
        command = self._command()
        if shutil.which(command[0]) is None:
            raise ModthreadError(f"{command[0]} is not installed; {self._config.install}")
        if str(self._board.image) in command and not self._board.image.is_file():
            build = project.command("firmware", self._board.name)
            raise ModthreadError(f"{self._board.image} is missing; run {build}")
        self._process = subprocess.Popen(
            process.killed_with_parent() + command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            bufsize=0,  # select() must see every line
            process_group=0,  # Ctrl-C on the terminal is for the script, not for the emulator
        )
        return self._port()

    def stop(self) -> None:
        """End the process, and give back the host's ports; nothing happens where it has ended."""
        self._end_process()
        while self._host_ports:
            self._host_ports.popitem()[1].close()

    def pause(self) -> None:
        """Stop the board's time; where no sleep lasts, an idle board keeps the host busy."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let the board go on."""
        self._signal(signal.SIGCONT)

    def kept(self, name: str) -> bytes:
        """Return what a wired device has kept, by the name of its file; blocks until it is there.

        Raises ModthreadError if there is no such device.
        """
        folder = Path(self._folder.name)
        if "{kept}" not in self._config.command:
            raise ModthreadError(f"nothing that is wired to {self._board.name} keeps anything")
        (folder / ALL_KEPT).unlink(missing_ok=True)
        self._signal(signal.SIGUSR1)
        deadline = time.monotonic() + KEEP_LIMIT * self._board.time_scale
        while not (folder / ALL_KEPT).exists():
            if self._process is None or self._process.poll() is not None:
                raise ModthreadError(f"{self._board.name} does not run; start it first")
            if time.monotonic() > deadline:
                raise ModthreadError(f"{self._board.name} does not say what {name} is")
            time.sleep(0.01)
        if not (folder / name).is_file():
            names = sorted(path.name for path in folder.iterdir() if path.name != ALL_KEPT)
            raise ModthreadError(f"no wired device keeps {name}; name one of {', '.join(names)}")
        return (folder / name).read_bytes()

    def _signal(self, number: int) -> None:
        if self._process and self._process.poll() is None:
            self._process.send_signal(number)

    def cause_of_death(self) -> str | None:
        """Return the status with which the emulator has ended by itself, None if it runs.

        Blocks for up to a second: the port goes away before the process ends.
        """
        if self._process is None:
            return None
        try:
            self._process.wait(1)
        except subprocess.TimeoutExpired:
            return None
        said = self._process.stdout.read().decode(errors="replace") if self._process.stdout else ""
        return f"the emulator ended with status {self._process.returncode} {said.strip()}".strip()

    def _end_process(self) -> None:
        if self._process is None:
            return
        self._process.kill()
        self._process.wait(STOP_LIMIT)
        if self._process.stdout:
            self._process.stdout.close()
        self._process = None

    def _take_host_ports(self) -> None:
        """Take those that have not been taken before: a restart keeps them."""
        for forward in self._forwards:
            if forward.board not in self._host_ports:
                self._host_ports[forward.board] = HostPort(forward)

    def _command(self) -> list[str]:
        places = {
            "{python}": sys.executable,
            "{firmware}": str(self._board.image),
            "{kept}": self._folder.name,
        }
        command = [places.get(part, part) for part in self._config.command]
        if self._host_ports:
            forwards = ",".join(
                self._config.forward.format(host=host.number, board=board)
                for board, host in self._host_ports.items()
            )
            command += [part.format(forwards=forwards) for part in self._config.network]
        if self._config.seed:
            file = Path(self._folder.name, "seed")
            file.write_bytes(os.urandom(SEED_SIZE))
            command += [part.format(seed=file) for part in self._config.seed]
        return command if self._icount == "off" else [*command, "-icount", self._icount]

    def _port(self) -> str:
        assert self._process is not None
        assert self._process.stdout is not None
        said = b""
        deadline = time.monotonic() + START_LIMIT * self._board.time_scale
        while (left := deadline - time.monotonic()) > 0:
            if not select.select([self._process.stdout], [], [], left)[0]:
                break
            line = self._process.stdout.readline()
            if not line:
                break
            if match := re.search(rb"/dev/(pts/|tty)\w+", line):
                return match[0].decode()
            said += line
        self.stop()
        *_, reason = said.decode(errors="replace").splitlines() or ["it named no port"]
        program = Path(self._command()[0]).name
        raise ModthreadError(f"{program} did not start: {reason}")
