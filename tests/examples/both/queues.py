# Queues: their orders, their limits, and a pipeline of threads.
import queue
import threading


def told(what, function, *args, **kwargs):
    try:
        print(what, function(*args, **kwargs))
    except Exception as error:
        print(what, type(error).__name__, error)


for kind in (queue.Queue, queue.LifoQueue, queue.PriorityQueue):
    items = kind(3)
    for item in (2, 3, 1):
        items.put(item)
    told("full:", items.put, 4, False)
    told("full for a while:", items.put, 4, timeout=0.01)
    told("a negative timeout:", items.put, 4, timeout=-1)
    print(items.qsize(), items.full(), [items.get() for _ in range(3)], items.empty())
    told("empty:", items.get_nowait)
    told("too many:", lambda: [items.task_done() for _ in range(4)])

numbers, squares = queue.Queue(2), queue.SimpleQueue()


def square():
    while (number := numbers.get()) is not None:
        squares.put(number * number)
        numbers.task_done()
    numbers.task_done()


workers = [threading.Thread(target=square) for _ in range(3)]
for worker in workers:
    worker.start()
for number in list(range(20)) + [None] * 3:
    numbers.put(number)
numbers.join()
for worker in workers:
    worker.join()
print(sorted(squares.get() for _ in range(20)), squares.empty(), numbers.unfinished_tasks)
