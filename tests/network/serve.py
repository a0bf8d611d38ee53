"""A board on a host of its own: emulated, and served by RFC 2217 and as a plain socket.

``python serve.py ADDRESS`` prints one line when it is ready. Port 2217 has pyserial's server of
RFC 2217, ports 2218 and 2219 have ser2net where that is installed. One client at a time.
"""

import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress

import serial
from serial.rfc2217 import PortManager

from modthread._boards import boards
from modthread._emulators.emulator import Emulator

SER2NET = """\
connection: &rfc2217
  accepter: telnet(rfc2217),tcp,{address},2218
  connector: serialdev,{port},115200n81,local
connection: &plain
  accepter: tcp,{address},2219
  connector: serialdev,{port},115200n81,local
"""


class Connection:
    """What PortManager writes its answers to."""

    def __init__(self, connection: socket.socket) -> None:
        self.write = connection.sendall


class Terminal(serial.Serial):  # type: ignore[misc]
    """A pseudo-terminal, which has no modem lines."""

    cts = dsr = ri = cd = False

    def _update_dtr_state(self) -> None:
        pass

    def _update_rts_state(self) -> None:
        pass


def serve(connection: socket.socket, port: str) -> None:
    """Relay between the client and the port until one of them has gone."""
    with connection, Terminal(port, timeout=0.05) as board, suppress(OSError):
        manager = PortManager(board, Connection(connection))

        def to_client() -> None:
            with suppress(OSError, TypeError):  # TypeError: pyserial's, of a port that is closed
                while board.is_open:
                    connection.sendall(b"".join(manager.escape(board.read(board.in_waiting or 1))))

        threading.Thread(target=to_client, daemon=True).start()
        while data := connection.recv(4096):
            board.write(b"".join(manager.filter(data)))


def main() -> None:
    """Start the board and serve it for ever."""
    address = sys.argv[1]
    emulator = Emulator(boards.load(boards.DEFAULT))
    port = emulator.start()
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as config:
        config.write(SER2NET.format(address=address, port=port))
        config.flush()
        if shutil.which("ser2net"):
            subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "ser2net", "-n", "-c", config.name])
        with socket.create_server((address, 2217)) as server:
            print("ready", flush=True)
            while True:
                connection, _ = server.accept()
                serve(connection, port)


if __name__ == "__main__":
    main()
