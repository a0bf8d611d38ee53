"""C code stays within a stack whose Python code has come as near to its end as it may.

Each operation is called at every depth around the deepest one. It ends well or in a RuntimeError,
and leaves what an interrupt may still push there. Where one does not, a need has grown beyond its
entry in modthread/stack_needs.h, or it lacks one.
"""

import _thread
import gc
import io
import json
import math
import micropython
import os
import re
import struct
import sys
import time

import pytest

# Bytes: a task switch pushes 64, aligned to 8, and floating-point registers where there are some.
LEFT_FREE = 80 + 192 * ("RP2350" in sys.implementation._machine)
STEP = 8  # bytes: how exactly the calls of this test come near the limit


@micropython.asm_thumb
def stack_pointer():
    mov(r0, sp)


@micropython.asm_thumb
def paint(r0):
    mov(r1, sp)
    mov(r2, 0xA5)
    lsl(r2, r2, 24)
    label(more)
    str(r2, [r0, 0])
    add(r0, 4)
    cmp(r0, r1)
    bcc(more)


@micropython.asm_thumb
def first_used(r0):
    mov(r2, 0xA5)
    lsl(r2, r2, 24)
    label(more)
    ldr(r1, [r0, 0])
    add(r0, 4)
    cmp(r1, r2)
    beq(more)
    sub(r0, 4)


@micropython.viper
def find_guard_from(address: int) -> int:
    while ptr16(address)[0] != 0xAC4B or ptr16(address)[1] != 0x7357:
        address += 4
    return address


def find_guard():
    """Returns where the lowest word of this stack is, STACK_GUARD of modthread/stack.h.

    The search begins a little below the stack and goes up: interrupts push the guard's value, too, when they come while it is
    compared, and leave it higher up.
    """
    ident = _thread.get_ident()
    [size] = [row[2] for row in _thread._threads() if row[0] == ident]
    return find_guard_from((stack_pointer() + micropython.stack_use() - size - 128) & ~3)


def function_with_frame(words):
    """Returns a function that calls itself n times, then `last`; its frame has so many words more."""
    names = {}
    local = "".join(f"    v{i} = n\n" for i in range(words))
    exec(
        f"def call(n, last):\n{local}    if n: return call(n - 1, last)\n    return last()\n", names
    )
    return names["call"]


OPERATIONS = {}


def operation(function):
    OPERATIONS[function.__name__] = function
    return function


@operation
def nothing():
    pass


@operation
def evaluate():
    eval("(1 + 2) * [3, 4][0]")


@operation
def execute():
    exec(
        "def g(a, *b, c=1, **d):\n"
        " class A:\n"
        "  x = [i for i in (1, 2) if i]\n"
        "  def m(self): return (lambda q: q)(1)\n"
        " return A\n"
    )


@operation
def format_float():
    "%.10g %s {:>20.8f}".format(1.5) % (3.14159e30, 1e-30)


