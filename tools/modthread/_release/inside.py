"""Whose code is in an image: its debugging information names the files, these their owners."""

import re
import subprocess
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from modthread._base import project, sources
from modthread._boards.boards import Board
from modthread._firmware import cmake
from modthread._firmware.job import version
from modthread.errors import ModthreadError

COMPONENTS = Path(__file__).with_name("components.toml")
LICENCE = re.compile(r"(?:licen[cs]e|copying|copyright)(?:[.-].*)?", re.IGNORECASE)
# The comments before the first line of code.
HEADER = re.compile(r"\A(?:\s*(?:/\*.*?\*/|//[^\n]*\n))+", re.DOTALL)
# What compilers add, without debugging information: the licence, and where Debian has its text.
TOOLCHAIN = {
    "newlib": ("LicenseRef-newlib", "libnewlib-arm-none-eabi"),
    "libgcc": ("GPL-3.0-or-later WITH GCC-exception-3.1", "gcc-arm-none-eabi"),
}
DEBIAN_TEXTS = Path("/usr/share/doc")


@dataclass(frozen=True)
class Tree:
    """A source tree: `url` and `commit` say where it is from, where that is known."""

    name: str
    root: Path
    version: str
    url: str = ""
    commit: str = ""


@dataclass
class Component:
    """Code of one owner in an image; `folder` has its licence files."""

    name: str
    licence: str
    folder: Path
    tree: Tree | None = None
    files: list[Path] = field(default_factory=list)

    def licence_texts(self) -> list[str]:
        """Return the texts of its licence files, else the comments that its files begin with."""
        if files := _licence_files(self.folder):
            return [_text(path) for path in files]
        headers = {match[0].strip() for path in self.files if (match := HEADER.match(_text(path)))}
        return sorted(headers)


def components(elf: Path, board: Board) -> list[Component]:
    """Return whose code the image has, by name; blocks for some seconds.

    Raises ModthreadError where nobody has said whose a file is.
    """
    found: dict[str, Component] = {}
    trees = list(_trees(board))
    for file in sorted(set(linked_files(elf))):
        tree = next((tree for tree in trees if file.is_relative_to(tree.root)), None)
        if tree is None:
            continue  # made by the build, or of the compiler's libraries
        component = _component(tree, file.relative_to(tree.root).as_posix())
        found.setdefault(component.name, component).files.append(file)
    for name, (licence, package) in TOOLCHAIN.items():
        found[name] = Component(name, licence, DEBIAN_TEXTS / package)
    return [found[name] for name in sorted(found, key=str.lower)]


def linked_files(elf: Path) -> Iterator[Path]:
    """Yield the files of which the image has code or data."""
    from elftools.elf.elffile import ELFFile

    with elf.open("rb") as stream:
        for unit in ELFFile(stream).get_dwarf_info().iter_CUs():
            attributes = unit.get_top_DIE().attributes
            if attributes.keys() & {"DW_AT_ranges", "DW_AT_high_pc"}:
                name = attributes["DW_AT_name"].value.decode()
                folder = attributes["DW_AT_comp_dir"].value.decode()
                yield Path(folder, name).resolve()


def _trees(board: Board) -> Iterator[Tree]:
    """Yield the source trees of a board's build, those inside others first."""
    micropython = cmake.micropython_for(board)
    others = {"freertos-kernel": sources.freertos_kernel(), "pico-sdk": sources.pico_sdk()}
    if board.esptool:
        marker = "tools/cmake/version.cmake"
        others["esp-idf"] = project.directory_from_environment("IDF_PATH", marker)
    for name, root in others.items():
        if root:
            yield _tree(name, root)
    yield _tree("micropython", micropython)
    url, commit = git("remote", "get-url", "origin"), git("rev-parse", "HEAD")
    yield Tree("modthread", project.ROOT, version(), url, commit)


def _tree(name: str, root: Path) -> Tree:
    pin = _pin(name)
    if pin and root in (pin.tree, sources.pinned("micropython").tree / "lib" / name):
        return Tree(name, root.resolve(), pin.version, pin.git_url, pin.git_commit)
    described = git("describe", "--always", "--tags", folder=root) or "unknown"
    url = git("remote", "get-url", "origin", folder=root)
    return Tree(name, root.resolve(), described, url, git("rev-parse", "HEAD", folder=root))


def _pin(name: str) -> sources.Source | None:
    return sources.pinned(name) if name in project.settings()["sources"] else None


def git(*arguments: str, folder: Path = project.ROOT) -> str:
    """Return what git says of a checkout; nothing of another folder."""
    if not (folder / ".git").exists():
        return ""
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def _component(tree: Tree, file: str) -> Component:
    table = _table()[tree.name]
    folders = [
        name for name in table if name != "unknown" and f"{file}/".startswith(_slashed(name))
    ]
    folder = max(folders, key=len)
    if not folder and file.startswith(tuple(table.get("unknown", ()))):
        raise ModthreadError(f"{tree.root / file}: whose is that? Add its folder to {COMPONENTS}")
    name, licence = table[folder]
    root = tree.root / folder
    return Component(name, licence, root, _submodule(tree, root) or tree)


def _submodule(tree: Tree, root: Path) -> Tree | None:
    """Return what a submodule of `tree` is, where `root` is one."""
    is_one = root.parent == tree.root / "lib" and (_pin(root.name) or (root / ".git").exists())
    return _tree(root.name, root) if is_one else None


def _slashed(folder: str) -> str:
    return f"{folder}/" if folder else ""


@cache
def _table() -> dict[str, dict[str, list[str]]]:
    return tomllib.loads(COMPONENTS.read_text())


def _licence_files(root: Path) -> list[Path]:
    """Return the licence files of a folder, and of its folder called License."""
    if not root.is_dir():
        return []
    files = [path for path in root.iterdir() if LICENCE.fullmatch(path.name)]
    return sorted(
        inner for path in files for inner in (path.iterdir() if path.is_dir() else [path])
    )


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace").strip()
