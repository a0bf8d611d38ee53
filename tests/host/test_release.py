"""What a release has beside its images, and the jobs that make it."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from modthread._base import project, sources
from modthread._base.project import ROOT
from modthread._boards import boards
from modthread._release import bom, command, inside
from modthread._release.inside import Component, Tree
from modthread.errors import ModthreadError

WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
SUM = "ab" * 32


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """A tree of MicroPython with two libraries: one has a licence file, the other comments."""
    for file, text in {
        "LICENSE": "MicroPython's licence",
        "py/gc.c": "// gc\nint gc;\n",
        "lib/tinyusb/LICENSE": "TinyUSB's licence",
        "lib/tinyusb/src/tusb.c": "/* tusb */\nint tusb;\n",
        "lib/littlefs/lfs2.c": "/*\n * (c) The littlefs authors\n */\n#include <x.h>\n/* no */\n",
        "lib/littlefs/lfs2_util.c": "/*\n * (c) The littlefs authors\n */\nint x;\n",
        "lib/tetris/tetris.c": "int t;\n",
    }.items():
        path = tmp_path / "micropython" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return Tree(
        "micropython", tmp_path / "micropython", "1.25.0", "https://example.invalid", "c0de"
    )


@pytest.fixture
def parts(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> list[Component]:
    """What is in an image of all files of that tree but the game."""
    files = [path for path in sorted(tree.root.rglob("*.c")) if path.stem != "tetris"]
    monkeypatch.setattr(inside, "_trees", lambda _: [tree])
    monkeypatch.setattr(inside, "linked_files", lambda _: [*files, Path("/nowhere/libc.c")])
    return inside.components(tree.root, boards.load("RPI_PICO"))


def test_each_file_has_the_owner_of_its_folder(parts: list[Component]) -> None:
    owners = {part.name: [file.name for file in part.files] for part in parts}
    assert owners == {
        "libgcc": [],
        "littlefs": ["lfs2.c", "lfs2_util.c"],
        "MicroPython": ["gc.c"],
        "newlib": [],
        "TinyUSB": ["tusb.c"],
    }


def test_a_licence_is_a_file_or_what_the_code_begins_with(parts: list[Component]) -> None:
    texts = {part.name: part.licence_texts() for part in parts if part.tree}
    assert texts == {
        "littlefs": ["/*\n * (c) The littlefs authors\n */"],
        "MicroPython": ["MicroPython's licence"],
        "TinyUSB": ["TinyUSB's licence"],
    }


def test_code_of_nobody_is_refused(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inside, "_trees", lambda _: [tree])
    monkeypatch.setattr(inside, "linked_files", lambda _: [tree.root / "lib/tetris/tetris.c"])
    with pytest.raises(ModthreadError, match=r"tetris\.c: whose is that\? Add its folder to"):
        inside.components(tree.root, boards.load("RPI_PICO"))


def test_a_submodule_has_a_version_of_its_own(parts: list[Component]) -> None:
    versions = {part.name: part.tree.name for part in parts if part.tree}
    assert versions == {
        "littlefs": "micropython",
        "MicroPython": "micropython",
        "TinyUSB": "tinyusb",
    }


def test_the_bill_has_it_all_and_is_the_same_each_time(parts: list[Component]) -> None:
    image = Path("modthread-0.2.0-RPI_PICO.uf2")
    text = bom.bill(image, "0.2.0+c0de", SUM, parts, 1_800_000_000)
    assert text == bom.bill(image, "0.2.0+c0de", SUM, parts, 1_800_000_000)
    bill: dict[str, Any] = json.loads(text)
    assert bill["bomFormat"] == "CycloneDX"
    firmware = bill["metadata"]["component"]
    assert (firmware["name"], firmware["version"]) == (image.name, "0.2.0+c0de")
    assert firmware["hashes"] == [{"alg": "SHA-256", "content": SUM}]
    names = {part["name"]: part for part in bill["components"]}
    assert names.keys() == {part.name for part in parts}
    assert names["littlefs"]["licenses"] == [{"license": {"id": "BSD-3-Clause"}}]
    assert names["littlefs"]["externalReferences"][0]["url"] == "https://example.invalid#c0de"


def test_the_text_has_each_licence(parts: list[Component]) -> None:
    text = bom.licences(parts)
    assert "littlefs: BSD-3-Clause, from micropython 1.25.0 c0de\n" in text
    assert "(c) The littlefs authors" in text
    assert "TinyUSB's licence" in text


def test_changes_that_are_in_no_commit_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "version", lambda: "0.2.0+1234abcd-dirty")
    with pytest.raises(ModthreadError, match="commit them first"):
        command.release([], tmp_path / "release")
    assert not (tmp_path / "release").exists()


@pytest.mark.lane("long")
def test_a_pico(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "version", lambda: "0.2.0+1234abcd")
    command.release(["RPI_PICO"], tmp_path)
    name = f"modthread-{project.version()}-RPI_PICO"
    files = [f"{name}.cdx.json", f"{name}.licences.txt", f"{name}.uf2"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["RELEASE.md", "SHA256SUMS", *files]
    assert (tmp_path / "SHA256SUMS").read_text().endswith(f"  {name}.uf2\n")
    text = (tmp_path / f"{name}.licences.txt").read_text()
    for owner in ("FreeRTOS", "MicroPython", "modthread", "pico-sdk", "TinyUSB"):
        assert f"\n{owner}: " in text
    assert "\nlwIP: " not in text, "the Pico has no network"


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_job_uses_what_is_there(path: Path) -> None:
    """Its actions are pinned by their commits, and its commands are targets of the Makefile."""
    jobs = yaml.safe_load(path.read_text())["jobs"].values()
    steps = [step for job in jobs for step in job["steps"]]
    assert all(re.search(r"@[0-9a-f]{40}$", step["uses"]) for step in steps if "uses" in step)
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    lines = [line.strip() for step in steps for line in step.get("run", "").splitlines()]
    asked = [line.split()[1] for line in lines if re.match(r"make [a-z]", line)]
    assert set(asked) <= set(targets)


def test_the_jobs_of_a_release_know_its_boards_and_their_esp_idf() -> None:
    images = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text())["jobs"]["images"]
    assert images["strategy"]["matrix"]["board"] == project.settings()["release"]["boards"]
    release = sources.pinned("micropython").version.rpartition(".")[0]
    assert images["container"] == f"espressif/idf:v{project.settings()['esp-idf'][release][0]}"
