"""File systems whose storage is written in Python, as drivers of SD cards are: each has a lock of its own."""

import _thread
import os
import time
import vfs

import pytest

SIZE = 512
BLOCKS = 64  # FAT wants 50
TYPES = [name for name in ("VfsLfs2", "VfsFat") if hasattr(vfs, name)]


class Store:
    """Copies byte after byte in a loop of Python."""

    def __init__(self):
        self.memory = bytearray(SIZE * BLOCKS)
        self.hook = None

    def readblocks(self, number, into, skip=0):
        if self.hook:
            self.hook()
        place = number * SIZE + skip
        for k in range(len(into)):
            into[k] = self.memory[place + k]

    def writeblocks(self, number, data, skip=0):
        place = number * SIZE + skip
        for k in range(len(data)):
            self.memory[place + k] = data[k]

    def ioctl(self, request, _):
        return {4: BLOCKS, 5: SIZE}.get(request, 0)


def mounted(kind):
    store = Store()
    kind.mkfs(store)
    vfs.mount(kind(store), "/store")
    return store


def wait_until(condition, ms=120000):
    start = time.ticks_ms()
    while not condition():
        assert time.ticks_diff(time.ticks_ms(), start) < ms, "it takes too long"
        time.sleep_ms(5)


@pytest.mark.lane("hours", "RPI_PICO")
def test_files_of_three_threads():
    """Every line is read back, and the file system mounts again."""
    _thread.setswitchinterval(0.001)
    for name in TYPES:
        store = mounted(getattr(vfs, name))
        wrong, ended = [], []

        def work(path):
            try:
                for turn in range(3):
                    lines = [f"{path} {turn} {k}\n" for k in range(20)]
                    with open(path, "w") as file:
                        for line in lines:
                            file.write(line)
                    with open(path) as file:
                        if list(file) != lines:
                            wrong.append((path, turn))
            except Exception as error:
                wrong.append((path, repr(error)))
            ended.append(path)

        paths = [f"/store/{k}" for k in range(3)]
        for path in paths:
            _thread.start_new_thread(work, (path,))
        wait_until(lambda: len(ended) == 3)
        assert not wrong, (name, wrong)
        vfs.umount("/store")
        vfs.mount(getattr(vfs, name)(store), "/store")
        assert sorted(os.listdir("/store")) == ["0", "1", "2"]
        vfs.umount("/store")


def test_device_that_waits():
    """A device may sleep, and share a lock with others: these run meanwhile, and the next one of its file system waits."""
    for name in TYPES:
        store = mounted(getattr(vfs, name))
        with open("/store/file", "w") as file:
            file.write("text")
        bus = _thread.allocate_lock()
        inside = [0, 0]
        texts = []

        def hook():
            with bus:
                inside[0] += 1
                inside[1] = max(inside)
                time.sleep_ms(2)
                inside[0] -= 1

        def read():
            with open("/store/file") as file:
                texts.append(file.read())

        store.hook = hook
        bus.acquire()
        for _ in range(2):
            _thread.start_new_thread(read, ())
        wait_until(lambda: [t[1] for t in _thread._threads()][:2] == ["waiting", "waiting"])
        bus.release()
        wait_until(lambda: len(texts) == 2)
        assert texts == ["text", "text"]
        assert inside == [0, 1]
        vfs.umount("/store")


def test_use_amidst_an_operation():
    """EBUSY of littlefs, EIO of FAT: a device uses its own file system, as a callback may. Afterwards all is well."""
    for name in TYPES:
        store = mounted(getattr(vfs, name))
        errors = []

        def hook():
            store.hook = None
            try:
                os.listdir("/store")
            except OSError as error:
                errors.append(error.errno)

        with open("/store/file", "w") as file:
            file.write("text")
        store.hook = hook
        with open("/store/file") as file:
            assert file.read() == "text"
        assert len(errors) == 1 and errors[0] in (16, 5), errors
        assert os.listdir("/store") == ["file"]
        vfs.umount("/store")


def test_exception_of_a_device():
    """An exception passes through the file system, whose caches may be wrong then; waiters go on."""
    for name in TYPES:
        store = mounted(getattr(vfs, name))
        with open("/store/file", "w") as file:
            file.write("text")
        ended = []

        def read():
            try:
                open("/store/file").close()
            except OSError:
                pass
            ended.append(True)

        def hook():
            store.hook = None
            _thread.start_new_thread(read, ())
            wait_until(lambda: _thread._threads()[0][1] == "waiting")
            raise KeyError("device")

        store.hook = hook
        try:
            with open("/store/file") as file:
                file.read()
            assert False, "nothing was raised"
        except KeyError:
            pass
        wait_until(lambda: ended)
        vfs.umount("/store")
