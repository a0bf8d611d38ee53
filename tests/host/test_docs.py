"""What the documents list is what is there, and their links lead somewhere."""

import re
from pathlib import Path

import pytest

from modthread.project import ROOT

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
    assert {name for name in names if name not in readme} == set()


def test_every_setting_is_in_the_list() -> None:
    page = (ROOT / "docs/settings.md").read_text()
    sources = [path.read_text() for path in (ROOT / "modthread").glob("*.[ch]")]
    conditions = re.compile(r"#\s*if(?:n?def)? (MODTHREAD_\w+)")
    settings = {name for text in sources for name in conditions.findall(text)}
    for path in (ROOT / "tools/modthread").rglob("*.py"):
        settings |= set(re.findall(r'"(MODTHREAD_\w+)"', path.read_text()))
    assert {name for name in settings if not name.endswith("_H") and name not in page} == set()
