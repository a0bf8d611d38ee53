"""The boards of one test run, each started when the first test needs it."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from modthread._base import progress
from modthread._boards import boards
from modthread._boards.board_choice import Choice
from modthread._boards.boards import Board
from modthread._link.session import BoardError
from modthread.device import Device
from modthread.errors import ModthreadError


@dataclass
class Fleet:
    """The `boards` by the names that tests show; each may be in use for `wait` seconds.

    With `flash`, a board on a port first gets the firmware if it runs another one. With `traced`,
    the firmware records what threads do.
    """

    boards: dict[str, Choice]
    icount: str | None
    build: bool
    logs: Path
    wait: float
    flash: bool
    traced: bool
    _devices: dict[str, Device] = field(default_factory=dict)
    _info: dict[str, str] = field(default_factory=dict)

    def start(self, name: str) -> None:
        """Build and start the board; blocks. One that does not answer is marked dead.

        Raises ModthreadError for what the user has to mend first.
        """
        if name in self._devices:
            return
        from modthread._firmware import build  # what other runs of pytest do without
        from modthread._flash import command as flash

        choice = self.boards[name]
        board = replace(choice.board, traced=self.traced)
        port = choice.port()
        if port and self.flash:
            port = flash.put(
                board, port, no_build=not self.build, wait=self.wait, guessed=choice.guessed
            ).port
        elif self.build and not port:
            build.firmware(board)
        device = self._devices[name] = Device(
            board, port, self._icount(board), self.logs, self.wait, self.flash
        )
        try:
            with progress.step(f"Starting {name}"):
                device.start()
            self._info[name] = device.info()
            if self.traced:
                device.timeline()
        except BoardError as error:
            device.dead = self._info[name] = f"{name} is dead: {error}"
        except ModthreadError:  # in use, for example: the next test may have it
            self._devices.pop(name).close()
            raise
        else:
            device.clean_up()
            self.pause(name)

    def info(self, name: str) -> str:
        """Return what runs on a board that has been started."""
        return self._info[name]

    def device(self, name: str) -> Device:
        """Return the board, started, clean and running; raises ModthreadError where it is dead."""
        self.start(name)
        device = self._devices[name]
        if device.dead:
            raise ModthreadError(device.dead)
        if device.emulator:
            device.emulator.resume()
        return device

    @contextmanager
    def several(self, kinds: Sequence[str], log: str) -> Iterator[list[Device]]:
        """Hold boards of these kinds, started and clean, for a test that needs all of them.

        Chosen ones that are attached; others are emulated, each in an emulator of its own.
        """
        free = [name for name, choice in self.boards.items() if choice.where is not None]
        with ExitStack() as held:
            devices = []
            for number, kind in enumerate(kinds):
                name = next((name for name in free if self.boards[name].board.name == kind), None)
                if name:
                    free.remove(name)
                    device = self.device(name)
                    held.callback(device.clean_up)
                else:
                    device = self._emulated(kind)
                    held.callback(device.close)
                    device.start()
                device.log_to(f"{log}-{number}-{kind}")
                devices.append(device)
            yield devices

    def _emulated(self, kind: str) -> Device:
        board = next(
            (choice.board for choice in self.boards.values() if choice.board.name == kind), None
        ) or boards.load(kind)
        board = replace(board, traced=self.traced)
        if board.emulator is None:
            raise ModthreadError(f"not enough boards {kind} for this test; name each with --board")
        if self.build:
            from modthread._firmware import build

            build.firmware(board)
        return Device(board, None, self._icount(board), self.logs)

    def pause(self, name: str) -> None:
        """Stop the time of an emulated board until it is asked for again."""
        if emulator := self._devices[name].emulator:
            emulator.pause()

    def is_usable(self, name: str) -> bool:
        """Return whether the board has been started and is not dead."""
        return name in self._devices and not self._devices[name].dead

    def _icount(self, board: Board) -> str | None:
        return self.icount or (board.emulator.test_icount if board.emulator else None)

    def close(self) -> None:
        """End the emulators and give back the ports."""
        for device in self._devices.values():
            device.close()
        self._devices.clear()


def named(choices: Iterable[Choice]) -> dict[str, Choice]:
    """Return `choices` by name: the kind of board, and where it is if there are several of it."""
    distinct = list(dict.fromkeys(choices))
    kinds = Counter(choice.board.name for choice in distinct)
    return {
        choice.board.name if kinds[choice.board.name] == 1 else _long_name(choice): choice
        for choice in distinct
    }


def _long_name(choice: Choice) -> str:
    return f"{choice.board.name}-{choice.place}"
