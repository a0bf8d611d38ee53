"""Which functions a function reaches, by what its code calls."""

from collections.abc import Callable, Iterator, Set

from modthread._firmware.image import riscv, thumb, xtensa
from modthread._firmware.image.elf import Elf, Function

CALLS: dict[str, Callable[[Elf, Function], Iterator[int]]] = {
    "EM_ARM": thumb.calls,
    "EM_RISCV": riscv.calls,
    "EM_XTENSA": xtensa.calls,
}


def reached(elf: Elf, start: int, name: str, but: Set[str]) -> Iterator[tuple[int, list[str]]]:
    """Yield each address that function `name` at `start` reaches, itself first, and who calls whom.

    Functions whose name is one of `but` are not followed, nor yielded. A linker's veneer has no
    name of its own.
    """
    calls = CALLS[elf.machine]
    start &= ~1 if elf.machine == "EM_ARM" else ~0
    seen = {start}
    left = [(start, [name])]
    while left:
        address, path = left.pop()
        yield address, path
        function = elf.function_at(address)
        if function is None:
            continue
        for target in calls(elf, function):
            names = elf.names.get(target) or {elf.name_of(target)}
            if target in seen or but & {base(one) for one in names}:
                continue
            seen.add(target)
            callee = min(names)
            left.append((target, path if is_veneer(callee) else [*path, callee]))


def base(name: str) -> str:
    """Return a function's name without what the compiler adds: ``f.part.0`` is of ``f``."""
    return name.split(".")[0]


def is_veneer(name: str) -> bool:
    """Return whether the linker made it, to reach what is too far for a branch."""
    return name.startswith("__") and name.endswith("_veneer")
