"""Threads change accounts that only their locks keep whole. The host sets SEED and SIZE.

Prints how many lock operations there were, after it has checked every change.
"""

import _thread
import gc
import random
import time

random.seed(SEED)
THREADS = min(2 + random.getrandbits(8) % 31, gc.mem_free() // 6500)
accounts = [[_thread.allocate_lock(), 0, 0] for _ in range(1 + random.getrandbits(2))]
handed = []  # accounts whose locks another thread shall release
operations = []
changes = []
errors = []


def change(account):
    """Leave the account torn for a while: whoever sees it so, has come between."""
    lock, value, copy = account
    assert lock.locked()
    assert value == copy, f"{value} and {copy}"
    account[1] = value + 1
    how = random.getrandbits(4)
    if how == 0:
        time.sleep_ms(0)
    elif how == 1:
        time.sleep_us(random.getrandbits(8))
    elif how == 2:
        for _ in range(random.getrandbits(5)):
            pass
    elif how == 3:
        bytearray(random.getrandbits(8))
    assert account[1] == value + 1 and account[2] == value
    account[2] = value + 1


def release_handed():
    try:
        account = handed.pop()
    except IndexError:
        return 0
    assert account[0].locked()
    assert account[1] == account[2]
    account[0].release()
    return 1


def one_turn(account):
    """Return how many lock operations and changes there were."""
    lock = account[0]
    how = random.getrandbits(3)
    if how < 3:
        with lock:
            change(account)
        return 2, 1
    if how == 3:
        got = lock.acquire(0)
    elif how == 4:
        got = lock.acquire(1, random.getrandbits(2) / 1000)
    elif how == 5:
        got = lock.acquire()
    elif how == 6:
        lock.acquire()
        assert not lock.acquire(0)  # nobody gets it twice
        change(account)
        lock.release()
        return 3, 1
    else:
        lock.acquire()
        change(account)
        handed.append(account)
        return 1 + release_handed(), 1
    if not got:
        return 1, 0
    change(account)
    lock.release()
    return 2, 1


def work():
    done = changed = 0
    try:
        while done < SIZE // THREADS and not errors:
            account = accounts[random.getrandbits(8) % len(accounts)]
            more, change = one_turn(account)
            done += more
            changed += change
    except BaseException as e:
        errors.append(e)
    operations.append(done)
    changes.append(changed)


_thread.setswitchinterval((1, 100, 1000, 5000)[random.getrandbits(2)] / 1000000)
for _ in range(THREADS):
    _thread.start_new_thread(work, ())
while len(operations) < THREADS and not errors:
    release_handed() or time.sleep_ms(1)
if errors:
    raise errors[0]
while release_handed():
    pass
assert not any(account[0].locked() for account in accounts)
assert all(account[1] == account[2] for account in accounts)
total = sum(account[1] for account in accounts)
assert total == sum(changes), f"{total} changes are there, {sum(changes)} were made"
print(sum(operations))
