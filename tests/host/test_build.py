"""A build: what it gives to make, and what the user reads when it fails."""

import re
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from processes import is_running

from modthread._base import process, project, sources
from modthread._boards.boards import Board
from modthread._firmware import build, sizes
from modthread.errors import ModthreadError


class Port:
    """A port made for one test: `make()` builds it as the real one is built."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory / "port"
        self.directory.mkdir()
        self.build = directory / "build"

    def rule(self, *recipe: str) -> None:
        """Let the port's build be these shell commands."""
        self.directory.joinpath("Makefile").write_text(
            "all:\n" + "".join(f"\t@{line}\n" for line in recipe)
        )

    def make(self, **variables: str) -> None:
        build.make("Building", self.directory, self.build, {"MICROPY_DIR": "/nowhere"} | variables)

    @property
    def log(self) -> str:
        return (self.build / "build.log").read_text()


@pytest.fixture
def port(tmp_path: Path) -> Port:
    return Port(tmp_path)


def test_make_gets_the_variables_and_the_version(port: Port) -> None:
    port.rule("echo $(BOARD) $(MICROPY_DIR) $(BUILD) $(MODTHREAD_VERSION)")
    port.make(BOARD="B")
    assert f"B /nowhere {port.build} {build.version()}\n" in port.log


def test_two_trees_have_a_cross_compiler_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(project, "BUILD", tmp_path / "build")
    for name in ("one", "other"):
        (tmp_path / name / "mpy-cross").mkdir(parents=True)
        rule = f"all:\n\t@echo {name} > $(BUILD)/mpy-cross\n"
        (tmp_path / name / "mpy-cross/Makefile").write_text(rule)
    programs = [build.mpy_cross(tmp_path / name) for name in ("one", "other")]
    assert [program.read_text() for program in programs] == ["one\n", "other\n"]


def test_version_names_the_commit() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+(\+[0-9a-f]{8,}(-dirty)?)?", build.version())


def test_variables_of_the_calling_make_do_not_leak(
    port: Port, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAKEFLAGS", "-- SCRIPT=x.py")
    monkeypatch.setenv("CFLAGS", "-march=native")
    port.rule("echo '[$(SCRIPT)$(CFLAGS)]'")
    port.make()
    assert "[]\n" in port.log


def test_steps_are_shown_and_the_log_has_everything(
    port: Port, capfd: pytest.CaptureFixture[str]
) -> None:
    port.rule("echo Use make V=1", "echo CC main.c", "echo warning >&2")
    port.make()
    assert "Building ...\n" in capfd.readouterr().err
    assert "Use make V=1\nCC main.c\nwarning\n" in port.log


def test_nothing_to_do_shows_nothing(port: Port, capfd: pytest.CaptureFixture[str]) -> None:
    port.rule("echo Use make V=1")
    port.make()
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("line", "is_step"),
    [
        ("CC main.c", True),
        ("GEN build/genhdr/mpversion.h", True),
        ("[3/99] Building C object CMakeFiles/firmware.dir/main.c.o", True),
        ("[99/99] Linking CXX executable firmware.elf", True),
        ("[1/2] cd build && python3 makeversionhdr.py", False),
        ("-- Build files have been written to: build", False),
        ("ninja: no work to do.", False),
    ],
)
def test_only_steps_are_worth_a_line(
    port: Port, capfd: pytest.CaptureFixture[str], line: str, is_step: bool
) -> None:
    port.rule(f"echo '{line}'")
    port.make()
    assert capfd.readouterr().err == ("Building ...\n" if is_step else "")


def test_failure_shows_what_cmake_says(port: Port) -> None:
    port.rule("echo 'CMake Error at CMakeLists.txt:39 (message):'; echo; echo '  No such'; false")
    with pytest.raises(ModthreadError) as error:
        port.make()
    complaint = "CMake Error at CMakeLists.txt:39 (message): No such"
    assert str(error.value).splitlines()[1:] == [complaint]


def test_failure_shows_the_compilers_error_and_the_log(port: Port) -> None:
    (port.directory / "main.c").write_text("int main(void) { return nothing; }\n")
    port.rule("echo CC main.c", "arm-none-eabi-gcc -c main.c -o $(BUILD)/main.o")
    with pytest.raises(ModthreadError) as error:
        port.make()
    title, complaint = str(error.value).splitlines()
    assert title == f"Building failed; the whole output is in {port.build}/build.log"
    assert complaint.startswith("main.c:1:25: error: 'nothing' undeclared")
    assert complaint in port.log


