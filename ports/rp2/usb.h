// This file is part of modthread. SPDX-License-Identifier: MIT

#ifndef MODTHREAD_RP2_USB_H
#define MODTHREAD_RP2_USB_H

#include "FreeRTOS.h"

// Do what TinyUSB has to do. From the service task; returns after how many ticks it wants to be called again if nothing
// happens before.
TickType_t usb_service(void);

#endif // MODTHREAD_RP2_USB_H
