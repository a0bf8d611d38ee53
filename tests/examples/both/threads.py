# What threads say of themselves, and what goes wrong with them.
import threading


def told(what, function, *args, **kwargs):
    try:
        print(what, function(*args, **kwargs))
    except Exception as error:
        print(what, type(error).__name__, error)


class Adder(threading.Thread):
    def __init__(self, *numbers):
        super().__init__(daemon=True)
        self.numbers = numbers

    def run(self):
        self.total = sum(self.numbers)


def work(go):
    go.wait()
    told("join oneself:", threading.current_thread().join)


go = threading.Event()
thread = threading.Thread(target=work, args=(go,))
print(thread.name, thread.daemon, thread.ident, thread.is_alive())
told("join it too early:", thread.join)
thread.start()
print(thread.is_alive(), threading.active_count(), thread in threading.enumerate())
told("start it again:", thread.start)
told("make it a daemon:", setattr, thread, "daemon", True)
told("join it for a while:", thread.join, 0.01)
go.set()
thread.join()
print(thread.is_alive(), threading.active_count())

adders = [Adder(n, n + 1) for n in range(5)]
for adder in adders:
    adder.start()
for adder in adders:
    adder.join()
print([adder.total for adder in adders], adders[0].name, adders[4].daemon)

mine = threading.local()
mine.value = "main"
seen = []


def look():
    seen.append(hasattr(mine, "value"))
    mine.value = "other"
    seen.append(mine.value)


other = threading.Thread(target=look, name="other")
other.start()
other.join()
print(seen, mine.value, other.name, threading.current_thread().name)

calls = []
timers = [threading.Timer(0.05 * n, calls.append, (n,)) for n in (3, 1, 2)]
for timer in timers:
    timer.start()
timers[0].cancel()
for timer in timers:
    timer.join()
print(calls, threading.main_thread() is threading.current_thread())


def fail():
    raise ValueError("in a thread")


threading.excepthook = lambda args: print(args.exc_type.__name__, args.exc_value, args.thread.name)
failing = threading.Thread(target=fail, name="failing")
failing.start()
failing.join()
