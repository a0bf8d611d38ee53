"""Which threads a firmware has."""

from enum import StrEnum


class Threads(StrEnum):
    """Ours, none or what MicroPython's own firmware has; the values are those of ports/qemu."""

    OURS = "1"
    NONE = "0"
    UPSTREAM = "upstream"
