"""What the console shows when a thread ends."""

import re

import pytest
from console import Console

SCRIPT = """
import _thread, sys, time
def worker():
    {body}
class Worker:
    def method(self):
        raise ValueError("deliberate")
class Nameless:
    def __repr__(self):
        raise TypeError("no repr")
    def __call__(self):
        raise ValueError("deliberate")
_ = _thread.start_new_thread({function}, ())
time.sleep_ms(30)
print(len(_thread._threads()))
"""


def output_of(console: Console, body: str, function: str = "worker") -> str:
    return console.run(SCRIPT.format(body=body, function=function))


def test_uncaught_exception(console: Console) -> None:
    output = output_of(console, 'raise ValueError("deliberate")')
    assert re.fullmatch(
        r"Unhandled exception in thread started by <function worker at 0x[0-9a-f]+>\r\n"
        r"Traceback \(most recent call last\):\r\n"
        r'  File "<stdin>", line 3, in worker\r\n'
        r"ValueError: deliberate\r\n"
        r"1\r\n",
        output,
    ), output


def test_uncaught_exception_in_a_method(console: Console) -> None:
    output = output_of(console, "pass", "Worker().method")
    assert output.startswith("Unhandled exception in thread started by <bound_method"), output
    assert output.endswith("ValueError: deliberate\r\n1\r\n"), output


def test_a_function_whose_repr_raises(console: Console) -> None:
    output = output_of(console, "pass", "Nameless()")
    assert re.fullmatch(
        r"Unhandled exception in thread started by <object repr\(\) failed>\r\n"
        r"Traceback \(most recent call last\):\r\n"
        r'  File "<stdin>", line 11, in __call__\r\n'
        r"ValueError: deliberate\r\n"
        r"1\r\n",
        output,
    ), output


@pytest.mark.parametrize(
    "body",
    [
        "return 42",
        "raise SystemExit",
        "raise SystemExit(3)",
        "_thread.exit()",
        "sys.exit()",
        "sys.exit('message')",
    ],
)
def test_silent_end(console: Console, body: str) -> None:
    assert output_of(console, body) == "1\r\n"


def test_others_run_on(console: Console) -> None:
    output = console.run(
        """
import _thread, time
def fail():
    raise ValueError("deliberate")
for i in range(5):
    _ = _thread.start_new_thread(time.sleep_ms, (100,))
    _ = _thread.start_new_thread(fail, ())
time.sleep_ms(50)
print(len(_thread._threads()))
"""
    )
    assert output.count("ValueError: deliberate\r\n") == 5, output
    assert output.endswith("6\r\n"), output
