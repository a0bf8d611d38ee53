"""The templates of pages and pictures."""

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment, Template


def template(name: str) -> "Template":
    """Return the template in the file `name` of this folder."""
    return _environment().get_template(name)


@cache
def _environment() -> "Environment":
    from jinja2 import Environment, PackageLoader  # few runs write a page

    return Environment(
        loader=PackageLoader("modthread._reports"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
