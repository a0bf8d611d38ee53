"""The examples do what they say, on each board.

tests/host/test_run.py has two_threads.py, and tests/network/test_sockets.py has web_server.py.
"""

import re

import pytest

from modthread._base.project import ROOT
from modthread.device import Device

FOLDER = ROOT / "examples"
ENDS = {
    "beside_asyncio.py": r"(?s)blink(.+blink)+.+kitchen 21 C warm: yes.+"
    r"garden 21 C warm: yes.+The loop has ended",
    "button.py": "pressed 1 pressed 2 pressed 3 The thread has ended",
    "pool.py": "(.+ primes from .+ on ){5}168 primes below 1002",
    "producer_consumer.py": "made 0 made 1 .+ used 9 All things are used",
    "sensor_and_display.py": r"(\d+ samples, mean \d+ ){5}\d\d samples, the latest one \d+ ms late",
    "watchdog.py": "fed (fed )+not fed any more: faulty",
}


def test_each_example_is_tested() -> None:
    assert {path.name for path in FOLDER.glob("*.py")} == {*ENDS, "two_threads.py", "web_server.py"}


@pytest.mark.lane("long", "RPI_PICO")
@pytest.mark.parametrize("name", ENDS)
def test_example(device: Device, name: str) -> None:
    result = device.run((FOLDER / name).read_text(), limit=60)
    assert result.error == b""
    said = " ".join(result.output.decode().split())
    assert re.fullmatch(ENDS[name], said), said
