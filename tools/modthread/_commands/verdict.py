"""The result of `modthread run`, as one line of JSON for programs."""

import hashlib
import io
import json
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, redirect_stderr, redirect_stdout
from dataclasses import asdict, dataclass
from pathlib import Path

from modthread._commands.run import INTERRUPTED, Ending
from modthread.device import Device
from modthread.errors import ModthreadError

NOT_RUN = "not run"


@dataclass
class Verdict:
    """The keys of the JSON object; an unknown value is None."""

    verdict: str = NOT_RUN  # or passed, exception, exit, crash, timeout, interrupted
    status: int = 2  # that the command exits with
    script: str = ""
    board: str | None = None
    port: str | None = None
    firmware: str | None = None  # as the board itself says
    image: str | None = None  # the file that the emulator has booted
    image_sha256: str | None = None
    output: str = ""
    messages: str = ""  # tracebacks, and all else that the command tells
    seconds: float = 0.0  # that the script took


def verdict(
    script: Path,
    started: Callable[[], AbstractContextManager[Device]],
    run: Callable[[Device], Ending],
) -> int:
    """Start a board, run the script on it, print only the verdict; return the exit status.

    Blocks as long as the two functions do. Their errors go into the verdict, and none is raised.
    """
    told = Verdict(script=str(script))
    output = io.TextIOWrapper(io.BytesIO(), "utf-8", "replace", newline="", write_through=True)
    messages = io.StringIO()
    with redirect_stdout(output), redirect_stderr(messages):
        try:
            with started() as device:
                _identify(told, device)
                begin = time.monotonic()
                ending = run(device)
                told.seconds = round(time.monotonic() - begin, 3)
                told.verdict, told.status = ending.verdict, ending.status
        except ModthreadError as error:
            print(f"modthread: {error}", file=messages)
        except KeyboardInterrupt:
            told.verdict, told.status = INTERRUPTED.verdict, INTERRUPTED.status
    told.output = output.buffer.getvalue().decode(errors="replace")
    told.messages = messages.getvalue()
    json.dump(asdict(told), sys.stdout)
    print(flush=True)
    return told.status


def _identify(told: Verdict, device: Device) -> None:
    """Say which board it is, and ask it what it runs; it is clean afterwards."""
    told.board, told.port = device.board.name, device.session.port
    if device.emulator:
        image = device.board.image
        told.image = str(image)
        told.image_sha256 = hashlib.sha256(image.read_bytes()).hexdigest()
    try:
        told.firmware = device.info()
    except ModthreadError as error:
        print(f"modthread: {error}", file=sys.stderr)
    device.clean_up()
