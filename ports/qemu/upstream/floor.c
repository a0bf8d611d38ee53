// This file is part of modthread. SPDX-License-Identifier: MIT
//
// Module floor: what the kernel's own primitives cost, without Python. Every function does its work n times; the GIL is
// held, so that no other Python thread takes part.

#include "py/runtime.h"

#include "FreeRTOS.h"
#include "semphr.h"
#include "task.h"

#define STACK_WORDS (1024)
#define TASK_PRIORITY (configMAX_PRIORITIES - 1)

static TaskHandle_t caller;

static mp_obj_t floor_mutex(mp_obj_t n) {
    StaticSemaphore_t memory;
    SemaphoreHandle_t mutex = xSemaphoreCreateMutexStatic(&memory);
    for (mp_int_t i = mp_obj_get_int(n); i > 0; i--) {
        xSemaphoreTake(mutex, portMAX_DELAY);
        xSemaphoreGive(mutex);
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(floor_mutex_obj, floor_mutex);

static void answer(void *argument) {
    (void)argument;
    for (;;) {
        ulTaskNotifyTake(pdTRUE, portMAX_DELAY);
        xTaskNotifyGive(caller);
    }
}

static void end(void *argument) {
    (void)argument;
    xTaskNotifyGive(caller);
    vTaskSuspend(NULL);
}

static StaticTask_t tcb;
static StackType_t stack[STACK_WORDS];

static TaskHandle_t start(TaskFunction_t function) {
    caller = xTaskGetCurrentTaskHandle();
    return xTaskCreateStatic(function, "", STACK_WORDS, NULL, TASK_PRIORITY, stack, &tcb);
}

static mp_obj_t floor_hand_over(mp_obj_t n) {
    TaskHandle_t other = start(answer);
    for (mp_int_t i = mp_obj_get_int(n); i > 0; i--) {
        xTaskNotifyGive(other);
        ulTaskNotifyTake(pdTRUE, portMAX_DELAY);
    }
    vTaskDelete(other);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(floor_hand_over_obj, floor_hand_over);

static mp_obj_t floor_start(mp_obj_t n) {
    for (mp_int_t i = mp_obj_get_int(n); i > 0; i--) {
        TaskHandle_t other = start(end);
        ulTaskNotifyTake(pdTRUE, portMAX_DELAY);
        vTaskDelete(other);
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(floor_start_obj, floor_start);

static const mp_rom_map_elem_t floor_globals_table[] = {
    { MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR_floor) },
    { MP_ROM_QSTR(MP_QSTR_mutex), MP_ROM_PTR(&floor_mutex_obj) },
    { MP_ROM_QSTR(MP_QSTR_hand_over), MP_ROM_PTR(&floor_hand_over_obj) },
    { MP_ROM_QSTR(MP_QSTR_start), MP_ROM_PTR(&floor_start_obj) },
};
static MP_DEFINE_CONST_DICT(floor_globals, floor_globals_table);

const mp_obj_module_t floor_module = {
    .base = { &mp_type_module },
    .globals = (mp_obj_dict_t *)&floor_globals,
};

MP_REGISTER_MODULE(MP_QSTR_floor, floor_module);
