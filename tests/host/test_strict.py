"""The strict chip: each rule on a program written for it, with the rule and without."""

import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from elftools.elf.elffile import ELFFile
from rp2040py.peripherals.uart import UARTDR, UARTICR, UARTIMSC

from modthread._base import project
from modthread._boards import boards
from modthread._emulators import strict
from modthread._emulators.emulator import Emulator
from modthread._emulators.strict import boot
from modthread._emulators.strict.chip import Chip
from modthread._flash import uf2
from modthread.errors import ModthreadError

RAM = 0x20000000
CODE = RAM + 0x100  # behind the vectors
STACK = RAM + 0x8000
SSI = 0x18000000
RESETS = 0x4000C000
UART0 = 0x40034000
LIMIT = 200  # instructions

DISABLE_SSI = "ldr r0, =0x18000008 \n movs r1, #0 \n str r1, [r0]"

# name: (the rule, what is refused, the program in thread mode, that of SVC's handler). Without the
# rule, both go on to "done"; where the handler is None, rp2040py goes astray.
REFUSED = {
    "BX": ("thumb", "HardFault: BX to an even address", "ldr r0, =done \n bx r0", ""),
    "BLX": ("thumb", "HardFault: BLX to an even address", "ldr r0, =done \n blx r0", ""),
    "POP": (
        "thumb",
        "HardFault: POP to an even address",
        "ldr r0, =done \n push {r0} \n pop {pc}",
        "",
    ),
    "vector": ("thumb", "HardFault: exception 14 to an even address", "PEND r0, r1, 28 \n nop", ""),
    "T bit": (
        "thumb",
        "HardFault: exception return into ARM state, bit T of the stacked xPSR is 0",
        "svc 0",
        "ldr r0, [sp, #28] \n lsls r0, #8 \n lsrs r0, #8 \n str r0, [sp, #28] \n bx lr",
    ),
    "EXC_RETURN": (
        "thumb",
        "HardFault: wrong EXC_RETURN 0xffffff29",
        "svc 0",
        "ldr r0, =0xffffff29 \n bx r0",
    ),
    "EXC_RETURN to a handler": (
        "thumb",
        "HardFault: wrong EXC_RETURN 0xfffffff1, the stacked xPSR is of the other mode",
        "svc 0",
        "ldr r0, =0xfffffff1 \n bx r0",
    ),
    "LDR": (
        "aligned",
        "HardFault: unaligned read of a word",
        "ldr r0, =RAM + 2 \n ldr r0, [r0]",
        "",
    ),
    "LDRH": (
        "aligned",
        "HardFault: unaligned read of a halfword",
        "ldr r0, =RAM + 1 \n ldrh r0, [r0]",
        "",
    ),
    "STR": (
        "aligned",
        "HardFault: unaligned write of a word",
        "ldr r0, =RAM + 2050 \n str r0, [r0]",
        "",
    ),
    "STRH": (
        "aligned",
        "HardFault: unaligned write of a halfword",
        "ldr r0, =RAM + 2049 \n strh r0, [r0]",
        "",
    ),
    "LDM": (
        "aligned",
        "HardFault: unaligned read of a word",
        "ldr r0, =RAM + 2 \n ldmia r0!, {r1, r2}",
        "",
    ),
    "read from nowhere": (
        "memory",
        "HardFault: read from no memory",
        "ldr r0, =0x20080000 \n ldr r0, [r0]",
        "",
    ),
    "byte from nowhere": (
        "memory",
        "HardFault: read from no memory",
        "ldr r0, =0x30000001 \n ldrb r0, [r0]",
        "",
    ),
    "write to nowhere": (
        "memory",
        "HardFault: write to no memory",
        "ldr r0, =0x20042000 \n str r0, [r0]",
        "",
    ),
    "program nowhere": (
        "memory",
        "HardFault: execution where no program can be",
        "ldr r0, =0x30000001 \n bx r0",
        None,
    ),
    "program in a peripheral": (
        "memory",
        "HardFault: execution where no program can be",
        "ldr r0, =0x40010001 \n bx r0",
        None,
    ),
    "stack nowhere": (
        "memory",
        "HardFault: write to no memory",
        "ldr r0, =0x20050000 \n mov sp, r0 \n svc 0",
        "",
    ),
    "ROM": ("readonly", "HardFault: write to ROM", "movs r0, #4 \n str r0, [r0]", ""),
    "flash": ("readonly", "HardFault: write to flash", "ldr r0, =0x10000000 \n str r0, [r0]", ""),
    "byte of flash": (
        "readonly",
        "HardFault: write to flash",
        "ldr r0, =0x13000000 \n strb r0, [r0]",
        "",
    ),
    "read without XIP": (
        "xip",
        "flash is read while XIP is off",
        f"{DISABLE_SSI} \n ldr r0, =0x10000000 \n ldr r0, [r0]",
        "",
    ),
    "program without XIP": (
        "xip",
        "flash is read while XIP is off",
        f"{DISABLE_SSI} \n ldr r0, =0x10000001 \n bx r0",
        None,
    ),
    "chip select is forced": (
        "xip",
        "flash is read while XIP is off",
        "ldr r0, =0x4001800c \n ldr r1, =0x200 \n str r1, [r0] \n"
        "ldr r0, =0x10000000 \n ldr r0, [r0]",
        "",
    ),
    "UDF": ("undefined", "HardFault: undefined instruction de01", ".hword 0xde01", ""),
    "BKPT": ("undefined", "HardFault: BKPT 7 without a debugger", "bkpt 7", ""),
    "CBZ": ("undefined", "HardFault: undefined instruction b108", ".hword 0xb108", ""),
    "IT": ("undefined", "HardFault: undefined instruction bf08", ".hword 0xbf08", ""),
    "LDR.W": ("undefined", "HardFault: undefined instruction f8d0", ".hword 0xf8d0, 0x0000", ""),
    "MOVW": (
        "undefined",
        "HardFault: undefined instruction f240 0001",
        ".hword 0xf240, 0x0001",
        "",
    ),
    "MOV to SP": (
        "stack",
        "HardFault: unaligned stack pointer",
        "ldr r0, =STACK - 2 \n mov sp, r0 \n svc 0",
        "bx lr",
    ),
    "MSR to PSP": (
        "stack",
        "HardFault: unaligned stack pointer",
        "ldr r0, =STACK - 2 \n msr psp, r0",
        "",
    ),
    "SVC": ("masking", "HardFault: SVC while it is masked", "cpsid i \n svc 0", ""),
    "TIMER in reset": (
        "reset_state",
        "read from TIMER, which is in reset",
        "ldr r0, =0x4000e000 \n ldr r1, =1 << 21 \n str r1, [r0] \n"
        "ldr r0, =0x40054028 \n ldr r0, [r0]",
        "",
    ),
    "USB's memory in reset": (
        "reset_state",
        "write to USBCTRL, which is in reset",
        "ldr r0, =0x4000e000 \n ldr r1, =1 << 24 \n str r1, [r0] \n"
        "ldr r0, =0x50100000 \n str r0, [r0]",
        "",
    ),
    "TIMER without clock": (
        "clocks_gated",
        "read from TIMER, which has no clock",
        "ldr r0, =0x4000b0a4 \n movs r1, #32 \n str r1, [r0] \nldr r0, =0x40054028 \n ldr r0, [r0]",
        "",
    ),
    "endless sleep": (
        "clocks_gated",
        "sleep without end: no interrupt that is enabled has a clock in sleep",
        "ENABLE r0, r1, 0 \n ldr r0, =0x4000b0ac \n movs r1, #32 \n str r1, [r0] \n wfi",
        None,
    ),
}

