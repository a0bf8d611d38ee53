"""What the image was made from: objects, libraries, and the flags of the compilers."""

import re
from collections.abc import Iterator
from pathlib import Path

from modthread._firmware.image.elf import Attributes, attributes
from modthread._firmware.image.image import Fault, Image

LOADED = re.compile(r"^LOAD (.+)$", re.MULTILINE)  # in the map: what the linker was given
# In build.ninja: a file that a compiler or the linker makes, and its flags.
STATEMENT = re.compile(
    r"^build (?P<output>\S+): (?:C|CXX|ASM)_\w+.*\n"
    r"(?:  (?!FLAGS).*\n)*(?:  FLAGS = (?P<flags>.*)\n)?",
    re.MULTILINE,
)
# A compiler's own folders of libraries, below which is one for each kind of processor.
LIBRARIES = re.compile(
    r"/lib/gcc/arm-none-eabi/[^/]+/(?:\.\./)*(?:arm-none-eabi/lib/)?(?:(.+)/)?[^/]+$"
)
AS_THE_IMAGE = ("CPU_ARCH", "ARM_ISA_USE", "THUMB_ISA_USE", "FP_ARCH", "ABI_VFP_ARGS")


def flags(image: Image) -> Iterator[Fault]:
    """CMake told each compiler, and the linker, which processor it is."""
    ninja = image.beside("build.ninja")
    if ninja is None or not image.chip.flags:
        return
    for match in STATEMENT.finditer(ninja.read_text(errors="replace")):
        given = (match["flags"] or "").split()
        for flag in image.chip.flags:
            if flag not in given:
                yield Fault(
                    f"{Path(match['output']).name} is made without {flag}",
                    "set it in CMake for C, C++ and assembler",
                )


def objects(image: Image) -> Iterator[Fault]:
    """Each object file says itself that it was compiled for the chip."""
    if image.elf.machine != "EM_ARM":
        return
    known: dict[bytes, Attributes] = {}
    for name in dict.fromkeys(LOADED.findall(image.map)):
        path = image.elf.path.parent / name
        if path.suffix not in (".o", ".obj") or LIBRARIES.search(name) or not path.is_file():
            continue
        if path.name in image.chip.foreign:
            continue
        yield from _object(image, path.name, attributes(path, known))


def _object(image: Image, name: str, found: dict[str, int | str]) -> Iterator[Fault]:
    for attribute in AS_THE_IMAGE:
        value, expected = found.get(attribute) or None, image.chip.attributes.get(attribute)
        if value not in (None, expected):
            yield Fault(
                f"{name} is for another processor: its {attribute} is {value}",
                f"compile it with {' '.join(image.chip.flags)}",
            )


def libraries(image: Image) -> Iterator[Fault]:
    """The compiler's own libraries and start files are those for the chip's kind of processor."""
    for name in dict.fromkeys(LOADED.findall(image.map)):
        match = LIBRARIES.search(name)
        if match and image.chip.multilib and (match[1] or "") != image.chip.multilib:
            yield Fault(
                f"{Path(name).name} is from '{match[1] or '.'}', not from '{image.chip.multilib}'",
                f"link with {' '.join(image.chip.flags)}",
            )
