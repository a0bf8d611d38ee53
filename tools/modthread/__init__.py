"""modthread's host side: sets up, builds, runs and tests the firmware."""