HEAD = """
    .syntax unified
    .cpu cortex-m0plus
    .thumb
    .set RAM, 0x20000000
    .set STACK, 0x20008000
    .macro PEND a, b, bit
    ldr \\a, =0xe000ed04
    ldr \\b, =1 << \\bit
    str \\b, [\\a]
    .endm
    .macro ENABLE a, b, irq
    ldr \\a, =0xe000e100
    ldr \\b, =1 << \\irq
    str \\b, [\\a]
    .endm
"""
# SysTick's handler and those of interrupts count in r7.
PROGRAM = """
    .word STACK, start + 1
    .rept 9
    .word handler + 1
    .endr
    .word svc + 1, 0, 0, pendsv, counts + 1
    .rept 32
    .word counts + 1
    .endr
    .balign 256
start:
    {program}
    b done
    .pool
svc:
    {svc}
    b done
    .pool
handler:
    ldr r6, =RAM + 1
    ldr r6, [r6]
    b handler
counts:
    adds r7, #1
    bx lr
pendsv:
    nop
    b done
done:
    b done
    .pool
"""


def assembled(folder: Path, program: str, svc: str = "") -> tuple[bytes, dict[str, int]]:
    """Return a program, vectors first, as it is at RAM's beginning, and its labels."""
    source = HEAD + PROGRAM.format(program=program, svc=svc)
    compiler = ["arm-none-eabi-gcc", "-mcpu=cortex-m0plus", "-nostdlib", f"-Wl,-Ttext={RAM:#x},-e0"]
    command = [*compiler, "-x", "assembler", "-", "-o", "program.elf"]
    subprocess.run(command, input=source.encode(), cwd=folder, check=True)
    with (folder / "program.elf").open("rb") as file:
        elf = ELFFile(file)
        code: Any = elf.get_section_by_name(".text")
        symbols: Any = elf.get_section_by_name(".symtab")
        return code.data(), {symbol.name: symbol["st_value"] for symbol in symbols.iter_symbols()}


