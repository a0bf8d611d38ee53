"""Our images and stock's, built here: nothing is wrong with them, and this is how they differ."""

import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from modthread._base import process
from modthread._boards import boards
from modthread._firmware import build, image
from modthread._firmware.build import Threads
from modthread._firmware.image import differences

pytestmark = pytest.mark.lane("long")  # the firmware is built where something has changed

# Differences between our image and stock's, as patterns, and why.
EXPECTED = {
    "RPI_PICO": {
        "vector 3": "ours says what went wrong, stock's stops",
        r"\w+_compiler DEFINES -DMAIN_STACK_RESERVE=\d+": "the main program has a stack below",
        r"\w+_compiler DEFINES -DPICO_CONFIG_RTOS_ADAPTER_HEADER=sdk_locks\.h": (
            "who waits for pico-sdk's locks lets other tasks run"
        ),
        r"\w+_compiler DEFINES -DPICO_DIVIDER_DISABLE_INTERRUPTS=1": (
            "a task switch does not save the core's divider"
        ),
        r"\w+_compiler DEFINES -DconfigNUMBER_OF_CORES=[12]": "FreeRTOS is told",
        r"c_compiler DEFINES -DMICROPY_PY_THREAD=0": "py/vm.c leaves the GIL's turns to modthread",
        r"c_compiler DEFINES -DMODTHREAD_VERSION=.*": "_thread.__version__",
        r"c_compiler DEFINES -Dmp_event_handle_nowait=after_flash_write": (
            "littlefs is not left by an exception amidst a write"
        ),
        r"\w+_compiler DEFINES -D(LFS2_THREADSAFE|MICROPY_FATFS_\w+)=.*": (
            "one thread at a time is in a file system"
        ),
        r"c_compiler DEFINES -Dmp_\w+=(pin_\w+|list_sort_unpinned|file_system_call_method)": (
            "C code that must not be entered again keeps the GIL while it calls Python"
        ),
        r"c_compiler DEFINES -Dmp_\w+=import_\w+": "one thread at a time imports a module",
        r"c_compiler DEFINES -Dmp_obj_print_exception=mp_obj_print_exception_may_raise": (
            "Ctrl-C may come while an exception is printed"
        ),
        r"c_compiler DEFINES -Dmp_sys_exit_obj=mp_thread_soft_reset_obj": (
            "machine.soft_reset() is for the whole board, from any thread"
        ),
        r"c_compiler DEFINES -Dgc_(free|realloc)=buffer_\w+": (
            "memory that a transfer uses stays as it is"
        ),
        r"c_compiler FLAGS -DHASHING_IN_MODHASHLIB": "others have their turns while much is hashed",
        r"c_compiler FLAGS (-include|\w+\.h)": "headers that change what one file of theirs calls",
        r"cxx_executable_linker LINK_FLAGS -Wl,--wrap=pyexec_\w+": (
            "the prompt knows of threads, and a soft reset ends them before what they use"
        ),
        r"cxx_executable_linker LINK_FLAGS -Wl,--defsym=__modthread_heap_reserve__=\d+": (
            "for who measures the heap"
        ),
        r"cxx_executable_linker LINK_FLAGS -Wl,--defsym=fault_ram_end=__StackTop": (
            "a crash report reads the stack up to there"
        ),
        r"cxx_executable_linker LINK_FLAGS -Wl,--wrap=(gc_init|main)": (
            "the kernel starts first, and the heap leaves room for a stack"
        ),
        r"cxx_executable_linker LINK_FLAGS -Wl,--wrap=mp_hal_delay_[mu]s": "others run meanwhile",
        r"cxx_executable_linker LINK_FLAGS -Wl,--wrap=mp_hal_stdout_tx_strn": (
            "the raw REPL's answer stays whole beside threads that print"
        ),
    },
    "MPS2_AN385": {
        "vector 11": "the kernel starts with it",
        "vector 14": "the kernel switches tasks with it",
        "vector 26": "the alarm that ends waits",
        r"section \.text": "modthread's code is in it, and GCC aligns some of it",
    },
}
BOARDS = sorted(EXPECTED)


@pytest.mark.parametrize("name", BOARDS)
@pytest.mark.parametrize("threads", [Threads.OURS, Threads.NONE], ids=["ours", "stock"])
def test_nothing_is_wrong(name: str, threads: Threads) -> None:
    assert image.faults(image_of(name, threads)) == []


@pytest.mark.parametrize("name", BOARDS)
def test_differences_to_stock(name: str) -> None:
    found = differences.compare(image_of(name, Threads.OURS), image_of(name, Threads.NONE))
    expected = EXPECTED[name]
    unexpected = {
        fact: values
        for fact, values in found.items()
        if not any(re.fullmatch(pattern, fact) for pattern in expected)
    }
    assert unexpected == {}
    gone = [
        pattern for pattern in expected if not any(re.fullmatch(pattern, fact) for fact in found)
    ]
    assert gone == []


