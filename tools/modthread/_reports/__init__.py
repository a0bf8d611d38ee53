"""What a board says, told in terms of the host's files: tracebacks, crashes, timelines."""
