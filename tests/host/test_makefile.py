"""The commands that `make` calls, and what it says if it cannot."""

import os
import subprocess
import sysconfig
from pathlib import Path

import pytest
from rp2040py.native import _rp2040

from modthread._base.project import ROOT, pyproject


def make(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if "MAKE" not in name}
    return subprocess.run(
        ["make", *arguments],
        cwd=ROOT,
        env=environment,
        text=True,
        capture_output=True,
        check=False,
        timeout=60,
    )


def test_make_alone_lists_the_targets() -> None:
    result = make()
    assert result.returncode == 0
    targets = "run boards repl monitor firmware flash check-board check test test-long test-all"
    for target in [*targets.split(), "proof", "soak", "bench", "docs", "setup", "clean"]:
        assert f"make {target} " in result.stdout


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        (["run"], "-m modthread run 'examples/two_threads.py'"),
        (["run", "SCRIPT=x.py", "BOARD=B"], "-m modthread run --board B 'x.py'"),
        (["run", "PORT=/dev/ttyACM0"], "--port /dev/ttyACM0 'examples/two_threads.py'"),
        (["boards"], "-m modthread boards"),
        (["repl", "BOARD=B"], "-m modthread repl --board B"),
        (["monitor", "PORT=/dev/ttyACM0"], "-m modthread monitor --port /dev/ttyACM0"),
        (["firmware", "BOARD=B"], "-m modthread firmware --board B"),
        (["flash", "BOARD=B"], "-m modthread flash --board B"),
        (["check-board", "PORT=P"], "-m modthread check-board --port P"),
        (["flash", "PORT=/dev/ttyACM0"], "-m modthread flash --port /dev/ttyACM0"),
        (["test"], "-m modthread test --emulated"),
        (["test", "BOARD=B", "VARIANT=V"], "-m modthread test --board B-V"),
        (["test", "BOARD=B", "PORT=P"], "-m modthread test --board B --port P"),
        (
            ["check"],
            "-n auto --dist=worksteal --quiet --no-build --lane=check tests/host",
        ),
        (["test-long", "BOARD=B"], "-m modthread test --board B --lane=long"),
        (["test-all", "BOARD=B"], "-m modthread test --board B --lane=all"),
        (["proof", "SECONDS_EACH=9"], "tests/interleavings/explorer.py --seconds 9"),
        (["proof", "SANITIZE=1"], "tests/interleavings/explorer.py --sanitize"),
        (["soak", "HOURS=8"], "-m modthread soak --hours 8"),
        (["soak", "BOARD=B", "PORT=P", "SEED=1"], "soak --board B --port P --seed 1"),
        (["bench"], "-m modthread bench"),
        (["bench", "BASELINE=x.json"], "-m modthread bench --baseline 'x.json'"),
    ],
)
def test_targets_pass_on_the_variables(arguments: list[str], command: str) -> None:
    result = make("--dry-run", *arguments)
    assert result.returncode == 0
    assert " ".join(result.stdout.split()).endswith(command)


def test_an_old_python_is_named_in_one_line(tmp_path: Path) -> None:
    old = tmp_path / "python3.9"
    old.write_text("#!/bin/sh\nexit 1\n")  # what `sys.exit(sys.version_info < (3, 11))` does
    old.chmod(0o755)
    result = make("--always-make", ".venv/installed", f"PYTHON={old}")
    assert result.returncode == 2
    assert result.stderr.splitlines()[0] == (
        "modthread: Python 3.11 or newer is needed; name one with make PYTHON=..."
    )


def test_every_installed_package_is_pinned() -> None:
    # -I: not what PYTHONPATH, which the Makefile sets, adds to the virtual environment.
    freeze = [str(ROOT / ".venv/bin/python"), "-I", "-m", "pip", "freeze", "--exclude-editable"]
    installed = subprocess.run(freeze, check=True, capture_output=True, text=True).stdout.split()
    project = pyproject()["project"]
    pins = project["dependencies"] + project["optional-dependencies"]["dev"]
    assert sorted(installed) == sorted(pins), "run `make setup`"


def test_rp2040py_is_compiled_for_this_python() -> None:
    assert _rp2040.__file__
    assert _rp2040.__file__.endswith(sysconfig.get_config_var("EXT_SUFFIX"))
