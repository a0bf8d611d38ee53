"""Ctrl-D always comes back, no thread survives it, and all memory is back."""

from statistics import median_low

import pytest
from console import Console

COMMON = """
import _thread, gc, os, select, sys, time
held = _thread.allocate_lock()
held.acquire()
shared = _thread.allocate_lock()
def forever(function):
    while True:
        function()
def start(count, function, *args):
    for _ in range(count):
        _thread.start_new_thread(function, args)
"""

KINDS = {
    "computing": "start(4, forever, lambda: None)",
    "printing": "start(3, forever, lambda: print('a line from thread', _thread.get_ident()))",
    "sleeping": "start(5, forever, lambda: time.sleep_ms(3))\nstart(3, time.sleep, 10000)",
    "blocked": "start(5, held.acquire)\nstart(5, held.acquire, 1, 10000)",
    "handing over": "start(4, forever, lambda: shared.acquire() and shared.release())",
    "holding": "start(3, forever, lambda: shared.acquire() and time.sleep_ms(50))",
    "collecting": "start(3, forever, gc.collect)\nstart(2, forever, lambda: [0] * 100)",
    "writing files": """
def write(name):
    while True:
        with open(name, 'w') as file:
            for i in range(50):
                file.write('some text\\n')
        os.listdir()
for name in 'abc':
    start(1, write, name)
""",
    "starting threads": "start(2, forever, lambda: start(1, time.sleep_ms, 5) or time.sleep_ms(2))",
    "recursing": """
def recurse():
    try:
        recurse()
    except RuntimeError:
        pass
start(4, forever, recurse)
""",
    "refusing to leave": """
def stay():
    while True:
        try:
            while True:
                pass
        except BaseException:
            pass
start(3, stay)
""",
    "catching in acquire": """
def stay():
    while True:
        try:
            held.acquire()
        except BaseException:
            pass
start(3, stay)
""",
    "cleaning up": """
def tidy():
    try:
        held.acquire()
    finally:
        time.sleep_ms(20)
        shared.acquire()
        shared.release()
start(3, tidy)
""",
    "importing": """
with open('endless.py', 'w') as file:
    _ = file.write('import time\\nwhile True:\\n    time.sleep(1)\\n')
sys.path.insert(0, '')
_ = _thread.stack_size(8192)
start(4, __import__, 'endless')
while 'endless' not in sys.modules:
    time.sleep_ms(1)
""",
    "polling": """
def poll():
    poller = select.poll()
    poller.register(sys.stdin, 0)
    poller.poll(100000)
start(3, poll)
""",
    "everything at once": """
start(2, forever, lambda: None)
start(2, forever, lambda: print('printing'))
start(2, forever, lambda: time.sleep_ms(1))
start(2, held.acquire)
start(2, forever, lambda: shared.acquire() and shared.release())
start(1, forever, gc.collect)
""",
}

SOCKETS = """
import network, socket
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(('127.0.0.1', 8080))
listener.listen(4)
def serve():
    while True:
        connection, _ = listener.accept()
        start(1, receive, connection)
def receive(connection):
    while True:
        connection.send(connection.recv(100))
def ask():
    client = socket.socket()
    client.connect(('127.0.0.1', 8080))
    while True:
        client.send(b'hello')
        client.recv(100)
        time.sleep_ms(1)
start(1, serve)
start(1, ask)
start(1, listener.accept)
"""

# A file system whose device is slow: one thread is in it, the others wait in its line.
DEVICE = """
import vfs
class Device:
    def __init__(self):
        self.memory = bytearray(64 * 512)
        self.wait = None
    def readblocks(self, number, into, skip=0):
        if self.wait:
            self.wait()
        place = number * 512 + skip
        into[:] = memoryview(self.memory)[place:place + len(into)]
    def writeblocks(self, number, data, skip=0):
        place = number * 512 + skip
        self.memory[place:place + len(data)] = data
    def ioctl(self, request, _):
        return {4: 64, 5: 512}.get(request, 0)
device = Device()
vfs.VfsLfs2.mkfs(device)
vfs.mount(vfs.VfsLfs2(device), '/store')
def stay():
    while True:
        try:
            held.acquire()
        except BaseException:
            pass
"""

