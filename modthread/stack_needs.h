// This file is part of modthread. SPDX-License-Identifier: MIT
//
// What C code needs of a stack, in bytes, from where it looks to the deepest place, with what an interrupt pushes there. What is
// not here gets by with MODTHREAD_STACK_MARGIN, which is left wherever Python code runs. tests/device/test_stack_needs.py calls
// all of them at the end of a stack, and fails where one needs more.

#ifndef MODTHREAD_STACK_NEEDS_H
#define MODTHREAD_STACK_NEEDS_H

// A file system: littlefs or FAT, and its block device.
#ifndef STACK_NEED_FILES
#define STACK_NEED_FILES (1344)
#endif

// `import`, which has a path on its stack, up to the file system.
#ifndef STACK_NEED_IMPORT
#define STACK_NEED_IMPORT (MODTHREAD_STACK_MARGIN + MICROPY_ALLOC_PATH_MAX)
#endif

#endif // MODTHREAD_STACK_NEEDS_H
