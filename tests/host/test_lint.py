"""Formatting, style, types and spelling, as configured in pyproject.toml."""

import subprocess
import sys

import pytest

from modthread.project import ROOT

CHECKS = ["ruff format --diff", "ruff check", "mypy", "codespell"]


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
