"""Boards by their names: what MicroPython's folders say, and what is refused before it is built."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from git_repository import commit_all, git
from micropython_tree import MicroPythonTree, define_board

from modthread import cli
from modthread._base import project, sources
from modthread._boards import board_choice, boards, catalogue, seen
from modthread._boards.catalogue import Definition
from modthread._firmware import build, cmake
from modthread.errors import ModthreadError

Capture = pytest.CaptureFixture[str]
HERE = sources.micropython_at_hand()
NEEDS_SOURCES = pytest.mark.skipif(not HERE, reason="MicroPython's sources are not there yet")


def test_a_board_of_the_rp2_port(micropython: MicroPythonTree) -> None:
    header = """
        #define MICROPY_HW_BOARD_NAME "Little board"
        #define MICROPY_HW_USB_VID (0x239A)
        #define MICROPY_HW_USB_PID (0x80F2)
    """
    micropython.define("LITTLE", header=header, vendor="Adafruit", product="Little")
    board = boards.load("LITTLE")
    assert (board.name, board.port) == ("LITTLE", "rp2")
    assert board.description == "Adafruit Little with an RP2040"
    assert board.flash
    assert (board.flash.chip, board.flash.usb) == ("RP2040", "239a:80f2")
    assert (board.flash.rom.drive, board.flash.rom.family) == ("RPI-RP2", 0xE48BFF56)
    assert board.calls_itself("Little board with RP2040")
    assert not board.calls_itself("Raspberry Pi Pico with RP2040")


def test_what_a_board_does_not_say(micropython: MicroPythonTree) -> None:
    micropython.define("PLAIN", vendor="Maker", product="maker Plain")
    board = boards.load("PLAIN")
    assert board.description == "maker Plain with an RP2040"
    assert board.usb == "2e8a:0005"
    assert board.calls_itself("whatever with RP2040")


@pytest.mark.parametrize(("mcu", "offset"), [("esp32", 0x1000), ("esp32s3", 0), ("esp32c3", 0)])
def test_a_board_of_the_esp32_port(micropython: MicroPythonTree, mcu: str, offset: int) -> None:
    micropython.define("BOARD", mcu, deploy_options={"flash_offset": hex(offset)})
    board = boards.load("BOARD")
    assert board.port == "esp32"
    assert board.esptool == boards.EsptoolConfig(mcu.upper(), offset)
    assert board.usb is None


def test_a_variant_has_a_name_and_a_folder_of_its_own(micropython: MicroPythonTree) -> None:
    folder = micropython.define("BIG")
    (folder / "mpconfigvariant_FLASH_16M.cmake").touch()
    board = boards.load("BIG-FLASH_16M")
    assert (board.name, board.micropython_name, board.variant) == (
        "BIG-FLASH_16M",
        "BIG",
        "FLASH_16M",
    )
    assert board.directory.name == "BIG-FLASH_16M"
    assert cmake.names(micropython.folder, board) == [
        "-DMICROPY_BOARD=BIG",
        "-DMICROPY_BOARD_VARIANT=FLASH_16M",
    ]
    with pytest.raises(ModthreadError, match=r"^BIG has no variant FLASH_1; it has FLASH_16M$"):
        boards.load("BIG-FLASH_1")


def test_a_variant_of_an_emulated_board_is_emulated(micropython: MicroPythonTree) -> None:
    folder = micropython.define("RPI_PICO")
    (folder / "mpconfigvariant_BIG.cmake").touch()
    assert boards.load("RPI_PICO-BIG").emulator == boards.load("RPI_PICO").emulator


@pytest.mark.parametrize(
    ("mcu", "chip"),
    [
        ("rp2350-riscv", "RP2350-RISCV"),
        ("esp32c6", "ESP32C6"),
        ("esp32s2", "ESP32S2"),
        ("esp32p4", "ESP32P4"),
    ],
)
def test_a_chip_without_threads_is_refused_before_anything_is_built(
    micropython: MicroPythonTree, mcu: str, chip: str, capsys: Capture
) -> None:
    micropython.define("NOT_YET", mcu)
    assert cli.main(["firmware", "--board", "NOT_YET"]) == 2
    assert capsys.readouterr().err == (
        f"modthread: NOT_YET: no threads for {chip} yet, only for RP2040, RP2350, ESP32, ESP32S3,"
        " ESP32C3; name another board\n"
    )


def test_a_riscv_variant_is_refused(micropython: MicroPythonTree) -> None:
    folder = micropython.define("PICO9", "rp2350")
    (folder / "mpconfigvariant.cmake").write_text('set(PICO_PLATFORM "rp2350")\n')
    (folder / "mpconfigvariant_RISCV.cmake").write_text('set(PICO_PLATFORM "rp2350-riscv")\n')
    with pytest.raises(ModthreadError, match=r"^PICO9-RISCV: no threads for RP2350-RISCV yet"):
        boards.load("PICO9-RISCV")
    assert cli.main(["firmware", "--board", "PICO9-RISCV"]) == 2
    assert boards.load("PICO9").description == "Maker Board with an RP2350"


def test_a_board_of_ones_own_with_such_a_chip_is_refused(tmp_path: Path) -> None:
    table = 'port = "esp32"\n[esptool]\nchip = "ESP32C6"\noffset = 0\n'
    (tmp_path / "board.toml").write_text(f'description = "mine"\n{table}')
    with pytest.raises(ModthreadError, match=r": no threads for ESP32C6 yet, only for "):
        build.firmware(boards.load(str(tmp_path)))


@pytest.mark.parametrize(
    ("mcu", "cmake_text"),
    [
        ("rp2040", ""),
        ("", 'set(PICO_PLATFORM "rp2040")\n'),
        ("", 'set(PICO_PLATFORM "rp2350-arm-s")\n'),
        ("", "set(IDF_TARGET esp32c3)\n"),
    ],
)
def test_a_folder_outside_micropython(
    micropython: MicroPythonTree, tmp_path: Path, mcu: str, cmake_text: str
) -> None:
    folder = tmp_path / "MINE"
    define_board(folder, mcu, cmake_text)
    board = boards.load(str(folder))
    assert board.name == "MINE"
    assert board.port == ("esp32" if "IDF" in cmake_text else "rp2")
    assert cmake.names(micropython.folder, board) == [
        "-DMICROPY_BOARD=MINE",
        f"-DMICROPY_BOARD_DIR={folder}",
    ]


@pytest.mark.parametrize(("chip", "offset"), [("esp32", 0x1000), ("esp32s3", 0)])
def test_where_an_image_begins_follows_from_the_chip_else(
    tmp_path: Path, chip: str, offset: int
) -> None:
    define_board(tmp_path / "MINE", "", f"set(IDF_TARGET {chip})\n")
    board = boards.load(str(tmp_path / "MINE"))
    assert board.esptool == boards.EsptoolConfig(chip.upper(), offset)


def test_a_folder_may_have_a_board_toml_too(tmp_path: Path) -> None:
    define_board(tmp_path / "MINE", "rp2040")
    (tmp_path / "MINE/board.toml").write_text('description = "better words"\ntime_scale = 2\n')
    board = boards.load(str(tmp_path / "MINE"))
    assert (board.description, board.time_scale) == ("better words", 2)
    assert board.flash


def test_a_folder_that_does_not_say_its_chip(tmp_path: Path) -> None:
    define_board(tmp_path / "MINE", "")
    with pytest.raises(ModthreadError, match="MINE does not say its chip; write it into board"):
        boards.load(str(tmp_path / "MINE"))


def test_a_damaged_board_json_is_one_line(micropython: MicroPythonTree) -> None:
    folder = micropython.define("BROKEN")
    (folder / "board.json").write_text("{")
    with pytest.raises(ModthreadError, match=r"^/.*board\.json: Expecting .*; correct it$"):
        boards.load("BROKEN")


@pytest.mark.parametrize(
    "wrong",
    [
        {"vendor": 5},
        {"product": ["Board"]},
        {"deploy_options": "0x1000"},
        {"deploy_options": {"flash_offset": "at the start"}},
        {"deploy_options": {"flash_offset": 4096}},
        {"mcu": 32},
    ],
)
def test_a_wrong_value_in_board_json_is_one_line(
    micropython: MicroPythonTree, wrong: dict[str, object]
) -> None:
    table = {"mcu": "esp32", "product": "Board", "vendor": "Maker"} | wrong
    folder = micropython.define("WRONG", "esp32")
    (folder / "board.json").write_text(json.dumps(table))
    with pytest.raises(ModthreadError, match=r"^/.*board\.json: \w+ cannot be .*; correct it$"):
        boards.load("WRONG")


BLUETOOTH = "set(MICROPY_BLUETOOTH_BTSTACK 1)\n"
RADIO = "set(MICROPY_PY_LWIP ON)\nset(MICROPY_PY_NETWORK_CYW43 ON)\n"
ETHERNET = (
    "set(MICROPY_PY_LWIP ON)\nset(MICROPY_PY_NETWORK_WIZNET5K W5500)\nset(MICROPY_PY_BLUETOOTH 0)\n"
)


def test_missing_submodules_are_named_with_the_command(micropython: MicroPythonTree) -> None:
    micropython.define("ETHERNET", cmake=ETHERNET)
    (micropython.folder / "lib/lwip").mkdir(parents=True)
    board = boards.load("ETHERNET")
    with pytest.raises(ModthreadError) as error:
        cmake.micropython_for(board)
    assert str(error.value) == (
        "ETHERNET needs lib/lwip, lib/wiznet5k of MicroPython; "
        f"run: make -C {micropython.folder}/ports/rp2 BOARD=ETHERNET submodules"
    )
    (micropython.folder / "lib/lwip/README").touch()
    (micropython.folder / "lib/wiznet5k").mkdir()
    (micropython.folder / "lib/wiznet5k/README").touch()
    assert cmake.micropython_for(board) == micropython.folder


def test_a_build_names_the_boards_submodules_first(micropython: MicroPythonTree) -> None:
    """Their command brings those of the port, too; the other way round there would be two."""
    micropython.define("ETHERNET", cmake=ETHERNET)
    with pytest.raises(ModthreadError, match=r"^ETHERNET needs lib/lwip, lib/wiznet5k of"):
        build.firmware(boards.load("ETHERNET"))


def test_what_is_switched_off_needs_nothing(micropython: MicroPythonTree) -> None:
    micropython.define("QUIET", cmake="set(MICROPY_PY_LWIP OFF)\n# set(MICROPY_PY_LWIP 1)\n")
    assert cmake.micropython_for(boards.load("QUIET")) == micropython.folder


@pytest.fixture
def upstream(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A pinned MicroPython without submodules, and a git repository that has them.

    Returns the folder with that repository and those of its submodules.
    """
    monkeypatch.delenv("MICROPY_DIR", raising=False)
    monkeypatch.setattr(sources, "SOURCES", tmp_path / "sources")
    monkeypatch.setenv("GIT_ALLOW_PROTOCOL", "file")  # of submodules, too
    folder = tmp_path / "upstream"
    names = ["pico-sdk", "lwip", "wiznet5k", "micropython-lib", "btstack"]
    for name in names:
        repository(folder / name, "README")
    whole = folder / "micropython"
    repository(whole, "py/mpconfig.h")
    for name in names:
        git(whole, "submodule", "--quiet", "add", f"file://{folder / name}", f"lib/{name}")
    git(whole, "commit", "--quiet", "--message=Release.")
    git(whole, "tag", "v1.25.0")
    pin = sources.pinned("micropython")
    pin = replace(pin, git_url=f"file://{whole}", git_commit=git(whole, "rev-parse", "HEAD"))
    monkeypatch.setattr(sources, "pinned", lambda _: pin)
    MicroPythonTree(pin.tree).define("ETHERNET", cmake=ETHERNET)
    return folder


