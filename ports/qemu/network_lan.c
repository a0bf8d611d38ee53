// This file is part of modthread. SPDX-License-Identifier: MIT
//
// network.LAN, with the methods that it has in MicroPython's other ports (docs/library/network.LAN.rst).

#include "py/runtime.h"
#include "extmod/modnetwork.h"
#include "shared/netutils/netutils.h"

#include "lwip/netif.h"

#include "lan.h"

// What status() returns; MicroPython's stm32 port has the same numbers.
enum { STATUS_DOWN, STATUS_NO_IP = 2, STATUS_UP };

extern const mp_obj_type_t network_lan_type;
static const mp_obj_base_t network_lan = { &network_lan_type };

static int status(void) {
    if (!lan_has_link()) {
        return STATUS_DOWN;
    }
    return ip4_addr_isany_val(*netif_ip4_addr(lan_netif())) ? STATUS_NO_IP : STATUS_UP;
}

static mp_obj_t network_lan_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    (void)type;
    (void)args;
    mp_arg_check_num(n_args, n_kw, 0, 0, false);
    return MP_OBJ_FROM_PTR(&network_lan);
}

static void network_lan_print(const mp_print_t *print, mp_obj_t self, mp_print_kind_t kind) {
    (void)self;
    (void)kind;
    char address[IP4ADDR_STRLEN_MAX];
    ip4addr_ntoa_r(netif_ip4_addr(lan_netif()), address, sizeof(address));
    mp_printf(print, "<LAN %d %s>", status(), address);
}

static mp_obj_t network_lan_active(size_t n_args, const mp_obj_t *args) {
    if (n_args == 1) {
        return mp_obj_new_bool(lan_is_active());
    }
    if (mp_obj_is_true(args[1])) {
        lan_start();
    } else {
        lan_stop();
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(network_lan_active_obj, 1, 2, network_lan_active);

static mp_obj_t network_lan_isconnected(mp_obj_t self) {
    (void)self;
    return mp_obj_new_bool(status() == STATUS_UP);
}
static MP_DEFINE_CONST_FUN_OBJ_1(network_lan_isconnected_obj, network_lan_isconnected);

static mp_obj_t network_lan_status(mp_obj_t self) {
    (void)self;
    return MP_OBJ_NEW_SMALL_INT(status());
}
static MP_DEFINE_CONST_FUN_OBJ_1(network_lan_status_obj, network_lan_status);

static void check_active(void) {
    if (!lan_is_active()) {
        mp_raise_msg(&mp_type_OSError, MP_ERROR_TEXT("call active(True) first"));
    }
}

static mp_obj_t network_lan_ifconfig(size_t n_args, const mp_obj_t *args) {
    if (n_args > 1) {
        check_active();
    }
    return mod_network_nic_ifconfig(lan_netif(), n_args - 1, args + 1);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(network_lan_ifconfig_obj, 1, 2, network_lan_ifconfig);

static mp_obj_t network_lan_ipconfig(size_t n_args, const mp_obj_t *args, mp_map_t *kwargs) {
    check_active();
    return mod_network_nic_ipconfig(lan_netif(), n_args - 1, args + 1, kwargs);
}
static MP_DEFINE_CONST_FUN_OBJ_KW(network_lan_ipconfig_obj, 1, network_lan_ipconfig);

static mp_obj_t network_lan_config(mp_obj_t self, mp_obj_t name) {
    (void)self;
    if (mp_obj_str_get_qstr(name) != MP_QSTR_mac) {
        mp_raise_ValueError(MP_ERROR_TEXT("unknown config param"));
    }
    check_active();
    return mp_obj_new_bytes(lan_netif()->hwaddr, sizeof(lan_netif()->hwaddr));
}
static MP_DEFINE_CONST_FUN_OBJ_2(network_lan_config_obj, network_lan_config);

static const mp_rom_map_elem_t network_lan_locals_dict_table[] = {
    { MP_ROM_QSTR(MP_QSTR_active), MP_ROM_PTR(&network_lan_active_obj) },
    { MP_ROM_QSTR(MP_QSTR_isconnected), MP_ROM_PTR(&network_lan_isconnected_obj) },
    { MP_ROM_QSTR(MP_QSTR_status), MP_ROM_PTR(&network_lan_status_obj) },
    { MP_ROM_QSTR(MP_QSTR_ifconfig), MP_ROM_PTR(&network_lan_ifconfig_obj) },
    { MP_ROM_QSTR(MP_QSTR_ipconfig), MP_ROM_PTR(&network_lan_ipconfig_obj) },
    { MP_ROM_QSTR(MP_QSTR_config), MP_ROM_PTR(&network_lan_config_obj) },
};
static MP_DEFINE_CONST_DICT(network_lan_locals_dict, network_lan_locals_dict_table);

MP_DEFINE_CONST_OBJ_TYPE(
    network_lan_type,
    MP_QSTR_LAN,
    MP_TYPE_FLAG_NONE,
    make_new, network_lan_make_new,
    print, network_lan_print,
    locals_dict, &network_lan_locals_dict
    );
