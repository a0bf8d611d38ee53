// This file is part of modthread. SPDX-License-Identifier: MIT

#include "py/mphal.h"
#include "py/runtime.h"

#include "machine_timer.h"

#define MODE_ONE_SHOT (0)
#define MODE_PERIODIC (1)

typedef struct _machine_timer_obj_t {
    mp_obj_base_t base;
    struct _machine_timer_obj_t *next;
    mp_obj_t callback;
    uint32_t period_ms;
    uint32_t left_ms; // until it fires next
    bool periodic;
} machine_timer_obj_t;

// All timers that run; the tick interrupt walks this list.
MP_REGISTER_ROOT_POINTER(struct _machine_timer_obj_t *machine_timers);

static void timer_stop(machine_timer_obj_t *timer) {
    mp_uint_t state = MICROPY_BEGIN_ATOMIC_SECTION();
    for (machine_timer_obj_t **link = &MP_STATE_PORT(machine_timers); *link != NULL; link = &(*link)->next) {
        if (*link == timer) {
            *link = timer->next;
            break;
        }
    }
    MICROPY_END_ATOMIC_SECTION(state);
}

static void timer_start(machine_timer_obj_t *timer) {
    mp_uint_t state = MICROPY_BEGIN_ATOMIC_SECTION();
    timer->left_ms = timer->period_ms;
    timer->next = MP_STATE_PORT(machine_timers);
    MP_STATE_PORT(machine_timers) = timer;
    MICROPY_END_ATOMIC_SECTION(state);
}

void machine_timer_tick(void) {
    for (machine_timer_obj_t **link = &MP_STATE_PORT(machine_timers); *link != NULL;) {
        machine_timer_obj_t *timer = *link;
        if (--timer->left_ms == 0) {
            mp_sched_schedule(timer->callback, MP_OBJ_FROM_PTR(timer));
            timer->left_ms = timer->period_ms;
            if (!timer->periodic) {
                *link = timer->next;
                continue;
            }
        }
        link = &timer->next;
    }
}

void machine_timer_deinit_all(void) {
    MP_STATE_PORT(machine_timers) = NULL;
}

static void timer_init(machine_timer_obj_t *self, size_t n_args, const mp_obj_t *args, mp_map_t *kwargs) {
    enum { ARG_mode, ARG_callback, ARG_period, ARG_freq };
    static const mp_arg_t allowed[] = {
        { MP_QSTR_mode, MP_ARG_KW_ONLY | MP_ARG_INT, { .u_int = MODE_PERIODIC } },
        { MP_QSTR_callback, MP_ARG_KW_ONLY | MP_ARG_OBJ, { .u_rom_obj = MP_ROM_NONE } },
        { MP_QSTR_period, MP_ARG_KW_ONLY | MP_ARG_INT, { .u_int = -1 } },
        { MP_QSTR_freq, MP_ARG_KW_ONLY | MP_ARG_INT, { .u_int = 0 } },
    };
    mp_arg_val_t parsed[MP_ARRAY_SIZE(allowed)];
    mp_arg_parse_all(n_args, args, kwargs, MP_ARRAY_SIZE(allowed), allowed, parsed);
    timer_stop(self);
    self->periodic = parsed[ARG_mode].u_int == MODE_PERIODIC;
    self->callback = parsed[ARG_callback].u_obj;
    mp_int_t freq = parsed[ARG_freq].u_int;
    mp_int_t period = freq > 0 ? 1000 / freq : parsed[ARG_period].u_int;
    if (period <= 0) {
        mp_raise_ValueError(MP_ERROR_TEXT("period must be at least 1 ms, freq at most 1000 Hz"));
    }
    self->period_ms = period;
    if (self->callback != mp_const_none) {
        timer_start(self);
    }
}

static mp_obj_t machine_timer_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    mp_arg_check_num(n_args, n_kw, 0, 1, true);
    if (n_args > 0 && mp_obj_get_int(args[0]) != -1) {
        mp_raise_ValueError(MP_ERROR_TEXT("only virtual timers, Timer(-1)"));
    }
    machine_timer_obj_t *self = mp_obj_malloc(machine_timer_obj_t, type);
    self->callback = mp_const_none;
    if (n_kw > 0) {
        mp_map_t kwargs;
        mp_map_init_fixed_table(&kwargs, n_kw, args + n_args);
        timer_init(self, 0, NULL, &kwargs);
    }
    return MP_OBJ_FROM_PTR(self);
}

static mp_obj_t machine_timer_init(size_t n_args, const mp_obj_t *args, mp_map_t *kwargs) {
    timer_init(MP_OBJ_TO_PTR(args[0]), n_args - 1, args + 1, kwargs);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_KW(machine_timer_init_obj, 1, machine_timer_init);

static mp_obj_t machine_timer_deinit(mp_obj_t self) {
    timer_stop(MP_OBJ_TO_PTR(self));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(machine_timer_deinit_obj, machine_timer_deinit);

static const mp_rom_map_elem_t machine_timer_locals_dict_table[] = {
    { MP_ROM_QSTR(MP_QSTR_init), MP_ROM_PTR(&machine_timer_init_obj) },
    { MP_ROM_QSTR(MP_QSTR_deinit), MP_ROM_PTR(&machine_timer_deinit_obj) },
    { MP_ROM_QSTR(MP_QSTR_ONE_SHOT), MP_ROM_INT(MODE_ONE_SHOT) },
    { MP_ROM_QSTR(MP_QSTR_PERIODIC), MP_ROM_INT(MODE_PERIODIC) },
};
static MP_DEFINE_CONST_DICT(machine_timer_locals_dict, machine_timer_locals_dict_table);

MP_DEFINE_CONST_OBJ_TYPE(
    machine_timer_type,
    MP_QSTR_Timer,
    MP_TYPE_FLAG_NONE,
    make_new, machine_timer_make_new,
    locals_dict, &machine_timer_locals_dict
    );
