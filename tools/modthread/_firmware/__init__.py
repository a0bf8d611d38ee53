"""The firmware: its build, and the check of its image."""
