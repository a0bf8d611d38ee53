# This file is part of modthread. SPDX-License-Identifier: MIT
#
# What MicroPython's asyncio lacks for threads; names and meaning are those of CPython 3.13 (Lib/asyncio). To import it adds
# them to asyncio, and to the loop, where CPython has them.

import asyncio
import queue
from asyncio import core
from concurrent.futures import Future, ThreadPoolExecutor

from _thread import _notify

_calls = []  # what threads ask the loop to call: functions with their arguments
_called = asyncio.ThreadSafeFlag()
_pool = None  # of to_thread()
_tasks = None  # the queue of tasks of the loop that has a task for the calls

QueueEmpty = queue.Empty
QueueFull = queue.Full
QueueShutDown = queue.ShutDown


async def _call():
    while True:
        await _called.wait()
        for _ in range(len(_calls)):  # not those that these make
            callback, args = _calls.pop(0)
            try:
                callback(*args)
            except Exception as error:
                message = f"Exception in callback {callback}"
                context = {"message": message, "exception": error, "future": core.cur_task}
                core.Loop.call_exception_handler(context)


# A loop that is made anew has lost its tasks.
def _prepare():
    global _tasks
    if _tasks is not core._task_queue:
        _tasks = core._task_queue
        core.create_task(_call())


_run_until_complete = core.run_until_complete


def run_until_complete(main_task=None):
    _prepare()
    return _run_until_complete(main_task)


def get_running_loop():
    core.current_task()  # raises RuntimeError where none runs
    return core.Loop


def call_soon_threadsafe(callback, *args):
    _calls.append((callback, args))
    _called.set()
    _notify()


# Wait for a future of concurrent.futures.
async def wrap_future(future):
    done = asyncio.Event()
    future.add_done_callback(lambda future: call_soon_threadsafe(done.set))
    try:
        await done.wait()
    except core.CancelledError:
        future.cancel()
        raise
    if future.cancelled():
        raise core.CancelledError
    return future.result()


def _default_pool():
    global _pool
    if _pool is None:
        _pool = ThreadPoolExecutor(thread_name_prefix="asyncio")
    return _pool


def run_in_executor(executor, func, *args):
    return core.create_task(wrap_future((executor or _default_pool()).submit(func, *args)))


async def to_thread(func, *args, **kwargs):
    return await wrap_future(_default_pool().submit(func, *args, **kwargs))


def run_coroutine_threadsafe(coro, loop):
    if not hasattr(coro, "send"):
        raise TypeError("A coroutine object is required")
    future = Future()

    async def run():
        try:
            result = await coro
        except core.CancelledError:
            future.cancel()
        except BaseException as error:
            if future.set_running_or_notify_cancel():
                future.set_exception(error)
            if not isinstance(error, Exception):  # it ends the loop
                raise
        else:
            if future.set_running_or_notify_cancel():
                future.set_result(result)

    def start():
        task = core.create_task(run())
        future.add_done_callback(lambda future: call_soon_threadsafe(task.cancel))

    loop.call_soon_threadsafe(start)
    return future


# Threads block in its put() and get(); coroutines await those of async_q.
class Queue(queue.Queue):
    def __init__(self, maxsize=0):
        super().__init__(maxsize)
        self.sync_q = self
        self.async_q = _AsyncQueue(self)

    def _put(self, item):
        self.queue.append(item)
        if self.async_q._awaited:
            self.async_q._changed()

    def _get(self):
        if self.async_q._awaited:
            self.async_q._changed()
        return self.queue.pop(0)

    def task_done(self):
        super().task_done()
        self.async_q._changed()

    def shutdown(self, immediate=False):
        super().shutdown(immediate)
        self.async_q._changed()


class _AsyncQueue:
    def __init__(self, sync_q):
        self._queue = sync_q
        self._change = asyncio.Event()
        self._awaited = False  # whether a coroutine is to be told of the next change

    def __getattr__(self, name):
        return getattr(self._queue, name)

    def _changed(self):
        if self._awaited:
            self._awaited = False
            call_soon_threadsafe(self._change.set)

    async def _retry(self, function, error):
        while True:
            self._change.clear()
            self._awaited = True  # before the try: a change after it is not missed
            try:
                return function()
            except error:
                await self._change.wait()

    async def put(self, item):
        return await self._retry(lambda: self._queue.put_nowait(item), queue.Full)

    async def get(self):
        return await self._retry(self._queue.get_nowait, queue.Empty)

    async def join(self):
        return await self._retry(self._check_done, queue.Full)

    def _check_done(self):
        if self._queue.unfinished_tasks:
            raise queue.Full


core.run_until_complete = run_until_complete
core.Loop.call_soon_threadsafe = call_soon_threadsafe
core.Loop.run_in_executor = run_in_executor
for _function in (get_running_loop, run_coroutine_threadsafe, to_thread, wrap_future):
    setattr(asyncio, _function.__name__, _function)
if core.cur_task is not None:  # the loop runs already
    _prepare()