class Bench:
    """A chip out of reset, with a program in RAM."""

    def __init__(self, folder: Path, program: str, svc: str = "", settings: str = "on") -> None:
        self.chip = Chip(None, strict.Settings.parse(settings))
        self.core = self.chip.core
        for address, value in ((SSI, 3 << 8), (SSI + 8, 1)):  # reads flash for the XIP controller
            self.chip.write_uint32(address, value)
        self.chip.write_uint32(RESETS, 0)
        code, self.labels = assembled(folder, program, svc)
        for index, byte in enumerate(code):
            self.chip.write_uint8(RAM + index, byte)
        for address in range(STACK - 64, STACK):
            self.chip.write_uint8(address, 0)
        self.core.vtor = RAM
        self.core.sp, self.core.pc = STACK, CODE

    def run(self) -> "Bench":
        """Run to the end, or to a sleep."""
        for _ in range(LIMIT):
            if self.core.waiting or self.core.pc & ~1 == self.labels["done"]:
                break
            self.core.execute_instruction()
        return self

    @property
    def done(self) -> bool:
        return self.core.pc & ~1 == self.labels["done"]

    def register(self, number: int) -> int:
        return int(self.core.registers[number])


def refusal(bench: Bench) -> str:
    """Return what `bench` is refused for; nothing where it runs on."""
    try:
        bench.run()
    except strict.RefusedError as refused:
        return str(refused)
    return ""


@pytest.mark.parametrize("name", REFUSED)
def test_what_the_chip_refuses_is_refused(name: str, tmp_path: Path) -> None:
    _, message, program, svc = REFUSED[name]
    assert refusal(Bench(tmp_path, program, svc or "")).startswith(message)


@pytest.mark.parametrize("name", REFUSED)
def test_without_its_rule_it_is_not(name: str, tmp_path: Path) -> None:
    rule, message, program, svc = REFUSED[name]
    bench = Bench(tmp_path, program, svc or "", f"{rule}=off")
    refused = refusal(bench)
    assert bench.done if svc is not None else not refused.startswith(message)


def test_all_rules_are_tested() -> None:
    tested = {rule for rule, *_ in REFUSED.values()} | {"priorities", "unwritten"}
    assert tested == set(strict.RULES)


MASKED_SLEEP = """
    ENABLE r0, r1, 30
    cpsid i
    wfi
    mov r5, r7
    cpsie i
    nop
"""


@pytest.mark.parametrize(("settings", "taken"), [("on", 0), ("masking=off", 1)])
def test_an_interrupt_ends_wfi_and_waits_for_primask(
    settings: str, taken: int, tmp_path: Path
) -> None:
    bench = Bench(tmp_path, MASKED_SLEEP, settings=settings).run()
    assert bench.core.waiting
    bench.chip.set_interrupt(30, True)
    assert not bench.core.waiting
    assert bench.run().done
    assert (bench.register(5), bench.register(7)) == (taken, 1)


