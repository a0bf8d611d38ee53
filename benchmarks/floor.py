# What the kernel's own primitives cost in C: no lock, hand-over or start can take less. Only in the
# firmware with MicroPython's own threads.

import floor

measure("acquire() + release()", floor.mutex, 2000)
measure("hand-over of a lock", floor.hand_over, 2000, None, 2)
measure("start and wait, 4 KiB stack", floor.start, 200)