def repository(folder: Path, file: str) -> None:
    (folder / file).parent.mkdir(parents=True)
    (folder / file).touch()
    commit_all(folder, "Begin.")


def test_git_brings_the_submodules_that_the_pinned_source_lacks(upstream: Path) -> None:
    tree = cmake.micropython_for(boards.load("ETHERNET"), "pico-sdk")
    assert tree.name.endswith("-git")
    there = [path.parent.name for path in sorted(tree.glob("lib/*/README"))]
    assert there == ["lwip", "micropython-lib", "pico-sdk", "wiznet5k"]
    shutil.rmtree(upstream)
    assert cmake.micropython_for(boards.load("ETHERNET"), "pico-sdk") == tree, "it was fetched once"


def test_another_board_brings_more_submodules(upstream: Path) -> None:
    tree = cmake.micropython_for(boards.load("ETHERNET"), "pico-sdk")
    ports = sources.pinned("micropython").tree / "ports"
    define_board(ports / "rp2/boards/RADIO", "rp2040", BLUETOOTH)
    assert cmake.micropython_for(boards.load("RADIO"), "pico-sdk") == tree
    assert (tree / "lib/btstack/README").is_file()


def test_without_git_the_board_is_refused_in_a_line(upstream: Path) -> None:
    shutil.rmtree(upstream)
    with pytest.raises(ModthreadError) as error:
        cmake.micropython_for(boards.load("ETHERNET"), "pico-sdk")
    assert re.fullmatch(
        r"ETHERNET needs lib/lwip, lib/wiznet5k of MicroPython; cannot fetch micropython \S+: .+;"
        r" check the network and .+, or set MICROPY_DIR to a checkout with its submodules",
        str(error.value),
    )


