"""The templates of pages and pictures."""

from jinja2 import Environment, PackageLoader

templates = Environment(
    loader=PackageLoader("modthread._reports"),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
)
