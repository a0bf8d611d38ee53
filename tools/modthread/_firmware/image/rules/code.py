"""Which processor the code is for."""

from collections.abc import Iterator

from modthread._firmware.image import riscv, thumb
from modthread._firmware.image.image import Fault, Image

# Those that a build for a Cortex-M may come out as.
ARCHITECTURES = {
    2: "v4T",
    5: "v5TEJ",
    8: "v6T2",
    9: "v6K",
    10: "v7",
    11: "v6-M",
    12: "v6S-M",
    13: "v7E-M",
    16: "v8-M.base",
    17: "v8-M.main",
    21: "v8.1-M.main",
}
REBUILD = "correct the compilers' and the linker's flags, and build again"


def machine(image: Image) -> Iterator[Fault]:
    """The file is for the chip's kind of processor."""
    if image.elf.machine != image.chip.machine:
        yield Fault(f"it is for {image.elf.machine}, not for {image.chip.machine}", REBUILD)


def attributes(image: Image) -> Iterator[Fault]:
    """The build attributes, which the linker joins from all objects, are the chip's."""
    expected, found = image.chip.attributes, image.elf.attributes
    if expected and not found:
        yield Fault("it does not say for which architecture it is", "keep .ARM.attributes")
        return
    for name, value in expected.items():
        if (found.get(name) or None) != value:
            yield Fault(
                f"its attribute {name} is {_said(name, found.get(name))}, not {_said(name, value)}",
                f"link with {' '.join(image.chip.flags)}",
            )


def _said(name: str, value: int | str | None) -> str:
    if name == "CPU_ARCH" and value in ARCHITECTURES:
        return f"{value} ({ARCHITECTURES[int(value)]})"
    return "absent" if value is None else str(value)


def extensions(image: Image) -> Iterator[Fault]:
    """A RISC-V has all instructions: atomic and floating-point ones, too.

    The build attributes do not tell: ESP-IDF's name what single files of it may need elsewhere.
    """
    if image.elf.machine != "EM_RISCV":
        return
    for address, extension in riscv.extensions(image.elf):
        if extension not in image.chip.extensions:
            yield Fault(
                f"{image.chip.name} has no extension {extension.upper()}, which is used at"
                f" {image.elf.name_of(address)}",
                REBUILD,
            )


def arm_state(image: Image) -> Iterator[Fault]:
    """All code is Thumb code: the processors have nothing else."""
    if image.elf.machine != "EM_ARM":
        return
    ranges = thumb.ranges(image.elf)
    if not any(one.kind == "$t" for one in ranges):
        yield Fault("it has no mapping symbols", "check the .elf as the linker made it")
    for one in ranges:
        if one.kind == "$a":
            yield Fault(
                f"code in ARM state at {image.elf.name_of(one.start)}",
                f"link with {' '.join(image.chip.flags)}",
            )


def instructions(image: Image) -> Iterator[Fault]:
    """The processor has all instructions: floating-point ones, and those of larger ones, too."""
    architecture = image.chip.architecture
    if architecture is None:
        return
    for address, name in thumb.refused(image.elf, architecture):
        yield Fault(
            f"no {architecture.name} processor has {name}, as at {image.elf.name_of(address)}",
            "compile that file for the chip, or take out its assembler code",
        )
