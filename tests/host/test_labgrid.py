"""A place of labgrid as a board: against what its client, version 26.0.1, has been seen to say."""

import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from modthread import cli
from modthread._boards.boards import Board
from modthread._boards.labgrid import Place
from modthread.device import Device
from modthread.errors import ModthreadError

Client = Callable[..., Path]

CLIENT = """\
#!{python}
import sys
from pathlib import Path

ACQUIRED = Path({folder!r}, "acquired")
option, place, command = sys.argv[1:]
with Path({folder!r}, "calls").open("a") as calls:
    print(place, command, file=calls)
if place != "bench":
    sys.exit(f"labgrid-client: Error: place pattern {{place}} matches nothing")
if command == "acquire":
    if ACQUIRED.exists():
        sys.exit("labgrid-client: Error: You have already acquired place bench.\\n")
    ACQUIRED.touch()
    print("acquired place bench")
elif command == "release":
    ACQUIRED.unlink()
    print("released place bench")
else:
    print({shown!r})
"""
SHOWN = """\
Place 'bench':
  matches:
    desk/desk/NetworkSerialPort
  acquired: vm/root
  acquired resources:
    desk/desk/NetworkSerialPort/NetworkSerialPort
  created: 2026-11-25 13:07:54.860364
  changed: 2026-11-25 13:07:55.845093
"""
RESOURCE = """\
Acquired resource 'NetworkSerialPort' (desk/desk/NetworkSerialPort/NetworkSerialPort):
  {'acquired': 'bench',
   'avail': True,
   'cls': 'NetworkSerialPort',
   'params': {'extra': {'proxy': 'localhost', 'proxy_required': False},
              'host': '%s',
              'port': %s,
              'protocol': '%s',
              'speed': 115200}}
"""


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Client:
    """Return a function that installs the client and returns the folder of its state."""

    def install(host: str = "desk", port: str = "2217", protocol: str = "rfc2217") -> Path:
        shown = SHOWN + (RESOURCE % (host, port, protocol) if protocol else "")
        program = tmp_path / "labgrid-client"
        program.write_text(
            CLIENT.format(python=sys.executable, folder=str(tmp_path), shown=shown.rstrip("\n"))
        )
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
        return tmp_path

    return install


def calls(folder: Path) -> list[str]:
    return [line.split()[1] for line in (folder / "calls").read_text().splitlines()]


@pytest.mark.parametrize(
    ("protocol", "url"), [("rfc2217", "rfc2217://desk:2217"), ("raw", "socket://desk:2217")]
)
def test_a_place_is_acquired_and_released(client: Client, protocol: str, url: str) -> None:
    folder = client(protocol=protocol)
    place = Place("bench")
    assert place.url == url
    place.release()
    place.release()
    assert calls(folder) == ["acquire", "show", "release"]


def test_a_place_that_is_acquired_stays_so(client: Client) -> None:
    folder = client()
    (folder / "acquired").touch()
    Place("bench").release()
    assert (folder / "acquired").exists()


def test_what_is_wrong_is_one_line(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = client(protocol="")
    with pytest.raises(ModthreadError, match=r"^place nope: place pattern nope matches nothing$"):
        Place("nope")
    with pytest.raises(ModthreadError, match=r"^place bench has no serial port; see labgrid-cl"):
        Place("bench")
    assert not (folder / "acquired").exists()
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ModthreadError, match=r"^labgrid-client is not installed; pipx install"):
        Place("bench")


def test_a_script_runs_on_the_board_of_a_place(
    client: Client, fake_port: Callable[..., str], served: Callable[[str], str], tmp_path: Path
) -> None:
    host, _, port = served(fake_port()).partition(":")
    folder = client(host, port, "raw")
    with closing(Device(Board("FAR", "in a farm"), "place:bench", logs=tmp_path)) as device:
        device.start()
        assert device.run("print(6 * 7)", 10).output == b"42\r\n"
        assert (folder / "acquired").exists()
    assert calls(folder) == ["acquire", "show", "release"]


def test_a_place_is_listened_to(
    client: Client,
    fake_port: Callable[..., str],
    served: Callable[[str], str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    host, _, port = served(fake_port()).partition(":")
    folder = client(host, port, "raw")
    assert cli.main(["monitor", "--board", "place:bench", "--limit", "0.5"]) == 0
    assert capsys.readouterr().err == f"modthread: listening to socket://{host}:{port}\n"
    assert calls(folder) == ["acquire", "show", "release"]
