# This file is part of modthread. SPDX-License-Identifier: MIT
#
# CPython's module of that name over modthread's _thread; names, messages and edge cases are those of CPython 3.13
# (Lib/threading.py). What a thread waits in is C: see docs/threading.md.

from collections import namedtuple

try:
    from _thread import (
        TIMEOUT_MAX,
        Lock,
        RLock,
        _Condition as Condition,
        _Event as Event,
        _ThreadHandle,
        _excepthook as excepthook,
        _local as local,
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


_active = {}  # those that live, by identifier
_count = 0  # how many have got a name with a number
_NO_KWARGS = {}


def _counter():
    global _count
    _count += 1
    return _count


class Thread:
    _handle = None

    def __init__(self, group=None, target=None, name=None, args=(), kwargs=None, *, daemon=None):
        assert group is None, "group argument must be None for now"
        self._name = str(name) if name else (_counter(), getattr(target, "__name__", None))
        self._target = target
        self._args = args
        self._kwargs = _NO_KWARGS if kwargs is None else kwargs
        self._daemon = current_thread()._daemon if daemon is None else daemon
        self._handle = _ThreadHandle()

    def __repr__(self):
        self._check()
        status = "initial"
        if self._handle.ident:
            status = "started" if self.is_alive() else "stopped"
        daemon = " daemon" if self._daemon else ""
        ident = f" {self._handle.ident}" if self._handle.ident else ""
        return f"<{type(self).__name__}({self.name}, {status}{daemon}{ident})>"

    def _check(self):
        if self._handle is None:
            raise RuntimeError("Thread.__init__() not called")

    def start(self):
        handle = self._handle
        if handle is None:
            raise RuntimeError("thread.__init__() not called")
        if handle.ident:
            raise RuntimeError("threads can only be started once")
        start_joinable_thread(self, handle)
        # It has not run yet: the GIL changes hands at jumps and at calls of Python only.
        _active[handle.ident] = self

    # What _thread calls: so it names the thread by its repr(), where it tells of threads.
    def __call__(self):
        try:
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
        handle = self._handle
        if not handle.ident:
            raise RuntimeError("cannot join thread before it is started")
        if handle.ident == get_ident():
            raise RuntimeError("cannot join current thread")
        handle.join(None if timeout is None else max(timeout, 0))

    def is_alive(self):
        self._check()
        return bool(self._handle.ident) and not self._handle.is_done()

    # Made of a number and the target when somebody asks for it.
    @property
    def name(self):
        self._check()
        if type(self._name) is tuple:
            number, target = self._name
            self._name = f"Thread-{number} ({target})" if target else f"Thread-{number}"
        return self._name

    @name.setter
    def name(self, name):
        self._check()
        self._name = str(name)

    @property
    def ident(self):
        self._check()
        return self._handle.ident or None

    @property
    def native_id(self):
        self._check()
        return self._handle.native_id or None

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
        self.native_id = get_native_id() if ident == get_ident() else None

    def is_done(self):
        return all(thread[0] != self.ident for thread in _threads())

    def join(self, timeout):
        raise RuntimeError("cannot join a dummy thread")


class _DummyThread(Thread):
    def __init__(self, name, ident, daemon):
        self._name = name
        self._daemon = daemon
        self._handle = _DummyHandle(ident)
        _active[ident] = self


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


__excepthook__ = excepthook


def current_thread():
    thread = _active.get(get_ident())
    if thread is None:
        enumerate()  # forgets those that have ended
        thread = _DummyThread(f"Dummy-{_counter()}", get_ident(), True)
    return thread


def main_thread():
    return _main


def enumerate():
    for ident, thread in list(_active.items()):
        if thread._handle.is_done():
            _active.pop(ident, None)
    return list(_active.values())


def active_count():
    return len(enumerate())
