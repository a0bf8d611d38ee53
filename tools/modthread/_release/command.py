"""The command `modthread release`: images, and what goes with them, in one folder."""

import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from modthread._base import project
from modthread._boards.board_choice import choose
from modthread._boards.boards import Board
from modthread._firmware import build
from modthread._firmware.job import version
from modthread._firmware.sizes import heap, size
from modthread._release import bom, inside
from modthread.errors import ModthreadError

SUMS, NOTES = "SHA256SUMS", "RELEASE.md"
UF2, ESP32 = "firmware.uf2", "firmware.bin"  # all that goes into the flash, from address 0 on


@dataclass(frozen=True)
class Released:
    """The image of a board, in the folder of the release."""

    board: str
    file: Path
    sha256: str
    flash: int
    heap: int | None
    components: Sequence[inside.Component]


def release(names: Sequence[str], folder: Path) -> int:
    """Build the images of the boards `names`, and leave them in `folder`; print what is there.

    Without names these are the boards of pyproject.toml. Blocks for minutes. Raises ModthreadError
    where one of them cannot be built, or where the commit would not say what is in the images.
    """
    ours = version()
    if ours.endswith("-dirty"):
        raise ModthreadError("the checkout has changes that are in no commit; commit them first")
    folder.mkdir(parents=True, exist_ok=True)
    boards = [choose(name).board for name in names or project.settings()["release"]["boards"]]
    when = int(inside.git("log", "-1", "--format=%ct"))  # the same commit gives the same files
    released = [_release(board, folder, ours, when) for board in boards]
    sums = "".join(f"{one.sha256}  {one.file.name}\n" for one in released)
    (folder / SUMS).write_text(sums)
    notes = _notes(ours, released)
    (folder / NOTES).write_text(notes)
    print(notes, end="")
    return 0


def _release(board: Board, folder: Path, ours: str, when: int) -> Released:
    elf = build.firmware(board)  # which has been checked
    built = elf.with_name(UF2 if board.flash else ESP32)
    file = folder / f"modthread-{project.version()}-{board.name}{built.suffix}"
    shutil.copyfile(built, file)
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    components = inside.components(elf, board)
    bill = bom.bill(file, ours, sha256, components, when)
    file.with_suffix(".cdx.json").write_text(bill)
    file.with_suffix(".licences.txt").write_text(bom.licences(components))
    taken = size(elf)
    return Released(board.name, file, sha256, taken.text + taken.data, heap(elf), components)


def _notes(ours: str, released: Sequence[Released]) -> str:
    trees = {tree.name: tree for one in released for part in one.components if (tree := part.tree)}
    lines = [
        f"# modthread {ours}",
        "",
        "| board | image | flash | heap | SHA-256 |",
        "|---|---|---|---|---|",
        *(
            f"| {one.board} | {one.file.name} | {one.flash} | {one.heap or ''} | {one.sha256} |"
            for one in released
        ),
        "",
        "Built from",
        "",
        *(
            f"- {tree.name} {tree.version}" + (f", {tree.url} at {tree.commit}" if tree.url else "")
            for tree in trees.values()
        ),
        "",
        "Beside each image lie what is inside it (`.cdx.json`, CycloneDX) and the licences of that",
        "(`.licences.txt`). Nobody has seen these images on hardware yet but where docs/boards.md",
        "says so.",
    ]
    return "\n".join(lines) + "\n"
