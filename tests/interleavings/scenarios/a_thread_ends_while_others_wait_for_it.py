# Threads that wait for the end of another one go on.

import _thread

interrupts = "tick"
over = _thread.allocate_lock()
L = _thread.allocate_lock()
seen = []


def worker():
    seen.append("worker")
    over.release()


def waits():
    with L:
        seen.append("waits")


def main():
    over.acquire()
    L.acquire()
    _thread.start_new_thread(waits, ())
    _thread.start_new_thread(worker, ())
    over.acquire()
    assert "worker" in seen
    L.release()


def end():
    assert sorted(seen) == ["waits", "worker"]
