# This file is part of modthread. SPDX-License-Identifier: MIT
#
# CPython's module of that name over modthread's _thread; names, messages and edge cases are those of CPython 3.13
# (Lib/threading.py). Thread, and what a thread waits in, is C: see docs/threading.md.

from collections import namedtuple

try:
    from _thread import (
        TIMEOUT_MAX,
        Lock,
        RLock,
        _BoundedSemaphore as BoundedSemaphore,
        _Condition as Condition,
        _counter,
        _current_thread as current_thread,
        _enumerate as enumerate,
        _Event as Event,
        _excepthook as excepthook,
        _local as local,
        _main_thread as main_thread,
        _Semaphore as Semaphore,
        _thread_class,
        error as ThreadError,
        get_ident,
        get_native_id,
        stack_size,
    )
except ImportError:
    raise ImportError("threading needs a firmware with modthread's _thread")


class BrokenBarrierError(RuntimeError):
    pass


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


# What ends a thread, but SystemExit, comes here.
def _fail(error, thread):
    excepthook(ExceptHookArgs((type(error), error, None, thread)))


Thread = _thread_class(globals())


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


def active_count():
    return len(enumerate())
