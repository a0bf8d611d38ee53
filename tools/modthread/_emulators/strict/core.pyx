# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""The processor and the bus of rp2040py, which refuse what a Cortex-M0+ in an RP2040 refuses.

They look at an instruction and at an access before rp2040py's own code sees it. What a program does
all the time, they do themselves: branches, and accesses to RAM and flash. Sources: Arm DDI 0419
(Armv6-M Architecture Reference Manual, "v6-M" below) and the RP2040 datasheet.
"""

from time import monotonic

from cython cimport final

from rp2040py.native._cortex_m0_core cimport DISPATCH_TABLE, CortexM0Core, OpHandler, resolve_wide
from rp2040py.native._pio cimport RPPIO
from rp2040py.native._rp2040 cimport RP2040
from rp2040py.native._simulation_clock cimport SimulationClock

from modthread._emulators.strict.errors import FaultError, RefusedError

cdef enum:
    ROM_END = 0x4000
    FLASH = 0x10000000
    FLASH_END = 0x14000000  # with its three mirrors
    FLASH_OFFSET = 0x00FFFFFF
    RAM = 0x20000000
    RAM_SIZE = 264 * 1024
    USB_RAM = 0x50100000
    USB_RAM_END = 0x50101000
    SIO = 0xD0000000
    SIO_END = 0xD0001000
    PPB = 0xE000E000
    PPB_END = 0xE000F000
    SHPR2 = 0xE000ED1C
    SHPR3 = 0xE000ED20
    NO_EXECUTION = 0x40000000  # from here on (v6-M, B3.1)

cdef double CYCLE = 8.0  # ns

cdef enum:
    THREAD = 0
    MAIN_STACK = 0
    HARD_FAULT = 3
    SVCALL = 11
    THUMB = 1 << 24  # in xPSR
    NUMBER = 0x3F  # of the exception, in xPSR
    LOWEST = 4  # a priority below all that can be set

# What an instruction asks for before it is executed.
cdef enum Kind:
    PLAIN
    UNDEFINED
    WIDE
    BX
    BLX
    POP_PC
    HIGH_SP  # ADD or MOV to the stack pointer
    WFI
    WFE
    SVC
    BKPT

cdef unsigned char KIND[0x10000]


def _kind(opcode):
    """Return what the first halfword of an instruction is (v6-M, A5.2)."""
    if opcode >> 11 == 0b11110:
        return WIDE
    if opcode >> 11 in (0b11101, 0b11111) or opcode >> 8 == 0xDE:
        return UNDEFINED
    if opcode >> 8 == 0xDF:
        return SVC
    if opcode >> 8 == 0xBE:
        return BKPT
    if opcode >> 8 == 0x47:
        if opcode & 7 or (opcode >> 3) & 0xF == 15:
            return UNDEFINED
        return BLX if opcode & 0x80 else BX
    if opcode >> 8 in (0x44, 0x46) and opcode & 0x87 == 0x85:
        return HIGH_SP
    if opcode >> 12 == 0xC and not opcode & 0xFF:  # no register in the list
        return UNDEFINED
    if opcode >> 12 == 0xB:
        return _miscellaneous(opcode)
    return PLAIN


def _miscellaneous(opcode):
    group = opcode >> 8 & 0xF
    if group in (0x0, 0x2):
        return PLAIN
    if group in (0x4, 0x5, 0xC, 0xD):
        if not opcode & 0x1FF:
            return UNDEFINED
        return POP_PC if group == 0xD else PLAIN
    if group == 0x6:
        return PLAIN if opcode in (0xB662, 0xB672) else UNDEFINED
    if group == 0xA:
        return UNDEFINED if opcode >> 6 & 3 == 2 else PLAIN
    if group == 0xF and not opcode & 0xF:
        return {0xBF20: WFE, 0xBF30: WFI}.get(opcode, PLAIN)
    return UNDEFINED


for _opcode in range(0x10000):
    KIND[_opcode] = _kind(_opcode)


cdef bint is_wide(unsigned int first, unsigned int second) noexcept:
    """Return whether two halfwords are one of the few long instructions (v6-M, A5.3)."""
    if is_call(second):
        return True
    if first & 0xFFF0 == 0xF380:  # MSR
        return second & 0xFF00 == 0x8800
    if first == 0xF3EF:  # MRS
        return second & 0xF000 == 0x8000
    return first == 0xF3BF and second & 0xFFF0 in (0x8F40, 0x8F50, 0x8F60)  # DSB, DMB, ISB


cdef inline bint is_call(unsigned int second) noexcept:
    """Return whether a long instruction with this second halfword is BL."""
    return second & 0xD000 == 0xD000


# rp2040py calls Python for each of these branches. That would take a fifth of all time.

cdef bint holds(CortexM0Core core, unsigned int condition) noexcept:
    """Return whether the condition of a branch holds (v6-M, A6.3)."""
    cdef unsigned int what = condition >> 1
    cdef bint result
    if what == 0:
        result = core.z
    elif what == 1:
        result = core.c
    elif what == 2:
        result = core.n
    elif what == 3:
        result = core.v
    elif what == 4:
        result = core.c and not core.z
    elif what == 5:
        result = core.n == core.v
    else:
        result = core.n == core.v and not core.z
    return not result if condition & 1 else result


cdef int branch_if(CortexM0Core core, unsigned int opcode, unsigned int second, unsigned int at) except -1:
    """Execute B<c> (v6-M, A6.7.10); return its cycles."""
    if not holds(core, opcode >> 8 & 0xF):
        return 1
    core.registers[15] = at + 4 + 2 * <int>(<signed char>(opcode & 0xFF))
    return 2


cdef int call(CortexM0Core core, unsigned int opcode, unsigned int second, unsigned int at) except -1:
    """Execute BL (v6-M, A6.7.13); return its cycles."""
    cdef unsigned int sign = opcode >> 10 & 1
    cdef unsigned int i1 = 1 ^ sign ^ (second >> 13 & 1)
    cdef unsigned int i2 = 1 ^ sign ^ (second >> 11 & 1)
    cdef unsigned int high = (0xFF if sign else 0) << 24 | i1 << 23 | i2 << 22
    core.registers[14] = at + 4 | 1
    core.registers[15] = at + 4 + (high | (opcode & 0x3FF) << 12 | (second & 0x7FF) << 1)
    return 3


cdef int call_register(CortexM0Core core, unsigned int opcode, unsigned int second, unsigned int at) except -1:
    """Execute BLX (v6-M, A6.7.14); return its cycles."""
    cdef unsigned int target = core.registers[opcode >> 3 & 0xF] & ~1U
    core.registers[14] = at + 2 | 1
    core.registers[15] = target
    return 2


# rp2040py gets flags of the following wrong: V where the carry makes 0x80000000 of an operand, which
# comparisons of 64 bits ask for, and C where a register shifts by nothing, or left by more than 32.

cdef int add_with_carry(CortexM0Core core, unsigned int opcode, unsigned int second, unsigned int at) except -1:
    """Execute ADCS, or SBCS, which adds the complement (v6-M, A2.2.1); return its cycles."""
    cdef unsigned int first = core.registers[opcode & 7]
    cdef unsigned int other = core.registers[opcode >> 3 & 7]
    cdef unsigned int result
    if opcode & 0x80:
        other = ~other
    result = first + other + core.c
    core.c = <unsigned long long>first + other + core.c > 0xFFFFFFFFU
    core.v = ((first ^ result) & (other ^ result)) >> 31
    core.n = result >> 31
    core.z = result == 0
    core.registers[opcode & 7] = result
    return 1


cdef int shift(CortexM0Core core, unsigned int opcode, unsigned int second, unsigned int at) except -1:
    """Execute LSLS, LSRS, ASRS or RORS by a register (v6-M, A2.2.1); return its cycles."""
    cdef unsigned int by = core.registers[opcode >> 3 & 7] & 0xFF
    cdef bint carry = core.c
    cdef int cycles = DISPATCH_TABLE[opcode](core, opcode, second, at)
    if by == 0:
        core.c = carry
    elif by > 32 and opcode >> 6 == 0b0100000010:  # LSLS
        core.c = False
    return cycles


cdef OpHandler HANDLERS[0x10000]

for _opcode in range(0x10000):
    if KIND[_opcode] == BLX:
        HANDLERS[_opcode] = call_register
    elif _opcode >> 6 in (0b0100000101, 0b0100000110):
        HANDLERS[_opcode] = add_with_carry
    elif _opcode >> 6 in (0b0100000010, 0b0100000011, 0b0100000100, 0b0100000111):
        HANDLERS[_opcode] = shift
    elif KIND[_opcode] == PLAIN and _opcode >> 12 == 0xD:
        HANDLERS[_opcode] = branch_if
    else:
        HANDLERS[_opcode] = DISPATCH_TABLE[_opcode]


cdef inline unsigned int halfword(const unsigned char *at) noexcept:
    return at[0] | at[1] << 8


cdef inline unsigned int word(const unsigned char *at) noexcept:
    return at[0] | at[1] << 8 | at[2] << 16 | <unsigned int>at[3] << 24


cdef inline void put_word(unsigned char *at, unsigned int value) noexcept:
    at[0], at[1], at[2], at[3] = value & 0xFF, value >> 8 & 0xFF, value >> 16 & 0xFF, value >> 24


cdef class Bus(RP2040):
    """The chip's address space. What it refuses is said by the attributes, which are rules."""

    # The rules: what each means is in modthread._emulators.strict.RULES.
    cdef public bint thumb
    cdef public bint aligned
    cdef public bint memory
    cdef public bint readonly
    cdef public bint xip
    cdef public bint undefined
    cdef public bint stack
    cdef public bint masking
    cdef public bint priorities
    cdef public bint reset_state
    cdef public bint clocks_gated
    cdef public bint unwritten

    cdef public bint flash_is_mapped  # the XIP controller serves reads of flash
    cdef public unsigned int gated_in_sleep  # interrupts of peripherals without a clock in sleep
    cdef public object closed  # {page of a peripheral: why it cannot be used}, as few as there are
    cdef public frozenset tolerated  # registers that may be used all the same
    cdef public object usb_ram_closed
    cdef public dict first_reads  # {instruction: address}: RAM that nobody has written
    cdef public unsigned long long unwritten_reads
    cdef public object writes  # a list: (instruction, address, value) of each write to a peripheral
    cdef unsigned char[:] _written
    cdef RPPIO _first
    cdef RPPIO _second

    def __cinit__(self, *arguments, **keywords):
        self.flash_is_mapped = True
        self.closed = {}
        self.tolerated = frozenset()
        self.first_reads = {}
        self._written = bytearray(RAM_SIZE)
        self.core = Core(self)

    def __init__(self, clock=None):
        RP2040.__init__(self, clock)
        self._first, self._second = self.pio

    cdef unsigned int pc(self):
        return (<Core>self.core).at

    @final
    cdef inline unsigned int fetch(self, unsigned int pc) except? 0xFFFF:
        """Return the halfword at `pc`, which is even."""
        cdef unsigned int word
        if FLASH <= pc < FLASH_END:
            self._read_flash(pc)
            return halfword(&self._flash[pc & FLASH_OFFSET])
        if RAM <= pc < RAM + RAM_SIZE:
            if not self._written[pc - RAM]:
                self._count(pc)
            return halfword(&self._sram[pc - RAM])
        if pc < ROM_END:
            word = self._bootrom[pc >> 2]
            return word >> 16 if pc & 2 else word & 0xFFFF
        if self.memory:
            raise FaultError("execution where no program can be", pc)
        return RP2040.read_uint16(self, pc)

    @final
    cdef inline int _read_flash(self, unsigned int address) except -1:
        if self.xip and not self.flash_is_mapped:
            raise RefusedError("flash is read while XIP is off", address)
        return 0

    cdef int _count(self, unsigned int address) except -1:
        if self.unwritten and (<Core>self.core).executing:
            self.unwritten_reads += 1
            self.first_reads.setdefault(self.pc(), address)
        return 0

    cdef int _misaligned(self, unsigned int address, str access) except -1:
        if self.aligned:
            self._fault(f"unaligned {access}", address)
        return 0

    cdef int _fault(self, str what, unsigned int address) except -1:
        if (<Core>self.core).executing:
            raise FaultError(what, address)
        raise RefusedError(f"DMA: {what}", address)  # a bus error of its channel

    cdef int _peripheral(self, unsigned int address, str access) except -1:
        """Refuse an access to what is neither ROM, flash nor RAM, if there is nothing."""
        cdef unsigned int page
        if SIO <= address < SIO_END or PPB <= address < PPB_END:
            return 0
        if USB_RAM <= address < USB_RAM_END:
            if self.usb_ram_closed is not None:
                raise RefusedError(f"{access} {self.usb_ram_closed}", address)
            return 0
        page = (address >> 14) << 2
        if self.closed and page in self.closed and not self.is_tolerated(address):
            raise RefusedError(f"{access} {self.closed[page]}", address)
        if self.memory and page not in self.peripherals:
            self._fault(f"{access} no memory", address)
        return 0

    cpdef unsigned int read_uint32(self, long long address) except? 0:
        cdef unsigned int at = <unsigned int>address
        if at & 3:
            self._misaligned(at, "read of a word")
        if RAM <= at < RAM + RAM_SIZE:
            if (<unsigned int*>&self._written[at - RAM & ~3])[0] != 0x01010101:
                self._count(at)
            return word(&self._sram[at - RAM])
        if FLASH <= at < FLASH_END:
            self._read_flash(at)
            return word(&self._flash[at & FLASH_OFFSET])
        if at >= ROM_END:
            self._peripheral(at, "read from")
        return RP2040.read_uint32(self, at)

    cpdef unsigned int read_uint16(self, long long address):
        cdef unsigned int at = <unsigned int>address
        if at & 1:
            self._misaligned(at, "read of a halfword")
        if RAM <= at < RAM + RAM_SIZE:
            if not (self._written[at - RAM] and self._written[(at - RAM) | 1]):
                self._count(at)
            return halfword(&self._sram[at - RAM])
        if FLASH <= at < FLASH_END:
            self._read_flash(at)
            return halfword(&self._flash[at & FLASH_OFFSET])
        return RP2040.read_uint16(self, at)  # which reads the word of anything else

    cpdef unsigned int read_uint8(self, long long address):
        cdef unsigned int at = <unsigned int>address
        if RAM <= at < RAM + RAM_SIZE:
            if not self._written[at - RAM]:
                self._count(at)
            return self._sram[at - RAM]
        if FLASH <= at < FLASH_END:
            self._read_flash(at)
            return self._flash[at & FLASH_OFFSET]
        return RP2040.read_uint8(self, at)

    @final
    cdef inline int _write(self, unsigned int address, unsigned int size, long long value) except -1:
        """Refuse a write of `size` bytes that the chip refuses; return whether it is to RAM."""
        cdef unsigned int i
        if address & (size - 1):
            self._misaligned(address, "write of a word" if size == 4 else "write of a halfword")
        if RAM <= address < RAM + RAM_SIZE:
            for i in range(size):
                self._written[address - RAM + i] = 1
            return 1
        if address < ROM_END or FLASH <= address < FLASH_END:
            if self.readonly:
                self._fault(f"write to {'ROM' if address < ROM_END else 'flash'}", address)
            return 0
        self._peripheral(address, "write to")
        if self.writes is not None:
            self.writes.append((self.pc(), address, <unsigned int>value))
        return 0

    cdef bint is_tolerated(self, unsigned int address) except -1:
        """Return whether a peripheral in reset may be used at `address`, as the ROM does."""
        return self.pc() < ROM_END or address & ~0x3000 in self.tolerated

    cdef int _wrote(self, unsigned int address) except -1:
        """Let what a register decides on follow it."""
        if address >> 16 in (0x1800, 0x4000, 0x4001):
            self.follow(address & ~0x3FFF)
        return 0

    cpdef write_uint32(self, long long address, long long value):
        cdef unsigned int at = <unsigned int>address
        # TinyUSB 0.18 has no endpoint_control for endpoint 0 and sets a flag of it at address 0 all
        # the same (hw_endpoint_start_next_buffer() in rp2040_usb.c): on every Pico, the ROM stays.
        if at == 0 and self.readonly and (value ^ self._bootrom[0]) & 0x0FFFFFFF == 0:
            return
        if self._write(at, 4, value):
            put_word(&self._sram[at - RAM], <unsigned int>value)
            return
        if self.priorities and (at == SHPR2 or at == SHPR3):  # two bits each (v6-M, B3.2.11)
            value &= 0xC0000000U if at == SHPR2 else 0xC0C00000U
        RP2040.write_uint32(self, at, value)
        self._wrote(at)

    cpdef write_uint16(self, long long address, long long value):
        cdef unsigned int at = <unsigned int>address
        if self._write(at, 2, value):
            self._sram[at - RAM] = value & 0xFF
            self._sram[at - RAM + 1] = value >> 8 & 0xFF
            return
        RP2040.write_uint16(self, at, value)
        self._wrote(at)

    cpdef write_uint8(self, long long address, long long value):
        cdef unsigned int at = <unsigned int>address
        if self._write(at, 1, value):
            self._sram[at - RAM] = value & 0xFF
            return
        RP2040.write_uint8(self, at, value)
        self._wrote(at)

    @final
    cdef inline int pass_cycles(self, int cycles) except -1:
        """Let the time of an instruction pass."""
        cdef SimulationClock clock = self.clock
        cdef double now = clock._nanos_counter + cycles * CYCLE
        if clock._next_alarm is not None and clock._next_alarm.nanos <= now:
            clock.tick(cycles * CYCLE)
        else:
            clock._nanos_counter = now
        return self._advance(cycles)

    cdef int sleep(self, object simulator) except -1:
        """Let the time until the next alarm pass; return whether the simulator runs on."""
        cdef double idle = self.clock.nanos_to_next_alarm
        self.clock.tick(idle)
        if simulator.stopped:
            return 0
        self._advance(max(1, <long long>(idle / CYCLE)))
        return 1

    @final
    cdef inline int _advance(self, long long cycles) except -1:
        if not self._first.stopped:
            self._first.advance(cycles)
        if not self._second.stopped:
            self._second.advance(cycles)
        return 0

    def follow(self, block):
        """Let the attributes follow the registers of `block`, where one was written."""


