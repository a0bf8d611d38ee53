"""Pinned, checksummed source trees, and the variables that name others to use instead."""

import hashlib
import os
import pwd
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from modthread import progress, system
from modthread.errors import ModthreadError
from modthread.project import BUILD, directory_from_environment, locked, settings

SOURCES = BUILD / "sources"


@dataclass(frozen=True)
class Source:
    """One pinned source tree, as ``tool.modthread.sources`` in pyproject.toml describes it."""

    name: str
    version: str
    released: int  # seconds since 1970
    marker: str  # a file that every such tree has
    variable: str  # the environment variable that names another tree
    debian_suite: str
    debian_version: str
    debian_file: str
    sha256: str
    git_url: str
    git_tag: str
    git_commit: str

    @property
    def tree(self) -> Path:
        """The directory that the pinned source is unpacked to."""
        return SOURCES / f"{self.name}-{self.version}"

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


def pinned(name: str) -> Source:
    """Return the pin called `name`."""
    pins = settings()["sources"][name]
    return Source(name=name, **{key.replace("-", "_"): value for key, value in pins.items()})


def micropython() -> Path:
    """Return MicroPython's source tree: ``MICROPY_DIR``, or the pinned one.

    Blocks while the pinned one is downloaded; raises ModthreadError.
    """
    pin = pinned("micropython")
    return directory_from_environment(pin.variable, pin.marker) or fetch(pin, pin.tree)


def freertos_kernel() -> Path | None:
    """Return the kernel that ``FREERTOS_KERNEL_PATH`` names, or None for the port's default."""
    return directory_from_environment("FREERTOS_KERNEL_PATH", "include/FreeRTOS.h")


def fetch(source: Source, tree: Path) -> Path:
    """Return `tree` once the pinned source is there: from Debian where apt can, else with git.

    The tree appears complete or not at all. Blocks; raises ModthreadError.
    """
    if tree.is_dir():
        return tree
    with locked(tree.parent):
        archive = None if tree.is_dir() else system.debian_archive()
        if not tree.is_dir():
            work = tree.with_name(f"{tree.name}.part")
            shutil.rmtree(work, ignore_errors=True)  # left by a set-up that was killed
            try:
                work.mkdir()
                with progress.step(f"Fetching {source}") as show:
                    if archive:
                        unpacked = fetch_from_debian(source, archive, work, show)
                    else:
                        unpacked = fetch_with_git(source, work, show)
                unpacked.rename(tree)
            finally:
                shutil.rmtree(work, ignore_errors=True)
    return tree


def fetch_from_debian(
    source: Source, archive: str, work: Path, show: Callable[[str], None]
) -> Path:
    """Download `source` from Debian's `archive` to directory `work`; return the unpacked tree.

    apt keeps its state in `work`, so this needs no rights and changes nothing on the system.
    """
    parts = work / "sources.list.d"
    for directory in (parts, work / "lists/partial", work / "cache/archives/partial"):
        directory.mkdir(parents=True)
    (parts / "debian.sources").write_text(
        f"Types: deb-src\nURIs: {archive}\nSuites: {source.debian_suite}\nComponents: main\n"
        f"Signed-By: {system.DEBIAN_KEYRING}\n"
    )
    options = {
        "Dir::Etc::sourcelist": "/dev/null",
        "Dir::Etc::sourceparts": parts,
        "Dir::State::lists": work / "lists",
        "Dir::Cache": work / "cache",
        "APT::Sandbox::User": pwd.getpwuid(os.geteuid()).pw_name,
    }
    apt = ["apt-get", *(f"--option={name}={value}" for name, value in options.items())]
    show("Debian's list of sources")
    _run([*apt, "update", "--error-on=any"], work, source)
    show(source.debian_file)
    package = f"{source.name}={source.debian_version}"
    _run([*apt, "source", "--download-only", package], work, source)
    return unpack(source, work / source.debian_file, show)


def unpack(source: Source, archive: Path, show: Callable[[str], None]) -> Path:
    """Check the sum of file `archive` and unpack it beside itself; return the tree."""
    found = hashlib.sha256(archive.read_bytes()).hexdigest()
    if found != source.sha256:
        raise ModthreadError(
            f"{archive.name} has the SHA-256 sum {found[:12]}..., not the pinned"
            f" {source.sha256[:12]}...: try again, or set {source.variable} to a checkout"
        )
    show("unpacking")
    tree = archive.parent / "tree"
    tree.mkdir()
    _run(["tar", "--extract", f"--file={archive}", "--strip-components=1"], tree, source)
    return tree


def fetch_with_git(source: Source, work: Path, show: Callable[[str], None]) -> Path:
    """Clone the pinned tag of `source` into directory `work` and check its commit."""
    show(source.git_url)
    tree = work / "tree"
    _run(
        [
            "git",
            "clone",
            "--quiet",
            "--depth=1",
            f"--branch={source.git_tag}",
            source.git_url,
            tree,
        ],
        work,
        source,
    )
    commit = _run(["git", "rev-parse", "HEAD"], tree, source).strip()
    if commit != source.git_commit:
        raise ModthreadError(
            f"{source.git_url}: {source.git_tag} is commit {commit[:12]}, not the pinned"
            f" {source.git_commit[:12]}: set {source.variable} to a checkout that you trust"
        )
    return tree


def _run(command: list[str | Path], directory: Path, source: Source) -> str:
    """Run a tool and return its output; its first error goes into the ModthreadError."""
    environment = os.environ | {"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0"}
    result = subprocess.run(
        command, cwd=directory, env=environment, capture_output=True, text=True, check=False
    )
    if result.returncode != 0:
        lines = [*result.stderr.splitlines(), f"{command[0]} failed"]
        complaint = next(line for line in lines if not line.startswith(("W:", "warning:")))
        raise ModthreadError(
            f"cannot fetch {source}: {complaint}; check the network and the free space,"
            f" or set {source.variable} to a checkout"
        )
    return result.stdout
