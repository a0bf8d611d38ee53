"""Threads on FreeRTOS for MicroPython: the module that modthread compiles into a firmware.

Any thread may make every call, and every call needs the GIL. A call blocks only where its description says so.

A hard interrupt handler may call `get_ident()`, `Lock.acquire(0)`, `Lock.release()` and `Lock.locked()`. It may call nothing
else of this module.
"""

from collections.abc import Callable
from typing import Any, Literal, NoReturn, final, overload

error = RuntimeError
"""The exception for errors of this module."""

TIMEOUT_MAX: int
"""The longest timeout of `Lock.acquire()`, in seconds. A longer one is an `OverflowError`."""

def start_new_thread(
    function: Callable[..., object],
    args: tuple[Any, ...],
    kwargs: dict[str, Any] = ...,
    /,
    *,
    core_id: int | None = None,
) -> int:
    """Start a thread that calls `function(*args, **kwargs)`, and return the thread's identifier.

    - `core_id`: the number of the core on which the thread runs; -1 means any core. With `None` the board chooses.
    - `args` and `kwargs` may be instances of subclasses.

    The thread's stack takes `stack_size()` bytes of the heap. The thread ends when the function returns, and the value is
    dropped. An exception ends only this thread, and is printed, unless it is `SystemExit`. A soft reset raises `SystemExit`
    in the thread, so that the thread can clean up.

    Raises:

    - `TypeError` for wrong arguments;
    - `ValueError` for a core that does not exist;
    - `MemoryError` where there is no room for the stack;
    - `RuntimeError` while a soft reset is under way.

    After an error nothing is left over.
    """

def start_joinable_thread(
    function: Callable[[], object], handle: _ThreadHandle | None = None, daemon: bool = True
) -> _ThreadHandle:
    """Start a thread that calls `function()`, and return its handle, by which other threads can join it. As CPython 3.13 does.

    - `handle`: a handle that has not started a thread yet. With `None` the call makes one.
    - `daemon`: has no effect. At a soft reset all threads end.

    Raises `TypeError` for wrong arguments, `RuntimeError` for a handle that has started a thread and while a soft reset is
    under way, and `MemoryError` where there is no room. After an error the handle can start another thread.
    """

@final
class _ThreadHandle:
    """The handle of a thread. It outlives the thread's stack, and takes 32 bytes of the heap."""

    def __init__(self) -> None: ...
    ident: int
    """The thread's identifier; 0 before it is started."""

    native_id: int
    """What `get_native_id()` returns in the thread; 0 before it is started."""

    def join(self, timeout: float | None = None, /) -> None:
        """Wait until the thread has ended. Blocks at most for `timeout` seconds; `None` and negative numbers have no limit.

        A waiting thread takes no processor time. In the main thread Ctrl-C ends the wait with `KeyboardInterrupt`.

        Raises `RuntimeError` in the thread itself, for a thread that was not started, and where nothing may wait; for
        `timeout` the errors of `Lock.acquire()`.
        """

    def is_done(self) -> bool:
        """Return whether the thread was started and has ended."""

start_new = start_new_thread
"""Another name of `start_new_thread()`, as in CPython."""

def exit() -> NoReturn:
    """Raise `SystemExit`. If nobody catches it, the thread ends silently."""

exit_thread = exit
"""Another name of `exit()`, as in CPython."""

def interrupt_main(signum: int = 2, /) -> None:
    """Raise `KeyboardInterrupt` in the main thread, as Ctrl-C does.

    - `signum`: 2 is SIGINT. Another signal has no handler on a board, and the call does nothing, as in CPython.

    Raises `ValueError` for a number that is no signal: below 1, or above 64.
    """

def get_ident() -> int:
    """Return the identifier of the calling thread. It is not zero, and no other living thread has it. The main thread's is 1."""

def get_native_id() -> int:
    """Return the number by which the kernel knows the calling thread: the address of its FreeRTOS task, as a debugger shows it.

    The next thread may have the same number after this one has ended.
    """

