// This file is part of modthread. SPDX-License-Identifier: MIT
//
// SMSC LAN9118 (Microchip DS00002266, sections 3.12, 3.13 and 5), as far as a driver needs it that moves each word itself.
// Arm's application note AN385, section 3.10, says where it is.

#include "lan9118.h"
#include "nvic.h"

typedef struct _lan9118_t {
    volatile uint32_t rx_data, rx_data_aliases[7]; // 00h
    volatile uint32_t tx_data, tx_data_aliases[7]; // 20h
    volatile uint32_t rx_status, rx_status_peek; // 40h
    volatile uint32_t tx_status, tx_status_peek;
    volatile uint32_t id_rev; // 50h
    volatile uint32_t irq_cfg, int_sts, int_en;
    uint32_t reserved;
    volatile uint32_t byte_test; // 64h
    volatile uint32_t fifo_int, rx_cfg, tx_cfg;
    volatile uint32_t hw_cfg; // 74h
    volatile uint32_t rx_dp_ctl, rx_fifo_inf, tx_fifo_inf;
    volatile uint32_t pmt_ctrl; // 84h
    volatile uint32_t gpio_cfg, gpt_cfg, gpt_cnt;
    uint32_t reserved2;
    volatile uint32_t word_swap; // 98h
    volatile uint32_t free_run, rx_drop;
    volatile uint32_t mac_csr_cmd, mac_csr_data; // a4h
    volatile uint32_t afc_cfg, e2p_cmd, e2p_data;
} lan9118_t;
_Static_assert(offsetof(lan9118_t, mac_csr_cmd) == 0xa4, "the data sheet's table 5-1");
#define LAN ((lan9118_t *)0x40200000)

#define IRQ_CFG_ENABLED_ACTIVE_HIGH (1 << 8 | 1 << 4 | 1 << 0) // IRQ_EN, IRQ_POL, IRQ_TYPE: push-pull
#define INT_PHY (1 << 18)
#define INT_RX_STATUS_LEVEL (1 << 3) // RSFL: more in the status FIFO than FIFO_INT says
#define FIFO_INT_TX_LEVEL (0x48000000) // its default; the level of received frames is 0
#define HW_CFG_STORE_AND_FORWARD (1 << 20) // "must be one"
#define HW_CFG_TX_FIFO_5K (5 << 16)
#define HW_CFG_RESET (1 << 0)
#define TX_CFG_ON (1 << 1)
#define PMT_CTRL_READY (1 << 0)
#define E2P_CMD_BUSY (1u << 31)
#define AFC_CFG_DEFAULT (0x006e3740) // as the data sheet suggests for half duplex

#define TX_A_FIRST_AND_LAST (1 << 13 | 1 << 12)
#define RX_STATUS_SIZE(status) ((status) >> 16 & 0x3fff)
#define RX_STATUS_ERROR (1 << 15)
#define FIFO_STATUS_USED(inf) ((inf) >> 16 & 0xff)
#define FIFO_TX_FREE(inf) ((inf) & 0xffff)

#define MAC_CSR_BUSY (1u << 31)
#define MAC_CSR_READ (1 << 30)
enum { MAC_CR = 1, MAC_ADDRH, MAC_ADDRL, MAC_MII_ACC = 6, MAC_MII_DATA };
#define MAC_CR_FULL_DUPLEX (1 << 20)
#define MAC_CR_MULTICAST (1 << 19) // MCPAS: all of it; lwIP has its own filter
#define MAC_CR_TX_ON (1 << 3)
#define MAC_CR_RX_ON (1 << 2)
#define MII_PHY (1 << 11) // the chip's own is number 1
#define MII_WRITE (1 << 1)
#define MII_BUSY (1 << 0)
enum { PHY_STATUS = 1, PHY_INT_SOURCE = 29, PHY_INT_MASK };
#define PHY_STATUS_LINK (1 << 2)
#define PHY_INT_LINK (1 << 7 | 1 << 4) // energy comes; the link is down

#define CHECKSUM_SIZE (4)

#define IRQ_PRIORITY (0x80) // less urgent than configMAX_SYSCALL_INTERRUPT_PRIORITY, for it calls the kernel

/******************************************************************************/
// Registers behind registers

static uint32_t mac_read(uint32_t number) {
    LAN->mac_csr_cmd = MAC_CSR_BUSY | MAC_CSR_READ | number;
    while (LAN->mac_csr_cmd & MAC_CSR_BUSY) {
    }
    return LAN->mac_csr_data;
}

