# This file is part of modthread. SPDX-License-Identifier: MIT
#
# The file system. This runs as a part of the main program, which may give any name a meaning of its own: nothing that is
# called later may be defined here.

import machine
import vfs


def mount():
    disk = machine.PSRAM()
    try:
        vfs.mount(vfs.VfsLfs2(disk), "/")
    except OSError:
        vfs.VfsLfs2.mkfs(disk)
        vfs.mount(vfs.VfsLfs2(disk), "/")


mount()
del mount, machine, vfs