PENDING_SLEEP = """
    ENABLE r0, r1, 30
    cpsid i
    ldr r0, =0xe000e200
    str r1, [r0]
    wfi
"""


@pytest.mark.parametrize(("settings", "asleep"), [("on", False), ("masking=off", True)])
def test_wfi_does_not_sleep_where_an_interrupt_is_pending(
    settings: str, asleep: bool, tmp_path: Path
) -> None:
    assert Bench(tmp_path, PENDING_SLEEP, settings=settings).run().core.waiting == asleep


@pytest.mark.parametrize(("settings", "asleep"), [("on", True), ("masking=off", False)])
def test_an_interrupt_that_is_not_more_urgent_does_not_end_a_handler_s_sleep(
    settings: str, asleep: bool, tmp_path: Path
) -> None:
    handler = "ENABLE r0, r1, 30 \n wfi \n bx lr"  # both have priority 0
    bench = Bench(tmp_path, "svc 0", handler, settings).run()
    bench.chip.set_interrupt(30, True)
    assert bench.core.waiting == asleep


def test_wfe_sleeps_on_where_an_interrupt_is_masked(tmp_path: Path) -> None:
    bench = Bench(tmp_path, MASKED_SLEEP.replace("wfi", "wfe")).run()
    bench.chip.set_interrupt(30, True)
    assert bench.core.waiting


SYSTICK = """
    ldr r0, =0xe000e010
    ldr r1, =1000
    str r1, [r0, #4]
    str r1, [r0, #8]
    movs r1, #7
    str r1, [r0]
    wfi
"""


def test_systick_ends_sleep(tmp_path: Path) -> None:
    bench = Bench(tmp_path, SYSTICK).run()
    assert bench.core.waiting
    bench.chip.clock.tick(1e9)
    assert not bench.core.waiting
    assert bench.run().register(7) >= 1


SHPR2, SHPR3, NVIC_IPR7 = 0xE000ED1C, 0xE000ED20, 0xE000E41C


# rp2040py itself keeps two bits for interrupts.
@pytest.mark.parametrize(
    ("settings", "register", "kept"),
    [
        ("on", SHPR2, 0xC0000000),
        ("on", SHPR3, 0xC0C00000),
        ("on", NVIC_IPR7, 0xC0C0C0C0),
        ("priorities=off", SHPR2, 0xFFFFFFFF),
        ("priorities=off", SHPR3, 0xFFFFFFFF),
    ],
)
def test_a_priority_has_two_bits(settings: str, register: int, kept: int, tmp_path: Path) -> None:
    write = f"ldr r0, ={register} \n movs r1, #0 \n mvns r1, r1 \n str r1, [r0] \n ldr r5, [r0]"
    assert Bench(tmp_path, write, settings=settings).run().register(5) == kept


GATED_SLEEP = """
    ENABLE r0, r1, 0
    ENABLE r0, r1, 30
    ldr r0, =0x4000b0ac
    movs r1, #32
    str r1, [r0]
    wfi
"""


@pytest.mark.parametrize(("settings", "asleep"), [("on", True), ("clocks_gated=off", False)])
def test_a_timer_without_clock_does_not_end_sleep(
    settings: str, asleep: bool, tmp_path: Path
) -> None:
    bench = Bench(tmp_path, GATED_SLEEP, settings=settings).run()
    bench.chip.set_interrupt(0, True)
    assert bench.core.waiting == asleep
    bench.chip.set_interrupt(30, True)
    assert not bench.core.waiting


READS = """
    ldr r0, =RAM + 2048
    str r0, [r0]
    ldr r1, [r0]
here:
    ldr r1, [r0, #4]
    ldrb r1, [r0, #9]
    b here
"""


@pytest.mark.parametrize(
    ("settings", "known"), [("on", {0: 0x804, 2: 0x809}), ("unwritten=off", {})]
)
def test_reads_of_ram_that_nobody_has_written_are_counted(
    settings: str, known: dict[int, int], tmp_path: Path
) -> None:
    bench = Bench(tmp_path, READS, settings=settings).run()
    here = bench.labels["here"]
    found = {at - here: address - RAM for at, address in bench.chip.first_reads.items()}
    assert found == known
    assert bench.chip.unwritten_reads >= 50 * len(known)  # each once in the list


