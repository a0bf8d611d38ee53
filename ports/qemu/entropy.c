// This file is part of modthread. SPDX-License-Identifier: MIT
//
// What Mbed TLS's random numbers begin with. Nothing on this board is random: the emulator puts a seed of the host's into its
// memory (board.toml), the same one at each reset. The number of the reset and the time make the next one of it.

#include <stdint.h>
#include <string.h>

#include "py/mpconfig.h"
#include "py/misc.h"
#include "py/mphal.h"

#include "mbedtls/entropy.h"
#include "mbedtls/sha256.h"

#define HASH_SIZE (32)

extern struct {
    uint8_t host[32];
    uint32_t resets;
    uint32_t polls;
    uint32_t cycles;
} seed; // where mps2.ld says

static bool is_seeded(void) {
    static const uint8_t none[sizeof(seed.host)];
    return memcmp(seed.host, none, sizeof(none)) != 0;
}

static void count(void) {
    static bool has_begun;
    if (!has_begun) {
        seed.resets++;
        has_begun = true;
    }
    seed.polls++;
    seed.cycles = mp_hal_ticks_cpu();
}

int mbedtls_hardware_poll(void *data, unsigned char *output, size_t size, size_t *given) {
    (void)data;
    if (!is_seeded()) {
        return MBEDTLS_ERR_ENTROPY_SOURCE_FAILED;
    }
    count();
    uint8_t hash[HASH_SIZE];
    int error = mbedtls_sha256((const unsigned char *)&seed, sizeof(seed), hash, 0);
    *given = MIN(size, sizeof(hash));
    memcpy(output, hash, *given);
    return error;
}