KINDS["waiting for a file system"] = f"""{DEVICE}
device.wait = lambda: time.sleep_ms(30)
start(4, forever, lambda: os.listdir('/store'))
start(2, forever, lambda: open('/store/a', 'w').close())
"""
KINDS["waiting for a file system in which one stays"] = f"""{DEVICE}
device.wait = stay
start(4, forever, lambda: open('/store/a', 'w').close())
"""

COMPILED = """
@micropython.viper
def viper():
    while True:
        pass
@micropython.native
def native():
    while True:
        pass
start(2, viper)
start(2, native)
"""

RESETS = 15


def free_memory(console: Console) -> int:
    assert console.value("len(__import__('_thread')._threads())") == 1, "a thread has survived"
    console.value("__import__('gc').collect()")
    return int(console.value("__import__('gc').mem_free()"))


def assert_nothing_is_lost(free: list[int]) -> None:
    """Compare the first readings with the last, by their medians.

    A leak lasts. For a single reading a block may be free that a stale word on the prompt's stack
    keeps alive otherwise: 5 of 8,000 resets of the firmware without threads.
    """
    few = len(free) // 3
    assert median_low(free[:few]) == median_low(free[-few:]), f"free after each reset: {free}"


def lane_on_pico(kind: str) -> pytest.MarkDecorator:
    """An emulated one takes a minute for each kind."""
    return pytest.mark.lane("long" if kind == "everything at once" else "hours", "RPI_PICO")


@pytest.mark.parametrize("kind", [pytest.param(kind, marks=lane_on_pico(kind)) for kind in KINDS])
def test_with_threads(console: Console, kind: str) -> None:
    """Over all kinds of threads these are more than 200 soft resets."""
    reset_again_and_again(console, KINDS[kind])


@pytest.mark.boards("ESP32_GENERIC", "ESP32_GENERIC_S3", "ESP32_GENERIC_C3")
def test_with_threads_in_sockets(console: Console) -> None:
    reset_again_and_again(console, SOCKETS)


@pytest.mark.lane("hours", "RPI_PICO")
@pytest.mark.boards("MPS2_AN385", "RPI_PICO")
def test_with_threads_in_compiled_code(console: Console) -> None:
    reset_again_and_again(console, COMPILED)


def reset_again_and_again(console: Console, source: str) -> None:
    console.soft_reset()
    free = [free_memory(console)]
    for i in range(RESETS):
        console.start(f"{COMMON}{source}\ntime.sleep_ms({10 + 7 * i % 23})\nprint('ready')")
        console.expect(b"ready\r\n")
        console.expect(b">>> ")
        console.soft_reset()
        free.append(free_memory(console))
    assert_nothing_is_lost(free)


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param("computing", marks=pytest.mark.lane("hours", "RPI_PICO")),
        "blocked",
        pytest.param("printing", marks=pytest.mark.lane("hours", "RPI_PICO")),
    ],
)
def test_by_system_exit_of_main(console: Console, kind: str) -> None:
    console.soft_reset()
    free = [free_memory(console)]
    for _ in range(8):
        console.start(f"{COMMON}{KINDS[kind]}\ntime.sleep_ms(20)\nsys.exit()")
        console.expect(b"MPY: soft reboot\r\n")
        console.expect(b">>> ")
        free.append(free_memory(console))
    assert_nothing_is_lost(free)


def test_threads_are_asked_to_leave(console: Console) -> None:
    """Each gets SystemExit, wherever it is, so that its handlers can tidy up."""
    console.start(
        COMMON
        + """
def stay(name, wait):
    try:
        while True:
            wait()
    finally:
        print(name, 'leaves by', 'finally')
for name, wait in (
    ('computing', lambda: None),
    ('sleeping', lambda: time.sleep(1000)),
    ('blocked', held.acquire),
    ('timed', lambda: held.acquire(1, 1000)),
):
    _ = _thread.start_new_thread(stay, (name, wait))
time.sleep_ms(20)
"""
    )
    console.expect(b">>> ")
    console.send(b"\x04")
    output = console.expect(b">>> ")
    for name in ("computing", "sleeping", "blocked", "timed"):
        assert f"{name} leaves by finally\r\n" in output, output


