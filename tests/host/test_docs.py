"""The pages list what exists, and their links lead somewhere."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from modthread._base import project
from modthread._base.project import ROOT

PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("tests/**/*.md")])
LINKS = [
    pytest.param(page, link, id=f"{page.relative_to(ROOT)}-{link}")
    for page in PAGES
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text())
    if "://" not in link
]


def anchors(page: Path) -> set[str]:
    """Return what the headings of a page are called in links, as GitHub makes it."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {
        re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings
    }


@pytest.mark.parametrize(("page", "link"), LINKS)
def test_link_leads_somewhere(page: Path, link: str) -> None:
    path, _, anchor = link.partition("#")
    target = page.parent / path if path else page
    assert target.exists()
    assert not anchor or anchor in anchors(target)


def test_every_file_of_device_tests_is_in_their_readme() -> None:
    readme = (ROOT / "tests/device/README.md").read_text()
    names = {path.stem for path in (ROOT / "tests/device").glob("test_*.py")}
    assert names - set(re.findall(r"\btest_\w+", readme)) == set()


def test_every_file_of_the_module_is_in_the_design() -> None:
    named = set(re.findall(r"[\w.*]+\.c\b", (ROOT / "docs/design.md").read_text()))
    assert {path.name for path in (ROOT / "modthread").glob("*.c")} - named == set()


def test_every_state_of_a_thread_is_in_the_design() -> None:
    states = re.findall(r"\bTHREAD_([A-Z]+),", (ROOT / "modthread/thread.h").read_text())
    page = (ROOT / "docs/design.md").read_text()
    assert states
    assert [state for state in states if f"**{state.lower()}**" not in page] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT))
def test_functions_of_the_module_exist(page: Path) -> None:
    headers = "".join(path.read_text() for path in (ROOT / "modthread").glob("*.h"))
    named = set(re.findall(r"\b(mp_thread_\w+|kernel_\w+)\(\)", page.read_text()))
    assert {name for name in named if f"{name}(" not in headers} == set()


def test_every_setting_of_the_kernel_that_is_checked_is_in_the_list() -> None:
    header = (ROOT / "modthread/kernel_freertos_common.h").read_text()
    checked = set(re.findall(r"!((?:config|INCLUDE_)\w+)", header))
    page = (ROOT / "docs/firmware.md").read_text()
    assert "configUSE_PREEMPTION" in checked
    assert {name for name in checked if name not in page} == set()


def test_every_setting_is_in_the_list() -> None:
    page = (ROOT / "docs/settings.md").read_text()
    sources = [path.read_text() for path in (ROOT / "modthread").glob("*.[ch]")]
    conditions = re.compile(r"#\s*if(?:n?def)? ((?:MODTHREAD|MP_THREAD|STACK)_\w+)")
    settings = {name for text in sources for name in conditions.findall(text)}
    for path in (ROOT / "tools/modthread").rglob("*.py"):
        settings |= set(re.findall(r'"(MODTHREAD_\w+)"', path.read_text()))
    assert {name for name in settings if not name.endswith("_H") and name not in page} == set()


def test_the_table_of_calls_that_wait_is_what_is_measured() -> None:
    page = (ROOT / "docs/threads.md").read_text().partition("## Calls that wait")[2]
    rows = re.findall(r"^\| .+? \| (run|turns|wait) \| .*? \| (.+?) \|$", page, re.MULTILINE)
    said = {(name, others) for others, names in rows for name in re.findall(r"`(\w+)`", names)}
    test = (ROOT / "tests/device/test_calls_that_wait.py").read_text()
    assert said == set(re.findall(r'^ +\("(\w+)", "(\w+)"\),$', test, re.MULTILINE))


def test_every_page_is_in_the_navigation_of_the_site() -> None:
    navigation = (ROOT / "properdocs.yml").read_text()
    names = {path.relative_to(ROOT / "docs").as_posix() for path in ROOT.glob("docs/**/*.md")}
    assert {name for name in names if f" {name}\n" not in navigation} == set()


def test_the_changelog_begins_with_this_version() -> None:
    versions = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert next(one for one in versions if one != "Unreleased") == project.version()


def test_the_page_of_the_module_is_made_of_the_stub() -> None:
    command = [sys.executable, str(ROOT / "tools/documents/api.py")]
    made = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert (ROOT / "docs/api.md").read_text() == made, "run `make docs`"


def test_the_stub_has_what_the_module_has() -> None:
    stub = ast.parse((ROOT / "stubs/_thread.pyi").read_text())
    source = (ROOT / "modthread/modthread.c").read_text()
    table = set(re.findall(r"{ MP_ROM_QSTR\(MP_QSTR_(\w+)\), ", source))
    # `_trace` is in firmware that records only, and every module has a name.
    assert declared_in(stub.body) == table - {"__name__", "_trace"}
    classes = [one for one in stub.body if isinstance(one, ast.ClassDef)]
    files = (
        *("handle.c", "lock.c", "rlock.c", "condition.c", "event.c"),
        *("semaphores.c", "queue.c", "local.c"),
    )
    for one, file in zip(classes, files, strict=True):
        source = (ROOT / "modthread" / file).read_text()
        # In the table, or what the attribute function finds.
        found = re.findall(r"(?:{ MP_ROM_QSTR\(|case |attr == )MP_QSTR_(\w+)", source)
        constructors = {"__new__", "__init__"}
        assert declared_in(one.body) - constructors == set(found) - constructors


def declared_in(body: list[ast.stmt]) -> set[str]:
    names = set()
    for one in body:
        match one:
            case ast.FunctionDef(name) | ast.ClassDef(name):
                names.add(name)
            case ast.Assign([ast.Name(name)]) | ast.AnnAssign(ast.Name(name)):
                names.add(name)
    return names
