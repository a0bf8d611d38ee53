// This file is part of modthread. SPDX-License-Identifier: MIT
//
// Included before anything else of MicroPython's extmod/modlwip.c and network_lwip.c, which call these functions of lwIP
// without its lock: the service task would come between. And they need more stack than is left where Python code has come
// near to its end: here, who takes the lock looks first, while an exception leaves nothing behind.

#ifndef MODTHREAD_LWIP_NETWORK_LOCKED_H
#define MODTHREAD_LWIP_NETWORK_LOCKED_H

#include "py/cstack.h"
#include "py/mphal.h"
#include "py/mpstate.h"

#include "lwip/dhcp.h"
#include "lwip/dns.h"
#include "lwip/igmp.h"
#include "lwip/netif.h"
#include "lwip/raw.h"
#include "lwip/tcp.h"
#include "lwip/udp.h"

#include "modthread/stack.h"
#include "network.h"

static inline void check_stack(const char *function) {
    if (__builtin_strcmp(function, "lwip_socket_ioctl") != 0) { // it closes what the garbage collector has found
        stack_check(STACK_NEED_NETWORK);
    }
}

static inline bool enough_to_send(void) {
    return mp_cstack_usage() + STACK_NEED_NETWORK < MP_STATE_THREAD(stack_limit) + MODTHREAD_STACK_MARGIN;
}

#define lwip_lock_acquire() (check_stack(__func__), lwip_lock_acquire())

// A connection that is not closed here is aborted in the service task some seconds later: modlwip.c sees to that.
#define tcp_close(pcb) ((pcb)->state == LISTEN || enough_to_send() ? tcp_close(pcb) : ERR_OK)

#define LOCKED(call) ({ \
        lwip_lock_acquire(); \
        __auto_type result = call; \
        lwip_lock_release(); \
        result; \
    })
#define LOCKED_VOID(call) do { \
        lwip_lock_acquire(); \
        call; \
        lwip_lock_release(); \
} while (0)

// They take little of a stack, and are called by the service task, too.
#define LOCKED_UNCHECKED(call) do { \
        (lwip_lock_acquire)(); \
        call; \
        lwip_lock_release(); \
} while (0)

#define tcp_accept(...) LOCKED_UNCHECKED(tcp_accept(__VA_ARGS__))
#define tcp_arg(...) LOCKED_UNCHECKED(tcp_arg(__VA_ARGS__))
#define udp_recv(...) LOCKED_UNCHECKED(udp_recv(__VA_ARGS__))
#define raw_recv(...) LOCKED_UNCHECKED(raw_recv(__VA_ARGS__))

// modlwip.c calls these as it closes a socket that listens, whose record is shorter and has no such function: it would write
// to what lies behind.
#define tcp_err(pcb, function) LOCKED_UNCHECKED(if ((pcb)->state != LISTEN) tcp_err(pcb, function))
#define tcp_recv(pcb, function) LOCKED_UNCHECKED(if ((pcb)->state != LISTEN) tcp_recv(pcb, function))

#define tcp_new() LOCKED(tcp_new())
#define tcp_bind(...) LOCKED(tcp_bind(__VA_ARGS__))
#define tcp_listen_with_backlog_and_err(...) LOCKED(tcp_listen_with_backlog_and_err(__VA_ARGS__))
#define udp_new() LOCKED(udp_new())
#define udp_bind(...) LOCKED(udp_bind(__VA_ARGS__))
#define udp_connect(...) LOCKED(udp_connect(__VA_ARGS__))
#define raw_new(...) LOCKED(raw_new(__VA_ARGS__))
#define raw_connect(...) LOCKED(raw_connect(__VA_ARGS__))
#define igmp_joingroup(...) LOCKED(igmp_joingroup(__VA_ARGS__))
#define igmp_leavegroup(...) LOCKED(igmp_leavegroup(__VA_ARGS__))
#define dhcp_start(...) LOCKED(dhcp_start(__VA_ARGS__))
#define dhcp_renew(...) LOCKED(dhcp_renew(__VA_ARGS__))
#define dhcp_release(...) LOCKED(dhcp_release(__VA_ARGS__))
#define dhcp_release_and_stop(...) LOCKED_VOID(dhcp_release_and_stop(__VA_ARGS__))
#define dhcp_stop(...) LOCKED_VOID(dhcp_stop(__VA_ARGS__))
#define dns_setserver(...) LOCKED_VOID(dns_setserver(__VA_ARGS__))
#define netif_set_addr(...) LOCKED_VOID(netif_set_addr(__VA_ARGS__))

#endif // MODTHREAD_LWIP_NETWORK_LOCKED_H
