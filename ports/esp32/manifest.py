# MicroPython's manifest of this port, without what micropython-lib adds to it.
freeze("$(PORT_DIR)/modules")
include("$(MPY_DIR)/extmod/asyncio")
