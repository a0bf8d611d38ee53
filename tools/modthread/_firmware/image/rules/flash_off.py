"""What runs while flash cannot be read."""

from collections.abc import Iterator

from modthread._firmware.image.calls import base, reached
from modthread._firmware.image.chips import FLASH, ROM, FlashOff
from modthread._firmware.image.elf import FUNCTION, Symbol
from modthread._firmware.image.image import Fault, Image


def flash_off(image: Image) -> Iterator[Fault]:
    """Each of the chip's list is in RAM or ROM, and so is all that it calls."""
    symbols = [one for one in image.elf.symbols if one.kind == FUNCTION]
    names = {base(one.name) for one in symbols}
    for rule in image.chip.flash_off:
        if rule.goes_with not in names:
            continue
        found = [
            one
            for one in symbols
            if base(one.name) == rule.function and rule.file in ("", one.file or rule.file)
        ]
        if rule.always and not found:
            what = f"it has {rule.goes_with}(), and {rule.function}() cannot be found in it"
            yield Fault(what, "name the function that takes its place in image/chips.py")
        for symbol in found:
            yield from _not_in_ram(image, rule, symbol)


def _not_in_ram(image: Image, rule: FlashOff, start: Symbol) -> Iterator[Fault]:
    may_call = set(rule.may_call) if image.has_our_threads else {*rule.may_call, *rule.stock_calls}
    for address, path in reached(image.elf, start.value, start.name, may_call):
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
