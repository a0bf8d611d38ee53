"""Threads on FreeRTOS for MicroPython: the module that modthread compiles into a firmware.

Every call holds the GIL, blocks only where it says so, and may be made by any thread. Of the functions, only
Lock.acquire(0), Lock.release(), Lock.locked() and get_ident() may be called in a hard interrupt handler.
"""

from collections.abc import Callable
from typing import Any, Literal, NoReturn, final, overload

error = RuntimeError
"""What is raised for errors of this module."""

TIMEOUT_MAX: int
"""The longest timeout of Lock.acquire(), in seconds. More is an OverflowError."""

def start_new_thread(
    function: Callable[..., object],
    args: tuple[Any, ...],
    kwargs: dict[str, Any] = ...,
    /,
    *,
    core_id: int | None = None,
) -> int:
    """Start a thread that calls function(*args, **kwargs); returns its identifier.

    Its stack takes stack_size() bytes of the heap. What the function returns is dropped; an exception other
    than SystemExit is printed, and ends only this thread.

    core_id: the number of the core that it runs on, -1 for any; None leaves it to the board.

    args and kwargs may be of a subclass. A soft reset raises SystemExit in the thread, so that it can clean up.

    Raises TypeError for wrong arguments, ValueError for a core that is not there, MemoryError where there is no room for the stack, RuntimeError while a soft
    reset is under way. After an error nothing is left over.
    """

def exit() -> NoReturn:
    """Raise SystemExit: where nobody catches it, the thread ends silently."""

def get_ident() -> int:
    """Return the identifier of the calling thread: not zero, and no other living thread has it. Main's is 1."""

def stack_size(size: int = ..., /) -> int:
    """Return the stack size in bytes for the threads that start next, 0 for the board's default.

    With size, 0 or at least 4096, the threads after this have stacks of that size; without, the default is in force
    again. Raises ValueError for another size, and nothing changes. A soft reset goes back to the default.
    """

def getswitchinterval() -> float:
    """Return how long a thread may compute while others want to, in seconds."""

def setswitchinterval(seconds: float, /) -> None:
    """Set how long a thread may compute while others want to; 0.005 is the default. See sys.setswitchinterval() of CPython.

    Looked at once a tick (1 ms). A thread that comes out of a wait does not wait for it. A soft reset goes back to the
    default. Raises ValueError for 0, less, NaN and more than 1000; TypeError for what is no number.
    """

def allocate_lock() -> Lock:
    """Return a new lock, unlocked. It takes one block of the heap, 16 bytes. Raises MemoryError."""

@final
class Lock:
    """A lock that any thread may release. Who waits gets it in the order in which they came."""

    def __init__(self) -> None: ...
    @overload
    def acquire(self, waitflag: int = 1, timeout: float = -1) -> bool: ...
    @overload
    def acquire(self, *, blocking: int = 1, timeout: float = -1) -> bool:
        """Take the lock; returns whether it was taken.

        waitflag (or blocking, CPython's name): 0 returns at once, otherwise wait for the lock. timeout: seconds to wait
        at most; 0 is one try, a negative one has no limit. Never returns False before the time has passed, and within
        a tick of it on an idle board. Waiting costs no CPU. In the main thread Ctrl-C ends it with KeyboardInterrupt.

        Raises ValueError for a timeout without waiting and for NaN, OverflowError above TIMEOUT_MAX, TypeError for what
        is no number, RuntimeError where nothing may wait (in a hard interrupt handler or a finaliser).
        """

    def release(self) -> None:
        """Release the lock: the first that waits owns it at once. Raises RuntimeError where it is not locked."""

    def locked(self) -> bool:
        """Return whether the lock is taken."""

    def __enter__(self) -> Literal[True]: ...
    def __exit__(self, *exception: object) -> None: ...

LockType = Lock

def _threads() -> list[
    tuple[int, Literal["running", "ready", "waiting", "outside"], int, int, object]
]:
    """Return identifier, state, stack size and stack in use (bytes) of every living thread, and what it was started with.

    "ready" waits for the GIL, "waiting" for a lock, a time or an event, "outside" runs C code without the GIL.
    """

def _interrupt_notes() -> list[tuple[tuple[object, ...], SystemExit]]:
    """Return what Ctrl-C has noted; from the first call until a soft reset it notes every living thread.

    A note has what _threads() tells of the thread, and a SystemExit that has been raised in it (not in the main one) before
    anything was unwound: its traceback tells where the thread was.
    """

def _quote_output() -> Literal[True]:
    """Quote what is printed at the raw REPL, until a program on the host enters it anew.

    Bytes 4 and 16 come as 16 and the byte with bit 6 set, so that a byte 4 is always the raw REPL's own. For a harness,
    which learns by it, too, that what other threads print waits while the raw REPL takes a script and frames its answer.
    """

__version__: str
"""Version and commit of modthread."""

_kernel: str
"""The kernel and its version, as "FreeRTOS V9.0.0"."""
