"""py/vm.c is compiled as without threads: what it looks at must lie where everybody else has it."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from elftools.dwarf.die import DIE
from elftools.elf.elffile import ELFFile

from modthread._base import sources
from modthread._boards import boards
from modthread._firmware import build

pytestmark = pytest.mark.lane("test")

STATE = "_mp_state_ctx_t"
LOOKED_AT = re.compile(r"\bMP_STATE_(VM|THREAD|MEM)\((\w+)\)")


def members(structure: DIE) -> Iterator[tuple[str, int, DIE]]:
    """Yield name, offset and type of each member of a structure."""
    for member in structure.iter_children():
        if member.tag == "DW_TAG_member":
            offset = member.attributes["DW_AT_data_member_location"].value
            name = member.attributes["DW_AT_name"].value.decode()
            yield name, offset, member.get_DIE_from_attribute("DW_AT_type")


def structure_of(kind: DIE) -> DIE:
    while kind.tag == "DW_TAG_typedef":
        kind = kind.get_DIE_from_attribute("DW_AT_type")
    return kind


def offsets(elf: Path, source: str) -> dict[str, int]:
    """Return where `source` was compiled to find each member of the state, as ``vm.sched_idx``."""
    with elf.open("rb") as stream:
        for unit in ELFFile(stream).get_dwarf_info().iter_CUs():
            if not unit.get_top_DIE().get_full_path().endswith(source):
                continue
            for die in unit.iter_DIEs():
                name = die.attributes.get("DW_AT_name")
                whole = die.tag == "DW_TAG_structure_type" and die.has_children
                if whole and name and name.value.decode() == STATE:
                    return {
                        f"{part}.{member}": start + offset
                        for part, start, kind in members(die)
                        for member, offset, _ in members(structure_of(kind))
                    }
    raise AssertionError(f"{source} does not know the state in {elf}")


def looked_at() -> set[str]:
    """Return what py/vm.c and the headers name, as ``vm.sched_state``."""
    folder = sources.micropython() / "py"
    texts = (path.read_text() for path in [folder / "vm.c", *folder.glob("*.h")])
    found = {match for text in texts for match in LOOKED_AT.findall(text)}
    return {f"{part.lower()}.{member}" for part, member in found}


@pytest.mark.parametrize("name", ["MPS2_AN385", "RPI_PICO"])
def test_the_vm_finds_its_state_where_the_scheduler_has_it(name: str) -> None:
    elf = build.firmware(boards.load(name))
    vm, scheduler = offsets(elf, "/vm.c"), offsets(elf, "/scheduler.c")
    assert vm != scheduler  # compiled without threads it has fewer members
    used = looked_at() & vm.keys()
    assert {"vm.sched_state", "thread.mp_pending_exception"} <= used
    assert {one: vm[one] for one in used} == {one: scheduler[one] for one in used}
