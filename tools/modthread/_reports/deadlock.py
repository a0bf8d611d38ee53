"""What the threads of a board wait for, who has it, and which of them wait for each other."""

from collections.abc import Iterator

from modthread._reports.tracebacks import Thread, who

# What somebody can have, by the board's name of its type: how that is said. Who has taken a Lock
# is known, but anybody may release it; only its owner releases an RLock.
OWNED = {
    "lock": "Lock {at}, taken by {owner}",
    "RLock": "RLock {at}, held by {owner}",
    "_ThreadHandle": "the end of {owner}",
}


def waits(threads: list[Thread]) -> list[str]:
    """Return a line for each thread that waits for a lock, an event, a queue or another thread."""
    return [
        f"{who(thread)} waits for {_awaited(thread, threads)}"
        for thread in threads
        if thread.waits_for
    ]


def deadlocks(threads: list[Thread]) -> list[str]:
    """Return a line for each cycle of threads that wait for each other; it names its members."""
    return [
        f"deadlock of {who(cycle[0])} alone"
        if len(cycle) == 1
        else f"deadlock of {', '.join(map(who, cycle[:-1]))} and {who(cycle[-1])}"
        for cycle in _cycles(threads)
    ]


def _cycles(threads: list[Thread]) -> Iterator[list[Thread]]:
    """Yield each cycle once, from its lowest identifier on, each member before who keeps it."""
    living = {thread.ident: thread for thread in threads}
    for thread in sorted(threads, key=lambda one: one.ident):
        path = [thread]
        while (owner := path[-1].owner) in living and living[owner] not in path:
            path.append(living[owner])
        if owner == thread.ident and thread.ident == min(one.ident for one in path):
            yield path


def _awaited(thread: Thread, threads: list[Thread]) -> str:
    at = f"{thread.address:#x}"
    if thread.owner is None or thread.waits_for not in OWNED:
        return f"{thread.waits_for.lstrip('_')} {at}"
    owners = [who(one) for one in threads if one.ident == thread.owner]
    owner = owners[0] if owners else f"thread {thread.owner}, which has ended"
    return OWNED[thread.waits_for].format(at=at, owner="itself" if owner == who(thread) else owner)
