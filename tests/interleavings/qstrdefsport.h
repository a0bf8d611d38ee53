// No names of its own.
