# This file is part of modthread. SPDX-License-Identifier: MIT
#
# CPython's concurrent.futures without processes; names, messages and edge cases are those of CPython 3.13
# (Lib/concurrent/futures).

import sys
import time
from collections import namedtuple
from threading import Condition, Event, RLock, Thread

from _thread import _Empty, _Queue, _ShutDown

FIRST_COMPLETED = "FIRST_COMPLETED"
FIRST_EXCEPTION = "FIRST_EXCEPTION"
ALL_COMPLETED = "ALL_COMPLETED"

PENDING = "PENDING"
RUNNING = "RUNNING"
CANCELLED = "CANCELLED"
CANCELLED_AND_NOTIFIED = "CANCELLED_AND_NOTIFIED"
FINISHED = "FINISHED"

_NOTIFIED = (CANCELLED_AND_NOTIFIED, FINISHED)

DoneAndNotDoneFutures = namedtuple("DoneAndNotDoneFutures", ("done", "not_done"))

# One lock for all futures and pools: nobody has it for long. A callback that has interrupted the main thread can take it, too.
# A future that ends takes it only if somebody waits in wait() or as_completed(). So a new state is stored before what comes
# of it is looked at, and who wants to be told says so before looking at the state.
_lock = RLock()


class Error(Exception):
    pass


class CancelledError(Error):
    pass


class InvalidStateError(Error):
    pass


class TimeoutError(OSError):
    pass


class BrokenExecutor(RuntimeError):
    pass


class BrokenThreadPool(BrokenExecutor):
    pass


# States are compared by identity: that is several times faster.
class Future:
    _state = PENDING
    _result = None
    _exception = None
    _waiters = ()
    _callbacks = None  # a list, if there are any

    def __init__(self):
        self._ended = Event()

    def __repr__(self):
        end = ""
        if self._exception is not None:
            end = " raised " + type(self._exception).__name__
        elif self._state is FINISHED:
            end = " returned " + type(self._result).__name__
        state = self._state.split("_")[0].lower()
        return f"<{type(self).__name__} at {id(self):#x} state={state}{end}>"

    def cancelled(self):
        return self._state is CANCELLED or self._state is CANCELLED_AND_NOTIFIED

    def running(self):
        return self._state is RUNNING

    def done(self):
        return self._state is not PENDING and self._state is not RUNNING

    def result(self, timeout=None):
        if self._state is not FINISHED:
            self._wait(timeout)
        if self._exception is not None:
            raise self._exception
        return self._result

    def exception(self, timeout=None):
        self._wait(timeout)
        return self._exception

    def _wait(self, timeout):
        if not self.done():
            self._ended.wait(timeout)
        if self._state is not FINISHED:
            raise CancelledError if self.done() else TimeoutError

    def add_done_callback(self, fn):
        with _lock:
            if self._callbacks is None:
                self._callbacks = []
            self._callbacks.append(fn)
        if self.done():
            self._call_all()

    # Who takes a callback out calls it.
    def _call_all(self):
        while self._callbacks:
            try:
                fn = self._callbacks.pop(0)
            except IndexError:  # another thread was faster
                return
            try:
                fn(self)
            except Exception as error:
                print(f"exception calling callback for {self!r}")
                sys.print_exception(error)

    def _tell(self):
        for waiter in self._waiters:
            waiter.add(self)

    def cancel(self):
        with _lock:
            if self._state is not PENDING:
                return self.cancelled()
            self._state = CANCELLED
        self._ended.set()
        self._call_all()
        return True

    # What follows is for executors and tests.
    def set_running_or_notify_cancel(self):
        with _lock:
            if self._state is PENDING:
                self._state = RUNNING
                return True
            if self._state is not CANCELLED:
                raise RuntimeError("Future in unexpected state")
            self._state = CANCELLED_AND_NOTIFIED
        self._tell()
        return False

    def set_result(self, result, _exception=None):
        if self._state is not RUNNING:
            if self.done() or not self.set_running_or_notify_cancel():
                raise InvalidStateError(f"{self._state}: {self!r}")
        self._result = result
        if _exception is not None:
            self._exception = _exception
        self._state = FINISHED
        self._ended.set()
        if self._waiters:
            self._tell()
        if self._callbacks:
            self._call_all()

    def set_exception(self, exception):
        self.set_result(None, exception)


# What wait() and as_completed() wait for: futures in the order in which they end.
class _Waiter:
    def __init__(self, fs):
        self.condition = Condition(_lock)
        self.futures = set(fs)
        self._added = set()
        self.ended = []
        for f in self.futures:
            f._waiters += (self,)
            if f._state in _NOTIFIED:
                self.add(f)

    def add(self, future):
        with _lock:
            if future not in self._added:
                self._added.add(future)
                self.ended.append(future)
                self.condition.notify()

    def leave(self):
        for f in self.futures:
            f._waiters = tuple(waiter for waiter in f._waiters if waiter is not self)


def wait(fs, timeout=None, return_when=ALL_COMPLETED):
    if return_when not in (FIRST_COMPLETED, FIRST_EXCEPTION, ALL_COMPLETED):
        raise ValueError(f"Invalid return condition: {return_when!r}")

    def is_over():
        ended = waiter.ended
        if len(ended) == len(waiter.futures):
            return True
        if return_when == FIRST_EXCEPTION:
            return any(f._exception is not None for f in ended)
        return ended and return_when == FIRST_COMPLETED

    with _lock:
        waiter = _Waiter(fs)
        try:
            waiter.condition.wait_for(is_over, timeout)
        finally:
            waiter.leave()
    done = set(waiter.ended)
    return DoneAndNotDoneFutures(done, waiter.futures - done)


