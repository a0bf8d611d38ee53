"""modthread's host side: sets up, builds, runs and tests the firmware.

Public are the command, the pytest plugin with its options, marks and fixtures, and the modules
``device``, ``errors`` and ``several_boards``. What is in a package whose name begins with an
underscore can change with any release.
"""
