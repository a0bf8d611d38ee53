"""A project outside this repository, as docs/own-project.md says, after one `pip install`."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from modthread._base import project
from modthread._base.project import ROOT, SOURCES, around, command, user_project
from modthread.errors import ModthreadError

PAGE = (ROOT / "docs/own-project.md").read_text()
# What leads to this checkout, or to a developer's own sources.
FOREIGN = re.compile("PYTHONPATH|PYTEST|MAKE|VIRTUAL|MICROPY|PICO|FREERTOS")


def shown(language: str) -> str:
    """Return the first block of `language` on the page."""
    found = re.search(rf"^```{language}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    assert found
    return found[1]


def run(*command: str | Path, cwd: Path, cache: Path) -> str:
    """Run a command that knows nothing of this checkout; return what it printed."""
    environment = {name: value for name, value in os.environ.items() if not FOREIGN.match(name)}
    result = subprocess.run(
        command,
        cwd=cwd,
        env=environment | {"XDG_CACHE_HOME": str(cache)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout
    return result.stdout


def copy_of_the_sources(clone: Path) -> Path:
    """Copy what git has, as it is now."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in listed.stdout.rstrip("\0").split("\0"):
        if (ROOT / name).is_file():
            (clone / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, clone / name)
    return clone


@pytest.mark.lane("long")
def test_its_device_tests_run_on_the_emulated_board(tmp_path: Path) -> None:
    clone = copy_of_the_sources(tmp_path / "clone")
    venv, project, cache = tmp_path / "venv", tmp_path / "project", tmp_path / "cache"
    (cache / "modthread").mkdir(parents=True)
    (cache / "modthread/sources").symlink_to(SOURCES)  # they are not fetched again
    (project / "device_tests").mkdir(parents=True)
    (project / "pyproject.toml").write_text(shown("toml"))
    (project / "device_tests/test_queue.py").write_text(shown("python"))
    (project / "test_host.py").write_text(
        "def test_answer(device):\n    assert device.run('print(6 * 7)', 5).output == b'42\\r\\n'\n"
    )
    run(sys.executable, "-m", "venv", venv, cwd=tmp_path, cache=cache)
    pip = [str(venv / "bin/python"), "-m", "pip", "--disable-pip-version-check", "install"]
    subprocess.run([*pip, "--quiet", clone], check=True, env=os.environ | {"PYTHONPATH": ""})
    shutil.rmtree(clone)
    installed = files(venv)
    assert any(path.name == "py.typed" for path in installed if path.parent.name == "modthread")
    options = ("-v", "--report-page=page.html")
    output = run(venv / "bin/pytest", *options, cwd=project, cache=cache)
    assert (project / "page.html").is_file()
    assert "2 passed" in output
    assert "device_tests/test_queue.py::test_two_threads_share_a_list[MPS2_AN385] PASSED" in output
    assert "test_host.py::test_answer[MPS2_AN385] PASSED" in output
    assert re.search(r"^board MPS2_AN385: MicroPython .*, modthread 0\.", output, re.MULTILINE)
    assert (project / "build/MPS2_AN385/firmware.elf").is_file()
    assert files(venv) == installed  # builds leave nothing there
    listed = run(venv / "bin/modthread", "boards", cwd=project, cache=cache)
    assert re.search(r"^RPI_PICO +emulated ", listed, re.MULTILINE)


def files(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if "__pycache__" not in path.parts}


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ("board = ['X']", "[tool.modthread] has no board; it has boards and device-tests"),
        ("boards = 'X'", 'boards is a list, as in boards = ["..."]'),
        ("device-tests = [1]", 'device-tests is a list, as in device-tests = ["..."]'),
        ("=", "Invalid"),
    ],
)
def test_a_wrong_section_is_one_line(tmp_path: Path, section: str, message: str) -> None:
    (tmp_path / "pyproject.toml").write_text(f"[tool.modthread]\n{section}\n")
    with pytest.raises(ModthreadError) as caught:
        user_project(tmp_path)
    assert str(caught.value).startswith(f"{tmp_path / 'pyproject.toml'}: {message}")
    assert "\n" not in str(caught.value)


def test_commands_are_named_as_the_user_has_them(monkeypatch: pytest.MonkeyPatch) -> None:
    assert command("setup") == "make setup"
    assert command("flash", "PICO") == "make flash BOARD=PICO"
    monkeypatch.setattr(project, "IS_CHECKOUT", False)
    assert command("setup") == "modthread setup"
    assert command("flash", "PICO") == "modthread flash --board PICO"


def test_a_file_that_is_no_text_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_bytes(b"# \xe4\n[tool.modthread]\n")
    with pytest.raises(ModthreadError, match=rf"^{path}: [^\n]*; correct it$"):
        user_project(tmp_path)
    assert around(tmp_path) is None


def test_a_tool_that_is_no_table_is_somebody_elses(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("tool = 3\n")
    assert user_project(tmp_path).boards == ()


def test_the_project_is_the_nearest_folder_with_a_section(tmp_path: Path) -> None:
    assert around(tmp_path) is None
    inner = tmp_path / "project/package/broken"
    inner.mkdir(parents=True)
    (tmp_path / "project/pyproject.toml").write_text("[tool.modthread]\n")
    (tmp_path / "project/package/pyproject.toml").write_text("[project]\n")
    (inner / "pyproject.toml").write_text("=")
    assert around(inner) == tmp_path / "project"


def test_settings_are_as_the_page_says(tmp_path: Path) -> None:
    default = user_project(tmp_path)
    assert (default.boards, default.device_tests) == ((), (tmp_path / "tests/device",))
    (tmp_path / "my/BOARD").mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text(
        "[tool.modthread]\nboards = ['my/BOARD', 'RPI_PICO@E66']\ndevice-tests = ['./a//b/', 'c']\n"
    )
    settings = user_project(tmp_path)
    assert settings.boards == (str(tmp_path / "my/BOARD"), "RPI_PICO@E66")
    assert settings.device_tests == (tmp_path / "a/b", tmp_path / "c")
