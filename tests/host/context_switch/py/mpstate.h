// This file is part of modthread. SPDX-License-Identifier: MIT
//
// What the port's tick needs of MicroPython only with two cores.
