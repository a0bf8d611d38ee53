from rp2040py.clock.clock import IClock
from rp2040py.native._cortex_m0_core import CortexM0Core
from rp2040py.native._rp2040 import RP2040
from rp2040py.simulator import Simulator

class Core(CortexM0Core):
    at: int
    executing: bool
    takes_faults: bool
    instructions: int

class Bus(RP2040):
    core: Core
    thumb: bool
    aligned: bool
    memory: bool
    readonly: bool
    xip: bool
    undefined: bool
    stack: bool
    masking: bool
    priorities: bool
    reset_state: bool
    clocks_gated: bool
    unwritten: bool
    flash_is_mapped: bool
    gated_in_sleep: int
    closed: dict[int, str]
    tolerated: frozenset[int]
    usb_ram_closed: str | None
    first_reads: dict[int, int]
    unwritten_reads: int
    writes: list[tuple[int, int, int]] | None
    def __init__(self, clock: IClock | None = ...) -> None: ...
    def follow(self, block: int) -> None: ...

def run(simulator: Simulator, seconds: float) -> None: ...