def test_what_stands_in_for_micropython_lib(
    micropython: MicroPythonTree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each package that the manifests require is there, and empty; the board's own stay."""
    monkeypatch.setattr(cmake, "NO_MICROPYTHON_LIB", tmp_path / "no-lib")
    folder = micropython.define("BOARD")
    (folder.parent / "manifest.py").write_text('require("dht")\nrequire("umqtt.simple")\n')
    (folder / "manifest.py").write_text('module("board.py")\nrequire("ssd1306")\n# require("x")\n')
    setting = f"-DMICROPY_LIB_DIR={tmp_path / 'no-lib'}"
    assert cmake.micropython_lib(micropython.folder, boards.load("BOARD")) == [setting]
    packages = (tmp_path / "no-lib/micropython").glob("*/manifest.py")
    assert {path.parent.name for path in packages} == {"dht", "umqtt.simple", "ssd1306"}
    (micropython.folder / "lib/micropython-lib").mkdir(parents=True)
    (micropython.folder / "lib/micropython-lib/README.md").touch()
    assert cmake.micropython_lib(micropython.folder, boards.load("BOARD")) == []


def test_emulated_boards_that_cannot_be_built_are_left_out_in_a_line(
    micropython: MicroPythonTree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setattr(boards, "DIRECTORY", tmp_path / "boards")
    emulator = '[emulator]\ncommand = ["emulator"]\ninstall = "apt install emulator"\n'
    for name, text in [("ETHERNET", emulator), ("PLAIN", emulator), ("REAL", "")]:
        (tmp_path / "boards" / name).mkdir(parents=True)
        (tmp_path / "boards" / name / "board.toml").write_text(f'description = "mine"\n{text}')
    micropython.define("ETHERNET", cmake=ETHERNET)
    assert board_choice.emulated() == ["PLAIN"]
    assert capsys.readouterr().err == (
        "modthread: without ETHERNET: MicroPython lacks lib/lwip, lib/wiznet5k\n"
    )


NO_C6 = "no threads for ESP32C6 yet, only for RP2040, RP2350, ESP32, ESP32S3, ESP32C3"


def test_the_list_of_all(micropython: MicroPythonTree, capsys: Capture) -> None:
    micropython.define("RPI_PICO", vendor="Raspberry Pi", product="Pico")
    micropython.define("RADIO", cmake=RADIO)
    micropython.define("ETHERNET", cmake=ETHERNET)
    micropython.define("C6", "esp32c6")
    (micropython.define("BIG") / "mpconfigvariant_FLASH_16M.cmake").touch()
    assert cli.main(["boards", "--all", "--json"]) == 0
    kinds = {kind["select"]: kind for kind in json.loads(capsys.readouterr().out)}
    assert list(kinds) == [
        "BIG",
        "C6",
        "ETHERNET",
        "MPS2_AN385",
        "RADIO",
        "RPI_PICO",
        "RPI_PICO_W",
    ]
    assert kinds["RPI_PICO"] == {
        "select": "RPI_PICO",
        "chip": "RP2040",
        "product": "Raspberry Pi Pico",
        "variants": [],
        "ours": True,
        "emulated": True,
        "why_not": None,
    }
    assert kinds["BIG"]["variants"] == ["FLASH_16M"]
    assert kinds["C6"]["why_not"] == NO_C6
    assert kinds["RADIO"]["why_not"] == "MicroPython lacks lib/lwip, lib/cyw43-driver"
    assert kinds["ETHERNET"]["why_not"] == "MicroPython lacks lib/lwip, lib/wiznet5k"
    assert cli.main(["boards", "--all"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["--board", *kinds]
    assert lines[2].endswith("Maker Board; cannot be built: " + NO_C6)


def test_the_emulated_pico_is_as_micropython_says() -> None:
    """It is described here, too, since it is known before MicroPython's sources are there."""
    if not HERE:
        pytest.skip("MicroPython's sources are not there yet")
    ours, definition = boards.load("RPI_PICO").flash, catalogue.find(HERE, "RPI_PICO")
    assert ours
    assert definition
    assert (ours.product, ours.chip) == (definition.product, catalogue.chip(definition.mcu()))
    assert (ours.usb, ours.machines) == (definition.usb, definition.machines)


@NEEDS_SOURCES
def test_every_board_of_micropython_is_there_or_refused_in_a_line() -> None:
    assert HERE
    found = catalogue.definitions(HERE)
    assert len(found) > 50
    assert len({one.name for one in found}) == len(found)
    for one in found:
        for variant in ["", *one.variants]:
            _loads_or_says_why_not(one, variant)


def _loads_or_says_why_not(one: Definition, variant: str) -> None:
    name = f"{one.name}-{variant}" if variant else one.name
    try:
        board = boards.load(name)
    except ModthreadError as error:
        assert "\n" not in str(error)  # noqa: PT017
        assert re.match(rf"{name}: no threads for", str(error))  # noqa: PT017
        assert one.mcu(variant) not in catalogue.SUPPORTED
        return
    assert board.name == name
    assert one.mcu(variant) in catalogue.SUPPORTED
    assert board.description.startswith(one.product)
    assert bool(board.flash) == (board.port == "rp2")
    assert bool(board.esptool) == (board.port == "esp32")
    assert one.machines
    if board.usb:
        assert re.fullmatch(r"[0-9a-f]{4}:[0-9a-f]{4}", board.usb)


def test_the_table_of_what_has_been_seen_is_in_the_docs(capsys: Capture) -> None:
    assert cli.main(["boards", "--seen"]) == 0
    table = capsys.readouterr().out
    assert table.startswith("| board | built with MicroPython |")
    assert f"\n\n{table}\n" in (project.ROOT / "docs/boards.md").read_text()


def test_what_has_been_seen_is_of_boards_that_exist() -> None:
    """Of those that this MicroPython has: newer ones have more."""
    kinds = [boards.load(one.select) for one in seen.seen() if boards.is_known(one.select)]
    assert {*boards.names()} <= {kind.name for kind in kinds}


@pytest.mark.parametrize(
    ("line", "said"),
    [('colour = "green"', "'colour'"), ('built = "1.25"', "built cannot be '1.25'")],
)
def test_a_wrong_file_of_what_has_been_seen_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, said: str
) -> None:
    monkeypatch.setattr(seen, "FILE", tmp_path / "seen.toml")
    (tmp_path / "seen.toml").write_text(f"[RPI_PICO]\n{line}\n")
    with pytest.raises(ModthreadError, match=rf"seen\.toml: .*{said}; correct it$"):
        seen.seen()


def test_what_boards_hold_is_what_micropython_does_not_say() -> None:
    assert boards.names() == ["MPS2_AN385", "RPI_PICO", "RPI_PICO_W"]
    assert all(boards.load(name).emulator for name in boards.names())
    assert {path.parent.name for path in (project.ROOT / "boards").glob("*/*")} == {*boards.names()}
