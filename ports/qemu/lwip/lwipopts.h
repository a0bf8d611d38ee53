// This file is part of modthread. SPDX-License-Identifier: MIT
//
// lwIP's settings: lwip/opt.h says what they are, and their defaults.

#ifndef MODTHREAD_QEMU_LWIPOPTS_H
#define MODTHREAD_QEMU_LWIPOPTS_H

#include "py/mpconfig.h"

// One task at a time is in lwIP: who has the lock of ../cortex_m/service.h.
#define NO_SYS 1
#define SYS_LIGHTWEIGHT_PROT 0
#define LWIP_NETCONN 0
#define LWIP_SOCKET 0
#ifdef NDEBUG
#define LWIP_NOASSERT
#elif MICROPY_PY_THREAD
void network_assert_locked(void);
#define LWIP_ASSERT_CORE_LOCKED() network_assert_locked()
#endif

// What MicroPython's socket and network modules call.
#define LWIP_RAW 1
#define LWIP_IGMP 1
#define LWIP_DHCP 1
#define LWIP_DNS 1
#define LWIP_NETIF_HOSTNAME 1
#define SO_REUSE 1
#define TCP_LISTEN_BACKLOG 1
#define LWIP_IPV6 0

#define LWIP_DHCP_DOES_ACD_CHECK 0 // it would take seconds to look whether somebody else has the address
#define LWIP_STATS 0

uint32_t network_random(void);
#define LWIP_RAND() network_random()

// Memory. Windows of two connections fit in what the chip keeps of received frames, 10 KiB.
#define MEM_ALIGNMENT 4
#define MEM_SIZE (64 * 1024)
#define PBUF_POOL_SIZE 48
#define PBUF_POOL_BUFSIZE 1536 // a whole frame
#define TCP_MSS 1460
#define TCP_WND (3 * TCP_MSS)
#define TCP_SND_BUF (8 * TCP_MSS)
#define MEMP_NUM_TCP_SEG 128
#define MEMP_NUM_TCP_PCB 16
#define MEMP_NUM_TCP_PCB_LISTEN 8
#define MEMP_NUM_UDP_PCB 8

#endif // MODTHREAD_QEMU_LWIPOPTS_H
