"""What the harness calls on a board to load classes of CPython's tests, and to run their methods."""

import os as board_os
import queue
import random
import sys
import threading
import time as board_time
from concurrent import futures

import _thread

files = {}  # what each of CPython's files defines, by the file's name
made = {}  # the classes that are loaded


def as_module(name, names):
    sys.modules[name] = module = type(name, (), names)
    return module


def extend(module, **more):
    """Let tests that import `module` find more in it."""
    names = {name: getattr(module, name) for name in dir(module)}
    names.update(more)
    as_module(module.__name__, names)


def load_ours(name, text):
    """Make a module of one of the files beside this one."""
    names = {"__name__": name}
    exec(compile(text, name + ".py", "exec"), names)
    return as_module(name, names)


def names_of(file):
    """Return what a file defines, with what is built into CPython and not into MicroPython."""
    if file not in files:
        files[file] = {
            "ExceptionGroup": lambda message, errors: errors[0],
            "TimeoutError": futures.TimeoutError,
        }
    return files[file]


def load(file, line, text, base=None):
    """Run a piece of a file, which begins at `line` there. A class gets `base` as its base."""
    names = names_of(file)
    names["_base"] = base
    exec(compile("\n" * (line - 1) + text, file, "exec"), names)


class Absent:
    """Stands for a module that a board does not have, until somebody uses it."""

    def __init__(self, error):
        self._error = error

    def __getattr__(self, name):
        raise self._error


def import_(file, statement, name):
    """Let a file import something."""
    names = names_of(file)
    try:
        exec(statement, names)
    except ImportError as error:
        names[name] = Absent(error)


def run(name, method):
    """Run one method of a class that is loaded."""
    try:
        made[name](method).run()
    finally:
        _thread.stack_size(0)


def begin(unittest, support):
    """Load what CPython's tests import."""
    start = board_time.ticks_ms()
    extend(board_time, monotonic=lambda: board_time.ticks_diff(board_time.ticks_ms(), start) / 1000)
    extend(board_os, name=sys.platform, cpu_count=lambda: 1, process_cpu_count=lambda: 1)
    extend(
        sys,
        getswitchinterval=_thread.getswitchinterval,
        setswitchinterval=_thread.setswitchinterval,
    )
    extend(random, Random=lambda seed: random)
    as_module("itertools", {"repeat": lambda item, times: [item] * times})
    as_module("textwrap", {"dedent": lambda text: text})
    as_module("traceback", {"format_stack": lambda: []})
    load_ours("unittest", unittest)
    support = load_ours("support", support)
    helpers = ("threading_helper", "import_helper", "os_helper", "script_helper")
    for helper in helpers:
        sys.modules["test.support." + helper] = support
        setattr(support, helper, support)
    sys.modules["test"] = type("test", (), {"support": support})
    sys.modules["test.support"] = support
    as_module("contextlib", {"closing": support.closing})
    sys.modules["unittest"].mock = support.mock
    sys.modules["concurrent.futures._base"] = futures
    threading._CRLock = threading.RLock
    queue._PySimpleQueue = queue.SimpleQueue
