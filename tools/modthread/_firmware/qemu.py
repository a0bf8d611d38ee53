"""The firmware of a board of ports/qemu: a Makefile of ours."""

from pathlib import Path

from modthread._base import project, sources
from modthread._boards.boards import Board
from modthread._firmware import image
from modthread._firmware.makefile import make, mpy_cross
from modthread._firmware.threads import Threads

PORT = project.ROOT / "ports/qemu"
WITHOUT_THREADS = "without threads"
VARIANTS = frozenset(Threads)


def firmware(board: Board, threads: Threads) -> Path:
    """Build the firmware and return the ELF file."""
    build = board.directory if threads is Threads.OURS else _other_directory(board, threads)
    has_network = board.emulator is not None and bool(board.emulator.network)
    micropython = sources.micropython(*(["mbedtls"] if has_network else []), required=False)
    kernel_path = sources.freertos_kernel()
    variables = {
        "BOARD": board.name,
        "MICROPY_DIR": str(micropython),
        "MICROPY_MPYCROSS": str(mpy_cross(micropython)),
    }
    if has_network:
        variables["LWIP_DIR"] = str(sources.lwip())
    if kernel_path:
        variables["FREERTOS_KERNEL_PATH"] = str(kernel_path)
    if threads is Threads.SAME_NAMES:
        variables["THREADS"] = Threads.NONE
        variables["NAMES"] = str(board.directory / "genhdr/qstrdefs.collected.h")
    elif threads is not Threads.OURS:
        variables["THREADS"] = threads
    elif board.traced:
        variables["TRACE"] = "1"
    elf = build / "firmware.elf"
    title = f"Building the firmware {build.name}"
    make(title, PORT, build, variables, lambda: image.check_build(elf, board))
    return elf


def _other_directory(board: Board, threads: Threads) -> Path:
    names = {
        Threads.NONE: "nothreads",
        Threads.SAME_NAMES: "names",
        Threads.MICROPYTHON: "upstream",
    }
    return project.BUILD / f"{board.name}-{names[threads]}"
