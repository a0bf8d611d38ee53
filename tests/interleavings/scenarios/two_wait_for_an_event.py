# One notify ends the waits of two threads.

import _thread
import model

interrupts = "notify tick"
waited = []


def wait():
    model.wait_event()
    waited.append(1)


def main():
    _thread.start_new_thread(wait, ())
    wait()


def end():
    assert waited == [1, 1]
