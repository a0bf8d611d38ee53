# This file is part of modthread. SPDX-License-Identifier: MIT
#
# CPython's module of that name over modthread's _thread; names, messages and edge cases are those of CPython 3.13
# (Lib/threading.py). What a thread waits in is C: see docs/threading.md.

import sys
from collections import namedtuple

try:
    from _thread import (
        TIMEOUT_MAX,
        Lock,
        RLock,
        _Condition as Condition,
        _ThreadHandle,
        _threads,
        error as ThreadError,
        get_ident,
        get_native_id,
        stack_size,
        start_joinable_thread,
    )
except ImportError:
    raise ImportError("threading needs a firmware with modthread's _thread")


class BrokenBarrierError(RuntimeError):
    pass


class Event:
    def __init__(self):
        self._cond = Condition(Lock())
        self._flag = False

    def __repr__(self):
        return f"<threading.Event at {id(self):#x}: {'set' if self._flag else 'unset'}>"

    def is_set(self):
        return self._flag

    def set(self):
        with self._cond:
            self._flag = True
            self._cond.notify_all()

    def clear(self):
        with self._cond:
            self._flag = False

    def wait(self, timeout=None):
        with self._cond:
            return self._flag or self._cond.wait(timeout)


class Semaphore:
    def __init__(self, value=1):
        if value < 0:
            raise ValueError("semaphore initial value must be >= 0")
        self._cond = Condition(Lock())
        self._value = value

    def __repr__(self):
        return f"<threading.{type(self).__name__} at {id(self):#x}: value={self._value}>"

    def acquire(self, blocking=True, timeout=None):
        if not blocking and timeout is not None:
            raise ValueError("can't specify timeout for non-blocking acquire")
        with self._cond:
            if not self._value and not (
                blocking and self._cond.wait_for(lambda: self._value, timeout)
            ):
                return False
            self._value -= 1
            return True

    __enter__ = acquire

    def release(self, n=1):
        if n < 1:
            raise ValueError("n must be one or more")
        with self._cond:
            self._value += n
            self._cond.notify(n)

    def __exit__(self, *exception):
        self.release()


class BoundedSemaphore(Semaphore):
    def __init__(self, value=1):
        super().__init__(value)
        self._initial_value = value

    def __repr__(self):
        return f"{super().__repr__()[:-1]}/{self._initial_value}>"

    def release(self, n=1):
        if n < 1:
            raise ValueError("n must be one or more")
        with self._cond:
            if self._value + n > self._initial_value:
                raise ValueError("Semaphore released too many times")
            self._value += n
            self._cond.notify(n)


_FILLING, _OPEN, _BROKEN = range(3)


class Barrier:
    # Who waits together has one round, a list with its state, so that a reset makes a new one beside the old.
    def __init__(self, parties, action=None, timeout=None):
        if parties < 1:
            raise ValueError("parties must be > 0")
        self._cond = Condition(Lock())
        self.parties = parties
        self._action = action
        self._timeout = timeout
        self._begin()

    def __repr__(self):
        if self.broken:
            return f"<threading.Barrier at {id(self):#x}: broken>"
        return f"<threading.Barrier at {id(self):#x}: waiters={self.n_waiting}/{self.parties}>"

    def _begin(self):
        self._round = [_FILLING]
        self.n_waiting = 0

    def _end(self, state):
        self._round[0] = state
        self._cond.notify_all()

    def wait(self, timeout=None):
        with self._cond:
            mine = self._round
            if mine[0] == _BROKEN:
                raise BrokenBarrierError
            index = self.n_waiting
            self.n_waiting += 1
            try:
                if self.n_waiting == self.parties:
                    if self._action:
                        self._action()
                    self._end(_OPEN)
                    self._begin()
                elif not self._cond.wait_for(
                    lambda: mine[0], self._timeout if timeout is None else timeout
                ):
                    raise BrokenBarrierError
            except BaseException:
                if mine is self._round and mine[0] == _FILLING:
                    self.n_waiting = 0
                    self._end(_BROKEN)
                raise
            if mine[0] == _BROKEN:
                raise BrokenBarrierError
            return index

    def reset(self):
        with self._cond:
            self._end(_BROKEN)
            self._begin()

    def abort(self):
        with self._cond:
            self.n_waiting = 0
            self._end(_BROKEN)

    @property
    def broken(self):
        return self._round[0] == _BROKEN


# Between two steps without a jump or a call of Python no other thread comes: the GIL changes hands only there.
_active = {}  # by identifier
_starting = []  # have been started, and have not run yet
_count = 0


def _new_name(template):
    global _count
    _count += 1
    return template % _count