static void mac_write(uint32_t number, uint32_t value) {
    LAN->mac_csr_data = value;
    LAN->mac_csr_cmd = MAC_CSR_BUSY | number;
    while (LAN->mac_csr_cmd & MAC_CSR_BUSY) {
    }
}

static void phy_access(uint32_t number, uint32_t write) {
    mac_write(MAC_MII_ACC, MII_PHY | number << 6 | write | MII_BUSY);
    while (mac_read(MAC_MII_ACC) & MII_BUSY) {
    }
}

static uint32_t phy_read(uint32_t number) {
    phy_access(number, 0);
    return mac_read(MAC_MII_DATA);
}

static void phy_write(uint32_t number, uint32_t value) {
    mac_write(MAC_MII_DATA, value);
    phy_access(number, MII_WRITE);
}

/******************************************************************************/
// Start and stop

static void reset(void) {
    while (!(LAN->pmt_ctrl & PMT_CTRL_READY)) {
    }
    LAN->hw_cfg = HW_CFG_RESET;
    while (LAN->hw_cfg & HW_CFG_RESET) {
    }
    LAN->hw_cfg = HW_CFG_STORE_AND_FORWARD | HW_CFG_TX_FIFO_5K;
    LAN->afc_cfg = AFC_CFG_DEFAULT;
    while (LAN->e2p_cmd & E2P_CMD_BUSY) {
        // it reads its address
    }
}

void lan9118_start(uint8_t address[6]) {
    reset();
    uint32_t low = mac_read(MAC_ADDRL), high = mac_read(MAC_ADDRH);
    for (int i = 0; i < 6; i++) {
        address[i] = (i < 4 ? low >> 8 * i : high >> 8 * (i - 4)) & 0xff;
    }
    phy_write(PHY_INT_MASK, PHY_INT_LINK);
    LAN->fifo_int = FIFO_INT_TX_LEVEL;
    LAN->tx_cfg = TX_CFG_ON;
    mac_write(MAC_CR, MAC_CR_FULL_DUPLEX | MAC_CR_MULTICAST | MAC_CR_TX_ON | MAC_CR_RX_ON);
    LAN->irq_cfg = IRQ_CFG_ENABLED_ACTIVE_HIGH; // before, it is active low
    NVIC_ICPR0 = 1 << LAN9118_IRQ;
    nvic_enable(LAN9118_IRQ, IRQ_PRIORITY);
    lan9118_listen();
}

void lan9118_stop(void) {
    LAN->int_en = 0;
    mac_write(MAC_CR, 0);
    LAN->tx_cfg = 0;
}

bool lan9118_has_link(void) {
    return phy_read(PHY_STATUS) & PHY_STATUS_LINK;
}

/******************************************************************************/
// Frames

size_t lan9118_receive(uint32_t words[LAN9118_FRAME_WORDS]) {
    while (FIFO_STATUS_USED(LAN->rx_fifo_inf) != 0) {
        uint32_t status = LAN->rx_status;
        size_t size = RX_STATUS_SIZE(status);
        size_t length = (size + 3) / 4;
        for (size_t i = 0; i < length; i++) {
            uint32_t word = LAN->rx_data;
            if (i < LAN9118_FRAME_WORDS) {
                words[i] = word;
            }
        }
        if (!(status & RX_STATUS_ERROR) && size > CHECKSUM_SIZE && length <= LAN9118_FRAME_WORDS) {
            return size - CHECKSUM_SIZE;
        }
    }
    return 0;
}

bool lan9118_send(const uint32_t *words, size_t size) {
    while (FIFO_STATUS_USED(LAN->tx_fifo_inf) != 0) {
        (void)LAN->tx_status; // of the frames before; an error is as good as a lost frame
    }
    size_t length = (size + 3) / 4;
    if (FIFO_TX_FREE(LAN->tx_fifo_inf) < (2 + length) * 4) {
        return false;
    }
    LAN->tx_data = TX_A_FIRST_AND_LAST | size;
    LAN->tx_data = size;
    for (size_t i = 0; i < length; i++) {
        LAN->tx_data = words[i];
    }
    return true;
}

/******************************************************************************/
// The interrupt

void lan9118_handler(void) {
    LAN->int_en = 0;
    lan9118_on_interrupt();
}

void lan9118_acknowledge(void) {
    LAN->int_sts = INT_RX_STATUS_LEVEL;
    (void)phy_read(PHY_INT_SOURCE);
}

void lan9118_listen(void) {
    LAN->int_en = INT_PHY | INT_RX_STATUS_LEVEL;
}
