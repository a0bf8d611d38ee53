# This file is part of modthread. SPDX-License-Identifier: MIT
#
# CPython's concurrent.futures without processes; names, messages and edge cases are those of CPython 3.13
# (Lib/concurrent/futures).

import sys
import time
from collections import namedtuple
from threading import Condition, RLock, Thread

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


# States are compared by identity: that is several times faster. A future that is waited for and succeeds has two attributes
# of its own: more would not fit into one block of the heap, and the allocation of several is slow.
class Future:
    _state = PENDING
    _result = None  # under way: the condition for which threads wait, made for the first of them
    _exception = None
    _waiters = ()
    _callbacks = ()

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

    def _wait(self, timeout):
        with _lock:
            if self._state is PENDING or self._state is RUNNING:
                condition = self._result
                if condition is None:
                    self._result = condition = Condition(_lock)
                condition.wait(timeout)
            if self._state is not FINISHED:
                raise CancelledError if self.done() else TimeoutError

    def result(self, timeout=None):
        if self._state is not FINISHED:
            self._wait(timeout)
        if self._exception is not None:
            raise self._exception
        return self._result

    def exception(self, timeout=None):
        self._wait(timeout)
        return self._exception

    def add_done_callback(self, fn):
        with _lock:
            if not self.done():
                self._callbacks += (fn,)
                return
        self._call(fn)

    def _call(self, fn):
        try:
            fn(self)
        except Exception as error:
            print(f"exception calling callback for {self!r}")
            sys.print_exception(error)

    def _call_all(self):
        for fn in self._callbacks:
            self._call(fn)

    # With the lock taken: tell wait() and as_completed().
    def _tell(self):
        for waiter in self._waiters:
            waiter.add(self)

    def cancel(self):
        with _lock:
            if self._state is not PENDING:
                return self.cancelled()
            self._state = CANCELLED
            if self._result is not None:
                self._result.notify_all()
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
        with _lock:
            if self._state is not RUNNING and self.done():
                raise InvalidStateError(f"{self._state}: {self!r}")
            condition = self._result
            if condition is not None:
                condition.notify_all()
            self._state = FINISHED
            self._result = result
            if _exception is not None:
                self._exception = _exception
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
        self.ended = [f for f in self.futures if f._state in _NOTIFIED]
        for f in self.futures:
            f._waiters += (self,)

    def add(self, future):
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
        work = pool._work
        while True:
            with _lock:
                while not work:
                    if pool._refusal is not None:
                        return
                    pool._idle += 1
                    pool._condition.wait()
                future, call = work.pop(0)
                if future._state is PENDING:
                    future._state = RUNNING
                else:
                    future.set_running_or_notify_cancel()
                    continue
            try:
                fn, args = call
                result = fn(*args)
            except BaseException as error:
                future.set_exception(error)
            else:
                future.set_result(result)
            future = call = fn = args = result = None  # a worker that waits keeps nothing alive


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
        self._work = []
        self._condition = Condition(_lock)
        self._idle = 0  # workers that wait, and are not notified yet
        self._threads = set()
        self._refusal = None  # why there can be no more work

    # The function may have arguments of its own that are called self and fn.
    def submit(_self, _fn, *args, **kwargs):
        if kwargs:
            _fn = _with_keywords(_fn, kwargs)
        with _lock:
            if _self._refusal is not None:
                raise _self._refusal
            future = Future()
            _self._work.append((future, (_fn, args)))
            if _self._idle:
                _self._idle -= 1
                _self._condition.notify()
            elif len(_self._threads) < _self._max_workers:
                _self._start_worker()
        return future

    # A pool without memory for one more worker goes on with those that it has.
    def _start_worker(self):
        name = f"{self._thread_name_prefix}_{len(self._threads)}"
        thread = _Worker(self, name)
        try:
            thread.start()
        except MemoryError:
            if not self._threads:
                self._work.pop()
                raise
        else:
            self._threads.add(thread)

    # Refuse what comes, and return the work that is left.
    def _close(self, refusal, drop):
        with _lock:
            self._refusal = refusal
            left = list(self._work) if drop else ()
            if drop:
                self._work.clear()
            self._idle = 0
            self._condition.notify_all()
        return left

    def _break(self):
        why = "A thread initializer failed, the thread pool is not usable anymore"
        refusal = BrokenThreadPool(why)
        for future, _ in self._close(refusal, True):
            if future.set_running_or_notify_cancel():
                future.set_exception(refusal)

    def shutdown(self, wait=True, *, cancel_futures=False):
        refusal = RuntimeError("cannot schedule new futures after shutdown")
        for future, _ in self._close(self._refusal or refusal, cancel_futures):
            future.cancel()
            future.set_running_or_notify_cancel()
        if wait:
            for thread in self._threads:
                thread.join()
