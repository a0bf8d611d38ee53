"""The firmware of a board of ports/qemu: a Makefile of ours."""

from pathlib import Path

from modthread import project, sources
from modthread.boards import Board
from modthread.build.makefile import make, mpy_cross

PORT = project.ROOT / "ports/qemu"
WITHOUT_THREADS = "without threads"


def firmware(board: Board, threads: bool) -> Path:
    """Build the firmware, with or without threads, and return the ELF file."""
    build = board.directory if threads else project.BUILD / f"{board.name}-nothreads"
    micropython = sources.micropython()
    kernel_path = sources.freertos_kernel()
    variables = {
        "BOARD": board.name,
        "MICROPY_DIR": str(micropython),
        "MICROPY_MPYCROSS": str(mpy_cross(micropython)),
    }
    if kernel_path:
        variables["FREERTOS_KERNEL_PATH"] = str(kernel_path)
    if not threads:
        variables["THREADS"] = "0"
    elif board.traced:
        variables["TRACE"] = "1"
    make(f"Building the firmware {build.name}", PORT, build, variables)
    return build / "firmware.elf"
