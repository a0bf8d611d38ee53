"""Which threads a firmware has."""

from enum import StrEnum


class Threads(StrEnum):
    """Ours, none or what MicroPython's own firmware has; the values are those of ports/qemu.

    NAMES is none either, but all names that the firmware with ours, built before, has.
    """

    OURS = "1"
    NONE = "0"
    NAMES = "names"
    UPSTREAM = "upstream"
