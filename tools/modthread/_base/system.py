"""System packages. Only the standard library here: this runs before the venv exists."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from modthread._base.project import IS_CHECKOUT, settings
from modthread.errors import ModthreadError

DEBIAN_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
INSTALL = ("install", "--yes", "--no-install-recommends")


def missing_packages() -> list[str]:
    """Return the Debian packages whose check in pyproject.toml fails; takes about 0.3 s."""
    packages = settings()["packages"]
    if IS_CHECKOUT:
        packages = packages | settings()["developer-packages"]
    return [package for package, check in packages.items() if not _succeeds(check)]


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
    # A repository of somebody else's may be out of order: only the installation has to succeed.
    _apt_get(prefix, "update")
    _apt_get(prefix, *INSTALL, *missing)
    missing = missing_packages()
    if missing:
        raise ModthreadError(f"apt-get could not install {' '.join(missing)}: see its output above")


def install_cpython_tests() -> None:
    """Install CPython's own tests with apt-get; print what to do where that is not possible.

    Nothing else needs them. Blocks while apt-get, whose output is shown, downloads and installs.
    """
    names, check = (settings()["cpython-tests"][key] for key in ("packages", "check"))
    if not IS_CHECKOUT or _succeeds(check):
        return
    prefix = _become_root() if shutil.which("apt-get") else None
    if prefix is not None:
        if not _apt_knows(names):
            _apt_get(prefix, "update")
        _apt_get(prefix, *INSTALL, *_apt_knows(names)[:1])
    if not _succeeds(check):
        print(
            "modthread: CPython's own tests are skipped without the package that Debian calls "
            + " or ".join(names),
            file=sys.stderr,
        )


def _apt_knows(names: list[str]) -> list[str]:
    return [name for name in names if _succeeds(f"apt-cache show {name}")]


def _apt_get(prefix: list[str], *arguments: str) -> None:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run([*prefix, "apt-get", *arguments], env=environment, check=False)


def _succeeds(command: str) -> bool:
    return subprocess.run(command, shell=True, capture_output=True).returncode == 0


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
        install_cpython_tests()
    except ModthreadError as error:
        sys.exit(f"modthread: {error}")