def test_failure_without_a_compiler_names_the_package(
    port: Port, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    present = "make cmake ninja git gcc python3 uncrustify xz bzip2 qemu-system-arm"
    for tool in present.split():
        (tools / tool).symlink_to("/bin/true" if tool != "make" else "/usr/bin/make")
    monkeypatch.setenv("PATH", str(tools))
    port.rule("arm-none-eabi-gcc -c main.c")
    with pytest.raises(ModthreadError) as error:
        port.make()
    assert str(error.value) == (
        "missing system packages, run `make setup`: gcc-arm-none-eabi libnewlib-arm-none-eabi"
        " libstdc++-arm-none-eabi-newlib"
    )


def test_without_make_its_package_is_named(
    port: Port, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ModthreadError, match=r"^missing .* `make setup`: git make cmake"):
        port.make()


def test_same_settings_keep_what_is_built(port: Port) -> None:
    port.rule("touch $(BUILD)/made-with-$(THREADS)")
    port.make(THREADS="1")
    (port.build / "object.o").write_text("")
    port.make(THREADS="1")
    assert (port.build / "object.o").exists()


def test_other_settings_start_anew(port: Port) -> None:
    port.rule("mkdir $(BUILD)/objects && touch $(BUILD)/made-with-$(THREADS)")
    port.make(THREADS="1")
    port.make(THREADS="0")
    assert (port.build / "made-with-0").exists()
    assert not (port.build / "made-with-1").exists()


def test_other_names_start_anew(
    port: Port, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(project, "ROOT", tmp_path)
    source = tmp_path / "modthread/lock.c"
    source.parent.mkdir()
    source.write_text("MP_QSTR_release, MP_QSTR_acquire")
    port.rule("touch $(BUILD)/object.o")
    port.make()
    source.write_text("MP_QSTR_acquire, MP_QSTR_release")
    port.rule("test -e $(BUILD)/object.o")
    port.make()
    source.write_text("MP_QSTR_acquire, MP_QSTR_release, MP_QSTR_locked")
    port.rule("test ! -e $(BUILD)/object.o")
    port.make()


def test_an_interrupted_build_starts_anew(port: Port) -> None:
    port.rule("test -e $(BUILD)/half.o || { touch $(BUILD)/half.o; kill -9 $$MODTHREAD_PID; }")
    build_in_a_process(port)
    assert (port.build / "half.o").exists()
    port.rule("test ! -e $(BUILD)/half.o")
    port.make()


@pytest.mark.skipif(not process.killed_with_parent(), reason="needs setpriv")
def test_a_killed_command_ends_its_build(port: Port, tmp_path: Path) -> None:
    gate, number = tmp_path / "gate", tmp_path / "make"
    gate.touch()
    ends = f"while test -e {gate}; do sleep 0.05; done"
    port.rule(f"echo $$PPID > {number}; kill -9 $$MODTHREAD_PID; {ends}")
    build_in_a_process(port)
    deadline = time.monotonic() + 30
    while is_running(int(number.read_text())):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    gate.unlink()


def build_in_a_process(port: Port) -> None:
    """Build in a process of its own, MODTHREAD_PID, which does not see the end of it."""
    program = (
        "import os; from pathlib import Path; from modthread._firmware import build\n"
        "os.environ['MODTHREAD_PID'] = str(os.getpid())\n"
        f"directories = Path('{port.directory}'), Path('{port.build}')\n"
        "build.make('', *directories, {'MICROPY_DIR': '/nowhere'})"
    )
    killed = subprocess.run([sys.executable, "-c", program], check=False)
    assert killed.returncode == -signal.SIGKILL


def test_a_failed_build_keeps_what_is_built(port: Port) -> None:
    port.rule("touch $(BUILD)/object.o; false")
    with pytest.raises(ModthreadError):
        port.make()
    port.rule("test -e $(BUILD)/object.o")
    port.make()


def test_two_builds_at_once_follow_each_other(port: Port, tmp_path: Path) -> None:
    order = tmp_path / "order"
    port.rule(f"echo begin >> {order}; sleep 0.3; echo end >> {order}")
    with ThreadPoolExecutor() as pool:
        for done in [pool.submit(port.make) for _ in range(2)]:
            done.result(timeout=30)
    assert order.read_text().split() == ["begin", "end", "begin", "end"]


def test_a_path_with_a_space_is_refused(port: Port, tmp_path: Path) -> None:
    port.build = tmp_path / "my build"
    with pytest.raises(ModthreadError, match="move the project to a path without spaces"):
        port.make()


def test_trouble_with_the_disk_is_one_line(port: Port, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    port.build = tmp_path / "file/build"
    with pytest.raises(ModthreadError, match="Not a directory; mend that and try again"):
        port.make()


def test_pinned_source_sets_version_and_date(port: Port) -> None:
    port.rule("echo $$MICROPY_GIT_TAG $$MICROPY_GIT_HASH $$SOURCE_DATE_EPOCH")
    pin = sources.pinned("micropython")
    port.make(MICROPY_DIR=str(pin.tree))
    assert f"v{pin.version} {pin.git_commit[:9]} {pin.released}\n" in port.log


def test_size_counts_as_binutils_does(tmp_path: Path) -> None:
    source, elf = tmp_path / "main.c", tmp_path / "main.elf"
    source.write_text("const int c[9] = {1}; int d[7] = {1}; int b[99]; void _start(void) {}\n")
    subprocess.run(["arm-none-eabi-gcc", "-nostdlib", source, "-o", elf], check=True)
    berkeley = subprocess.run(
        ["arm-none-eabi-size", elf], check=True, capture_output=True, text=True
    ).stdout
    text, data, bss = map(int, berkeley.splitlines()[1].split()[:3])
    assert build.size(elf) == build.Size(text, data, bss)


def test_heap_is_what_the_linker_script_says(tmp_path: Path) -> None:
    source, elf = tmp_path / "main.c", tmp_path / "main.elf"
    source.write_text("void _start(void) {}\n")
    link = ["arm-none-eabi-gcc", "-nostdlib", str(source), "-o", str(elf)]
    subprocess.run(link, check=True)
    assert sizes.heap(elf) is None
    symbols = {"__GcHeapStart": 0x20001000, "__GcHeapEnd": 0x20005000}
    link += [f"-Wl,--defsym={name}={value}" for name, value in symbols.items()]
    subprocess.run(link, check=True)
    assert sizes.heap(elf) == 0x4000
    subprocess.run([*link, "-Wl,--defsym=__modthread_heap_reserve__=0x400"], check=True)
    assert sizes.heap(elf) == 0x3C00


def test_an_unknown_port_is_one_line() -> None:
    with pytest.raises(ModthreadError, match=r"^MINE: no port 'avr'; correct its board\.toml$"):
        build.firmware(Board("MINE", "a board", port="avr"))