# Returns a function that says how many seconds are left.
def _countdown(timeout):
    start = time.ticks_ms()
    return lambda: timeout and timeout - time.ticks_diff(time.ticks_ms(), start) / 1000


def as_completed(fs, timeout=None):
    left = _countdown(timeout)
    with _lock:
        waiter = _Waiter(fs)
    total = len(waiter.futures)
    try:
        for n in range(total):
            with _lock:
                if not waiter.condition.wait_for(lambda: waiter.ended, left()):
                    raise TimeoutError(f"{total - n} (of {total}) futures unfinished")
                ended = waiter.ended.pop(0)
            yield ended
    finally:
        with _lock:
            waiter.leave()


class Executor:
    def submit(self, fn, *args, **kwargs):
        raise NotImplementedError

    def map(self, fn, *iterables, timeout=None, chunksize=1):
        left = _countdown(timeout)
        fs = [self.submit(fn, *args) for args in zip(*iterables)]

        def results():
            try:
                while fs:
                    future = fs.pop(0)
                    try:
                        yield future.result(left())
                    finally:
                        future.cancel()
            finally:
                for future in fs:
                    future.cancel()

        return results()

    def shutdown(self, wait=True, *, cancel_futures=False):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.shutdown()


_BROKEN = "A thread initializer failed, the thread pool is not usable anymore"


def _with_keywords(fn, kwargs):
    return lambda *args: fn(*args, **kwargs)


class _Worker(Thread):
    def __init__(self, pool, name):
        super().__init__(name=name)
        self._pool = pool

    def run(self):
        pool = self._pool
        try:
            if pool._initializer is not None:
                pool._initializer(*pool._initargs)
        except BaseException as error:
            print("Exception in initializer:")
            sys.print_exception(error)
            pool._break()
            return
        get = pool._work.get
        task_done = pool._work.task_done
        while True:
            # A worker that waits keeps nothing alive.
            future = call = fn = args = result = error = None
            try:
                future, call = get()
            except _ShutDown:
                return
            with _lock:
                begins = future._state is PENDING
                if begins:
                    future._state = RUNNING
            if not begins:
                future.set_running_or_notify_cancel()
                task_done()
                continue
            try:
                fn, args = call
                result = fn(*args)
            except BaseException as raised:
                error = raised
            task_done()  # first: who has the result finds this worker idle
            future.set_result(result, error)


class ThreadPoolExecutor(Executor):
    _pools = 0

    # As in CPython on one core: the GIL lets one thread compute, and the others wait for something.
    def __init__(self, max_workers=5, thread_name_prefix="", initializer=None, initargs=()):
        if max_workers is None:
            max_workers = 5
        if max_workers <= 0:
            raise ValueError("max_workers must be greater than 0")
        if initializer is not None and not callable(initializer):
            raise TypeError("initializer must be a callable")
        self._max_workers = max_workers
        if not thread_name_prefix:
            thread_name_prefix = f"ThreadPoolExecutor-{ThreadPoolExecutor._pools}"
            ThreadPoolExecutor._pools += 1
        self._thread_name_prefix = thread_name_prefix
        self._initializer = initializer
        self._initargs = initargs
        self._work = _Queue()  # as many tasks are unfinished as wait or are at work
        self._threads = set()
        self._broken = False

    # The function may have arguments of its own that are called self and fn.
    def submit(_self, _fn, *args, **kwargs):
        if kwargs:
            _fn = _with_keywords(_fn, kwargs)
        future = Future()
        try:
            _self._work.put((future, (_fn, args)))
        except _ShutDown:
            if _self._broken:
                raise BrokenThreadPool(_BROKEN)
            raise RuntimeError("cannot schedule new futures after shutdown")
        if len(_self._threads) < _self._max_workers:
            _self._start_worker(future)
        return future

    # Only if all are at work. A pool without memory for one more goes on with those that it has.
    def _start_worker(self, future):
        with _lock:
            number = len(self._threads)
            if number >= min(self._max_workers, self._work.unfinished_tasks):
                return
            thread = _Worker(self, f"{self._thread_name_prefix}_{number}")
            try:
                thread.start()
            except MemoryError:
                if not number:
                    future.cancel()
                    raise
            else:
                self._threads.add(thread)

    # The futures whose work has not begun; nobody else gets them.
    def _drain(self):
        futures = []
        try:
            while True:
                futures.append(self._work.get_nowait()[0])
        except (_Empty, _ShutDown):
            return futures

    def _break(self):
        self._broken = True
        self._work.shutdown()
        for future in self._drain():
            if future.set_running_or_notify_cancel():
                future.set_exception(BrokenThreadPool(_BROKEN))

    def shutdown(self, wait=True, *, cancel_futures=False):
        self._work.shutdown()
        if cancel_futures:
            for future in self._drain():
                future.cancel()
                future.set_running_or_notify_cancel()
        if wait:
            for thread in list(self._threads):
                thread.join()
