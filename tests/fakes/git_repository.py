"""git repositories on this host, in place of those on the network."""

import subprocess
from pathlib import Path

IDENTITY = ("-c", "user.name=Test", "-c", "user.email=test@example.invalid")


def git(folder: Path, *arguments: str) -> str:
    """Run git there; returns what it printed. ``CalledProcessError`` if it fails."""
    command = ["git", *IDENTITY, *arguments]
    run = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    return run.stdout.strip()


def commit_all(folder: Path, message: str) -> str:
    """Make the folder a repository with one commit of all that is there; returns the commit."""
    git(folder, "init", "--quiet")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", f"--message={message}")
    return git(folder, "rev-parse", "HEAD")