def _count() -> int:
    """Return how many threads live beside the main thread, as CPython does."""

def stack_size(size: int = ..., /) -> int:
    """Return the stack size in bytes for the threads that start next; 0 is the board's default.

    - `size`: 0, or at least 4096. The threads that start after this call have stacks of this size. Without `size` they have
      the default again.

    Raises `ValueError` for any other size, and then nothing changes. A soft reset goes back to the default.
    """

def getswitchinterval() -> float:
    """Return how many seconds a thread may compute while other threads want to."""

def setswitchinterval(seconds: float, /) -> None:
    """Set how long a thread may compute while other threads want to, as CPython's `sys.setswitchinterval()` does.

    - `seconds`: more than 0, at most 1000. The default is 0.005.

    The board looks at this interval once a tick (1 ms). A thread that comes out of a wait does not wait for the interval to
    end. A soft reset goes back to the default.

    Raises `ValueError` for 0, a negative number, NaN and more than 1000; `TypeError` for a value that is not a number.
    """

def allocate_lock() -> Lock:
    """Return a new lock, which is not locked. It takes one block of the heap, 16 bytes. Raises `MemoryError`."""

def allocate() -> Lock:
    """Do what `allocate_lock()` does: another name of it, as in CPython."""

@final
class Lock:
    """A lock. Waiters get it first come, first served. Any thread may release it."""

    def __init__(self) -> None: ...
    @overload
    def acquire(self, waitflag: int = 1, timeout: float = -1) -> bool: ...
    @overload
    def acquire(self, *, blocking: int = 1, timeout: float = -1) -> bool:
        """Take the lock, and return whether it was taken. Blocks until the lock is free or the timeout ends.

        - `waitflag`, or `blocking` as CPython calls it: with 0 the call returns at once.
        - `timeout`: the longest wait in seconds. 0 is a single try. A negative timeout has no limit.

        The call never returns `False` before the timeout has ended. On an idle board it returns within a tick (1 ms) of it.
        A waiting thread takes no processor time. In the main thread Ctrl-C ends the wait with `KeyboardInterrupt`.

        Raises:

        - `ValueError` for a timeout with `waitflag` 0, and for NaN;
        - `OverflowError` for a timeout above `TIMEOUT_MAX`;
        - `TypeError` for an argument that is not a number;
        - `RuntimeError` where nothing may wait: in a hard interrupt handler or a finaliser.
        """

    def release(self) -> None:
        """Release the lock. If threads wait for it, the first of them owns it at once.

        Raises `RuntimeError` if the lock is not locked.
        """

    def locked(self) -> bool:
        """Return whether the lock is taken."""

    def __enter__(self) -> Literal[True]: ...
    def __exit__(self, *exception: object) -> None: ...

LockType = Lock
"""Another name of `Lock`, as in CPython."""

class RLock:
    """A lock that its owner may take again. It is free when the owner has released it as often. It takes 32 bytes of the heap.

    Waiters get it first come, first served. A class may have it as its base, as in CPython. A callback belongs to the main
    thread, and may take what the main thread has.
    """

    def __init__(self) -> None: ...
    @overload
    def acquire(self, waitflag: int = 1, timeout: float = -1) -> bool: ...
    @overload
    def acquire(self, *, blocking: int = 1, timeout: float = -1) -> bool:
        """Take the lock once more, and return whether it was taken. Blocks while another thread owns it, like `Lock.acquire()`.

        The arguments and errors are those of `Lock.acquire()`.
        """

    def release(self) -> None:
        """Release the lock once. After the last release, the first of the waiting threads owns it at once.

        Raises `RuntimeError` if the calling thread does not own the lock.
        """

    def locked(self) -> bool:
        """Return whether any thread owns the lock, as CPython 3.14 does."""

    def __enter__(self) -> Literal[True]: ...
    def __exit__(self, *exception: object) -> None: ...
    def _is_owned(self) -> bool:
        """Return whether the calling thread owns the lock."""

    def _recursion_count(self) -> int:
        """Return how often the calling thread has taken the lock; 0 if it does not own it."""

    def _release_save(self) -> int:
        """Release the lock as a whole, and return how often it was taken. This is for conditions.

        Raises `RuntimeError` if the calling thread does not own the lock.
        """

    def _acquire_restore(self, count: int, /) -> None:
        """Take the lock as often as `_release_save()` has said. Blocks while another thread owns it. This is for conditions."""

