"""System packages. Only the standard library here: this runs before the venv exists."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from modthread._base.project import IS_CHECKOUT, settings
from modthread.errors import ModthreadError

DEBIAN_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


def missing_packages() -> list[str]:
    """Return the Debian packages whose check in pyproject.toml fails; takes about 0.3 s."""
    packages = settings()["packages"]
    if IS_CHECKOUT:
        packages = packages | settings()["developer-packages"]
    return [
        package
        for package, check in packages.items()
        if subprocess.run(check, shell=True, capture_output=True).returncode != 0
    ]


def install_packages() -> None:
    """Install what is missing with apt-get; raises ModthreadError where that is not possible.

    Blocks while apt-get, whose output is shown, downloads and installs.
    """
    missing = missing_packages()
    if not missing:
        return
    names = " ".join(missing)
    if not shutil.which("apt-get"):
        raise ModthreadError(f"install the packages that Debian calls: {names}")
    prefix = _become_root()
    if prefix is None:
        raise ModthreadError(f"as root, run: apt-get update && apt-get install {names}")
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "--yes", "--no-install-recommends", *missing]
    # A repository of somebody else's may be out of order: only the installation has to succeed.
    subprocess.run([*prefix, "apt-get", "update"], env=environment, check=False)
    subprocess.run([*prefix, *install], env=environment, check=False)
    missing = missing_packages()
    if missing:
        raise ModthreadError(f"apt-get could not install {' '.join(missing)}: see its output above")


def debian_archive() -> str | None:
    """Return the address of Debian's archive in this machine's apt configuration.

    None where there is no apt or it uses another distribution's archive. Blocks while package
    lists are downloaded, where there are none; raises ModthreadError where only root may do that.
    """
    if not shutil.which("apt-get") or not DEBIAN_KEYRING.exists():
        return None
    if not _package_lists():
        prefix = _become_root()
        if prefix is None:
            raise ModthreadError("apt has no package lists; as root, run: apt-get update")
        subprocess.run([*prefix, "apt-get", "update"], check=False, stdout=sys.stderr)
    for line in _package_lists():
        origin, suite, address = line.rsplit(" ", 2)  # "Debian Backports" is an origin, too
        if origin == "Debian" and "-" not in suite:
            return address
    return None


def _package_lists() -> list[str]:
    """Return origin, suite and address of every package list that apt has."""
    command = ["apt-get", "indextargets", "--format", "$(ORIGIN) $(RELEASE) $(REPO_URI)"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    return result.stdout.splitlines()


def _become_root() -> list[str] | None:
    """Return what to put before a command that root must run; None where that is impossible."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo"):
        return ["sudo"] if sys.stdin.isatty() else ["sudo", "--non-interactive"]
    return None


if __name__ == "__main__":
    try:
        install_packages()
    except ModthreadError as error:
        sys.exit(f"modthread: {error}")
