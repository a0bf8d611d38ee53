# notify ends a wait for an event, whenever it comes.

import _thread
import model

interrupts = "notify tick tick"
waited = []


def compute():
    for _ in range(3):
        pass


def main():
    _thread.start_new_thread(compute, ())
    model.wait_event()
    waited.append(1)


def end():
    assert waited == [1]
