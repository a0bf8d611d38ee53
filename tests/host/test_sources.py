"""Pinned sources arrive complete and checked, or not at all."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from git_repository import commit_all, git

from modthread._base import sources, system
from modthread._base.project import ROOT
from modthread.errors import ModthreadError


def ignore(detail: str) -> None:
    """What these tests show of the progress."""


@pytest.fixture
def origin(tmp_path: Path) -> sources.Source:
    """A pin for a local git repository with one tagged commit and a later one."""
    repository = tmp_path / "origin"
    (repository / "py").mkdir(parents=True)
    (repository / "py/mpconfig.h").write_text("// 1.25.0\n")
    commit = commit_all(repository, "Release.")
    git(repository, "tag", "v1.25.0")
    (repository / "py/mpconfig.h").write_text("// 1.26.0\n")
    git(repository, "commit", "--quiet", "--all", "--message=Later.")
    return replace(sources.pinned("micropython"), git_url=f"file://{repository}", git_commit=commit)


@pytest.fixture
def without_apt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A PATH with git and no apt-get."""
    path = tmp_path / "bin"
    path.mkdir()
    (path / "git").symlink_to("/usr/bin/git")
    monkeypatch.setenv("PATH", str(path))


@pytest.mark.usefixtures("without_apt")
def test_without_apt_git_brings_the_pinned_commit(origin: sources.Source, tmp_path: Path) -> None:
    tree = tmp_path / "sources/tree"
    sources.fetch({tree: origin})
    assert (tree / "py/mpconfig.h").read_text() == "// 1.25.0\n"
    assert list(tree.parent.iterdir()) == [tree]


@pytest.mark.usefixtures("without_apt")
def test_a_second_fetch_downloads_nothing(origin: sources.Source, tmp_path: Path) -> None:
    tree = tmp_path / "sources/tree"
    sources.fetch({tree: origin})
    nowhere = replace(origin, git_url="file:///nowhere")
    sources.fetch({tree: nowhere})


@pytest.mark.usefixtures("without_apt")
def test_an_empty_directory_is_filled(origin: sources.Source, tmp_path: Path) -> None:
    """Where git leaves a submodule out, it leaves an empty directory."""
    first, second = tmp_path / "lib/first", tmp_path / "lib/second"
    second.mkdir(parents=True)
    sources.fetch({first: origin, second: replace(origin, name="second")})
    assert (first / origin.marker).is_file()
    assert (second / origin.marker).is_file()
    assert sorted((tmp_path / "lib").iterdir()) == [first, second]


@pytest.mark.usefixtures("without_apt")
def test_what_came_before_a_failure_stays(origin: sources.Source, tmp_path: Path) -> None:
    first, second = tmp_path / "lib/first", tmp_path / "lib/second"
    nowhere = replace(origin, name="second", git_url="file:///nowhere")
    with pytest.raises(ModthreadError, match="check the network"):
        sources.fetch({first: origin, second: nowhere})
    assert list((tmp_path / "lib").iterdir()) == [first]


@pytest.mark.usefixtures("without_apt")
def test_remains_of_an_interrupted_fetch_do_no_harm(origin: sources.Source, tmp_path: Path) -> None:
    half = tmp_path / "sources/unfinished" / origin.name / "tree"
    half.mkdir(parents=True)
    (half / "half").write_text("")
    tree = tmp_path / "sources/tree"
    sources.fetch({tree: origin})
    assert not (tree / "half").exists()
    assert list(tree.parent.iterdir()) == [tree]


