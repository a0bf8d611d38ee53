"""The rules, each a function that yields what breaks it."""

from collections.abc import Callable, Iterator

from modthread._firmware.image.image import Fault, Image
from modthread._firmware.image.rules import (
    built,
    code,
    esp,
    files,
    flash_off,
    memory,
    start,
    threads,
)

Rule = Callable[[Image], Iterator[Fault]]

# In the order in which one fault explains the next.
RULES: tuple[Rule, ...] = (
    code.machine,
    built.flags,
    built.libraries,
    code.attributes,
    code.extensions,
    built.objects,
    code.arm_state,
    code.instructions,
    memory.within,
    memory.overlaps,
    memory.spans,
    start.boot,
    start.entry,
    start.vectors,
    start.pointers,
    start.constants,
    flash_off.flash_off,
    threads.end_first,
    files.binary,
    files.uf2_file,
    esp.application,
    esp.partitions,
)
