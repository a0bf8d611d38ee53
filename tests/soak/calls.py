"""Calls every function of `_thread` with arguments of every type. The host sets SEED and SIZE.

Threads, callbacks, finalisers and handlers of timers do it at once. Whatever the arguments are, a
call returns, or raises an exception that a program can expect. Prints how many calls there were.
"""

import _thread
import gc
import micropython
import random
import time
import vfs
from machine import Timer

random.seed(SEED)
micropython.alloc_emergency_exception_buf(100)
THREADS = 3
INTERRUPTS = "interrupt_main"  # its exception comes wherever the main thread is then
FUNCTIONS = [
    name for name in dir(_thread) if callable(getattr(_thread, name)) and name != INTERRUPTS
]
METHODS = "acquire", "release", "locked", "__enter__", "__exit__", "nothing"
EXPECTED = (
    TypeError,
    ValueError,
    OverflowError,
    RuntimeError,
    MemoryError,
    AttributeError,
    KeyError,
    IndexError,
    NotImplementedError,
    SystemExit,
)
calls = [0]
wrong = []
ended = []
locks = [_thread.allocate_lock() for _ in range(3)]


class Raises:
    """Raises in all that C code may ask of an object."""

    def fail(self, *args, **kwargs):
        raise KeyError("on purpose")

    __call__ = __len__ = __iter__ = __getitem__ = __eq__ = __hash__ = __int__ = __float__ = fail
    __bool__ = __str__ = __repr__ = __index__ = __contains__ = __lt__ = __add__ = __getattr__ = fail


class Reenters:
    """Calls `_thread` in all that C code may ask of an object."""

    def again(self, *args, **kwargs):
        for lock in locks:
            lock.locked()
        _thread.get_ident()
        _thread._threads()
        return 1

    def __iter__(self):
        self.again()
        return iter((1, 2))

    def __str__(self):
        self.again()
        return "text"

    __call__ = __len__ = __getitem__ = __eq__ = __hash__ = __int__ = __bool__ = __index__ = again
    __contains__ = __lt__ = __add__ = again
    __repr__ = __str__

    def __float__(self):
        return 0.001 * self.again()


class Number(int):
    pass


class Text(str):
    pass


class Pair(tuple):
    pass


class Table(dict):
    pass


class Disk:
    """The finaliser of a file that was left open writes to it, amidst a collection."""

    BLOCK, COUNT = 512, 24

    def __init__(self):
        self.data = bytearray(self.BLOCK * self.COUNT)

    # Nothing can be allocated here while the collector calls.

    def readblocks(self, block, buffer, offset=0):
        start = block * self.BLOCK + offset
        for i in range(len(buffer)):
            buffer[i] = self.data[start + i]

    def writeblocks(self, block, buffer, offset=0):
        start = block * self.BLOCK + offset
        for i in range(len(buffer)):
            self.data[start + i] = buffer[i]
        if ready:
            call_one(10)

    def ioctl(self, operation, argument):
        return self.COUNT if operation == 4 else self.BLOCK if operation == 5 else 0


def leave_a_file_open(where):
    try:
        files.open(f"{where}.txt", "w").write("x")
    except (OSError, MemoryError, RuntimeError):
        pass
    gc.collect()


def generator():
    yield 1


def short(*args, **kwargs):
    return args


VALUES = [
    None, True, False, 0, 1, -1, 2, 4095, 4096, 5000, 1 << 30, -(1 << 30), 1 << 31, 1 << 32,
    -(1 << 64), 1 << 100, 0.0, 0.001, -0.5, 1.0, 1e10, 1e39, float("inf"), -float("inf"),
    float("nan"), 1j, "", "text", b"", b"bytes", bytearray(4), (), (1,), (1, 2), [], [1], {},
    {"x": 1}, {1: 2}, {"end": ""}, set(), frozenset((1,)), range(3), short, print,
    len, int, object, object(), Exception, ValueError(1), generator(), _thread, _thread.Lock,
    Raises, Raises(), Reenters, Reenters(), Number(3), Text("text"), Pair((1,)), Pair(),
    Table(), memoryview(b"12"), Ellipsis, NotImplemented, short.__class__, lambda *a, **k: None,
    iter(()), map(len, ()), locks[0], locks[1], locks[2].acquire, locks[2],
]  # fmt: skip
NAMES = "waitflag", "timeout", "blocking", "core_id", "x"


def anything():
    return VALUES[random.getrandbits(12) % len(VALUES)]