@pytest.mark.usefixtures("without_apt")
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"git_commit": "0" * 40}, "not the pinned 000000000000"),
        ({"git_url": "file:///nowhere"}, "check the network"),
        ({"git_tag": "v9"}, "v9 not found"),
    ],
)
def test_a_failed_clone_says_what_to_do_and_leaves_nothing(
    origin: sources.Source, tmp_path: Path, change: dict[str, str], message: str
) -> None:
    wrong = replace(origin, **change)  # type: ignore[arg-type]
    with pytest.raises(ModthreadError, match=message) as error:
        sources.fetch({tmp_path / "sources/tree": wrong})
    assert "set MICROPY_DIR" in str(error.value)
    assert "\n" not in str(error.value)
    assert list((tmp_path / "sources").iterdir()) == []


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """A source archive as Debian's are, in a directory of its own."""
    content = tmp_path / "content/name-1"
    content.mkdir(parents=True)
    (content / "file").write_text("text")
    work = tmp_path / "work"
    work.mkdir()
    path = work / "name.orig.tar.xz"
    subprocess.run(["tar", "-cJf", path, "-C", content.parent, "name-1"], check=True)
    return path


def sum_of(path: Path) -> str:
    return subprocess.run(
        ["sha256sum", path], check=True, capture_output=True, text=True
    ).stdout.split()[0]


def test_an_archive_with_the_pinned_sum_is_unpacked(archive: Path) -> None:
    pin = replace(sources.pinned("micropython"), sha256=sum_of(archive))
    assert (sources.unpack(pin, archive, ignore) / "file").read_text() == "text"


@pytest.mark.skipif(not shutil.which("dpkg-deb"), reason="needs Debian's dpkg")
def test_a_binary_package_is_unpacked(tmp_path: Path) -> None:
    package = tmp_path / "package"
    (package / "DEBIAN").mkdir(parents=True)
    (package / "DEBIAN/control").write_text(
        "Package: tinyusb-source\nVersion: 0\nArchitecture: all\n"
        "Maintainer: Test <test@example.invalid>\nDescription: sources\n"
    )
    (package / "usr/src/tinyusb").mkdir(parents=True)
    (package / "usr/src/tinyusb/file").write_text("text")
    archive = tmp_path / "tinyusb-source_0_all.deb"
    subprocess.run(["dpkg-deb", "--build", package, archive], check=True, capture_output=True)
    pin = replace(sources.pinned("tinyusb"), sha256=sum_of(archive))
    assert (sources.unpack(pin, archive, ignore) / "file").read_text() == "text"


@pytest.mark.lane("long")
@pytest.mark.parametrize("name", ["tinyusb", "mbedtls"])
def test_debian_has_what_is_pinned(tmp_path: Path, name: str) -> None:
    """One source is a binary package there, the other a source package."""
    if not system.debian_archive():
        pytest.skip("needs Debian's apt")
    pin, tree = sources.pinned(name), tmp_path / name
    sources.fetch({tree: pin})
    assert (tree / pin.marker).is_file()
    assert list(tmp_path.iterdir()) == [tree]


def test_an_archive_with_another_sum_is_refused(archive: Path) -> None:
    pin = replace(sources.pinned("micropython"), sha256=sum_of(archive))
    with archive.open("ab") as stream:
        stream.write(b"\0")
    with pytest.raises(ModthreadError, match="not the pinned"):
        sources.unpack(pin, archive, ignore)
    assert list(archive.parent.iterdir()) == [archive]


def test_an_archive_out_of_reach_is_one_line_with_a_remedy(tmp_path: Path) -> None:
    pin = sources.pinned("micropython")
    if not system.debian_archive():
        pytest.skip("needs Debian's apt")
    with pytest.raises(ModthreadError, match=r"^cannot fetch .*; check the network") as error:
        sources.private_apt("file:///nowhere", [pin], tmp_path, ignore)
    assert "\n" not in str(error.value)


def test_a_user_without_a_name_may_fetch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    apt = tmp_path / "apt-get"
    apt.write_text("#!/bin/sh\n")
    apt.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 987654321)
    sources.private_apt("file:///nowhere", [sources.pinned("micropython")], tmp_path, ignore)


