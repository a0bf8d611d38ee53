# One thread makes things, another one uses them. The queue has room for three: then the producer waits.

import queue
import threading
import time

things = queue.Queue(3)


def produce():
    for n in range(10):
        things.put(n)
        print("made", n)
    things.put(None)  # the end


def consume():
    while (thing := things.get()) is not None:
        time.sleep_ms(20)  # it takes longer to use a thing than to make it
        print("used", thing)


threads = [threading.Thread(target=produce), threading.Thread(target=consume)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("All things are used")
