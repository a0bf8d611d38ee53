"""The emulated boards, and the RP2040 that refuses what the chip refuses."""
