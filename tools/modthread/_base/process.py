"""Programs that modthread starts and that must not outlive it."""

import shutil


def killed_with_parent() -> list[str]:
    """Return what to put before a command so that it ends however this process ends (Linux)."""
    return ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
