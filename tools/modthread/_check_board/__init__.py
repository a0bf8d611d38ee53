"""Checking a real board: flash it, run tests and measure on it, and say in a page what was seen."""
