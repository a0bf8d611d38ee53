# A watchdog is fed only while all threads live. One that hangs restarts the board.

import threading
import time

LIMIT = 100  # ms in which each thread has to come by
beats = {}  # when each thread came by


def feed():  # on a board: feed = machine.WDT(timeout=2000).feed
    print("fed")


def beat():
    beats[threading.current_thread().name] = time.ticks_ms()


def live(rounds):
    for _ in range(rounds):
        beat()
        time.sleep_ms(20)
    threading.Event().wait()  # a fault: it hangs here


def hanging():
    now = time.ticks_ms()
    return [name for name, then in beats.items() if time.ticks_diff(now, then) > LIMIT]


for name, rounds in (("sound", 1000), ("faulty", 5)):
    beats[name] = time.ticks_ms()
    threading.Thread(target=live, args=(rounds,), name=name, daemon=True).start()
while not hanging():
    feed()
    time.sleep_ms(50)
print("not fed any more:", *hanging())
