"""What runs while flash cannot be read."""

from collections.abc import Iterator
from dataclasses import replace

from modthread.image.calls import base, reached
from modthread.image.chips import FLASH, ROM, FlashOff
from modthread.image.elf import Function
from modthread.image.image import Fault, Image


def flash_off(image: Image) -> Iterator[Fault]:
    """Each of the chip's list is in RAM or ROM, and so is all that it calls."""
    functions: dict[str, list[Function]] = {}
    for function in image.elf.functions:
        for name in image.elf.names[function.start]:
            functions.setdefault(base(name), []).append(replace(function, name=name))
    for rule in image.chip.flash_off:
        found = functions.get(rule.function, [])
        if not found and rule.goes_with in functions:
            what = f"it has {rule.goes_with}(), and {rule.function}() cannot be found in it"
            yield Fault(what, "name the function that takes its place in image/chips.py")
        for function in found:
            yield from _not_in_ram(image, rule, function)


def _not_in_ram(image: Image, rule: FlashOff, start: Function) -> Iterator[Fault]:
    may_call = set(rule.may_call) if image.has_our_threads else {*rule.may_call, *rule.stock_calls}
    for address, path in reached(image.elf, start, may_call):
        kind = image.kind_at(address)
        if kind == FLASH or (kind != ROM and image.elf.section_at(address) is None):
            where = "in flash" if kind == FLASH else f"not there, at {address:#x},"
            how = (
                f", called by {' from '.join(f'{one}()' for one in path[-2::-1])},"
                if path[1:]
                else ""
            )
            yield Fault(
                f"{path[-1]}(){how} is {where} and runs while flash cannot be read",
                "put it in RAM, or do not call it",
            )