FAULT = "ldr r0, =RAM + 2 \n movs r3, #1 \n fault: \n ldr r0, [r0]"


def test_a_fault_can_be_the_program_s(tmp_path: Path) -> None:
    bench = Bench(tmp_path, FAULT, settings="hardfault=taken")
    while bench.core.ipsr == 0:
        bench.core.execute_instruction()
    assert bench.core.ipsr == 3
    stacked = [bench.chip.read_uint32(bench.core.sp + 4 * index) for index in (0, 3, 6)]
    assert stacked == [RAM + 2, 1, bench.labels["fault"]]


@pytest.mark.parametrize(
    "branch", ["blx r0", "bx r0", "push {r0} \n pop {pc}"], ids=["BLX", "BX", "POP"]
)
def test_a_branch_to_an_even_address_is_a_fault_there(branch: str, tmp_path: Path) -> None:
    program = f"ldr r0, =done \n {branch} \n behind: \n nop"
    bench = Bench(tmp_path, program, settings="hardfault=taken")
    while bench.core.ipsr == 0:
        bench.core.execute_instruction()
    lr, pc = (bench.chip.read_uint32(bench.core.sp + 4 * index) for index in (5, 6))
    assert pc == bench.labels["done"]
    assert bench.core.sp == STACK - 32
    assert branch != "blx r0" or lr == bench.labels["behind"] | 1


def test_an_exception_out_of_sleep_needs_a_stack(tmp_path: Path) -> None:
    sleep = "ENABLE r0, r1, 30 \n ldr r0, =0x20050000 \n mov sp, r0 \n wfi"
    bench = Bench(tmp_path, sleep).run()
    with pytest.raises(strict.FaultError, match=r"^HardFault: write to no memory"):
        bench.chip.set_interrupt(30, True)


# condition: whether it holds after "cmp a, b" of unsigned words, as Arm's table A6-1 says
WORD, SIGN = 1 << 32, 1 << 31
CONDITIONS: dict[str, Callable[[int, int], bool]] = {
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "hs": lambda a, b: a >= b,
    "lo": lambda a, b: a < b,
    "mi": lambda a, b: (a - b) % WORD >= SIGN,
    "pl": lambda a, b: (a - b) % WORD < SIGN,
    "vs": lambda a, b: signed(a) - signed(b) != signed((a - b) % WORD),
    "vc": lambda a, b: signed(a) - signed(b) == signed((a - b) % WORD),
    "hi": lambda a, b: a > b,
    "ls": lambda a, b: a <= b,
    "ge": lambda a, b: signed(a) >= signed(b),
    "lt": lambda a, b: signed(a) < signed(b),
    "gt": lambda a, b: signed(a) > signed(b),
    "le": lambda a, b: signed(a) <= signed(b),
}
PAIRS = [(0, 0), (1, 2), (2, 1), (SIGN, 1), (1, SIGN), (SIGN - 1, WORD - 1), (SIGN, SIGN)]


def signed(word: int) -> int:
    return word - WORD if word >= SIGN else word


@pytest.mark.parametrize("condition", CONDITIONS)
def test_a_branch_is_taken_if_its_condition_holds(condition: str, tmp_path: Path) -> None:
    program = "movs r5, #0 \n"
    for number, (a, b) in enumerate(PAIRS):
        program += f"ldr r0, ={a} \n ldr r1, ={b} \n movs r4, #{1 << number} \n cmp r0, r1 \n"
        program += f"b{condition} taken{number} \n movs r4, #0 \n taken{number}: orrs r5, r4 \n"
    bench = Bench(tmp_path, program).run()
    taken = [bool(bench.register(5) >> number & 1) for number in range(len(PAIRS))]
    assert bench.done
    assert taken == [CONDITIONS[condition](a, b) for a, b in PAIRS]


