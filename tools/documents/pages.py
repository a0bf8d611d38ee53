"""What the site has that is not in docs: README.md and others, and the files that pages link to.

A hook of properdocs. Links in the pages are those that work on the code host, from file to file in
the repository; here they become links within the site.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from properdocs.config.defaults import ProperDocsConfig
from properdocs.structure.files import File, Files
from properdocs.structure.pages import Page

ROOT = Path(__file__).parents[2]
# Pages that are not in docs, and their names in the site.
OUTSIDE = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "tests/device/README.md": "contract.md",
}
LINK = re.compile(r"(?<=\]\()(?![a-z]+:)([^)\s#]+)")


def on_files(files: Files, config: ProperDocsConfig) -> Files:
    """Add the pages outside of docs, then all files and folders that pages link to."""
    for source, uri in OUTSIDE.items():
        files.append(File.generated(config, uri, abs_src_path=str(ROOT / source)))
    for page in list(files.documentation_pages()):
        for target in LINK.findall(page.content_string):
            _add(files, config, _target(page, target))
    return files


def on_page_markdown(markdown: str, page: Page, config: ProperDocsConfig, files: Files) -> str:
    """Return the page with links within the site; a list of files has them already."""
    if page.file.generated_by and page.file.abs_src_path is None:
        return markdown

    def relinked(match: re.Match[str]) -> str:
        uri = _uri(_target(page.file, match[0]))
        return os.path.relpath(uri, PurePosixPath(page.file.src_uri).parent)

    return LINK.sub(relinked, markdown)


def _target(page: File, link: str) -> Path:
    """Return the file of the repository that a link in a page means."""
    assert page.abs_src_path
    return Path(os.path.normpath(Path(page.abs_src_path).parent / link))


def _uri(path: Path) -> str:
    """Return the name in the site of a file of the repository."""
    name = path.relative_to(ROOT).as_posix()
    if name in OUTSIDE:
        return OUTSIDE[name]
    if path.is_relative_to(ROOT / "docs"):
        return path.relative_to(ROOT / "docs").as_posix()
    return f"source/{name}/index.md" if path.is_dir() else f"source/{name}.txt"


def _add(files: Files, config: ProperDocsConfig, path: Path) -> None:
    """Add a file as text, and a folder as a list of what is in it; nothing that is there."""
    uri = _uri(path)
    if files.get_file_from_path(uri) or not path.exists():
        return
    if path.is_file():
        files.append(File.generated(config, uri, abs_src_path=str(path)))
        return
    children = list(_children(path))
    names = (
        (child.name, os.path.relpath(_uri(child), PurePosixPath(uri).parent)) for child in children
    )
    links = (f"- [{name}]({link})\n" for name, link in names)
    content = f"# `{path.relative_to(ROOT)}`\n\n{''.join(links)}"
    files.append(File.generated(config, uri, content=content))
    for child in children:
        _add(files, config, child)


def _children(folder: Path) -> Iterator[Path]:
    ours = (path for path in folder.iterdir() if not path.name.startswith((".", "__pycache__")))
    return iter(sorted(ours))