def sensible(name):
    """Arguments with which the call does something."""
    if name == "start_joinable_thread":
        return ((short, Reenters(), len)[random.getrandbits(8) % 3],)
    if name in ("start_new", "start_new_thread"):
        function = (short, short, Raises(), Reenters(), len, Pair)[random.getrandbits(8) % 6]
        return ((function, (anything(),), {"x": 1}), (function, ()))[random.getrandbits(1)]
    if name == "acquire":
        return ((), (0,), (1, random.getrandbits(3) / 1000))[random.getrandbits(8) % 3]
    if name == "stack_size":
        return ((), (0,), (4096 << random.getrandbits(3),))[random.getrandbits(8) % 3]
    if name == "setswitchinterval":
        return (random.getrandbits(12) / 1000000,)
    return ()


NUMBERS = {
    "start_joinable_thread": 2,
    "start_new": 2,
    "start_new_thread": 2,
    "stack_size": 1,
    "setswitchinterval": 1,
    "acquire": 2,
    "__exit__": 3,
}


def arguments(name):
    """Sensible ones, any of the number that the function takes, or any at all."""
    how = random.getrandbits(2)
    if how < 2:
        return sensible(name)
    number = NUMBERS.get(name, 0) if how == 2 else random.getrandbits(4) % 5
    return [anything() for _ in range(number)]


def keywords():
    if random.getrandbits(3):
        return {}
    return {NAMES[random.getrandbits(8) % len(NAMES)]: anything()}


def call_one(where):
    """Call anything; where it must not wait, nothing that waits."""
    calls[0] += 1
    name = what = None
    try:
        if random.getrandbits(1):
            lock = locks[random.getrandbits(8) % len(locks)]
            name = METHODS[random.getrandbits(8) % len(METHODS)]
            what = getattr(lock, name)
        else:
            name = FUNCTIONS[random.getrandbits(8) % len(FUNCTIONS)]
            what = getattr(_thread, name)
            if name == "setswitchinterval":
                _thread.setswitchinterval((1 + random.getrandbits(12)) / 1000000)
        what(*arguments(name), **keywords())
    except EXPECTED:
        pass
    except BaseException as e:
        wrong.append((where, name, repr(e)))
    if name == "setswitchinterval":
        _thread.setswitchinterval(0.005)
    elif name == "stack_size":
        _thread.stack_size(0)


def work(where):
    while calls[0] < SIZE and not wrong:
        call_one(where)
        if not random.getrandbits(6):
            leave_a_file_open(where)
        if not random.getrandbits(6):
            try:
                micropython.schedule(call_one, 20)
            except RuntimeError:  # the queue is full
                pass
    ended.append(where)


def interrupt_main():
    """Call it with everything, in the main thread and beside nothing else."""
    for value in VALUES:
        calls[0] += 1
        try:
            _thread.interrupt_main(value)
            time.sleep_ms(1)
        except EXPECTED + (KeyboardInterrupt,):
            pass


def give_back():
    """Give back what is held: some calls wait for ever, as they shall."""
    while len(ended) < THREADS + 1:
        time.sleep_ms(2)
        for lock in locks:
            try:
                lock.release()
            except RuntimeError:  # nobody has it
                pass
    ended.append(0)


ready = False
disk = Disk()
vfs.VfsLfs2.mkfs(disk)
files = vfs.VfsLfs2(disk)
ready = True


def in_interrupt(timer):
    """What a hard handler may do with a lock."""
    calls[0] += 1
    try:
        locks[0].acquire(0) and locks[0].release()
        locks[1].release()
    except RuntimeError:  # nobody has it
        pass


timers = [Timer(period=7, mode=Timer.PERIODIC, callback=lambda timer: call_one(30))]
try:
    timers.append(Timer(period=3, mode=Timer.PERIODIC, callback=in_interrupt, hard=True))
except TypeError:  # this port has soft ones only
    pass
_thread.stack_size(16384)  # for files
_thread.start_new_thread(give_back, ())
for where in range(1, THREADS + 1):
    _thread.start_new_thread(work, (where,))
work(4)
while len(ended) < THREADS + 2:
    time.sleep_ms(1)
for timer in timers:
    timer.deinit()
_thread.setswitchinterval(0.005)
_thread.stack_size(0)
for _ in range(1000):
    if len(_thread._threads()) == 1:
        break
    time.sleep_ms(5)
interrupt_main()
assert not wrong, wrong
assert len(_thread._threads()) == 1, _thread._threads()
print(f"\n{calls[0]}")  # what started a thread may raise amidst a line, when it is printed