@final
cdef class Core(CortexM0Core):
    """The processor."""

    cdef public unsigned int at  # the instruction that is executed
    cdef public bint executing  # so an access to memory is the processor's
    cdef public bint takes_faults  # as the chip: a fault is the program's HardFault exception
    cdef public unsigned long long instructions
    cdef bint _waits_for_event

    cpdef int execute_instruction(self) except -1:
        try:
            return self.step()
        except FaultError as fault:
            return self.fault(fault)
        finally:
            self.executing = False

    cdef int step(self) except -1:
        """Execute an instruction, but raise the FaultError that it ends with; return its cycles."""
        cdef Bus bus = <Bus>self.rp2040
        cdef unsigned int opcode, kind
        cdef unsigned int second = 0
        cdef OpHandler handler
        cdef int cycles
        self.executing = True
        while self.interrupts_updated and self.check_for_interrupts():
            self.waiting = False
        self.at = self.registers[15] & ~1U
        opcode = bus.fetch(self.at)
        kind = KIND[opcode]
        handler = HANDLERS[opcode]
        self.instructions += 1
        if kind != PLAIN:
            if kind == WIDE:
                second = bus.fetch(self.at + 2)
                handler = call if is_call(second) else resolve_wide(opcode, second)
            self._check(bus, opcode, second, kind)
        if handler == NULL:  # and the rule that refuses it is off
            cycles = CortexM0Core.execute_instruction(self)
        else:
            self.registers[15] += 2
            cycles = handler(self, opcode, second, self.at)
            self.cycles += cycles
        if self.waiting:
            self._sleep(bus, kind == WFE)
        self.executing = False
        return cycles

    cdef int fault(self, object fault) except -1:
        """Take the HardFault exception, or end where that is not asked for or cannot be."""
        if self.ipsr in (2, HARD_FAULT):
            raise RefusedError(f"lockup: {fault.what} in the HardFault handler", fault.address)
        if not self.takes_faults:
            raise fault
        if fault.branches:  # the instruction that it goes to has the fault (v6-M, B1.4.2)
            CortexM0Core.execute_instruction(self)
        self.registers[15] = fault.address if fault.branches else self.at
        try:
            self.exception_entry(HARD_FAULT)
        except FaultError as second:
            raise RefusedError(f"lockup: {second.what} on the way to the HardFault handler", second.address)
        self.executing = False
        return 1

    cdef int _check(self, Bus bus, unsigned int opcode, unsigned int second, unsigned int kind) except -1:
        cdef unsigned int value, i
        if kind == WIDE:
            if bus.undefined and not is_wide(opcode, second):
                raise FaultError(f"undefined instruction {opcode:04x} {second:04x}", self.at)
            if opcode & 0xFFF0 == 0xF380 and second & 0xFF in (8, 9):  # MSR to MSP and PSP
                self._set_stack(bus, self.registers[opcode & 0xF])
        elif kind == UNDEFINED:
            if bus.undefined:
                raise FaultError(f"undefined instruction {opcode:04x}", self.at)
        elif kind == BX:
            self._branch(bus, "BX", self.registers[opcode >> 3 & 0xF], self.registers[13])
        elif kind == BLX:
            value = self.registers[opcode >> 3 & 0xF]
            if bus.thumb and not value & 1:
                raise FaultError("BLX to an even address", value, branches=True)
        elif kind == POP_PC:
            value = self.registers[13]
            for i in range(8):
                value += 4 * (opcode >> i & 1)
            self._branch(bus, "POP", bus.read_uint32(value), value + 4)
        elif kind == HIGH_SP:
            value = self.registers[opcode >> 3 & 0xF]
            if opcode >> 8 == 0x44:
                value += self.registers[13]
            self._set_stack(bus, value)
        elif kind == BKPT:
            if bus.undefined:
                raise FaultError(f"BKPT {opcode & 0xFF} without a debugger", self.at)
        elif kind == SVC:
            value = 0 if self.pm else LOWEST
            if bus.masking and min(value, self.exception_priority(self.ipsr)) <= self.sv_call_priority:
                raise FaultError("SVC while it is masked", self.at)  # v6-M, B1.5.4
        return 0

    cdef int _set_stack(self, Bus bus, unsigned int value) except -1:
        # The processor drops the two bits (v6-M, B1.4.1), and the next exception's frame is elsewhere.
        if bus.stack and value & 3:
            raise FaultError("unaligned stack pointer", value)
        return 0

    cdef int _branch(self, Bus bus, str name, unsigned int target, unsigned int main_stack) except -1:
        """Refuse a BX or POP to `target`; `main_stack` is the main stack after it (v6-M, A2.3.1)."""
        cdef unsigned int frame, xpsr
        if not bus.thumb:
            return 0
        if self.current_mode == THREAD or target >> 28 != 0xF:
            if not target & 1:
                raise FaultError(f"{name} to an even address", target, branches=True)
            return 0
        if target not in (0xFFFFFFF1U, 0xFFFFFFF9U, 0xFFFFFFFDU):
            raise FaultError("wrong EXC_RETURN", target)
        frame = self.sp_process if target == 0xFFFFFFFDU else main_stack
        xpsr = bus.read_uint32(frame + 0x1C)
        if not xpsr & THUMB:
            raise FaultError("exception return into ARM state, bit T of the stacked xPSR is 0", frame + 0x1C)
        if (target == 0xFFFFFFF1U) != (xpsr & NUMBER != 0):
            raise FaultError(f"wrong EXC_RETURN {target:#x}, the stacked xPSR is of the other mode", frame + 0x1C)
        return 0

    def exception_entry(self, number):
        """Take an exception; a vector that is even or nowhere is a fault."""
        cdef Bus bus = <Bus>self.rp2040
        cdef bint executing = self.executing
        if not executing:  # a WFI ends at an interrupt
            self.at = self.registers[15] & ~1U
        self.executing = True
        try:
            CortexM0Core.exception_entry(self, number)
        finally:
            self.executing = executing
        if bus.thumb and not self.registers[15] & 1:
            raise FaultError(f"exception {number} to an even address", self.registers[15])

    # Sleep: WFI ends at an interrupt also where PRIMASK keeps it from being taken, WFE does not
    # (v6-M, B1.5.18 and B1.5.19). SEVONPEND, which rp2040py has not, would make it.

    cdef bint _wakes(self) except -1:
        cdef Bus bus = <Bus>self.rp2040
        cdef int limit = self.exception_priority(self.ipsr)
        cdef unsigned int pending = self.pending_interrupts & self.enabled_interrupts
        cdef int priority
        if bus.clocks_gated:
            pending &= ~bus.gated_in_sleep
        if self._waits_for_event and self.pm:
            limit = min(limit, 0)
        if self.pending_nmi:
            return True
        for priority in range(min(limit, LOWEST)):
            if (
                pending & self.interrupt_priorities[priority]
                or self.pending_svcall and priority == self.sv_call_priority
                or self.pending_pend_sv and priority == self.pend_sv_priority
                or self.pending_systick and priority == self.systick_priority
            ):
                return True
        return False

    cdef int _sleep(self, Bus bus, bint for_event) except -1:
        self._waits_for_event = for_event
        if bus.masking and self._wakes():
            self.waiting = False
        elif bus.clocks_gated and bus.gated_in_sleep and not self.enabled_interrupts & ~bus.gated_in_sleep:
            raise RefusedError("sleep without end: no interrupt that is enabled has a clock in sleep", self.at)
        return 0

    def check_for_interrupts(self):
        """Take the most urgent interrupt, if one is to be taken; return whether the processor runs on."""
        if not self.waiting or not (<Bus>self.rp2040).masking:
            return CortexM0Core.check_for_interrupts(self)
        if not self._wakes():
            return False
        self.waiting = False
        CortexM0Core.check_for_interrupts(self)
        return True


# rp2040py's own loop would do; it looks Python attributes up at each instruction, which takes more
# time than all the rules.

cdef enum:
    ROUND = 64  # instructions between two looks at the clock of the host

cdef double IDLE_SHARE = 0.1


def run(simulator, double seconds):
    """Run the chip until `simulator` is stopped, for about `seconds` of the host's time.

    A chip that waits for an interrupt runs for IDLE_SHARE of that: the host may have one for it.
    """
    cdef Bus bus = simulator.rp2040
    cdef Core core = <Core>bus.core
    cdef double start = monotonic()
    while not simulator.stopped and monotonic() < start + (IDLE_SHARE * seconds if core.waiting else seconds):
        try:
            run_round(simulator, bus, core)
        except FaultError as fault:
            bus.pass_cycles(core.fault(fault))


cdef int run_round(object simulator, Bus bus, Core core) except -1:
    """Run some instructions; a sleep in which the simulator is stopped ends the round."""
    cdef int i
    for i in range(ROUND):
        if not core.waiting:
            bus.pass_cycles(core.step())
        elif not bus.sleep(simulator):
            return 0
    return 0
