# This file is part of modthread. SPDX-License-Identifier: MIT
#
# The file system: littlefs in the board's PSRAM, which keeps it through soft resets and machine.reset().

import uctypes
import vfs


class RAMDisk:
    BLOCK_SIZE = 1024
    BLOCKS = 1024
    ADDRESS = 0x21000000  # PSRAM of the MPS2: application note AN385, section 3.1

    def __init__(self):
        self.memory = memoryview(uctypes.bytearray_at(self.ADDRESS, self.BLOCK_SIZE * self.BLOCKS))

    def readblocks(self, block, buffer, offset=0):
        start = block * self.BLOCK_SIZE + offset
        buffer[:] = self.memory[start : start + len(buffer)]

    def writeblocks(self, block, buffer, offset=0):
        start = block * self.BLOCK_SIZE + offset
        self.memory[start : start + len(buffer)] = buffer

    def ioctl(self, operation, argument):
        # Block count, block size; nothing to be done for the others. No branch, so no exception between two writes.
        return {4: self.BLOCKS, 5: self.BLOCK_SIZE}.get(operation, 0)


def mount():
    disk = RAMDisk()
    try:
        vfs.mount(vfs.VfsLfs2(disk), "/")
    except OSError:
        vfs.VfsLfs2.mkfs(disk)
        vfs.mount(vfs.VfsLfs2(disk), "/")


mount()
del mount, RAMDisk, uctypes, vfs
