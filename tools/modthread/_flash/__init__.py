"""Putting firmware on a real board: find it, write the image, ask the board what it runs."""
