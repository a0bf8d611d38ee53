"""Pinned, checksummed source trees, and the variables that name others to use instead."""

import hashlib
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from modthread._base import progress, system
from modthread._base.progress import Show
from modthread._base.project import SOURCES, directory_from_environment, locked, settings
from modthread.errors import ModthreadError

V9, V11 = "v9", "v11"  # what KERNEL may be


@dataclass(frozen=True)
class Source:
    """One pinned source tree, as ``tool.modthread.sources`` in pyproject.toml describes it."""

    name: str
    version: str
    marker: str  # a file that every such tree has
    variable: str  # the environment variable that names another tree
    git_url: str
    git_tag: str
    git_commit: str
    debian_file: str = ""  # empty where Debian has it not
    debian_suite: str = ""
    debian_version: str = ""
    sha256: str = ""
    released: int = 0  # seconds since 1970, where a build wants to know

    @property
    def debian_package(self) -> str:
        """The Debian package that `debian_file` is of: a source or a binary package."""
        return self.debian_file.partition("_")[0]

    @property
    def is_binary_package(self) -> bool:
        """Whether Debian has the source as a binary package with files in /usr/src."""
        return self.debian_file.endswith(".deb")

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


def micropython_at_hand() -> Path | None:
    """Return MicroPython's source tree where it is there already; this fetches nothing."""
    pin = pinned("micropython")
    if tree := directory_from_environment(pin.variable, pin.marker):
        return tree
    return pin.tree if (pin.tree / pin.marker).is_file() else None


def micropython(*submodules: str, required: bool = True) -> Path:
    """Return MicroPython's source tree: ``MICROPY_DIR``, or the pinned one.

    `submodules` are the pins that must be in its ``lib``, as ``git submodule update`` would put
    them there. Where they are not `required`, ``MICROPY_DIR`` may lack them. Blocks while missing
    trees are downloaded; raises ModthreadError.
    """
    pin = pinned("micropython")
    libraries = {name: pinned(name) for name in submodules}
    if tree := directory_from_environment(pin.variable, pin.marker):
        missing = [
            f"lib/{name}"
            for name, library in libraries.items()
            if not (tree / "lib" / name / library.marker).is_file()
        ]
        if missing and required:
            raise ModthreadError(
                f"{pin.variable}={tree} lacks submodules; run:"
                f" git -C {tree} submodule update --init {' '.join(missing)}"
            )
        return tree
    fetch({pin.tree: pin})
    fetch({pin.tree / "lib" / name: library for name, library in libraries.items()})
    return pin.tree


def micropython_with_submodules(submodules: Sequence[str]) -> Path:
    """Return a tree of the pinned MicroPython that has these `submodules`, paths in it.

    git fetches it: Debian's source package lacks most submodules. Blocks while what is missing is
    downloaded; raises ModthreadError.
    """
    pin = pinned("micropython")
    pin = replace(pin, version=f"{pin.version}-git", debian_file="")
    tree = _fetched(pin)
    with locked(tree):
        status = _run(["git", "submodule", "status", "--", *submodules], tree, pin)
        missing = [line.split()[1] for line in status.splitlines() if not line.startswith(" ")]
        if missing:
            with progress.step(f"Fetching {', '.join(missing)}") as show:
                show("with git")
                update = ["git", "submodule", "update", "--quiet", "--init", "--depth=1", "--"]
                _run([*update, *missing], tree, pin)
    return tree


def lwip() -> Path:
    """Return lwIP's source tree: ``LWIP_DIR``, or the pinned one.

    Blocks while it is downloaded, where it is missing; raises ModthreadError.
    """
    pin = pinned("lwip")
    return directory_from_environment(pin.variable, pin.marker) or _fetched(pin)


def pico_sdk() -> Path | None:
    """Return the SDK that ``PICO_SDK_PATH`` names, or None for MicroPython's submodule."""
    pin = pinned("pico-sdk")
    return directory_from_environment(pin.variable, pin.marker)


