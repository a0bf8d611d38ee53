"""DTR and RTS of a port while it is opened and a board reset: seen by the far end of RFC 2217.

A pseudo-terminal has no such lines. What a UART chip and the board's circuit make of them only
hardware shows.
"""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from serial.rfc2217 import PortManager
from serial.urlhandler.protocol_loop import Serial as LoopSerial

from modthread._boards.boards import BOTH_RAISED, SerialConfig
from modthread._link.line import Line
from modthread._link.traffic import TrafficLog

RESETS = (False, True)  # DTR and RTS that hold a board with an ESP32 in reset
Levels = list[tuple[bool, bool]]


class RecordingPort(LoopSerial):  # type: ignore[misc]
    """The far end's serial port: notes each change of DTR and RTS."""

    levels: Levels

    def _update_dtr_state(self) -> None:
        self._note()

    def _update_rts_state(self) -> None:
        self._note()

    def _note(self) -> None:
        self.levels = getattr(self, "levels", [])
        if self.levels[-1:] != [(self.dtr, self.rts)]:
            self.levels.append((self.dtr, self.rts))


class Connection:
    """What PortManager writes its answers to."""

    def __init__(self, connection: socket.socket) -> None:
        self.write = connection.sendall


@pytest.fixture
def far_end() -> Iterator[tuple[str, RecordingPort]]:
    """A server with a port, and its URL; Linux has raised both lines by the time it listens."""
    port = RecordingPort("loop://")
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, args=(server, port))
        thread.start()
        yield f"rfc2217://127.0.0.1:{server.getsockname()[1]}", port
        thread.join()


def serve(server: socket.socket, port: RecordingPort) -> None:
    connection, _ = server.accept()
    with connection:
        manager = PortManager(port, Connection(connection))
        while data := connection.recv(4096):
            list(manager.filter(data))


@pytest.mark.parametrize(
    ("config", "end"),
    [
        (BOTH_RAISED, (True, True)),
        (SerialConfig(rts=False), (True, False)),
        (SerialConfig(rts=False, dtr=False), (False, False)),
    ],
)
def test_opening_does_not_reset(
    far_end: tuple[str, RecordingPort], tmp_path: Path, config: SerialConfig, end: tuple[bool, bool]
) -> None:
    url, port = far_end
    Line(url, TrafficLog(tmp_path / "log"), config).close()
    assert RESETS not in port.levels
    assert port.levels[-1] == end


def test_a_reset_through_rts_is_a_pulse(far_end: tuple[str, RecordingPort], tmp_path: Path) -> None:
    url, port = far_end
    with closing(Line(url, TrafficLog(tmp_path / "log"))) as line:
        line.pulse_reset()
    assert port.levels[-2:] == [RESETS, (False, False)]
