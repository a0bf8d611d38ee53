"""What firmware with our threads must have."""

from collections.abc import Iterator

from modthread._firmware.image.image import Fault, Image


def end_first(image: Image) -> Iterator[Fault]:
    """A soft reset ends the threads first: our functions are called around what runs Python.

    They are by the linker's --wrap. If this MicroPython does not call such a function, --wrap says
    nothing, and the linker leaves ours out.
    """
    if not image.has_our_threads:
        return
    for function in image.chip.programs:
        if f"__wrap_{function}" not in image.elf.by_name:
            yield Fault(
                f"a soft reset would not end the threads first: nothing calls {function}()",
                "build a MicroPython that does, or wrap what it calls in micropython.cmake",
            )
