"""The context switch of ports/rp2/freertos_v9 at every instruction, and faults.

By context_switch/main.c: the Cortex-M0+'s on the strict Pico and on QEMU's Cortex-M0, which share
no code; the Cortex-M33's, with its floating-point unit and in secure state, as on an RP2350, on
QEMU's. All refuse what these processors refuse.
"""

import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path

import pytest

from modthread._base import process, sources
from modthread._base.project import ROOT
from modthread._reports import crash

IMAGE = Path(__file__).with_name("context_switch")
PORTS = ("cortex_m", "rp2")

PASSED = 'passed: !"a task\'s function has returned"'
FAULT = "passed: fault"
LIMIT = 300.0  # seconds, for the start on a busy host

# Those that a fault of these endings finds in its registers, but for r7.
NUMBERED = {f"r{n}": 0x10101010 + 0x01010101 * n for n in range(13) if n != 7}
PUSHED = ("r0", "r1", "r2", "r3", "r12", "lr", "pc", "xpsr")


@dataclass(frozen=True)
class Machine:
    """How an emulator runs an image from the folder `{0}`, and how much of it.

    `vectors` is where QEMU looks for the image before it has loaded it, and says that nothing is.
    """

    command: tuple[str, ...]
    preemptions: int
    vectors: int | None = None


def qemu(machine: str, shift: int, vectors: int, preemptions: int = 100_000) -> Machine:
    """Return one of QEMU's machines, which logs what its processor leaves undefined."""
    command = (
        *("qemu-system-arm", "-machine", machine),
        *("-display", "none", "-monitor", "none", "-serial", "none"),
        *("-semihosting-config", "enable=on,target=native"),
        *("-icount", f"shift={shift},align=off,sleep=off"),
        *("-d", "guest_errors,unimp", "-D", "{0}/qemu.log"),
        *("-kernel", "{0}/context_switch.elf"),
    )
    return Machine(command, preemptions, vectors)


PICO = (sys.executable, str(ROOT / "tests/fakes/uart_pico.py"), "{0}/context_switch.bin")
MACHINES = {
    "rp2040": Machine(PICO, preemptions=1_000_000),
    "microbit": qemu("microbit", 6, 0x00000000),
    "mps2_an505": qemu("mps2-an505", 5, 0x10000000, preemptions=50_000),
}
QEMUS = ("microbit", "mps2_an505")


def on(*names: str, runs: Sequence[str] = ()) -> list[object]:
    """Return machines as parameters of a test, each with each of what it `runs`."""
    lanes = {"rp2040": "long"}
    return [
        pytest.param(*row, marks=pytest.mark.lane(lanes.get(row[0], "test")))
        for row in ([(name,) for name in names] if not runs else product(names, runs))
    ]


@cache
def qemu_has(machine: str) -> bool:
    """Return whether this host's QEMU has a machine."""
    if not shutil.which("qemu-system-arm"):
        return False
    return machine in output_of(["qemu-system-arm", "-machine", "help"]).split()


class Image:
    """The self-test, built for one machine."""

    def __init__(self, name: str, directory: Path) -> None:
        """Prepare to build in `directory`."""
        self.machine = MACHINES[name]
        self._directory = directory
        self._copy = directory / "ports"
        micropython = sources.micropython(*["pico-sdk"] if name == "rp2040" else [])
        sdk = sources.pico_sdk() or micropython / "lib/pico-sdk"
        self._variables = {
            "MACHINE": name,
            "PICO_SDK_PATH": sdk,
            "FREERTOS_KERNEL_PATH": micropython / "ports/cc3200/FreeRTOS/Source",
            "PORTS": self._copy,
        }

    @property
    def elf(self) -> Path:
        """Where it is, with its symbols."""
        return self._directory / "context_switch.elf"

    def build(
        self,
        preemptions: int,
        ending: str = "return_at_once",
        fault: tuple[str, str, str] | None = None,
    ) -> None:
        """Build the image; `fault` is a file of the ports, and what is replaced by what there."""
        for port in PORTS:
            # As files of now: or what has been compiled would be newer.
            shutil.copytree(
                ROOT / "ports" / port,
                self._copy / port,
                copy_function=shutil.copy,
                dirs_exist_ok=True,
            )
        if fault:
            file, good, bad = fault
            source = (self._copy / file).read_text()
            assert source.count(good) == 1
            (self._copy / file).write_text(source.replace(good, bad))
        given = self._variables | {"PREEMPTIONS": preemptions, "ENDING": ending}
        variables = [f"-D{name}={value}" for name, value in given.items()]
        output_of(["cmake", "-S", IMAGE, "-B", self._directory, *variables])
        output_of(["cmake", "--build", self._directory, "--parallel"])

    def run(self, limit: float) -> list[str]:
        """Return the lines that the image prints until it stops, or for `limit` seconds."""
        command = process.killed_with_parent()
        command += [word.format(self._directory) for word in self.machine.command]
        lines: list[str] = []
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as emulator:
            timer = threading.Timer(limit, emulator.kill)
            timer.start()
            assert emulator.stdout
            for line in emulator.stdout:
                lines.append(line.rstrip())
                if line.startswith(("passed: ", "failed: ")):
                    break
            timer.cancel()
            emulator.kill()
        return lines

    def undefined(self) -> list[str]:
        """Return what QEMU has seen that no program may do."""
        log = self._directory / "qemu.log"
        if self.machine.vectors is None:
            return []
        absent = [f"Invalid read at addr 0x{self.machine.vectors + n:X}," for n in (0, 4)]
        lines = log.read_text().splitlines()
        return [line for line in lines if not line.startswith(tuple(absent))]


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Image]:
    """Return a function that returns the image for a machine; it skips where there is none."""
    made: dict[str, Image] = {}

    def image(name: str) -> Image:
        command = MACHINES[name].command
        if "-machine" in command and not qemu_has(machine := command[2]):
            pytest.skip(f"this host's QEMU has no {machine}")
        if name not in made:
            made[name] = Image(name, tmp_path_factory.mktemp(name))
        return made[name]

    return image