def freertos_kernel() -> Path | None:
    """Return FreeRTOS's sources, or None for the kernel in MicroPython's tree.

    ``FREERTOS_KERNEL_PATH`` names them, or ``KERNEL=v11`` the pinned ones. Blocks while these are
    downloaded; raises ModthreadError.
    """
    pin = pinned("freertos-kernel")
    if tree := directory_from_environment(pin.variable, pin.marker):
        return tree
    kernel = os.environ.get("KERNEL") or V9
    if kernel not in (V9, V11):
        raise ModthreadError(
            f"KERNEL={kernel} is unknown; take {V9}, {V11}, or name sources by {pin.variable}"
        )
    return None if kernel == V9 else _fetched(pin)


def _fetched(pin: Source) -> Path:
    fetch({pin.tree: pin})
    return pin.tree


def fetch(trees: Mapping[Path, Source]) -> None:
    """Fetch the `trees`, all of one directory: from Debian if apt can, else with git.

    Each tree appears complete or not at all, also in place of an empty directory. Blocks; raises
    ModthreadError.
    """
    if not _missing(trees):
        return
    directory = next(iter(trees)).parent
    with locked(directory):
        missing = _missing(trees)
        archive = system.debian_archive() if missing else None
        work = directory / "unfinished"
        shutil.rmtree(work, ignore_errors=True)  # left by a set-up that was killed
        try:
            if missing:
                work.mkdir()
                _fetch_missing(missing, archive, work)
        finally:
            shutil.rmtree(work, ignore_errors=True)


def _missing(trees: Mapping[Path, Source]) -> dict[Path, Source]:
    return {tree: source for tree, source in trees.items() if not (tree / source.marker).is_file()}


def _fetch_missing(trees: Mapping[Path, Source], archive: str | None, work: Path) -> None:
    with progress.step(f"Fetching {', '.join(map(str, trees.values()))}") as show:
        packaged = [source for source in trees.values() if source.debian_file]
        apt = private_apt(archive, packaged, work, show) if archive and packaged else []
        for tree, source in trees.items():
            own = work / source.name
            own.mkdir()
            if apt and source.debian_file:
                unpacked = fetch_from_debian(source, apt, own, show)
            else:
                unpacked = fetch_with_git(source, own, show)
            unpacked.rename(tree)


def private_apt(archive: str, sources: Sequence[Source], work: Path, show: Show) -> list[str]:
    """Return the command apt-get with the lists of Debian's `archive` where `sources` are.

    apt keeps its state in directory `work`, so this needs no rights and changes nothing on the
    system. Blocks while the lists are downloaded.
    """
    state = work / "apt"
    parts = state / "sources.list.d"
    for directory in (parts, state / "lists/partial", state / "cache/archives/partial"):
        directory.mkdir(parents=True)
    kinds = sorted({"deb" if source.is_binary_package else "deb-src" for source in sources})
    suites = sorted({source.debian_suite for source in sources})
    (parts / "debian.sources").write_text(
        f"Types: {' '.join(kinds)}\nURIs: {archive}\nSuites: {' '.join(suites)}\n"
        f"Components: main\nSigned-By: {system.DEBIAN_KEYRING}\n"
    )
    options = {
        "Dir::Etc::sourcelist": "/dev/null",
        "Dir::Etc::sourceparts": parts,
        "Dir::State::lists": state / "lists",
        "Dir::Cache": state / "cache",
        "Acquire::Languages": "none",
        # Root's apt would become a user who may not read there; nobody else's changes its user.
        "APT::Sandbox::User": "root",
    }
    apt = ["apt-get", *(f"--option={name}={value}" for name, value in options.items())]
    show("Debian's lists of packages")
    _run([*apt, "update", "--error-on=any"], work, sources[0])
    return apt


def fetch_from_debian(source: Source, apt: list[str], work: Path, show: Show) -> Path:
    """Download `source` with command `apt` to directory `work`; return the unpacked tree."""
    show(source.debian_file)
    package = f"{source.debian_package}={source.debian_version}"
    download = ["download"] if source.is_binary_package else ["source", "--download-only"]
    _run([*apt, *download, package], work, source)
    return unpack(source, work / source.debian_file, show)


def unpack(source: Source, archive: Path, show: Show) -> Path:
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
    if source.is_binary_package:
        _run(["dpkg-deb", "--extract", archive, tree], tree, source)
        return tree / "usr/src" / source.name
    _run(["tar", "--extract", f"--file={archive}", "--strip-components=1"], tree, source)
    return tree


def fetch_with_git(source: Source, work: Path, show: Show) -> Path:
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
