"""The firmware of the ESP32 boards: what its build refuses, and, with ESP-IDF, what it leaves."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from micropython_tree import define_board

from modthread._base import project, sources
from modthread._boards import boards
from modthread._boards.catalogue import SUPPORTED, chip
from modthread._firmware import build, esp32
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
    board = folder / "mpy/ports/esp32/boards/ESP32_GENERIC_C3"
    if not board.is_dir():
        define_board(board, "esp32c3")


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


def test_each_supported_chip_has_a_compiler() -> None:
    supported = {chip(mcu) for mcu, port in SUPPORTED.items() if port == "esp32"}
    assert supported == esp32.COMPILERS.keys()


def test_each_file_knows_the_names_in_the_configuration() -> None:
    """Not every file that uses a setting includes more than mpconfigport.h."""
    port = sources.micropython() / "ports/esp32"
    settings = [project.ROOT / "ports/esp32/mpconfigport.h", port / "mpconfigport.h"]
    ours = settings[0].read_text()
    known = set(re.findall(r"#define (\w+)", "".join(file.read_text() for file in settings)))
    declared = "MODTHREAD_FORGET_WAITING"  # thread.c declares the function that it names
    setting = rf"^#define (?!{declared})(?:MODTHREAD|STACK)_\w+ +([^/\n]+)"
    values = re.findall(setting, ours, re.MULTILINE)
    assert values
    assert set(re.findall(r"\b[A-Za-z_]\w*", " ".join(values))) <= known


def test_no_function_has_the_name_of_one_of_esp_idfs() -> None:
    """Its esp_vfs_console has these, and the linker refuses two."""
    actions = "access close fcntl fstat fsync open read tcdrain tcflush write"
    theirs = {f"console_{action}" for action in actions.split()}
    code = "".join(file.read_text() for file in (project.ROOT / "modthread").glob("*.c"))
    ours = set(re.findall(r"^(?!static)\w[\w *]*?(\w+)\(.*\) {$", code, re.MULTILINE))
    assert "console_quote" in ours
    assert not theirs & ours


def expanded(folder: Path, board: str, *settings: str) -> tuple[str, str]:
    """Let CMake read our mpconfigboard.cmake and then the variant's file as MicroPython does.

    Returns what it says and what it complains about.
    """
    script = folder / "read.cmake"
    script.write_text(f"""
        set(CMAKE_SOURCE_DIR {folder})
        set(MICROPY_BOARD {board})
        include({project.ROOT}/ports/esp32/mpconfigboard.cmake)
        if(MICROPY_BOARD_VARIANT)
            include(${{MICROPY_BOARD_DIR}}/mpconfigvariant_${{MICROPY_BOARD_VARIANT}}.cmake)
        endif()
        message(STATUS "${{MICROPY_BOARD_DIR}} ${{SDKCONFIG_DEFAULTS}}")
    """)
    command = ["cmake", *settings, "-P", str(script)]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return result.stdout, result.stderr


def test_the_overlay_reads_the_boards_own_files(tmp_path: Path) -> None:
    inside, outside = tmp_path / "boards/INSIDE", tmp_path / "OUTSIDE"
    for folder in (inside, outside):
        define_board(folder, "", f"set(SDKCONFIG_DEFAULTS {folder.name})\n")
        (folder / "mpconfigvariant_OTA.cmake").write_text("list(APPEND SDKCONFIG_DEFAULTS ota)\n")
    ours = f"{project.ROOT}/ports/esp32/sdkconfig"
    assert expanded(tmp_path, "INSIDE")[0] == f"-- {inside} INSIDE;{ours}\n"
    settings = [f"-DMODTHREAD_BOARD_DIR={outside}", "-DMODTHREAD_BOARD_VARIANT=OTA"]
    assert expanded(tmp_path, "OUTSIDE", *settings)[0] == f"-- {outside} OUTSIDE;{ours};ota\n"


@pytest.mark.parametrize("target", ["esp32", "esp32s3", "esp32c3", "esp32c6", "esp32s2", "esp32c2"])
def test_the_overlay_refuses_a_chip_without_threads(tmp_path: Path, target: str) -> None:
    define_board(tmp_path / "boards/BOARD", "", f"set(IDF_TARGET {target})\n")
    _, complaint = expanded(tmp_path, "BOARD")
    assert ("no threads for" in complaint) == (target.upper() not in esp32.COMPILERS)


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


def test_what_must_be_in_ram_is_in_files_that_exist() -> None:
    """If a line of modthread.lf fits no file, its code stays in flash, and the linker is silent."""
    fragment = (project.ROOT / "ports/esp32/modthread.lf").read_text()
    files = re.findall(r"^    (\w+) \(noflash\)", fragment, re.MULTILINE)
    assert "gil" in files
    assert [name for name in files if not (project.ROOT / f"modthread/{name}.c").is_file()] == []