def output_of(command: list[str | Path]) -> str:
    result = subprocess.run(
        command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    assert result.returncode == 0, result.stdout
    return result.stdout


def limit_for(preemptions: int) -> float:
    return LIMIT + preemptions / 200


@pytest.mark.parametrize("machine", on(*MACHINES))
def test_nothing_is_disturbed(images: Callable[[str], Image], machine: str) -> None:
    image = images(machine)
    preemptions = image.machine.preemptions
    image.build(preemptions)
    lines = image.run(limit_for(preemptions))
    assert lines[-1] == PASSED, "\n".join(lines)
    values = {
        name: int(value) for name, _, value in (line.partition(": ") for line in lines[-5:-1])
    }
    assert values["preemptions"] >= preemptions
    assert values["rounds"] >= preemptions / 10
    assert values["interrupted"] == values["instructions"] > 300
    assert image.undefined() == []


PORT = "rp2/freertos_v9/port.c"
M0PLUS = "rp2/freertos_v9/switch_m0plus.c"
M33 = "rp2/freertos_v9/switch_m33.c"
SWITCHES = {"rp2040": M0PLUS, "microbit": M0PLUS, "mps2_an505": M33}
DISTURBED = "a register was disturbed"
FAULTS = [
    (PORT, "if (--critical_nesting == 0)", "if (--critical_nesting <= 1)", "an inner"),
    (PORT, "(critical_state)", "(0)", "a critical section's end unmasked"),
]
FAULTS_OF_SWITCHES = [
    ("*)top - 1", "*)(top + 1) - 1", "a task's stack is not aligned"),
    ('"cpsid i                \\n"', "", "the observer does not run"),
    (
        "{ (uint32_t)argument }",
        "{ (uint32_t)argument + 4 }",
        "the first task did not get its argument",
    ),
]
FAULTS_OF_M0PLUS = [
    (PORT, "SHPR3 |= ", "(void)", "an interrupt was interrupted by a switch"),
    (M0PLUS, "mov r4, r8 ", "mov r4, r9 ", DISTURBED),
    (M0PLUS, "mov r11, r7 ", "mov r10, r7 ", DISTURBED),
    (M0PLUS, "sub r0, #16", "sub r0, #20", ""),
    (M0PLUS, '"cpsie i               \\n"', "", "a task starts with interrupts masked"),
]
FAULTS_OF_M33 = [
    (M33, "stmdb r0!, {r3-r11, lr}", "stmdb r0!, {r3-r10, r12, lr}", DISTURBED),
    (M33, "ldmia r0!, {r3-r11, lr}", "ldmia r0!, {r3-r10, r12, lr}", DISTURBED),
    (M33, "vstmdbeq r0!, {s16-s31}", "vstmdbeq r0!, {s15-s30}", DISTURBED),
    (M33, "vldmiaeq r0!, {s16-s31}", "vldmiaeq r0!, {s15-s30}", DISTURBED),
    (M33, "vldmiaeq r0!, {s16-s31}", "addeq r0, #64", DISTURBED),
    (M33, '"tst lr, #16            \\n" //', '"tst lr, #8\\n" //', ""),
    (M33, '"mov r0, #2 ', '"mov r0, #6 ', "a task does not run on the process stack"),
    (
        M33,
        '"cpsie i                \\n"\n        "bx r4',
        '"bx r4',
        "a task starts with interrupts",
    ),
]


@pytest.mark.lane("long")
@pytest.mark.parametrize(
    ("machine", "file", "good", "bad", "verdict"),
    [
        *((machine, *fault) for machine in MACHINES for fault in FAULTS),
        *((machine, SWITCHES[machine], *one) for machine in MACHINES for one in FAULTS_OF_SWITCHES),
        *((machine, *fault) for machine in ("rp2040", "microbit") for fault in FAULTS_OF_M0PLUS),
        *(("mps2_an505", *fault) for fault in FAULTS_OF_M33),
    ],
)
def test_fault_is_noticed(
    images: Callable[[str], Image], machine: str, file: str, good: str, bad: str, verdict: str
) -> None:
    image = images(machine)
    preemptions = 5_000
    image.build(preemptions, fault=(file, good, bad))
    lines = image.run(limit_for(preemptions))
    assert lines[-1].startswith(f"failed: {verdict}"), "\n".join(lines)


@pytest.mark.lane("long")
def test_fault_of_the_tick_is_noticed(images: Callable[[str], Image]) -> None:
    image = images("rp2040")
    preemptions = 20_000
    bad = "next_us = time_us_64() + US_PER_TICK"
    image.build(preemptions, fault=("rp2/tick.c", "next_us += US_PER_TICK", bad))
    lines = image.run(limit_for(preemptions))
    assert lines[-1].startswith("failed: ticks were lost"), "\n".join(lines)


REFUSED = [
    ("r4, #1 ", "r4, #0 "),
    (".lr = (uint32_t)switch_task_returned", ".lr = (uint32_t)switch_task_returned & ~1u"),
    (".xpsr = XPSR_THUMB", ".xpsr = 0"),
    ("mov r0, #2 ", "mov r0, #0 "),
]
REFUSED_BY_M0PLUS = ("(uint32_t)entry & ~1u", "(uint32_t)entry")


@pytest.mark.lane("long")
@pytest.mark.parametrize(
    ("machine", "good", "bad"),
    [
        *((machine, *fault) for machine in MACHINES for fault in REFUSED),
        *((machine, *REFUSED_BY_M0PLUS) for machine in ("rp2040", "microbit")),
    ],
)
def test_fault_is_refused(
    images: Callable[[str], Image], machine: str, good: str, bad: str
) -> None:
    image = images(machine)
    image.build(1000, fault=(SWITCHES[machine], good, bad))
    lines = image.run(limit_for(1000))
    assert any(line.startswith("*** HardFault") for line in lines), "\n".join(lines)


ENDINGS = {
    "undefined_instruction": "undefined_instruction",
    "even_pointer": "hold_registers",
    "no_memory": "no_memory",
    "unaligned_word": "unaligned_word",
    "unaligned_halfword": "unaligned_halfword",
}
REFUSED_BY_M33 = tuple(ending for ending in ENDINGS if not ending.startswith("unaligned"))
TOLD = [*on("rp2040", "microbit", runs=[*ENDINGS]), *on("mps2_an505", runs=REFUSED_BY_M33)]


@pytest.mark.parametrize(("machine", "ending"), TOLD)
def test_fault_is_told(images: Callable[[str], Image], machine: str, ending: str) -> None:
    image, at = images(machine), ENDINGS[ending]
    image.build(1000, ending)
    lines = image.run(limit_for(1000))
    assert lines[-1] == FAULT, "\n".join(lines)
    output = "\n".join(lines).encode()
    assert crash.message(output)
    told = crash.decoded(output, image.elf)
    registers = {name: int(value, 16) for name, value in crash.REGISTER.findall(told)}
    assert NUMBERED.items() <= registers.items()
    assert registers["sp"] % 8 == 0
    assert f"pc {registers['pc']:08x} {at} " in told
    caller = ending if at != ending else "end"
    assert f"lr {registers['lr'] - 1:08x} {caller} " in told


@pytest.mark.parametrize("machine", on(*QEMUS))
def test_fault_without_a_stack_is_told(images: Callable[[str], Image], machine: str) -> None:
    image = images(machine)
    image.build(1000, "no_stack")
    lines = image.run(limit_for(1000))
    assert lines[-1] == FAULT, "\n".join(lines)
    told = crash.decoded("\n".join(lines).encode(), image.elf)
    assert told.startswith("*** HardFault (exception 3), stack pointer lost, at ")
    registers = {name: int(value, 16) for name, value in crash.REGISTER.findall(told)}
    kept = {name: value for name, value in NUMBERED.items() if name not in PUSHED}
    assert kept.items() <= registers.items()
    assert registers["sp"] == 0xA0000000


def test_overflow_is_told_at_the_limit(images: Callable[[str], Image]) -> None:
    image = images("mps2_an505")
    image.build(1000, "overflow")
    lines = image.run(limit_for(1000))
    assert lines[-1] == FAULT, "\n".join(lines)
    told = crash.decoded("\n".join(lines).encode(), image.elf)
    assert told.startswith("*** stack overflow in task above, then HardFault (exception 3)")
    registers = {name: int(value, 16) for name, value in crash.REGISTER.findall(told)}
    kept = {name: value for name, value in NUMBERED.items() if name not in PUSHED}
    assert kept.items() <= registers.items()


@pytest.mark.lane("long")
def test_overflow_without_a_limit_is_not_told(images: Callable[[str], Image]) -> None:
    image = images("mps2_an505")
    image.build(1000, "overflow", (M33, '"msr psplim, r1 ', '"mov r1, r1 '))
    lines = image.run(limit_for(1000))
    assert not any("stack overflow in task above" in line for line in lines)
