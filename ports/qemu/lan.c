// This file is part of modthread. SPDX-License-Identifier: MIT

#include <string.h>

#include "py/mperrno.h"
#include "py/mphal.h"
#include "py/mpthread.h"
#include "py/runtime.h"
#include "extmod/modnetwork.h"

#include "lwip/dhcp.h"
#include "lwip/dns.h"
#include "lwip/etharp.h"
#include "lwip/init.h"
#include "lwip/netif.h"
#include "lwip/priv/tcp_priv.h"
#include "lwip/timeouts.h"
#include "netif/ethernet.h"

#if MICROPY_PY_THREAD
#include "modthread/stack.h"
#include "ports/cortex_m/service.h"
#include "ports/lwip/network.h"
#endif

#include "lan.h"
#include "lan9118.h"

static struct netif netif;
static bool is_active;

// One frame, on the way from the chip or to it; with the lock.
static uint32_t frame[LAN9118_FRAME_WORDS];

/******************************************************************************/
// What lwIP and MicroPython's socket module ask of a port

u32_t sys_now(void) {
    return mp_hal_ticks_ms();
}

// Nothing on this board is random.
uint32_t network_random(void) {
    static uint32_t state = 1;
    state = (state ^ mp_hal_ticks_cpu()) * 1664525 + 1013904223;
    return state ^ state >> 16;
}

#if MICROPY_PY_THREAD

void lwip_lock_acquire(void) {
    service_lock();
}

void lwip_lock_release(void) {
    service_unlock();
}

#ifndef NDEBUG
void network_assert_locked(void) {
    assert(service_is_locked_here());
}
#endif

#else

void lwip_lock_acquire(void) {
}

void lwip_lock_release(void) {
}

#endif

/******************************************************************************/
// Frames; with the lock

static err_t send(struct netif *self, struct pbuf *packet) {
    (void)self;
    u16_t size = pbuf_copy_partial(packet, frame, sizeof(frame), 0);
    return lan9118_send(frame, size) ? ERR_OK : ERR_MEM;
}

static void receive(void) {
    size_t size;
    while ((size = lan9118_receive(frame)) != 0) {
        struct pbuf *packet = pbuf_alloc(PBUF_RAW, size, PBUF_POOL);
        if (packet == NULL) {
            continue; // lost, as on the wire
        }
        pbuf_take(packet, frame, size);
        if (netif.input(packet, &netif) != ERR_OK) {
            pbuf_free(packet);
        }
    }
}

static void follow_link(void) {
    bool has_link = lan9118_has_link();
    if (has_link && !netif_is_link_up(&netif)) {
        netif_set_link_up(&netif);
    } else if (!has_link && netif_is_link_up(&netif)) {
        netif_set_link_down(&netif);
    }
}

static void work(void) {
    lan9118_acknowledge();
    follow_link();
    receive();
    sys_check_timeouts();
    lan9118_listen();
}

#if MICROPY_PY_THREAD

TickType_t service_run_locked(void) {
    if (!is_active) {
        return KERNEL_FOREVER;
    }
    work();
    mp_thread_notify(); // a socket may have what a thread waits for
    return pdMS_TO_TICKS(sys_timeouts_sleeptime()) + 1;
}

TickType_t service_run(void) {
    return KERNEL_FOREVER;
}

void lan9118_on_interrupt(void) {
    service_notify();
}

#else

void lan_poll(void) {
    if (is_active) {
        work();
    }
}

void lan9118_on_interrupt(void) {
}

#endif

/******************************************************************************/
// On and off

static err_t init(struct netif *self) {
    self->linkoutput = send;
    self->output = etharp_output;
    self->mtu = LAN9118_FRAME_MAX - SIZEOF_ETH_HDR;
    self->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET | NETIF_FLAG_IGMP;
    self->name[0] = 'e';
    self->name[1] = 'n';
    self->hwaddr_len = ETH_HWADDR_LEN;
    netif_set_hostname(self, mod_network_hostname_data);
    lan9118_start(self->hwaddr);
    return ERR_OK;
}

void lan_init(void) {
    lwip_lock_acquire();
    lwip_init();
    lwip_lock_release();
}

static err_t start(void) {
    sys_restart_timeouts();
    netif_add(&netif, IP4_ADDR_ANY4, IP4_ADDR_ANY4, IP4_ADDR_ANY4, NULL, init, ethernet_input);
    netif_set_default(&netif);
    follow_link();
    netif_set_up(&netif);
    is_active = true;
    return dhcp_start(&netif);
}

// Who asked has left, or gets no answer any more: all questions end as if their time were over.
static void end_questions(void) {
    for (int seconds = 0; seconds < 1 + DNS_MAX_RETRIES * (DNS_MAX_RETRIES + 1) / 2; seconds++) {
        dns_tmr();
    }
}

// Connections that are closed, and of which the other side may have missed the end: nothing comes from it any more.
static void forget_closed_connections(void) {
    while (tcp_tw_pcbs != NULL) {
        tcp_abort(tcp_tw_pcbs);
    }
}

static void stop(void) {
    is_active = false;
    dhcp_stop(&netif);
    dhcp_cleanup(&netif);
    netif_remove(&netif); // aborts the connections that have its address
    lan9118_stop();
    end_questions();
    forget_closed_connections();
    dns_setserver(0, NULL);
}

void lan_start(void) {
    #if MICROPY_PY_THREAD
    static bool has_service;
    if (!has_service) {
        service_start("lan");
        has_service = true;
    }
    stack_check(STACK_NEED_NETWORK);
    #endif
    lwip_lock_acquire();
    err_t error = is_active ? ERR_OK : start();
    lwip_lock_release();
    #if MICROPY_PY_THREAD
    service_notify();
    #endif
    if (error != ERR_OK) {
        mp_raise_OSError(MP_ENOMEM);
    }
}

void lan_stop(void) {
    lwip_lock_acquire();
    if (is_active) {
        stop();
    }
    lwip_lock_release();
}

bool lan_is_active(void) {
    return is_active;
}

bool lan_has_link(void) {
    lwip_lock_acquire();
    bool has_link = is_active && lan9118_has_link();
    lwip_lock_release();
    return has_link;
}

struct netif *lan_netif(void) {
    return &netif;
}
