"""The firmware of the ESP32 boards: what its build refuses, and, with ESP-IDF, what it leaves."""

import json
import os
import re
from pathlib import Path

import pytest

from modthread import boards, build, project
from modthread.boards import EsptoolConfig
from modthread.build import esp32
from modthread.errors import ModthreadError

BOARDS = ["ESP32_GENERIC", "ESP32_GENERIC_C3", "ESP32_GENERIC_S3"]
NEEDS_ESP_IDF = pytest.mark.skipif(
    not os.environ.get("IDF_PATH"), reason="IDF_PATH is not set: see docs/esp32.md"
)


@pytest.fixture
def versions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trees of which a build reads the versions only: MicroPython 1.26.1 and ESP-IDF 5.4.2."""
    write_micropython(tmp_path, "1.26.1")
    write_esp_idf(tmp_path, "5.4.2")
    monkeypatch.setenv("MICROPY_DIR", str(tmp_path / "mpy"))
    monkeypatch.setenv("IDF_PATH", str(tmp_path / "idf"))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("IDF_PYTHON_ENV_PATH", raising=False)


def write_micropython(folder: Path, version: str) -> None:
    line = "#define MICROPY_VERSION_{} {}\n"
    write(folder / "mpy/py/mpconfig.h", line, "MAJOR MINOR MICRO", version)


def write_esp_idf(folder: Path, version: str) -> None:
    line = "set(IDF_VERSION_{} {})\n"
    write(folder / "idf/tools/cmake/version.cmake", line, "MAJOR MINOR PATCH", version)


def write(path: Path, line: str, parts: str, version: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    numbers = zip(parts.split(), version.split("."), strict=True)
    path.write_text("".join(line.format(part, number) for part, number in numbers))


def error_of_a_build() -> str:
    with pytest.raises(ModthreadError) as error:
        build.firmware(boards.load("ESP32_GENERIC_C3"))
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize("name", BOARDS)
def test_board_names_its_chip(name: str) -> None:
    board = boards.load(name)
    assert board.port == "esp32"
    assert board.flash is None
    assert isinstance(board.esptool, EsptoolConfig)
    assert board.esptool.chip in esp32.COMPILERS


@pytest.mark.usefixtures("versions")
def test_without_esp_idf(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("IDF_PATH")
    expected = "ESP32_GENERIC_C3 needs ESP-IDF 5.4.2: install it, see docs/esp32.md"
    assert error_of_a_build() == expected


@pytest.mark.usefixtures("versions")
def test_what_is_no_esp_idf(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("IDF_PATH", str(tmp_path))
    assert error_of_a_build().startswith(f"IDF_PATH={tmp_path} has no tools/cmake/version.cmake")


@pytest.mark.usefixtures("versions")
@pytest.mark.parametrize("version", ["4.4.8", "5.5.1", "6.0.2"])
def test_other_esp_idf(version: str, tmp_path: Path) -> None:
    write_esp_idf(tmp_path, version)
    said = error_of_a_build()
    assert f"is ESP-IDF {version}; MicroPython 1.26 takes 5.4.2, 5.2, " in said


@pytest.mark.usefixtures("versions")
def test_bug_fix_release_will_do(tmp_path: Path) -> None:
    write_esp_idf(tmp_path, "5.4.9")
    assert esp32.esp_idf("ESP32_GENERIC") == tmp_path / "idf"


@pytest.mark.usefixtures("versions")
def test_bug_fix_release_that_will_not_do(tmp_path: Path) -> None:
    write_micropython(tmp_path, "1.25.0")
    assert "is ESP-IDF 5.4.2; MicroPython 1.25 takes 5.2.2, 5.2, " in error_of_a_build()


@pytest.mark.usefixtures("versions")
def test_other_micropython(tmp_path: Path) -> None:
    write_micropython(tmp_path, "1.24.0")
    assert "is MicroPython 1.24; ESP32_GENERIC_C3 is built with 1.25, 1.26" in error_of_a_build()


@pytest.mark.usefixtures("versions")
def test_without_the_tools(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    idf = tmp_path / "idf"
    how = (
        f"is not there: run `{idf}/install.sh esp32c3` once, and `. {idf}/export.sh` in this shell"
    )
    assert error_of_a_build().startswith(f"ESP-IDF's Python {how}")
    monkeypatch.setenv("IDF_PYTHON_ENV_PATH", str(tmp_path))
    assert error_of_a_build().startswith(f"riscv32-esp-elf-gcc {how}")


def test_table_in_the_documentation_is_the_builds() -> None:
    text = (project.ROOT / "docs/esp32.md").read_text()
    rows = re.findall(r"^\| (\d\.\d+) \| (.*) \|$", text, re.MULTILINE)
    assert {key: value.split(", ") for key, value in rows} == project.settings()["esp-idf"]


@NEEDS_ESP_IDF
@pytest.mark.lane("long")
@pytest.mark.parametrize("name", BOARDS)
def test_build_leaves_what_esptool_takes(name: str) -> None:
    board = boards.load(name)
    assert board.esptool
    elf = build.firmware(board)
    assert elf == board.firmware
    flasher = json.loads((elf.parent / "flasher_args.json").read_text())
    assert flasher["extra_esptool_args"]["chip"] == board.esptool.chip.lower()
    files = flasher["flash_files"]
    assert all((elf.parent / file).is_file() for file in files.values())
    image = elf.with_suffix(".bin").read_bytes()
    first = board.esptool.offset
    for offset, file in files.items():
        start = int(offset, 16) - first
        part = (elf.parent / file).read_bytes()
        assert image[start : start + len(part)] == part
