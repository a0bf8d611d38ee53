# A future is cancelled or runs, not both, and whoever waits for its result is told.

import _thread

interrupts = ""
names = {"CancelledError": OSError, "TimeoutError": ValueError, "InvalidStateError": RuntimeError}
told = []


def tell(future):
    told.append(future)


names["_tell"] = names["_call_all"] = tell
names["_repr"] = repr
Future = _thread._future_class(names)
F = Future()
never_run = Future()
ran = []


def run():
    if F.set_running_or_notify_cancel():
        ran.append(1)
        F.set_result(7)


def cancel():
    ran.append(not F.cancel())
    never_run.cancel()


def main():
    _thread.start_new_thread(run, ())
    _thread.start_new_thread(cancel, ())
    try:
        assert F.result() == 7
    except OSError:
        assert F.cancelled()
    try:
        never_run.result()
        assert False
    except OSError:
        pass


def end():
    assert ran == [False] or sorted(ran) == [True, 1]