@operation
def large_int():
    str(pow(7, 200) // 3**50)


@operation
def power_modulo():
    pow(3, 12345678901234567890, 98765432109876543210)


@operation
def parse_numbers():
    int("123456789012345678901234567890")
    float("1.2345e-12")


@operation
def complex_power():
    (1.5 + 2j) ** (2.5 + 1j)


@operation
def gamma():
    math.gamma(5.5)
    math.pow(2.5, 3.5)


@operation
def match():
    re.match("(a|b)*(c+)?.*x$", "abababccccabababababx")


@operation
def compile_expression():
    re.compile("((a)(b)(c|d)*)+[a-z0-9]*$")


@operation
def json_loads():
    json.loads('{"a": [1, 2.5, {"b": [true, null, "x\\u1234"]}]}')


@operation
def json_dumps():
    json.dumps({"a": [1, 2.5, {"b": [True, None, "x"]}]})


@operation
def list_folder():
    os.listdir("/")


@operation
def make_folder():
    os.mkdir("/needs")
    os.rmdir("/needs")


@operation
def write_and_read():
    with open("/needs.txt", "w") as file:
        file.write("x" * 600)
    with open("/needs.txt") as file:
        file.read()


@operation
def rename_and_remove():
    os.rename("/needs.txt", "/needs2.txt")
    os.rename("/needs2.txt", "/needs.txt")


@operation
def stat():
    os.stat("/needs_module.py")
    os.statvfs("/")


@operation
def leave_open():
    """The garbage collector closes it, here."""
    open("/needs_open.txt", "w").write("x" * 100)
    gc.collect()


@operation
def import_file():
    sys.modules.pop("needs_module", None)
    import needs_module  # noqa: F401


@operation
def import_built_in():
    import collections

    collections.namedtuple("P", "a b c")(1, 2, 3)


@operation
def pack():
    struct.pack("<bhiqfd5s", 1, 2, 3, 4, 5.0, 6.0, b"abcde")


@operation
def print_exception():
    try:
        1 // 0
    except ZeroDivisionError as error:
        sys.print_exception(error, io.StringIO())


@operation
def no_attribute():
    try:
        [].x
    except AttributeError:
        pass


@operation
def no_memory():
    try:
        bytearray(10000000)
    except MemoryError:
        pass


@operation
def no_heap():
    micropython.heap_lock()
    try:
        [0] * 100
    except MemoryError:
        pass
    finally:
        micropython.heap_unlock()


@operation
def collect():
    gc.collect()


@operation
def wait_for_lock():
    lock = _thread.allocate_lock()
    lock.acquire()
    lock.acquire(timeout=0.001)


@operation
def sleep():
    time.sleep_ms(1)


@operation
def start_thread():
    _thread.start_new_thread(int, ())


@operation
def local_time():
    time.localtime()


@operation
def sort():
    sorted(range(50, 0, -1), key=lambda x: -x)


@operation
def split():
    "a,b,c,d".split(",")


@operation
def representation():
    repr([b"\x00\x01abc" * 10, {"a": (1,)}])


@operation
def write_line():
    print(1.5, {"a": [1]}, end="\r")


@operation
def poll():
    import select

    poller = select.poll()
    poller.register(sys.stdin, 1)
    poller.poll(1)


@operation
def deflate():
    import deflate

    with deflate.DeflateIO(io.BytesIO(b"x\xdaKLJN\x1cEC\x19\x01\x00\xc7U\xacE")) as stream:
        assert len(stream.read()) == 450


@operation
def digest():
    import hashlib

    hashlib.sha256(b"x" * 100).digest()


@operation
def memory_info():
    micropython.mem_info()


MODULE = """
import sys
class A:
    def f(self, *a, **k): return [x for x in a]
B = A()
"""


def prepare():
    with open("/needs_module.py", "w") as file:
        file.write(MODULE)
    with open("/needs.txt", "w") as file:
        file.write("x")


def end_of(call, n, operation):
    try:
        call(n, operation)
        return "ok"
    except RuntimeError as error:
        assert str(error) == "maximum recursion depth exceeded", repr(error)
        return "RuntimeError"


def deepest(call):
    n = 0
    while end_of(call, n, nothing) == "ok":
        n += 1
    return n


def least_left(operation, calls):
    """Returns the fewest bytes that were left, with how the operation ended there, and all endings."""
    bottom = find_guard() + 4
    least = None
    endings = {}
    for words, call in enumerate(calls):
        last = deepest(call)
        for n in range(max(last - 8, 0), last + 1):
            paint(bottom)
            ending = end_of(call, n, operation)
            left = first_used(bottom) - bottom
            endings[ending] = endings.get(ending, 0) + 1
            if least is None or left < least[0]:
                least = (left, ending, words, n)
    return least, endings


def in_thread(function, size):
    """Runs function() in a thread with that stack; returns what it returns, or raises what it raises."""
    ended = []

    def run():
        try:
            ended.append((function(), None))
        except BaseException as error:
            ended.append((None, error))

    _thread.stack_size(size)
    _thread.start_new_thread(run, ())
    _thread.stack_size(0)
    while not ended:
        time.sleep_ms(1)
    if ended[0][1] is not None:
        raise ended[0][1]
    return ended[0][0]


def check(name, where, least, endings):
    left, ending, words, n = least
    print(f"{name} {where}: {left} bytes left ({ending}, frame {words}, depth {n}), {endings}")
    assert left >= LEFT_FREE + STEP, f"{name} {where} left {left} bytes"
    assert set(endings) <= {"ok", "RuntimeError"}, endings


CALLS = 8 if sys.platform == "qemu" else 3


def check_need(name):
    prepare()
    calls = [function_with_frame(words) for words in range(CALLS)]
    function = OPERATIONS[name]
    check(name, "in a thread", *in_thread(lambda: least_left(function, calls), 4096))
    check(name, "in the main thread", *least_left(function, calls))


@pytest.mark.parametrize(
    "name",
    [
        "import_built_in",
        "import_file",
        "leave_open",
        "list_folder",
        "make_folder",
        "rename_and_remove",
        "stat",
        "write_and_read",
    ],
)
def test_need_of_files(name):
    check_need(name)


@pytest.mark.lane("hours", "RPI_PICO")
@pytest.mark.parametrize(
    "name",
    [
        "collect",
        "compile_expression",
        "complex_power",
        "deflate",
        "digest",
        "evaluate",
        "execute",
        "format_float",
        "gamma",
        "json_dumps",
        "json_loads",
        "large_int",
        "local_time",
        "match",
        "memory_info",
        "no_attribute",
        "no_heap",
        "no_memory",
        "nothing",
        "pack",
        "parse_numbers",
        "poll",
        "power_modulo",
        "print_exception",
        "representation",
        "sleep",
        "sort",
        "split",
        "start_thread",
        "wait_for_lock",
        "write_line",
    ],
)
def test_need(name):
    check_need(name)
