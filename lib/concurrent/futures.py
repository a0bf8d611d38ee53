# This file is part of modthread. SPDX-License-Identifier: MIT
#
# CPython's concurrent.futures without processes; names, messages and edge cases are those of CPython 3.13
# (Lib/concurrent/futures).

import sys
import time
from collections import namedtuple
from threading import Condition, RLock, Thread

from _thread import _Empty, _Queue, _ShutDown, _future_class, _submit

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

# For pools, and for who waits for several futures: nobody has it for long. A callback that has interrupted the main thread can
# take it, too. A future that ends takes it only if somebody waits so. It stores its new state before it looks who waits, and
# who wants to be told says so before looking at the state.
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


# The class is C. It calls these three.
def _repr(future):
    end = ""
    state = future._state
    if state is FINISHED:
        error = future._exception
        end = (
            f" returned {type(future._result).__name__}"
            if error is None
            else f" raised {type(error).__name__}"
        )
    state = state.split("_")[0].lower()
    return f"<{type(future).__name__} at {id(future):#x} state={state}{end}>"


# Who takes a callback out calls it.
def _call_all(future):
    callbacks = future._callbacks
    while callbacks:
        try:
            fn = callbacks.pop(0)
        except IndexError:  # another thread was faster
            return
        try:
            fn(future)
        except Exception as error:
            print(f"exception calling callback for {future!r}")
            sys.print_exception(error)


def _tell(future):
    for waiter in future._waiters:
        waiter.add(future)


Future = _future_class(globals())


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
        work = pool._work
        task_done = work.task_done
        try:
            while True:
                work.get()._run(task_done)
        except _ShutDown:
            pass


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
        future = _submit(_self._work, _fn, args)
        if future is None:
            _self._refuse()
        if len(_self._threads) < _self._max_workers:
            _self._start_worker(future)
        return future

    def _refuse(self):
        if self._broken:
            raise BrokenThreadPool(_BROKEN)
        raise RuntimeError("cannot schedule new futures after shutdown")

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
                futures.append(self._work.get_nowait())
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
