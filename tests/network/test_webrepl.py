"""WebREPL beside threads: a prompt over the network."""

import pytest
from online import Online
from websockets.sync.client import ClientConnection, connect

pytestmark = [pytest.mark.boards("RPI_PICO_W"), pytest.mark.lane("hours")]

START = """
import webrepl
counts = [0, 0]
def compute(which):
    while True:
        counts[which] += 1
for which in range(2):
    _thread.start_new_thread(compute, (which,))
webrepl.start(port=80, password='secret')
"""


def test_prompt_ctrl_c_and_soft_reset(online: Online) -> None:
    online.run(START)
    online.device.session.send(b"\x02")  # the raw REPL has no prompt
    assert online.device.emulator
    url = f"ws://{online.device.emulator.forwarded[80]}/"
    with connect(url, open_timeout=online.limit(), ping_interval=None) as connection:

        def say(text: str, until: str) -> str:
            connection.send(text)
            return answer(connection, until, online.limit())

        answer(connection, "Password: ", online.limit())
        assert "WebREPL connected" in say("secret\r", ">>> ")
        assert "[42, True]" in say("[6 * 7, min(counts) > 0]\r", ">>> ")
        connection.send("while True: print('runs')\r\r\r")
        answer(connection, "runs\r\nruns", online.limit())
        assert "KeyboardInterrupt" in say("\x03", ">>> ")
        say("\x04", "soft reboot")
    assert online.device.clean_up(), online.device.why_not_soft
    assert online.run("print(len(_thread._threads()))") == "1\n"


def answer(connection: ClientConnection, until: str, limit: float) -> str:
    """Return what comes up to the words `until`; raises TimeoutError."""
    said = ""
    while until not in said:
        part = connection.recv(limit)
        said += part if isinstance(part, str) else part.decode()
    return said
