"""lib/: how its modules get into a firmware and onto a board."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from mpremote import mip

from modthread._base import project, sources
from modthread._base.project import ROOT
from modthread._firmware import sizes
from modthread._firmware.build import library

LIB = ROOT / "lib"
FOLDERS = sorted(path.parent for path in LIB.glob("*/package.json"))
MODULES = ["threading.py", "queue.py", "concurrent/futures.py", "asyncio/threads.py"]
# A board looks for asyncio.threads only where its asyncio is, and that is frozen.
INSTALLED_AS = {"asyncio/threads.py": "asyncio_threads.py"}
FREEZE = """\
include({lib}/freeze.cmake)
set(CMAKE_BINARY_DIR {build})
modthread_freeze_lib(/port/manifest.py)
message("${{MICROPY_FROZEN_MANIFEST}}")
"""


def frozen_manifest(build: Path, *settings: str) -> str:
    """Return the name of the manifest that lib/freeze.cmake chooses."""
    script = build / "try.cmake"
    script.write_text(FREEZE.format(lib=LIB, build=build))
    command = ["cmake", *settings, "-P", str(script)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stderr.strip()


def files(manifest: str) -> list[str]:
    """Return the modules that MicroPython finds in a manifest, by the names that they import."""
    program = (
        "import manifestfile, sys\n"
        "manifest = manifestfile.ManifestFile(manifestfile.MODE_FREEZE, {'MPY_LIB_DIR': ''})\n"
        "manifest.execute(sys.argv[1])\n"
        "print(*(file.target_path for file in manifest.files()))\n"
    )
    tools = sources.micropython() / "tools"
    command = [sys.executable, "-c", program, manifest]
    found = subprocess.run(command, cwd=tools, check=True, capture_output=True, text=True)
    return found.stdout.split()


@pytest.mark.parametrize("board", ["", "/board/manifest.py"])
def test_a_boards_manifest_and_ours_are_frozen(tmp_path: Path, board: str) -> None:
    manifest = frozen_manifest(tmp_path, f"-DMICROPY_FROZEN_MANIFEST={board}")
    first, second = Path(manifest).read_text().splitlines()
    assert first == f'include("{board or "/port/manifest.py"}")'
    assert second == f'include("{LIB}")'


def test_a_users_own_manifest_is_used_as_it_is(tmp_path: Path) -> None:
    names = ("MICROPY_FROZEN_MANIFEST", "MICROPY_USER_FROZEN_MANIFEST")
    settings = [f"-D{name}=/mine/manifest.py" for name in names]
    assert frozen_manifest(tmp_path, *settings) == "/mine/manifest.py"


def test_a_manifest_includes_all_or_requires_one() -> None:
    assert files(f'include("{LIB}")') == MODULES
    one = f'add_library("modthread", "{LIB}"); require("queue", library="modthread")'
    assert files(one) == ["queue.py"]


@pytest.mark.parametrize("folder", [LIB, *FOLDERS], ids=lambda folder: folder.name)
def test_a_package_has_what_its_manifest_has(folder: Path) -> None:
    package = json.loads((folder / "package.json").read_text())
    assert package["version"] == project.version()
    names = [INSTALLED_AS.get(name, name) for name in files(f'include("{folder}")')]
    assert [name for name, _ in package["urls"]] == names
    assert all((folder / source).is_file() for _, source in package["urls"])


class FileSystem:
    """A board's, as mpremote writes to it."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def fs_exists(self, path: str) -> bool:
        return any(name.startswith(f"{path}/") for name in self.files)

    def fs_mkdir(self, path: str) -> None:
        """Do nothing: a file's name has its folders."""

    def fs_writefile(self, path: str, data: bytes, progress_callback: object) -> None:
        self.files[path] = data


def test_mpremote_installs_all_or_one() -> None:
    board = FileSystem()
    mip._install_package(board, str(LIB / "package.json"), None, "/lib", None, mpy=False)
    assert board.files["/lib/threading.py"] == (LIB / "threading/threading.py").read_bytes()
    one = FileSystem()
    mip._install_package(one, str(LIB / "queue/package.json"), None, "/lib", None, mpy=False)
    assert one.files == {"/lib/queue.py": (LIB / "queue/queue.py").read_bytes()}
    assert one.files.items() < board.files.items()


def test_the_map_says_what_is_frozen(tmp_path: Path) -> None:
    elves = []
    for number, size in enumerate((100, 25)):
        build = tmp_path / str(number)
        build.mkdir()
        code = f"const char a[{size}] = {{1}}; const char *_start(void) {{ return a; }}"
        (build / "frozen_content.c").write_text(code)
        compiler = "arm-none-eabi-gcc"
        options = ["-g", "-O1", "-mthumb", "-nostdlib", "-Wl,-Map=firmware.map"]
        subprocess.run([compiler, "-g", "-O1", "-c", "frozen_content.c"], cwd=build, check=True)
        link = [compiler, *options, "frozen_content.o", "-o", "firmware.elf"]
        subprocess.run(link, cwd=build, check=True)
        elves.append(build / "firmware.elf")
    assert sizes.frozen(tmp_path / "firmware.elf") is None
    assert library(*elves) == 100 - 25
