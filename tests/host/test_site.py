"""The pages as a site: it builds without a warning, and shows what the code host shows."""

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from documents.pages import OUTSIDE
from markdown_it import MarkdownIt

from modthread._base.project import ROOT

# The Markdown files of the repository, and the names that they have in the site.
PAGES = {path: path.relative_to(ROOT / "docs").as_posix() for path in ROOT.glob("docs/**/*.md")}
PAGES |= {ROOT / source: uri for source, uri in OUTSIDE.items()}
BUILD = [sys.executable, "-m", "properdocs", "build", "--strict", "--site-dir"]
BODY = re.compile(r'itemprop="articleBody">(.*?)</div>\s*</div><footer>', re.DOTALL)
Site = tuple[Path, subprocess.CompletedProcess[str]]
TAG = re.compile(r"<(h\d|ul|ol|li|pre|code|table|tr|th|td|strong|em|img)\b")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Build the site; return its folder, and how that ended."""
    folder = tmp_path_factory.mktemp("site")
    result = subprocess.run(
        [*BUILD, folder],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return folder, result


def test_it_builds_without_a_warning(built: Site) -> None:
    folder, result = built
    assert result.returncode == 0, result.stdout
    assert "WARNING" not in result.stdout
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