class Thread:
    _handle = None

    def __init__(self, group=None, target=None, name=None, args=(), kwargs=None, *, daemon=None):
        assert group is None, "group argument must be None for now"
        if name is None:
            name = _new_name("Thread-%d")
            if target is not None and hasattr(target, "__name__"):
                name = f"{name} ({target.__name__})"
        self._target = target
        self._args = args
        self._kwargs = {} if kwargs is None else kwargs
        self.name = str(name)
        self._daemon = current_thread().daemon if daemon is None else daemon
        self._handle = _ThreadHandle()
        self.native_id = None

    def __repr__(self):
        status = "initial"
        if self.ident is not None:
            status = "started" if self.is_alive() else "stopped"
        daemon = " daemon" if self._daemon else ""
        ident = "" if self.ident is None else f" {self.ident}"
        return f"<{type(self).__name__}({self.name}, {status}{daemon}{ident})>"

    def _check(self):
        if self._handle is None:
            raise RuntimeError("Thread.__init__() not called")

    def start(self):
        if self._handle is None:
            raise RuntimeError("thread.__init__() not called")
        if self in _starting or self._handle.ident:
            raise RuntimeError("threads can only be started once")
        _starting.append(self)
        try:
            start_joinable_thread(self._bootstrap, self._handle)
        except BaseException:
            _starting.remove(self)
            raise

    def _bootstrap(self):
        try:
            self.native_id = get_native_id()
            _active[get_ident()] = self
            _starting.remove(self)
            self.run()
        except SystemExit:
            pass
        except BaseException as error:
            excepthook(ExceptHookArgs((type(error), error, None, self)))
        finally:
            _active.pop(get_ident(), None)

    def run(self):
        try:
            if self._target is not None:
                self._target(*self._args, **self._kwargs)
        finally:
            del self._target, self._args, self._kwargs

    def join(self, timeout=None):
        self._check()
        if not self._handle.ident:
            raise RuntimeError("cannot join thread before it is started")
        if self._handle.ident == get_ident():
            raise RuntimeError("cannot join current thread")
        self._handle.join(None if timeout is None else max(timeout, 0))

    def is_alive(self):
        self._check()
        return bool(self._handle.ident) and not self._handle.is_done()

    @property
    def ident(self):
        self._check()
        return self._handle.ident or None

    @property
    def daemon(self):
        self._check()
        return self._daemon

    @daemon.setter
    def daemon(self, daemon):
        self._check()
        if self._handle.ident:
            raise RuntimeError("cannot set daemon status of active thread")
        self._daemon = daemon


# A thread that _thread has started, and the main one: nothing tells of their ends but _thread itself.
class _DummyHandle:
    def __init__(self, ident):
        self.ident = ident

    def is_done(self):
        return all(thread[0] != self.ident for thread in _threads())


class _DummyThread(Thread):
    def __init__(self, name, ident, daemon):
        self.name = name
        self._daemon = daemon
        self._handle = _DummyHandle(ident)
        self.native_id = get_native_id() if ident == get_ident() else None
        _active[ident] = self

    def join(self, timeout=None):
        if self.ident == get_ident():
            raise RuntimeError("cannot join current thread")
        raise RuntimeError("cannot join a dummy thread")


_main = _DummyThread("MainThread", 1, False)


class Timer(Thread):
    def __init__(self, interval, function, args=None, kwargs=None):
        super().__init__()
        self.interval = interval
        self.function = function
        self.args = [] if args is None else args
        self.kwargs = {} if kwargs is None else kwargs
        self.finished = Event()

    def cancel(self):
        self.finished.set()

    def run(self):
        if not self.finished.wait(self.interval):
            self.function(*self.args, **self.kwargs)
        self.finished.set()


_ExceptHookArgs = namedtuple("ExceptHookArgs", ("exc_type", "exc_value", "exc_traceback", "thread"))


def ExceptHookArgs(args):
    return _ExceptHookArgs(*args)


def excepthook(args):
    if args.exc_type is SystemExit:
        return
    print(f"Exception in thread {args.thread.name if args.thread else get_ident()}:")
    sys.print_exception(args.exc_value)


__excepthook__ = excepthook


def current_thread():
    ident = get_ident()
    if ident not in _active:
        enumerate()  # forgets those that have ended
        _DummyThread(_new_name("Dummy-%d"), ident, True)
    return _active[ident]


def main_thread():
    return _main


def enumerate():
    for ident, thread in list(_active.items()):
        if isinstance(thread, _DummyThread) and thread._handle.is_done():
            _active.pop(ident, None)
    return list(_active.values()) + _starting


def active_count():
    return len(enumerate())
