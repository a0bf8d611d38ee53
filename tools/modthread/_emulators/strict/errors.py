"""What the strict chip raises; an emulator that meets one ends with it."""


class RefusedError(Exception):
    """Something that the chip does not do, or not in this way, at `address`."""

    def __init__(self, what: str, address: int) -> None:
        super().__init__(f"{what} {address:#010x}")
        self.what = what
        self.address = address


class FaultError(RefusedError):
    """Something at which the processor takes the HardFault exception.

    Where the instruction `branches` it is done, and the one at `address` has the fault.
    """

    def __init__(self, what: str, address: int, branches: bool = False) -> None:
        super().__init__(what, address)
        self.branches = branches

    def __str__(self) -> str:
        return f"HardFault: {super().__str__()}"
