# Two threads print while the main program waits for them.

import _thread
import time


def th_func(delay, id):
    for _ in range(5):
        time.sleep(delay / 10)
        print("Running thread %d" % id)
    finished[id].release()


finished = [_thread.allocate_lock() for i in range(2)]

for i in range(2):
    finished[i].acquire()
    _thread.start_new_thread(th_func, (i + 1, i))

for lock in finished:
    lock.acquire()
print("Both threads have finished")
