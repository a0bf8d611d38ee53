"""Files in flash: written beside computing threads, kept by soft and hard resets."""

import pytest

from modthread.device import Device

WRITE = """
import _thread, os, vfs
ROUND = {round}
running = [True]
counts = [0] * 4
def compute(slot):
    while running:
        counts[slot] += 1
for slot in range(4):
    _thread.start_new_thread(compute, (slot,))
done = _thread.allocate_lock()
done.acquire()
errors = []
def text(round):
    return ("round %d " % round) * 200
def write():
    try:
        if ROUND:
            with open("last.txt") as file:
                assert file.read() == text(ROUND - 1), "the last round's file"
        with open("next.txt", "w") as file:
            file.write(text(ROUND))
        os.rename("next.txt", "last.txt")
        with open("last.txt") as file:
            assert file.read() == text(ROUND), "this round's file"
    except Exception as error:
        errors.append(repr(error))
    done.release()
_thread.start_new_thread(write, ())
assert done.acquire(1, 60), "the writer has not ended"
assert not errors, errors
assert all(counts), counts
print(os.statvfs("/")[3], *sorted(os.listdir()))
# and the threads go on computing until the soft reset
"""
# What is in flash and not in memory: the file system mounted anew, every folder and file read.
CHECK = """
import os, rp2, vfs
device = rp2.Flash()
vfs.umount("/")
vfs.mount(vfs.VfsLfs2(device), "/")
def walk(folder):
    for name, kind, *_ in os.ilistdir(folder):
        path = folder + name
        if kind == 0x4000:
            walk(path + "/")
        else:
            with open(path, "rb") as file:
                size = 0
                while block := file.read(256):
                    size += len(block)
            assert size == os.stat(path)[6], path
            print(path, size)
walk("/")
"""
LIMIT = 60.0  # seconds

# After so many changes of the root folder littlefs gives it two blocks of its own (lfs2.c,
# lfs2_dir_splittingcompact, "Expanding superblock"), once: the changes of earlier tests count.
MOVED_ROOT = 2


def written(device: Device, number: int) -> tuple[int, list[str]]:
    """Write the file of that round; return the free blocks and the files that are there."""
    result = device.run(WRITE.replace("{round}", str(number)), LIMIT * device.board.time_scale)
    assert not result.error, result.error.decode()
    free, *names = result.output.decode().split()
    return int(free), names


def rounds(device: Device, count: int) -> None:
    """Write and reset softly in turn; what is on the file system must not grow."""
    free, names = written(device, 0)
    assert "last.txt" in names
    for number in range(1, count):
        assert device.clean_up(), "no soft reset worked"
        free_now, names_now = written(device, number)
        assert names_now == names
        assert free_now in (free, free - MOVED_ROOT)
    if device.board.name == "RPI_PICO":
        checked = device.run(CHECK, LIMIT * device.board.time_scale)
        assert not checked.error, checked.error.decode()
        assert b"/last.txt " in checked.output


def test_written_and_reset_softly(device: Device) -> None:
    rounds(device, 5)


@pytest.mark.lane("hours", "RPI_PICO")
@pytest.mark.lane("long")
def test_written_and_reset_softly_50_times(device: Device) -> None:
    rounds(device, 50)


def test_kept_by_a_hard_reset(device: Device) -> None:
    written(device, 0)
    device.machine_reset()
    written(device, 1)
