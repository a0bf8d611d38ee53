"""The pages as a site: it builds without a warning, and shows what the code host shows."""

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from documents.pages import OUTSIDE
from markdown_it import MarkdownIt

from modthread._base import project
from modthread._base.project import ROOT

# The Markdown files of the repository, and the names that they have in the site.
PAGES = {path: path.relative_to(ROOT / "docs").as_posix() for path in ROOT.glob("docs/**/*.md")}
PAGES |= {ROOT / source: uri for source, uri in OUTSIDE.items()}
BUILD = [sys.executable, "-m", "properdocs", "build", "--strict", "--site-dir"]
BODY = re.compile(r'itemprop="articleBody">(.*?)</div>\s*</div><footer>', re.DOTALL)
Site = tuple[Path, str]
TAG = re.compile(r"<(h\d|ul|ol|li|pre|code|table|tr|th|td|strong|em|img)\b")


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Site:
    """Build the site once for all processes; return its folder, and what the build said."""
    ours = tmp_path_factory.getbasetemp()
    folder = (ours if worker_id == "master" else ours.parent) / "site"
    with project.locked(folder):
        said = folder / "said.txt"
        if not said.exists():
            result = subprocess.run(
                [*BUILD, folder / "pages"], cwd=ROOT, capture_output=True, text=True, check=False
            )
            said.write_text(f"{result.stdout}{result.stderr}status {result.returncode}\n")
    return folder / "pages", said.read_text()


def test_it_builds_without_a_warning(built: Site) -> None:
    folder, said = built
    assert said.endswith("status 0\n"), said
    assert "WARNING" not in said
    assert (folder / "index.html").is_file()


@pytest.mark.parametrize("page", sorted(PAGES), ids=lambda page: page.relative_to(ROOT))
def test_a_page_has_what_the_code_host_shows(page: Path, built: Site) -> None:
    folder = re.sub(r"(README|index)?\.md$", "", PAGES[page])
    [body] = BODY.findall((built[0] / folder / "index.html").read_text())
    shown = MarkdownIt("commonmark").enable("table").render(page.read_text())
    assert Counter(TAG.findall(body)) == Counter(TAG.findall(shown))


def test_the_site_loads_nothing_from_elsewhere(built: Site) -> None:
    text = (built[0] / "index.html").read_text()
    loaded = re.findall(r'<(?:script|link|img)[^>]* (?:src|href)="([^"]+)"', text)
    assert [one for one in loaded if "//" in one] == []
