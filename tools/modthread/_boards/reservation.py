"""One lock per board, for all processes and users of this host; its owner's death releases it."""

import fcntl
import json
import os
import pwd
import shlex
import socket
import stat
import sys
import time
from argparse import ArgumentTypeError
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

from modthread._boards import usb
from modthread.errors import ModthreadError

RUN_LOCK = Path("/run/lock")
LEAST_WAIT = 0.5  # seconds: the holder may be about to go, or has not yet written who it is
POLL = 0.05

_descriptors: dict[Path, int] = {}  # of the locks that this process holds
_uses: Counter[Path] = Counter()  # how many times


def directory() -> Path:
    """Return the folder of the locks: that of the environment's MODTHREAD_LOCKS, if it is set.

    Else it is in /run/lock if everybody may write there, and in /tmp if only root may. A restart of
    the host empties both.
    """
    if given := os.environ.get("MODTHREAD_LOCKS"):
        return Path(given)
    is_for_all = RUN_LOCK.is_dir() and RUN_LOCK.stat().st_mode & stat.S_IWOTH
    return (RUN_LOCK if is_for_all else Path("/tmp")) / "modthread"


class Reservation:
    """The board on a port, held for this process until close(), or until the process ends.

    The board is known by its serial number. So it stays held while it is away, and when it comes
    back on another port. A process may take a lock that it holds once more.
    """

    def __init__(self, port: str, wait: float = 0.0) -> None:
        """Take the lock, waiting up to `wait` seconds; raises ModthreadError that names its holder.

        `port` is any pyserial URL.
        """
        self._port = port
        self._identity = usb.identity(port)
        self._path = _path(self._identity)
        if not _uses[self._path]:
            _descriptors[self._path] = _take(self._path, port, wait)
        _uses[self._path] += 1
        self._is_held = True

    @property
    def port(self) -> str:
        """The port that the board is on now; it may come back on another one after a reset."""
        return usb.port_of(self._identity, self._port)

    def close(self) -> None:
        """Let others have the board."""
        if not self._is_held:
            return
        self._is_held = False
        _uses[self._path] -= 1
        if not _uses[self._path]:
            os.close(_descriptors.pop(self._path))


def seconds(text: str) -> float:
    """Return the value of an option --wait."""
    value = float(text)
    if not value >= 0:
        raise ArgumentTypeError(f"{text} is not a number of seconds")
    return value


def holder(port: str) -> str | None:
    """Return who holds the board on `port`, None where nobody does."""
    try:
        descriptor = os.open(_path(usb.identity(port)), os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _who(descriptor)
    finally:
        os.close(descriptor)
    return None


def _path(identity: str) -> Path:
    return directory() / quote(identity, safe="")


def _take(path: Path, port: str, wait: float) -> int:
    """Return the descriptor of the locked file `path`, which says that this process holds it."""
    try:
        descriptor = _open(path)
    except OSError as error:
        raise ModthreadError(
            f"{error.filename or path}: {error.strerror}; locks of boards are kept there, "
            f"let everybody write to {path.parent}"
        ) from None
    deadline = time.monotonic() + max(wait, LEAST_WAIT)
    told = False
    while not _is_locked_now(descriptor):
        if time.monotonic() > deadline:
            who = _who(descriptor)
            os.close(descriptor)
            raise ModthreadError(f"{port} is in use by {who}; wait for it with --wait SECONDS")
        if wait and not told:
            print(f"Waiting for {port}, in use by {_who(descriptor)} ...", file=sys.stderr)
            told = True
        time.sleep(POLL)
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, json.dumps(_ourselves()).encode(), 0)
    return descriptor


def _is_locked_now(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _open(path: Path) -> int:
    """Open the file, which every user may write to, and create it if it is missing.

    An existing file is opened without O_CREAT: Linux may refuse that for another user's file in
    such a folder (sysctl fs.protected_regular).
    """
    with _for_all_users():
        if not path.parent.is_dir():
            path.parent.mkdir(mode=0o1777, exist_ok=True)
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
    return os.open(path, os.O_RDWR | os.O_NOFOLLOW)


@contextmanager
def _for_all_users() -> Iterator[None]:
    umask = os.umask(0)
    try:
        yield
    finally:
        os.umask(umask)


def _ourselves() -> dict[str, str | int]:
    try:
        user = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # as in a container that runs as a number
        user = str(os.getuid())
    program, *arguments = sys.argv
    name = Path(program).name
    return {
        "pid": os.getpid(),
        "user": user,
        "host": socket.gethostname(),
        "since": datetime.now().strftime("%Y-%m-%d %H:%M:%S"),
        "command": shlex.join(
            [Path(program).parent.name if name == "__main__.py" else name, *arguments]
        ),
    }


def _who(descriptor: int) -> str:
    """Return in words who wrote the file."""
    try:
        who = json.loads(os.pread(descriptor, 1 << 16, 0))
        return "{command} (process {pid} of {user} on {host}, since {since})".format(**who)
    except (ValueError, KeyError):
        return "a process that has not yet said its name"
