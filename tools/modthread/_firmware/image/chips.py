"""What an image has to be for each chip: facts, which the rules use.

Addresses: RP2040 datasheet, 2.2; RP2350 datasheet, 2.2; Arm application note AN385, 3.1; the
technical reference manuals of the ESP32, ESP32-S3 and ESP32-C3, "System and Memory". Attributes:
"Addenda to, and Errata in, the ABI for the Arm Architecture", 2.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from modthread._boards.boards import Board
from modthread._firmware.image import thumb
from modthread.errors import ModthreadError

FLASH, RAM, ROM = "flash", "RAM", "ROM"


@dataclass(frozen=True)
class Memory:
    """Addresses that a chip has; `kind` is FLASH (not to be read while written), RAM or ROM."""

    kind: str
    start: int
    size: int

    @property
    def end(self) -> int:
        return self.start + self.size


@dataclass(frozen=True)
class Pointers:
    """A table of functions from symbol `start` to symbol `end`, every `stride` bytes one."""

    start: str
    end: str
    stride: int = 4


@dataclass(frozen=True)
class Vectors:
    """The table at `symbol`, or at `address`: the initial stack pointer, and `count` - 1 handlers.

    Those of `reserved` may be 0. The table is aligned to `alignment`.
    """

    count: int
    alignment: int
    reserved: frozenset[int]
    symbol: str = ""
    address: int = 0


@dataclass(frozen=True)
class Span:
    """Memory from symbol `start` to symbol `end`, which nothing else may have."""

    name: str
    start: str
    end: str
    alignment: int = 1


@dataclass(frozen=True)
class FlashOff:
    """A function that runs while flash cannot be read: it and what it calls are in RAM.

    Except for the functions in `may_call`, each with why it does not run then; and in firmware
    without our threads those of `stock_calls`. That is for images which have the function
    `goes_with`; where it is not `always` there, too, it may be missing. A static function of that
    name is meant in source `file` only, if that is not empty.
    """

    function: str
    goes_with: str
    may_call: Mapping[str, str] = field(default_factory=dict)
    stock_calls: Mapping[str, str] = field(default_factory=dict)
    always: bool = True
    file: str = ""


@dataclass(frozen=True)
class Chip:
    """All that the rules ask.

    `attributes` are what the image's build attributes say, None for what they must not say.
    `flags` are what each compiler got, `multilib` the folder of the libraries that go with them.
    `uf2_family` is None where no UF2 file is made. `boot` is the rule for the flash's beginning.
    `programs` are the functions of MicroPython's that run Python, which our port wraps.
    `extensions` are those of a RISC-V, of A, F and D. `foreign` are object files that say that they
    are for another processor, each with why they may.
    """

    name: str
    machine: str
    memories: tuple[Memory, ...]
    attributes: Mapping[str, int | str | None] = field(default_factory=dict)
    architecture: thumb.Architecture | None = None
    vectors: Vectors | None = None
    pointers: tuple[Pointers, ...] = ()
    spans: tuple[Span, ...] = ()
    stack_sections: tuple[str, ...] = ()
    flash_off: tuple[FlashOff, ...] = ()
    flags: tuple[str, ...] = ()
    multilib: str = ""
    uf2_family: int | None = None
    boot: str = ""
    esptool: str = ""
    programs: tuple[str, ...] = ()
    extensions: frozenset[str] = frozenset()
    foreign: Mapping[str, str] = field(default_factory=dict)


def _arm(architecture: int, thumb_use: int, **others: int) -> dict[str, int | str | None]:
    """Return attributes; those that name what a Cortex-M lacks must not be there."""
    return {
        "CPU_ARCH": architecture,
        "CPU_ARCH_PROFILE": ord("M"),
        "ARM_ISA_USE": None,
        "THUMB_ISA_USE": thumb_use,
        "FP_ARCH": None,
        "WMMX_ARCH": None,
        "ADVANCED_SIMD_ARCH": None,
        "MVE_ARCH": None,
        "CPU_UNALIGNED_ACCESS": None,
        "ABI_VFP_ARGS": None,
        "ABI_ALIGN_NEEDED": 1,
        "ABI_PCS_WCHAR_T": 4,
        **others,
    }


V6S_M, V7, V8_M_MAIN = 12, 10, 17
THUMB_1, THUMB_2, THUMB_AS_THE_ARCHITECTURE = 1, 2, 3

C_ARRAYS = (
    Pointers("__preinit_array_start", "__preinit_array_end"),
    Pointers("__init_array_start", "__init_array_end"),
    Pointers("__fini_array_start", "__fini_array_end"),
)

PICO_SPANS = (
    Span("stack of core 0", "__StackBottom", "__StackTop", 8),
    Span("stack of core 1", "__StackOneBottom", "__StackOneTop", 8),
    Span("MicroPython's heap", "__GcHeapStart", "__GcHeapEnd", 4),
    Span(".data", "__data_start__", "__data_end__", 4),
    Span(".bss", "__bss_start__", "__bss_end__", 4),
)

BEFORE_FLASH_OFF = {
    "hard_assertion_failure": "for a wrong offset, before flash is turned off",
    "panic": "for a wrong offset, before flash is turned off",
}
AROUND_FLASH_OFF = "before it takes the flash's chip select, and after"
AFTER_FLASH_OFF = "it runs after the stop, and a new one waits until the interrupt has ended"
STOCK_FAULT = "a fault of stock firmware: it lives on what the flash's cache has kept"
# Interrupts are masked then. pico-sdk's flash.c; MicroPython's ports/rp2: rp2_flash.c, modrp2.c;
# ports/rp2/cores.c.
PICO_FLASH_OFF = (
    FlashOff("flash_range_erase", "rp2_flash_writeblocks", BEFORE_FLASH_OFF),
    FlashOff("flash_range_program", "rp2_flash_writeblocks", BEFORE_FLASH_OFF),
    FlashOff("flash_do_cmd", "flash_get_unique_id"),
    FlashOff(
        "rp2_flash_set_timing_internal",
        "rp2_flash_writeblocks",
        dict.fromkeys(
            ("__wrap___aeabi_idiv", "__wrap___aeabi_uidiv"), "it divides before it turns flash off"
        ),
    ),
    FlashOff(
        "bootsel_button",
        "rp2_bootsel_button",
        {
            "mp_thread_begin_atomic_section": AROUND_FLASH_OFF,
            "mp_thread_end_atomic_section": AROUND_FLASH_OFF,
            "cores_stop_other": AROUND_FLASH_OFF,
            "cores_continue_other": AROUND_FLASH_OFF,
        },
    ),
    # pico-sdk means them to be inlined, and with -Os they are not. Ours does without this handler.
    FlashOff(
        "multicore_lockout_handler",
        "multicore_lockout_victim_init",
        stock_calls={
            "multicore_fifo_pop_blocking_inline": STOCK_FAULT,
            "multicore_fifo_push_blocking_inline": STOCK_FAULT,
        },
    ),
    FlashOff("stop_if_wanted", "cores_stop_other"),
    FlashOff("cores_interrupt", "cores_stop_other", {"compiled_tick": AFTER_FLASH_OFF}),
)

# What the main.c of MicroPython's ports calls; ports/qemu has one of its own.
PYEXEC = ("pyexec_file_if_exists", "pyexec_friendly_repl", "pyexec_raw_repl")

RP2040 = Chip(
    name="RP2040",
    machine="EM_ARM",
    memories=(
        Memory(ROM, 0, 16 << 10),
        Memory(FLASH, 0x1000_0000, 16 << 20),
        Memory(RAM, 0x2000_0000, 264 << 10),
    ),
    attributes=_arm(V6S_M, THUMB_1),
    architecture=thumb.ARMV6M,
    vectors=Vectors(16 + 32, 256, frozenset({4, 5, 6, 7, 8, 9, 10, 12, 13}), "__vectors"),
    pointers=C_ARRAYS,
    spans=PICO_SPANS,
    flash_off=PICO_FLASH_OFF,
    flags=("-mcpu=cortex-m0plus", "-mthumb"),
    multilib="thumb/v6-m/nofp",
    uf2_family=0xE48B_FF56,
    programs=PYEXEC,
    boot="boot2",
)

RP2350 = Chip(
    name="RP2350",
    machine="EM_ARM",
    memories=(
        Memory(ROM, 0, 32 << 10),
        Memory(FLASH, 0x1000_0000, 16 << 20),
        Memory(RAM, 0x2000_0000, 520 << 10),
    ),
    attributes=_arm(
        V8_M_MAIN,
        THUMB_AS_THE_ARCHITECTURE,
        FP_ARCH=8,  # FPv5-D16
        ABI_HARDFP_USE=1,  # single precision only
        CPU_UNALIGNED_ACCESS=1,
    ),
    architecture=thumb.RP2350_M33,
    vectors=Vectors(16 + 52, 512, frozenset({8, 9, 10, 13}), "__vectors"),
    pointers=C_ARRAYS,
    spans=PICO_SPANS,
    flash_off=PICO_FLASH_OFF,
    flags=("-mcpu=cortex-m33", "-mthumb", "-mfloat-abi=softfp"),
    multilib="thumb/v8-m.main+fp/softfp",
    foreign={
        "bs2_default_padded_checksummed.S.o": (
            "bytes of RP2350 code, before which pico-sdk's script writes .cpu cortex-m0plus"
        )
    },
    uf2_family=0xE48B_FF59,
    programs=PYEXEC,
    boot="block",
)

MPS2_AN385 = Chip(
    name="MPS2_AN385",
    machine="EM_ARM",
    memories=(Memory(ROM, 0, 4 << 20), Memory(RAM, 0x2000_0000, 4 << 20)),
    attributes=_arm(V7, THUMB_2, CPU_UNALIGNED_ACCESS=1),
    architecture=thumb.ARMV7M,
    vectors=Vectors(16 + 32, 256, frozenset({7, 8, 9, 10, 13})),
    spans=(Span(".data", "_sdata", "_edata", 4), Span(".bss", "_sbss", "_ebss", 4)),
    stack_sections=(".interrupt_stack",),
    flags=("-mcpu=cortex-m3", "-mthumb", "-mfloat-abi=soft"),
    multilib="thumb/v7-m/nofp",
)

FATAL = dict.fromkeys(
    ("mp_thread_stack_overflow", "abort", "esp_system_abort", "__assert_func"),
    "it ends the firmware",
)
# The tick, the alarm, and what drivers' interrupts call that stay enabled with the caches off:
# ports/esp32.
ESP_FLASH_OFF = (
    FlashOff("tick", "mp_thread_notify", FATAL, file="tick.c"),
    FlashOff("alarm_handler", "mp_thread_notify", FATAL, file="tick.c"),
    FlashOff("mp_thread_tick", "mp_thread_notify", FATAL),
    FlashOff("mp_thread_notify", "mp_thread_notify", FATAL),
    FlashOff("__wrap_mp_hal_wake_main_task_from_isr", "mp_thread_notify", FATAL, always=False),
    FlashOff("gil_wake", "mp_thread_notify", FATAL, always=False),
    FlashOff("mp_sched_schedule", "mp_thread_notify", FATAL, always=False),
    FlashOff("mp_sched_schedule_node", "mp_thread_notify", FATAL, always=False),
    FlashOff("mp_sched_keyboard_interrupt", "mp_thread_notify", FATAL, always=False),
)
ESP_ARRAYS = (
    Pointers("__init_array_start", "__init_array_end"),
    Pointers("_esp_system_init_fn_array_start", "_esp_system_init_fn_array_end", 8),
)

ESP32 = Chip(
    name="ESP32",
    machine="EM_XTENSA",
    memories=(
        Memory(FLASH, 0x3F40_0000, 4 << 20),
        Memory(RAM, 0x3F80_0000, 4 << 20),
        Memory(RAM, 0x3FF8_0000, 8 << 10),
        Memory(RAM, 0x3FFA_E000, 328 << 10),
        Memory(ROM, 0x4000_0000, 448 << 10),
        Memory(RAM, 0x4007_0000, 192 << 10),
        Memory(RAM, 0x400C_0000, 8 << 10),
        Memory(FLASH, 0x400C_2000, 0x4040_0000 - 0x400C_2000),
        Memory(RAM, 0x5000_0000, 8 << 10),
    ),
    pointers=ESP_ARRAYS,
    flash_off=ESP_FLASH_OFF,
    esptool="esp32",
    programs=PYEXEC,
)

ESP32S3 = Chip(
    name="ESP32S3",
    machine="EM_XTENSA",
    memories=(
        Memory(FLASH, 0x3C00_0000, 32 << 20),
        Memory(RAM, 0x3FC8_8000, 480 << 10),
        Memory(ROM, 0x4000_0000, 384 << 10),
        Memory(RAM, 0x4037_0000, 448 << 10),
        Memory(FLASH, 0x4200_0000, 32 << 20),
        Memory(RAM, 0x5000_0000, 8 << 10),
        Memory(RAM, 0x600F_E000, 8 << 10),
    ),
    pointers=ESP_ARRAYS,
    flash_off=ESP_FLASH_OFF,
    esptool="esp32s3",
    programs=PYEXEC,
)

ESP32C3 = Chip(
    name="ESP32C3",
    machine="EM_RISCV",
    memories=(
        Memory(FLASH, 0x3C00_0000, 8 << 20),
        Memory(RAM, 0x3FC8_0000, 384 << 10),
        Memory(ROM, 0x4000_0000, 384 << 10),
        Memory(RAM, 0x4037_C000, 400 << 10),
        Memory(FLASH, 0x4200_0000, 8 << 20),
        Memory(RAM, 0x5000_0000, 8 << 10),
    ),
    pointers=ESP_ARRAYS,
    flash_off=ESP_FLASH_OFF,
    esptool="esp32c3",
    programs=PYEXEC,
)

CHIPS = {one.name: one for one in (RP2040, RP2350, MPS2_AN385, ESP32, ESP32S3, ESP32C3)}


def chip_of(board: Board) -> Chip:
    """Return the chip of `board`; raises ModthreadError for one that nobody has described."""
    name = MPS2_AN385.name  # ports/qemu has one
    if board.flash:
        name = board.flash.chip
    elif board.esptool:
        name = board.esptool.chip
    if name not in CHIPS:
        known = ", ".join(CHIPS)
        raise ModthreadError(f"{board.name}: nothing is known of chip {name}; known are {known}")
    return CHIPS[name]
