# This file is part of modthread. SPDX-License-Identifier: MIT
#
# CPython's module of that name; names, messages and edge cases are those of CPython 3.13 (Lib/queue.py). The queue itself is
# C: see docs/threading.md.

from heapq import heappop, heappush

try:
    from _thread import (
        _Empty as Empty,
        _Full as Full,
        _Queue as SimpleQueue,
        _ShutDown as ShutDown,
    )
except ImportError:
    raise ImportError("queue needs a firmware with modthread's _thread")


class Queue(SimpleQueue):
    def __init__(self, maxsize=0):
        if type(self) is Queue:
            super().__init__(maxsize)
        else:
            super().__init__(maxsize, self)
            self._init(maxsize)

    # What a class that inherits may have of its own; called with the mutex held.
    def _init(self, maxsize):
        pass

    def _qsize(self):
        return len(self.queue)

    def _put(self, item):
        self.queue.append(item)

    def _get(self):
        return self.queue.pop(0)


class PriorityQueue(Queue):
    def _put(self, item):
        heappush(self.queue, item)

    def _get(self):
        return heappop(self.queue)


class LifoQueue(Queue):
    def _get(self):
        return self.queue.pop()