def test_two_set_ups_at_once_fetch_once(origin: sources.Source, tmp_path: Path) -> None:
    tree = tmp_path / "sources/tree"
    program = (
        "import sys; from dataclasses import replace; from pathlib import Path\n"
        "from modthread._base import system\n"
        "from modthread._base import sources\n"
        "url, commit, tree = sys.argv[1:]\n"
        "pin = replace(sources.pinned('micropython'), git_url=url, git_commit=commit)\n"
        "sources.fetch({Path(tree): pin})\n"
    )
    command = [sys.executable, "-c", program, origin.git_url, origin.git_commit, str(tree)]
    path = {"PATH": str(tmp_path / "bin"), "PYTHONPATH": str(ROOT / "tools")}
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/git").symlink_to("/usr/bin/git")
    both = [subprocess.Popen(command, env=path) for _ in range(2)]
    assert [process.wait(60) for process in both] == [0, 0]
    assert list(tree.parent.iterdir()) == [tree]


def test_what_debian_lacks_comes_with_git(origin: sources.Source, tmp_path: Path) -> None:
    tree = tmp_path / "sources/tree"
    sources.fetch({tree: replace(origin, debian_file="")})
    assert (tree / "py/mpconfig.h").read_text() == "// 1.25.0\n"


def test_kernel_v11_is_the_pinned_one(
    origin: sources.Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pin = replace(sources.pinned("freertos-kernel"), marker=origin.marker)
    pin = replace(pin, **{name: getattr(origin, name) for name in ("git_url", "git_commit")})
    pin = replace(pin, git_tag=origin.git_tag)
    monkeypatch.setattr(sources, "SOURCES", tmp_path / "sources")
    monkeypatch.setattr(sources, "pinned", lambda _: pin)
    monkeypatch.setenv("KERNEL", "v11")
    assert sources.freertos_kernel() == pin.tree
    assert (pin.tree / pin.marker).is_file()


@pytest.mark.parametrize("kernel", ["", "v9"])
def test_kernel_v9_is_in_micropythons_tree(monkeypatch: pytest.MonkeyPatch, kernel: str) -> None:
    monkeypatch.setenv("KERNEL", kernel)
    assert sources.freertos_kernel() is None


def test_an_unknown_kernel_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERNEL", "v10")
    with pytest.raises(ModthreadError, match="KERNEL=v10 is unknown; take v9, v11, or name"):
        sources.freertos_kernel()


@pytest.mark.parametrize(
    ("variable", "use"),
    [
        ("MICROPY_DIR", sources.micropython),
        ("PICO_SDK_PATH", sources.pico_sdk),
        ("FREERTOS_KERNEL_PATH", sources.freertos_kernel),
    ],
)
def test_a_variable_that_names_no_such_tree_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, use: Callable[[], Path | None]
) -> None:
    monkeypatch.setenv(variable, str(tmp_path))
    with pytest.raises(ModthreadError, match=f"{variable}={tmp_path} has no .*unset {variable}"):
        use()


def test_micropy_dir_is_used_as_it_is(
    origin: sources.Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout = Path(origin.git_url.removeprefix("file://"))
    monkeypatch.setenv("MICROPY_DIR", str(checkout))
    assert sources.micropython() == checkout


def test_micropy_dir_without_submodules_is_one_line_and_stays_as_it_is(
    origin: sources.Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout = Path(origin.git_url.removeprefix("file://"))
    there = checkout / "lib/mbedtls" / sources.pinned("mbedtls").marker
    there.parent.mkdir(parents=True)
    there.touch()
    (checkout / "lib/tinyusb").mkdir()
    monkeypatch.setenv("MICROPY_DIR", str(checkout))
    with pytest.raises(ModthreadError) as error:
        sources.micropython("pico-sdk", "tinyusb", "mbedtls")
    assert str(error.value) == (
        f"MICROPY_DIR={checkout} lacks submodules;"
        f" run: git -C {checkout} submodule update --init lib/pico-sdk lib/tinyusb"
    )
    assert list((checkout / "lib/tinyusb").iterdir()) == []