# instruction, of r0 by r1: its opcode, and result and carry of a word shifted by 1 to 255 bits
SHIFTS: dict[str, tuple[int, Callable[[int, int], tuple[int, int]]]] = {
    "lsls": (0x4088, lambda a, by: (a << by, a << by >> 32)),
    "lsrs": (0x40C8, lambda a, by: (a >> by, a >> by - 1)),
    "asrs": (0x4108, lambda a, by: (signed(a) >> by, signed(a) >> by - 1)),
    "rors": (0x41C8, lambda a, by: ((a << 32 | a) >> by % 32, a >> (by - 1) % 32)),
}
# instruction, of r0 and r1: its opcode, and what it adds to r0, besides the carry
SUMS: dict[str, tuple[int, Callable[[int], int]]] = {
    "adcs": (0x4148, lambda b: b),
    "sbcs": (0x4188, lambda b: WORD - 1 - b),
}
NUMBERS = [0, 1, 2, 31, 32, 33, 64, 255, 256, SIGN - 1, SIGN, SIGN + 1, WORD - 2, WORD - 1]
OPERANDS = [(a, b, c) for a in NUMBERS for b in NUMBERS for c in (0, 1)]


def executed(bench: Bench, opcode: int, a: int, b: int, c: int) -> tuple[int, ...]:
    """Execute an instruction with V set; return r0, N, Z, C and V."""
    core = bench.core
    bench.chip.write_uint16(CODE, opcode)
    core.pc, core.c, core.v = CODE, c == 1, True
    core.registers[0], core.registers[1] = a, b
    core.execute_instruction()
    return bench.register(0), core.n, core.z, core.c, core.v


@pytest.mark.parametrize("name", SHIFTS)
def test_flags_of_a_shift_by_a_register(name: str, tmp_path: Path) -> None:
    """Arm DDI 0419, A2.2.1: a shift by nothing keeps the carry."""
    opcode, shifted = SHIFTS[name]
    bench = Bench(tmp_path, "nop")
    for a, b, c in OPERANDS:
        result, carry = shifted(a, b & 0xFF) if b & 0xFF else (a, c)
        expected = (result % WORD, result >> 31 & 1, result % WORD == 0, carry & 1, 1)
        assert executed(bench, opcode, a, b, c) == expected, (a, b, c)


@pytest.mark.parametrize("name", SUMS)
def test_flags_of_a_sum_with_carry(name: str, tmp_path: Path) -> None:
    """Comparisons of 64 bits end with SBCS, and ask for V."""
    opcode, added = SUMS[name]
    bench = Bench(tmp_path, "nop")
    for a, b, c in OPERANDS:
        other = added(b)
        total = a + other + c
        result = total % WORD
        overflow = signed(a) + signed(other) + c != signed(result)
        expected = (result, result >> 31, result == 0, total >> 32, overflow)
        assert executed(bench, opcode, a, b, c) == expected, (a, b, c)


CALLS = """
    b forth
back:
    mov r0, lr
    bx lr
count:
    subs r4, #1
    bne count
    bx lr
forth:
    bl back
after_bl:
    mov r1, r0
    ldr r2, =back + 1
    mov lr, r2
    blx lr
after_blx:
    movs r4, #9
    bl count
"""


def test_calls_come_back(tmp_path: Path) -> None:
    bench = Bench(tmp_path, CALLS).run()
    assert bench.done
    assert bench.register(1) == bench.labels["after_bl"] | 1
    assert bench.register(0) == bench.labels["after_blx"] | 1
    assert bench.register(4) == 0


DMA = """
    ldr r0, =0x50000000
    ldr r1, =0x30000000
    str r1, [r0]
    ldr r1, =RAM + 2048
    str r1, [r0, #4]
    movs r1, #1
    str r1, [r0, #8]
    ldr r1, =0x1f8009
    str r1, [r0, #12]
"""


def test_dma_has_no_fault_but_is_refused(tmp_path: Path) -> None:
    bench = Bench(tmp_path, DMA).run()
    with pytest.raises(strict.RefusedError, match=r"^DMA: read from no memory 0x30000000$"):
        bench.chip.clock.tick(1000)


def test_a_fault_in_its_handler_is_lockup(tmp_path: Path) -> None:
    with pytest.raises(
        strict.RefusedError, match=r"^lockup: unaligned read of a word in the HardFault handler"
    ):
        Bench(tmp_path, FAULT, settings="hardfault=taken").run()


