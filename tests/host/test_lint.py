"""Formatting, style, types and spelling as pyproject.toml says; C in MicroPython's own style."""

import difflib
import subprocess
import sys
from pathlib import Path

import pytest

from modthread._base import sources
from modthread._base.project import ROOT

CHECKS = ["ruff format --diff", "ruff check", "mypy", "codespell"]
C_FOLDERS = ["modthread", "ports", "tests"]
C_FILES = sorted(path for folder in C_FOLDERS for path in (ROOT / folder).rglob("*.[ch]"))


@pytest.mark.parametrize("check", CHECKS)
def test_lint(check: str) -> None:
    tool, *arguments = check.split()
    if tool == "codespell":
        tool = "codespell_lib"
    result = subprocess.run(
        [sys.executable, "-m", tool, *arguments],
        cwd=ROOT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("path", C_FILES, ids=lambda path: path.relative_to(ROOT))
def test_c_style(path: Path) -> None:
    style = sources.micropython() / "tools/uncrustify.cfg"
    command: list[str | Path] = ["uncrustify", "-q", "-l", "C", "-c", style, "-f", path]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    ours, theirs = path.read_text().splitlines(), result.stdout.splitlines()
    assert ours == theirs, "\n".join(difflib.unified_diff(ours, theirs, lineterm=""))
