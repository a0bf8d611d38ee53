"""Prints docs/api.md, the page of `_thread`, as stubs/_thread.pyi describes it.

Usage: python tools/documents/api.py > docs/api.md
"""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

STUB = Path(__file__).parents[2] / "stubs/_thread.pyi"
HEAD = """\
<!-- `make docs` writes this file from stubs/_thread.pyi; change that one. -->

# The module `_thread`
"""
FOR_TOOLS = """\
## For tools

The harness on the host uses these names. They may change.
"""


@dataclass
class Entry:
    """A name of the module or of a class: how it is declared, and what is said of it."""

    name: str
    declarations: list[str]
    text: str
    members: list["Entry"] = field(default_factory=list)

    def markdown(self, level: int) -> str:
        """Return its part of the page, with a heading of that level."""
        code = "\n".join(["```python", *self.declarations, "```"])
        parts = [f"{'#' * level} `{self.name}`", code, self.text]
        parts += [member.markdown(level + 1) for member in self.members]
        return "\n\n".join(part.strip("\n") for part in parts)


def page(module: ast.Module) -> str:
    """Return the page in Markdown: first what is for programs, then what is for tools."""
    entries = list(entries_of(module.body))
    public = [one.markdown(2) for one in entries if not is_private(one.name)]
    for_tools = [one.markdown(3) for one in entries if is_private(one.name)]
    parts = [HEAD, ast.get_docstring(module) or "", *public, FOR_TOOLS, *for_tools]
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def is_private(name: str) -> bool:
    """Return whether the name is for tools rather than for programs."""
    return name.startswith("_") and not name.startswith("__")


def entries_of(body: Iterable[ast.stmt], owner: str = "") -> Iterator[Entry]:
    """Yield what is described in `body`, a function once for all its overloads."""
    statements = list(body)
    declared: list[str] = []
    for statement, after in zip(statements, [*statements[1:], ast.Pass()], strict=True):
        match statement:
            case ast.FunctionDef():
                declared.append(declaration(statement))
                if text := ast.get_docstring(statement):
                    yield Entry(f"{owner}{statement.name}()", declared, text)
                if text or not is_overload(statement):
                    declared = []
            case ast.ClassDef():
                members = list(entries_of(statement.body, f"{statement.name}."))
                text = ast.get_docstring(statement) or ""
                yield Entry(statement.name, [f"class {statement.name}"], text, members)
            case ast.Assign(targets=[ast.Name(name)]) | ast.AnnAssign(target=ast.Name(name)):
                yield Entry(f"{owner}{name}", [ast.unparse(statement)], string(after))


def declaration(function: ast.FunctionDef) -> str:
    """Return how a function is called, in a line."""
    result = ast.unparse(function.returns) if function.returns else "None"
    return f"{function.name}({ast.unparse(function.args)}) -> {result}"


def is_overload(function: ast.FunctionDef) -> bool:
    """Return whether more declarations of this function follow."""
    return any(ast.unparse(one) == "overload" for one in function.decorator_list)


def string(statement: ast.stmt) -> str:
    """Return the text of a statement that is nothing but a string, the description of a value."""
    match statement:
        case ast.Expr(ast.Constant(str(text))):
            return text
    return ""


if __name__ == "__main__":
    print(page(ast.parse(STUB.read_text())), end="")
