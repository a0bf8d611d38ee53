"""System packages are found missing and installed, or one line says what to do."""

import os
import re
from pathlib import Path

import pytest

from modthread._base import system
from modthread._base.project import settings
from modthread.errors import ModthreadError

PACKAGES = [*settings()["packages"], *settings()["developer-packages"]]
CPYTHON_TESTS = settings()["cpython-tests"]["packages"]


@pytest.fixture
def bare_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH with a shell's own commands and nothing else."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


NAMES_ITSELF = 'echo "$0"'  # as the file that a compiler is asked for


def add_tool(directory: Path, name: str, script: str = NAMES_ITSELF) -> None:
    tool = directory / name
    tool.write_text(f"#!/bin/sh\n{script}\n")
    tool.chmod(0o755)


def add_apt(directory: Path, install: str) -> Path:
    """Put an apt-get in place that records how it was called; return the record."""
    record = directory / "calls"
    add_tool(
        directory,
        "apt-get",
        f'echo "$@" >> {record}\nPATH=/usr/bin:/bin\ncase $1 in install) {install} ;; esac',
    )
    return record


def test_nothing_is_missing_here() -> None:
    assert system.missing_packages() == []


def test_everything_is_missing_on_a_bare_system(bare_path: Path) -> None:
    assert system.missing_packages() == PACKAGES


def test_one_missing_package_is_named(bare_path: Path) -> None:
    compilers = "gcc arm-none-eabi-gcc arm-none-eabi-g++"
    present = f"git make cmake ninja {compilers} python3 uncrustify xz bzip2"
    for tool in present.split():
        add_tool(bare_path, tool)
    assert system.missing_packages() == ["qemu-system-arm"]


def test_without_apt_one_line_lists_what_to_install(bare_path: Path) -> None:
    with pytest.raises(ModthreadError) as error:
        system.install_packages()
    assert str(error.value) == f"install the packages that Debian calls: {' '.join(PACKAGES)}"


def test_without_rights_one_line_says_what_to_run_as_root(
    bare_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = add_apt(bare_path, install="exit 0")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(ModthreadError, match=re.escape("as root, run: apt-get update && apt-get")):
        system.install_packages()
    assert not record.exists()


@pytest.mark.parametrize("user", [0, 1000])
def test_missing_packages_are_installed(
    bare_path: Path, monkeypatch: pytest.MonkeyPatch, user: int
) -> None:
    compilers = "gcc arm-none-eabi-gcc arm-none-eabi-g++"
    tools = f"git make cmake ninja {compilers} python3 uncrustify xz bzip2 qemu-system-arm"
    create = (
        f"printf '#!/bin/sh\\n{NAMES_ITSELF}\\n' > {bare_path}/$tool; chmod +x {bare_path}/$tool"
    )
    record = add_apt(bare_path, f"for tool in {tools}; do {create}; done")
    add_tool(bare_path, "sudo", 'while [ "$1" != apt-get ]; do shift; done; exec "$@"')
    monkeypatch.setattr(os, "geteuid", lambda: user)
    system.install_packages()
    install = f"install --yes --no-install-recommends {' '.join(PACKAGES)}"
    assert record.read_text().splitlines() == ["update", install]


def test_nothing_missing_means_apt_is_not_called(
    bare_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = add_apt(bare_path, install="exit 0")
    monkeypatch.setenv("PATH", f"{bare_path}:{os.defpath}")
    system.install_packages()
    assert not record.exists()


def test_failed_installation_names_what_is_still_missing(
    bare_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_apt(bare_path, install="exit 100")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(ModthreadError, match="apt-get could not install git make"):
        system.install_packages()


def test_cpythons_tests_are_installed_where_apt_has_them(
    bare_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new = CPYTHON_TESTS[-1], CPYTHON_TESTS[0]
    record = add_apt(bare_path, install=f"echo 'exit 0' > {bare_path}/ls; chmod +x {bare_path}/ls")
    add_tool(bare_path, "apt-cache", f"test $2 = {old}")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    system.install_cpython_tests()
    assert record.read_text() == f"install --yes --no-install-recommends {old}\n"
    system.install_cpython_tests()
    assert record.read_text().count("\n") == 1
    assert capsys.readouterr().err == ""
    (bare_path / "ls").unlink()
    add_tool(bare_path, "apt-cache", "exit 1")
    add_apt(bare_path, install="exit 100")
    system.install_cpython_tests()
    assert "update\n" in record.read_text()
    assert f"skipped without the package that Debian calls {new} or" in capsys.readouterr().err


def test_without_apt_cpythons_tests_are_named(
    bare_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    system.install_cpython_tests()
    assert capsys.readouterr().err == (
        "modthread: CPython's own tests are skipped without the package that Debian calls"
        f" {' or '.join(CPYTHON_TESTS)}\n"
    )


def test_another_distributions_archive_is_not_used(bare_path: Path) -> None:
    add_tool(bare_path, "apt-get", "echo Ubuntu noble http://archive.invalid/ubuntu/")
    assert system.debian_archive() is None


def test_debians_archive_comes_from_apts_configuration(bare_path: Path) -> None:
    add_tool(
        bare_path,
        "apt-get",
        "echo Docker bookworm http://docker.invalid/debian/\n"
        "echo Debian Backports bookworm-backports http://backports.invalid/debian/\n"
        "echo Debian bookworm-security http://mirror.invalid/security/\n"
        "echo Debian bookworm http://mirror.invalid/debian/",
    )
    if not system.DEBIAN_KEYRING.exists():
        pytest.skip("needs Debian's keyring")
    assert system.debian_archive() == "http://mirror.invalid/debian/"


def test_without_package_lists_an_ordinary_user_is_told(
    bare_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_tool(bare_path, "apt-get", "exit 0")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    if not system.DEBIAN_KEYRING.exists():
        pytest.skip("needs Debian's keyring")
    with pytest.raises(ModthreadError, match="as root, run: apt-get update"):
        system.debian_archive()