class _Condition:
    """A condition variable: `threading.Condition` as CPython 3.13 has it (`Lib/threading.py`). It takes 16 bytes of the heap.

    - `lock`: a `Lock` or an `RLock`; with `None` a new `RLock`. Anything else is a `TypeError`.

    `acquire()`, `release()`, `locked()` and `with` are those of the lock. A hard interrupt handler may not use it.
    """

    def __init__(self, lock: Lock | RLock | None = None) -> None: ...
    def acquire(self, waitflag: int = 1, timeout: float = -1) -> bool: ...
    def release(self) -> None: ...
    def locked(self) -> bool: ...
    def wait(self, timeout: float | None = None) -> bool:
        """Release the lock, block until notified or until the timeout ends, and take the lock back. Return whether notified.

        - `timeout`: in seconds. `None` has no limit. 0 and less return as soon as the lock is back.

        An `RLock` is released however often it was taken. An exception that ends the wait, as Ctrl-C in the main thread, is
        raised when the lock is back. A second one is raised without the lock.

        Raises `RuntimeError("cannot wait on un-acquired lock")`, and `RuntimeError` where nothing may wait; `TypeError`,
        `ValueError` and `OverflowError` for a bad timeout. Then the lock is kept.
        """

    def wait_for(self, predicate: Callable[[], Any], timeout: float | None = None) -> Any:
        """Wait until `predicate()` is true, or the timeout ends, and return what it has returned last.

        The predicate is called with the lock taken: first before any wait, then after each notification. Blocks and raises as
        `wait()` does, and raises what the predicate raises.
        """

    def notify(self, n: int = 1) -> None:
        """Let the `n` threads go on that have waited longest, or fewer if fewer wait. Each goes on when it has got the lock.

        Does not block. Raises `RuntimeError("cannot notify on un-acquired lock")`.
        """

    def notify_all(self) -> None:
        """Let all threads go on that wait. Otherwise as `notify()`."""

    def _is_owned(self) -> bool:
        """Return whether the calling thread has the lock, or anybody if that is a `Lock`."""

    def __enter__(self) -> Literal[True]: ...
    def __exit__(self, *exception: object) -> None: ...

def _notify() -> None:
    """Let every thread that waits in `select.poll()`, as asyncio's loop does, look again at once. Does not block.

    Without it such a thread looks at a stream written in Python, as `asyncio.ThreadSafeFlag` is, every 5 ms.
    """

def _thread_class(variables: dict[str, Any], /) -> type:
    """Return the class `threading.Thread`, as CPython 3.13 has it. Each call returns the same class.

    - `variables`: the variables of the module `threading`. The class uses `_counter` and `_fail`, which may be replaced.

    An object takes 96 bytes of the heap, and 16 while its thread runs.
    """

def _counter() -> int:
    """Return how many threads have got a name with a number by now: the number in the next name."""

def _current_thread() -> Any:
    """`threading.current_thread()`: the object of the calling thread. A thread without one gets it, until it ends."""

def _main_thread() -> Any:
    """`threading.main_thread()`."""

def _enumerate() -> list[Any]:
    """`threading.enumerate()`: the objects of all threads that live and have one."""

