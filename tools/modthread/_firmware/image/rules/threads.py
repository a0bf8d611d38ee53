"""What firmware with our threads must have."""

from collections.abc import Iterator

from modthread._firmware.image.image import Fault, Image


def end_first(image: Image) -> Iterator[Fault]:
    """A soft reset calls the function on which the end of the threads hangs, before all else.

    It hangs there by the linker's --wrap. If this MicroPython does not call the function, --wrap
    says nothing, and the linker leaves ours out.
    """
    hook = image.chip.soft_reset_hook
    if hook and image.has_our_threads and f"__wrap_{hook}" not in image.elf.by_name:
        yield Fault(
            f"a soft reset would not end the threads first: nothing calls {hook}()",
            "build a MicroPython that does, or wrap another function in micropython.cmake",
        )
