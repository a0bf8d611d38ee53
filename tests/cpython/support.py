"""As much of CPython's test.support and its parts on a board as its tests of threads use.

What a board cannot have is skipped in CPython's words.
"""

import gc
import io
import os
import time

import _thread
import unittest

TESTFN = "@test"  # of os_helper

SHORT_TIMEOUT = 30.0
LONG_TIMEOUT = 300.0
LOOK_AGAIN = 0.01
verbose = False
has_fork_support = False
Py_GIL_DISABLED = False
HAVE_ASAN_FORK_BUG = False


def skip_if_sanitizer(reason, **kinds):
    return lambda test: test


def unlink(path):
    try:
        os.unlink(path)
    except OSError:
        pass


def check_sanitizer(**kinds):
    return False


def cpython_only(test):
    return test


force_not_colorized = cpython_only


def requires_fork():
    return unittest.skip("requires working os.fork()")


def requires_subprocess():
    return unittest.skip("requires subprocess support")


def requires_gil_enabled(reason):
    return lambda test: test


requires_resource = requires_gil_enabled


def requires_working_threading(module=False):
    return lambda test: test


def bigmemtest(size, memuse, dry_run=True):
    return lambda test: lambda self: test(self, size)


def import_module(name):
    try:
        return __import__(name)
    except ImportError as error:
        raise unittest.SkipTest(str(error)) from None


def import_fresh_module(name, fresh=(), blocked=()):
    return None if fresh else __import__(name)


def run_in_subinterp(code):
    raise unittest.SkipTest("subinterpreters required")


def assert_python_ok(*args):
    raise unittest.SkipTest("requires subprocess support")


assert_python_failure = assert_python_ok


class SuppressCrashReport:
    def __enter__(self):
        return self

    def __exit__(self, *exception):
        pass


def gc_collect():
    gc.collect()


def reap_children():
    pass


setswitchinterval = _thread.setswitchinterval


def sleeping_retry(timeout, error=True):
    end = time.monotonic() + timeout
    while True:
        yield
        if time.monotonic() > end:
            break
        time.sleep(LOOK_AGAIN)
    if error:
        raise AssertionError("timed out")


class captured_output(io.IOBase):
    """What a board prints: it has one stream for all."""

    def __init__(self, name):
        self._text = ""

    def __enter__(self):
        os.dupterm(self)
        return self

    def __exit__(self, *exception):
        os.dupterm(None)

    def write(self, data):
        self._text += bytes(data).decode().replace("\r\n", "\n")
        return len(data)

    def readinto(self, buffer):
        return None

    def ioctl(self, request, argument):
        return 0

    def getvalue(self):
        return self._text


def captured_stderr():
    return captured_output("stderr")


class mock:
    """unittest.mock."""

    class patch:
        def object(holder, name, return_value):
            return swap_attr(holder, name, lambda: return_value)


class closing:
    """contextlib.closing."""

    def __init__(self, thing):
        self._thing = thing

    def __enter__(self):
        return self._thing

    def __exit__(self, *exception):
        self._thing.close()


class swap_attr:
    def __init__(self, holder, name, value):
        self._swap = (holder, name)
        self._value = value

    def __enter__(self):
        self._old = getattr(*self._swap)
        setattr(*self._swap, self._value)

    def __exit__(self, *exception):
        setattr(*self._swap, self._old)


def threading_setup():
    return (_thread._count(),)


def threading_cleanup(count):
    for _ in sleeping_retry(1.0, error=False):
        if _thread._count() <= count:
            return
    raise AssertionError("threads are left: %d" % (_thread._count() - count))


def reap_threads(test):
    def reaped(self):
        with wait_threads_exit():
            return test(self)

    return reaped


class wait_threads_exit:
    def __init__(self, timeout=SHORT_TIMEOUT):
        self._timeout = timeout

    def __enter__(self):
        self._count = _thread._count()

    def __exit__(self, *exception):
        for _ in sleeping_retry(self._timeout, error=False):
            if _thread._count() <= self._count:
                return
        raise AssertionError("threads are left: %d" % (_thread._count() - self._count))


class start_threads:
    def __init__(self, threads, unlock=None):
        self._threads = list(threads)
        self._unlock = unlock

    def __enter__(self):
        for thread in self._threads:
            thread.start()

    def __exit__(self, *exception):
        if self._unlock:
            self._unlock()
        for thread in self._threads:
            join_thread(thread)


def join_thread(thread, timeout=SHORT_TIMEOUT):
    thread.join(timeout)
    if thread.is_alive():
        raise AssertionError("failed to join the thread in %s seconds" % timeout)