def test_cleaning_up_takes_its_time(console: Console) -> None:
    """A soft reset disturbs only a thread that stays in one wait, not one that goes on."""
    console.start(
        COMMON
        + """
def sleeper():
    try:
        held.acquire()
    finally:
        for i in range(4):
            time.sleep_ms(15)
            sum(range(500))
        print('sleeper has cleaned up')
def writer():
    try:
        held.acquire()
    finally:
        with open('cleaned', 'w') as file:
            for i in range(5):
                file.write('a line')
                time.sleep_ms(2)
        print('writer has cleaned up')
def waiter():
    try:
        try:
            held.acquire()
        finally:
            held.acquire()
    finally:
        print('waiter was asked again')
for function in (sleeper, writer, waiter):
    start(1, function)
time.sleep_ms(20)
"""
    )
    console.expect(b">>> ")
    console.send(b"\x04")
    output = console.expect(b">>> ")
    for line in ("sleeper has cleaned up", "writer has cleaned up", "waiter was asked again"):
        assert f"{line}\r\n" in output, output
    assert console.value("open('cleaned').read()") == "a line" * 5


@pytest.mark.parametrize("main_is", ["at the prompt", "computing", "waiting"])
def test_a_thread_resets_the_board(console: Console, main_is: str) -> None:
    """machine.soft_reset() is the whole board's, whichever thread calls it."""
    console.run(
        COMMON
        + """
import machine
def reset():
    time.sleep_ms(20)
    machine.soft_reset()
start(2, forever, lambda: None)
start(1, held.acquire)
"""
    )
    main = {
        "at the prompt": "",
        "computing": "forever(lambda: None)",
        "waiting": "held.acquire()",
    }[main_is]
    console.start(f"start(1, reset)\n{main}")
    console.expect(b"MPY: soft reboot\r\n")
    console.expect(b">>> ")
    assert console.value("len(__import__('_thread')._threads())") == 1
    assert console.value("'reset' in globals()") is False


def test_timers_that_threads_start_at_the_end_are_ended(console: Console) -> None:
    console.start(
        COMMON
        + """
import machine
def leave():
    try:
        held.acquire()
    finally:
        number = 0 if sys.platform == 'esp32' else -1
        for _ in range(20):
            machine.Timer(number, period=1, callback=lambda _: print('still here'))
start(1, leave)
time.sleep_ms(10)
"""
    )
    console.expect(b">>> ")
    console.soft_reset()
    assert console.run("__import__('time').sleep_ms(50)") == ""


@pytest.mark.parametrize("kind", ["importing", "waiting for a file system in which one stays"])
def test_nobody_waits_in_line_afterwards(console: Console, kind: str) -> None:
    """The threads in the line have been deleted, and so has the thread for which they waited."""
    for _ in range(2):
        console.soft_reset()
        console.run(
            f"""{COMMON}{KINDS[kind]}
while sum(thread[1] == 'waiting' for thread in _thread._threads()) < 4:
    time.sleep_ms(1)
"""
        )
        console.soft_reset()
        output = console.run(
            f"""{COMMON}{DEVICE}
with open('endless.py', 'w') as file:
    _ = file.write('name = __name__')
def work():
    sys.path.insert(0, '')
    import endless
    with open('/store/a', 'w') as file:
        file.write(endless.name)
    os.remove('endless.py')
    held.release()
_ = _thread.stack_size(8192)
start(1, work)
print(held.acquire(1, 10), open('/store/a').read())
"""
        )
        assert output.splitlines()[-1] == "True endless", output


def test_locks_and_threads_work_afterwards(console: Console) -> None:
    for _ in range(3):
        console.run(f"{COMMON}{KINDS['everything at once'].replace('print', 'str')}")
        console.soft_reset()
        output = console.run(
            """
import _thread
lock = _thread.allocate_lock()
_ = lock.acquire()
_ = _thread.start_new_thread(lock.release, ())
print(lock.acquire(1, 1), _thread.get_ident())
"""
        )
        assert output == "True 1\r\n", output
