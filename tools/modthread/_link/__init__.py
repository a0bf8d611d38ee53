"""The serial line to a board, its log, and the one session that talks over it."""