def _future_class(variables: dict[str, Any], /) -> type:
    """Return the class `concurrent.futures.Future`, as CPython 3.13 has it. Each call returns the same class.

    - `variables`: the variables of the module `concurrent.futures`. The class uses its exceptions, `_repr`, `_call_all` and
      `_tell`.

    An object takes 48 bytes of the heap.
    """

def _submit(work: _Queue, function: Callable[..., object], args: tuple[Any, ...], /) -> Any:
    """Put a `Future` into the queue of a pool, and return it, or `None` if the queue is shut down.

    A worker that gets it calls `_run(work.task_done)`, which calls `function(*args)`. Does not block.
    """

class _Event:
    """An event: `threading.Event` as CPython 3.13 has it. It takes 16 bytes of the heap.

    A hard interrupt handler may call `set()`, `clear()` and `is_set()`.
    """

    def is_set(self) -> bool:
        """Return whether the event is set."""

    def set(self) -> None:
        """Set the event, and let all threads go on that wait for it. Does not block."""

    def clear(self) -> None:
        """Reset the event. Threads that have been let go on return `True` all the same."""

    def wait(self, timeout: float | None = None) -> bool:
        """Block until the event is set, or until the timeout ends, and return whether it was set.

        - `timeout`: in seconds. `None` has no limit. 0 and less are a single look.

        In the main thread Ctrl-C ends the wait with `KeyboardInterrupt`.

        Raises `TypeError`, `ValueError` and `OverflowError` for a bad timeout, and `RuntimeError` where nothing may wait.
        """

class _Semaphore:
    """A semaphore: `threading.Semaphore` as CPython 3.13 has it. It takes 32 bytes of the heap.

    - `value`: how often it can be acquired before it is released.

    Raises `ValueError` for a negative value. A hard interrupt handler may not use it.
    """

    _value: int
    """How often it can be acquired now."""

    def __init__(self, value: int = 1) -> None: ...
    def acquire(self, blocking: bool = True, timeout: float | None = None) -> bool:
        """Take one of the value, and return `True`. While that is 0, block until somebody releases the semaphore.

        - `blocking`: with `False` the call returns `False` instead of blocking.
        - `timeout`: in seconds. `None` has no limit. After the timeout the call returns `False`.

        Waiting threads get it in the order in which they came, unless another one comes before they run. In the main thread
        Ctrl-C ends the wait with `KeyboardInterrupt`.

        Raises `TypeError`, `ValueError` and `OverflowError` for bad arguments, and `RuntimeError` where nothing may wait.
        """

    def release(self, n: int = 1) -> None:
        """Add `n` to the value, and let as many waiting threads go on. Does not block.

        Raises `ValueError` for `n` below 1, and if the value of a `_BoundedSemaphore` would be more than at first.
        """

    def __enter__(self) -> Literal[True]: ...
    def __exit__(self, *exception: object) -> None: ...

_BoundedSemaphore: type[_Semaphore]
"""A semaphore that is not released more often than it is acquired: `threading.BoundedSemaphore`."""

