"""Which threads a firmware has."""

from enum import StrEnum


class Threads(StrEnum):
    """Ours, none, or those of MicroPython's own firmware; the values are those of ports/qemu.

    SAME_NAMES has no threads either, but all names of the firmware with our threads, which was
    built before.
    """

    OURS = "1"
    NONE = "0"
    SAME_NAMES = "names"
    MICROPYTHON = "upstream"