def image_of(name: str, threads: Threads) -> image.Image:
    board = boards.load(name)
    return image.Image.of(image.chip_of(board), image.Elf(build.firmware(board, threads)))


def test_the_firmware_linked_without_the_chips_flags(tmp_path: Path) -> None:
    """As it was for some time: the compiler then takes its start files in ARM state."""
    right = image_of("RPI_PICO", Threads.OURS)
    folder, wrong = right.elf.path.parent, tmp_path / "firmware.elf"
    commands = subprocess.run(
        ["ninja", "-C", folder, "-t", "commands", "firmware.elf"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    [link] = re.findall(r"\S+-g\+\+ .*? -o firmware\.elf [^&]*", commands[-1])
    for flag in right.chip.flags:
        assert flag in link
        link = link.replace(flag, "")
    link = link.replace("firmware.elf", str(wrong))
    subprocess.run(link, shell=True, cwd=folder, check=True, capture_output=True)
    said = [fault.what for fault in image.faults(replace(right, elf=image.Elf(wrong)))]
    assert said[0].endswith("is from '.', not from 'thumb/v6-m/nofp'")
    assert "its attribute CPU_ARCH is 9 (v6K), not 12 (v6S-M)" in said
    [entry] = [what for what in said if what.startswith("entry 0 of __init_array_start is even: ")]
    assert entry.endswith(", frame_dummy()")


def test_the_known_fault_of_stock_is_there_yet() -> None:
    """Where it is mended, chips.py need not know it any more."""
    stock = image_of("RPI_PICO", Threads.NONE)
    rules = [replace(rule, stock_calls={}) for rule in stock.chip.flash_off]
    strict = replace(stock, chip=replace(stock.chip, flash_off=tuple(rules)))
    said = " ".join(fault.what for fault in image.faults(strict))
    assert "pop_blocking_inline(), called by multicore_lockout_handler(), is in flash" in said


def test_a_difference_is_seen() -> None:
    """The table is not empty because nothing is compared."""
    ours = image_of("MPS2_AN385", Threads.OURS)
    names = [name for name, _ in differences.facts(ours)]
    for kind in ("attribute CPU_ARCH", "section .data", "vector 15", "code of Reset_Handler()"):
        assert kind in names
    pico = dict(differences.facts(image_of("RPI_PICO", Threads.OURS)))
    assert pico["vector 1"] == "_reset_handler"
    assert "frame_dummy" in pico["table __init_array_start"]
    assert "4788" in pico["code from reset on"]  # BLX to what it has loaded
    assert "call:runtime_run_initializers" in pico["code of runtime_init()"]
    assert pico["cxx_executable_linker FLAGS -mcpu=cortex-m0plus"] == "given"


# What the start writes to registers of the processor and of peripherals.
WRITE = re.compile(r"addr (0xe000e\w{3}|0x4\w{7}) value (\w+) size (\d) name '([\w-]+)'")
UART_DATA = "0x40004000"
SHPR3 = "0xe000ed20"  # by which the kernel's two interrupts are the least urgent
# The priority of the alarm that ends waits, and that it is enabled.
ALARM = (("0xe000e40a", "0xff"), ("0xe000e100", "0x400"))


def writes(threads: Threads, folder: Path) -> list[tuple[str, ...]]:
    """Return address, value, size and device of each write until the prompt, but for text."""
    elf, log = build.firmware(boards.load("MPS2_AN385"), threads), folder / f"{threads.name}.log"
    command = [
        *process.killed_with_parent(),
        *("qemu-system-arm", "-machine", "mps2-an385", "-display", "none", "-monitor", "none"),
        *("-serial", "stdio", "-icount", "shift=5,align=off,sleep=off"),
        *("-trace", "memory_region_ops_write", "-D", str(log), "-kernel", str(elf)),
    ]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as emulator:
        assert emulator.stdout
        said = b""
        while not said.endswith(b">>> ") and (byte := emulator.stdout.read(1)):
            said += byte
        emulator.terminate()
    found = WRITE.findall(log.read_text())
    while found[-1][0] != UART_DATA:  # behind the prompt
        found.pop()
    return [write for write in found if write[0] != UART_DATA]


def test_boots_as_stock_does_on_qemu(tmp_path: Path) -> None:
    stock, ours = (writes(threads, tmp_path) for threads in (Threads.NONE, Threads.OURS))
    assert len(stock) > 5
    alike = [write for write in ours if write[0] != SHPR3 and write[:2] not in ALARM]
    assert alike == stock
    assert len(ours) == len(stock) + 2 + len(ALARM)