class _Queue:
    """A queue, first in, first out: what `queue.Queue` is made of. It takes 64 bytes of the heap, and 4 for each item.

    - `maxsize`: how many items it holds; 0 and less have no limit.
    - `hooks`: an object with `_put(item)`, `_get()` and `_qsize()`, which hold the items instead; `None` for none. They are
      called with `mutex` held.

    In a hard interrupt handler its methods raise `RuntimeError`.
    """

    maxsize: int
    unfinished_tasks: int
    is_shutdown: bool
    queue: list[Any]
    """The items. Who changes them holds `mutex`."""
    mutex: Lock
    """Kept by each call but `join()`; made when it is asked for."""

    def __init__(self, maxsize: int = 0, hooks: object | None = None, /) -> None: ...
    def put(self, item: object, block: bool = True, timeout: float | None = None) -> None:
        """Put an item in. Blocks while the queue is full, if `block` is true, at most for `timeout` seconds.

        Raises `_Full` when it stays full, `_ShutDown` after `shutdown()`, and `ValueError` for a negative timeout.
        """

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        """Take an item out, and return it. Blocks while the queue is empty, if `block` is true, at most for `timeout` seconds.

        Raises `_Empty` when it stays empty, `_ShutDown` if it is empty after `shutdown()`, and `ValueError` for a negative
        timeout.
        """

    def put_nowait(self, item: object) -> None:
        """Put an item in, as `put(item, block=False)`."""

    def get_nowait(self) -> Any:
        """Take an item out, as `get(block=False)`."""

    def task_done(self) -> None:
        """Say that an item is dealt with. Raises `ValueError` if none is left."""

    def join(self) -> None:
        """Block until all items that were put in are dealt with."""

    def shutdown(self, immediate: bool = False) -> None:
        """Let `put()` raise `_ShutDown` from now on, and `get()` as soon as the queue is empty. Wakes all who wait.

        - `immediate`: empties the queue.
        """

    def qsize(self) -> int:
        """Return how many items are there."""

    def empty(self) -> bool:
        """Return whether no item is there."""

    def full(self) -> bool:
        """Return whether the queue holds as many items as it may."""

class _local:  # noqa: N801 (CPython's name)
    """An object whose attributes each thread has for itself: `threading.local`. It takes 16 bytes of the heap and a
    dictionary for each thread.

    A class may inherit from it. Each thread that comes to such an object calls its `__init__()` first, with the arguments that
    the object was made with. What the class has, all threads share.

    The attributes of a thread that has ended go when another thread begins to use the object.
    """

    __dict__: dict[str, Any]
    """The attributes of the calling thread."""

_Empty: type[Exception]
"""`queue.Empty`."""

_Full: type[Exception]
"""`queue.Full`."""

_ShutDown: type[Exception]
"""`queue.ShutDown`."""

def _excepthook(args: Any, /) -> None:
    """Print the exception that has ended a thread of `threading`: CPython's "Exception in thread NAME:" and a traceback.

    - `args`: a `threading.ExceptHookArgs`, or another object with `exc_type`, `exc_value` and `thread`.

    Prints nothing for `SystemExit`. Raises `AttributeError` for other objects.
    """

def _threads() -> list[
    tuple[
        int, Literal["running", "ready", "waiting", "outside"], int, int, object, object, int | None
    ]
]:
    """Return a tuple for each living thread: identifier, state, stack size, bytes of the stack in use, and started function;
    then the lock, handle, condition, event or queue that it waits for, and the identifier of the thread that has it.

    The last two are None where the thread waits for a time, or for nothing. A handle's thread has it until that thread ends. A
    `Lock` may be released by another thread than the one that has taken it; this is the one that has taken it. If that was
    an interrupt handler, it is the thread that was interrupted. Nobody has a condition, an event or a queue.

    The states:

    - "running": the thread owns the GIL;
    - "ready": it waits for the GIL;
    - "waiting": it waits for a lock, a time or an event;
    - "outside": it runs C code that has released the GIL.
    """

def _interrupt_notes() -> list[tuple[tuple[object, ...], SystemExit]]:
    """Return the notes that Ctrl-C has made. From the first call until a soft reset, Ctrl-C notes every living thread.

    A note is what `_threads()` returns for the thread, and a `SystemExit`. Ctrl-C raises that exception in the thread, except
    in the main thread, before anything is unwound. So its traceback says where the thread was.
    """

def _quote_output() -> Literal[True]:
    """Quote what is printed at the raw REPL, until a program on the host enters the raw REPL again.

    Bytes 4 and 16 come as two bytes: 16, and the byte with bit 6 set. So a byte 4 is always the raw REPL's own. This is for a
    harness. The call also tells the harness that output of other threads waits while the raw REPL takes a script and frames
    its answer.
    """

__version__: str
"""Version and commit of modthread."""

_kernel: str
"""The kernel and its version, for example "FreeRTOS V9.0.0"."""