def test_a_stack_that_holds_no_exception_is_lockup(tmp_path: Path) -> None:
    nowhere = "ldr r0, =0x20050000 \n mov sp, r0 \n " + FAULT
    with pytest.raises(strict.RefusedError, match=r"^lockup: write to no memory on the way"):
        Bench(tmp_path, nowhere, settings="hardfault=taken").run()


def test_ram_is_random_and_repeats() -> None:
    chips = [Chip(None, strict.Settings(ram=seed)) for seed in (1, 1, 2)]
    contents = [bytes(chip.sram) for chip in chips]
    assert contents[0] == contents[1] != contents[2]
    assert len(set(contents[0])) == 256


def test_all_peripherals_are_in_reset_again_after_a_reset() -> None:
    chip = Chip()
    assert chip.read_uint32(RESETS) == 0x1FFFFFF
    chip.write_uint32(RESETS, 0)
    assert chip.read_uint32(RESETS + 8) == 0x1FFFFFF
    assert not chip.closed
    chip.enter_reset()
    assert chip.read_uint32(RESETS + 8) == 0
    assert len(chip.closed) == 24


def test_a_uart_s_transmit_interrupt_can_be_cleared() -> None:
    """RP2040 datasheet, 4.2.6: it comes when the FIFO becomes empty, not as long as it is."""
    chip = Chip()
    chip.write_uint32(RESETS, 0)
    seen = []
    for register, value in ((UARTIMSC, 0x20), (UARTDR, 65), (UARTICR, 0x20), (UARTDR, 66)):
        chip.write_uint32(UART0 + register, value)
        chip.clock.tick(2e9)  # longer than a byte takes
        seen.append(chip.core.pending_interrupts >> 20 & 1)
    assert seen == [0, 1, 0, 1]


def test_a_boot_that_writes_otherwise_is_told() -> None:
    writes = [boot.Write("XOSC", 0, "=", value) for value in range(4)]
    stock, ours = (
        boot.Boot(Path("none.uf2"), some, [0x100 + index for index in range(len(some))], {})
        for some in (writes, [writes[0], writes[2], writes[3]])
    )
    assert boot.differences(stock, replace(stock, writes=writes[:2])) == []
    assert boot.differences(stock, ours) == ["-    1 XOSC+0x000 = 0x00000001 at 00000101"]


@pytest.mark.parametrize("text", ["nonsense", "thumb", "thumb=on", "ram=x", "off,thumb=off"])
def test_a_wrong_setting_is_one_line(text: str) -> None:
    with pytest.raises(ModthreadError, match=r"^-strict '.*the rules are thumb, aligned.*$"):
        strict.Settings.parse(text)


def checksum(data: bytes) -> int:
    """Return what the ROM wants behind boot2: CRC-32, highest bit first, as it is."""
    value = 0xFFFFFFFF
    for byte in data:
        value ^= byte << 24
        for _ in range(8):
            value = (value << 1 ^ (0x04C11DB7 if value >> 31 else 0)) & 0xFFFFFFFF
    return value


def test_the_harness_says_what_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(project, "BUILD", tmp_path)
    # ldr r0, [pc, #0]; blx r0; an address that is even. The ROM puts it at the end of RAM.
    boot2 = bytes.fromhex("0048 8047 00000020").ljust(252, b"\0")
    page = boot2 + checksum(boot2).to_bytes(4, "little")
    header = (*uf2.MAGIC[:2], uf2.FAMILY_PRESENT, 0x10000000, 256, 0, 1, 0xE48BFF56)
    image = uf2.BLOCK.pack(*header, page, uf2.MAGIC[2])
    board = boards.load("RPI_PICO")
    board.directory.mkdir()
    board.image.write_bytes(image)
    emulator = Emulator(board)
    emulator.start()
    deadline = time.monotonic() + 60
    while not (cause := emulator.cause_of_death()) and time.monotonic() < deadline:
        pass
    assert cause == (
        "the emulator ended with status 1 HardFault: BLX to an even address 0x20000000, at 20041f02"
    )
