"""CPython's own tests of threads: cut out of their files, one class at a time, for a board."""

import ast
import os
import re
import sysconfig
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

from modthread._base.project import settings
from modthread.errors import ModthreadError

VARIABLE = "CPYTHON_TESTS"
LOCK_TESTS = "lock_tests.py"


def folder() -> Path:
    """Return the folder of CPython's tests; raises ModthreadError with a remedy."""
    if given := os.environ.get(VARIABLE):
        if (Path(given) / LOCK_TESTS).is_file():
            return Path(given)
        raise ModthreadError(
            f"{VARIABLE}={given} has no {LOCK_TESTS}; correct it, or unset {VARIABLE}"
        )
    packages = settings()["cpython-tests"]["packages"]  # the one to prefer first
    places = [Path("/usr/lib"), Path(sysconfig.get_path("stdlib")).parent]
    for version in re.findall(r"\d\.\d+", " ".join(packages)):
        for place in places:
            if (place / f"python{version}" / "test" / LOCK_TESTS).is_file():
                return place / f"python{version}" / "test"
    raise ModthreadError(
        f"CPython's tests are not here: install Debian's {' or '.join(packages)},"
        f" or name a folder that has them with {VARIABLE}=..."
    )


class TestCase:
    """Stands for unittest.TestCase among classes that are made of sources only."""


class Module:
    """One of CPython's test files, parsed."""

    def __init__(self, root: Path, name: str) -> None:
        """Parse the file `name` in CPython's folder of tests."""
        self.root = root
        self.name = name
        self.path = root / name
        self.text = self.path.read_text()
        self._lines = self.text.split("\n")
        self.body = ast.parse(self.text, self.path).body
        self._classes: dict[str, type] = {}
        self._neighbours: dict[str, Module] = {}

    @cached_property
    def definitions(self) -> dict[str, list[ast.stmt]]:
        """The statements at the top that define each name."""
        definitions: dict[str, list[ast.stmt]] = {}
        for statement in self.body:
            for name in _defined(statement):
                definitions.setdefault(name, []).append(statement)
        return definitions

    def imported(self, statement: ast.stmt) -> "Module | None":
        """Return the test file from which `statement` imports names, None if it is no such one."""
        if isinstance(statement, ast.ImportFrom) and statement.level == 1 and statement.module:
            return self._neighbour(str(Path(self.name).parent / f"{statement.module}.py"))
        return None

    def visible_class(self, name: str) -> type:
        """Return the class `name` of the file, or of one from which the file imports something."""
        others = filter(None, map(self.imported, self.body))
        where = [module for module in (self, *others) if name in module.definitions]
        return (where or [self])[0].as_class(name)

    def as_class(self, name: str) -> type:
        """Return a class without a body that inherits as class `name` of the file does."""
        if name not in self._classes:
            self._classes[name] = self._made(name)
        return self._classes[name]

    def _made(self, name: str) -> type:
        *_, statement = self.definitions.get(name, [None])
        if isinstance(statement, ast.ClassDef):
            bases = tuple(self._base(base) for base in statement.bases)
            return type(name, bases, {"origin": (self, statement)})
        module = self.imported(statement) if statement else None
        return module.as_class(name) if module else type(name, (), {})

    def _base(self, base: ast.expr) -> type:
        match base:
            case ast.Attribute(ast.Name("unittest"), "TestCase"):
                return TestCase
            case ast.Attribute(ast.Name("lock_tests"), name):
                return self._neighbour(LOCK_TESTS).as_class(name)
            case ast.Name(name):
                return self.as_class(name)
        return type(ast.unparse(base), (), {})

    def _neighbour(self, name: str) -> "Module":
        if name not in self._neighbours:
            self._neighbours[name] = Module(self.root, name)
        return self._neighbours[name]

    def lines(self, statement: ast.stmt, without: Iterable[ast.stmt] = ()) -> list[str]:
        """Return the lines of a statement, with empty ones in place of some parts."""
        first, end = first_line(statement), statement.end_lineno or statement.lineno
        lines = self._lines[first - 1 : end]
        for part in without:
            start, stop = first_line(part) - first, (part.end_lineno or part.lineno) - first + 1
            lines[start:stop] = [""] * (stop - start)
        return lines


Origin = tuple[Module, ast.ClassDef]


class CaseClass:
    """A class of CPython's tests, with all that it inherits."""

    def __init__(self, name: str, made: type) -> None:
        """Take what Module.as_class() has made."""
        self.name = name
        own = (vars(one).get("origin") for one in made.__mro__)
        self._origins: list[Origin] = [origin for origin in own if origin]

    @cached_property
    def methods(self) -> dict[str, tuple[Module, ast.FunctionDef]]:
        """The test methods, and where they are written."""
        found: dict[str, tuple[Module, ast.FunctionDef]] = {}
        for module, definition in self._origins:
            for method in _tests(definition):
                found.setdefault(method.name, (module, method))
        return found

    def script(self, wanted: set[str]) -> str:
        """Return calls of the loader that load the class with the `wanted` test methods.

        Each class gets the next one of CPython's method resolution order as its only base:
        MicroPython's super() knows no other order.
        """
        return "\n".join(_Cut(self.name, self._origins, wanted).calls)


class _Cut:
    """The pieces of CPython's files that one class needs."""

    def __init__(self, name: str, origins: list[Origin], wanted: set[str]) -> None:
        self.calls: list[str] = []
        self._done = {id(definition) for _, definition in origins}
        base = "sys.modules['unittest'].TestCase"
        for module, definition in reversed(origins):
            left_out = [one for one in _tests(definition) if one.name not in wanted]
            parts: list[Any] = [one for one in definition.body if one not in left_out]
            self._need_names(module, _used(*parts, *definition.decorator_list))
            lines = _with_base(module.lines(definition, left_out), definition)
            self._load(module, definition, lines, f", {base}")
            base = f"files[{module.name!r}][{definition.name!r}]"
        self._call(f"made[{name!r}] = {base}")

    def _need_names(self, module: Module, names: Iterable[str]) -> None:
        for name in names:
            for statement in module.definitions.get(name, ()):
                self._need(module, statement, name)

    def _need(self, module: Module, statement: ast.stmt, name: str) -> None:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            self._import(module, statement, name)
        elif id(statement) not in self._done:
            self._done.add(id(statement))
            self._need_names(module, _used(statement))
            self._load(module, statement, module.lines(statement))

    def _import(self, module: Module, statement: ast.Import | ast.ImportFrom, name: str) -> None:
        if other := module.imported(statement):
            self._need_names(other, [name])
            value = f"files[{other.name!r}][{name!r}]"
            self._call(f"names_of({module.name!r})[{name!r}] = {value}")
            return
        for alias in statement.names:
            if name == (alias.asname or alias.name.partition(".")[0]):
                alone = type(statement)(**(vars(statement) | {"names": [alias]}))
                self._call(f"import_({module.name!r}, {ast.unparse(alone)!r}, {name!r})")

    def _load(self, module: Module, part: ast.stmt, lines: list[str], base: str = "") -> None:
        text = "\n".join(lines)
        self._call(f"load({module.name!r}, {first_line(part)}, {text!r}{base})")

    def _call(self, call: str) -> None:
        if call not in self.calls:
            self.calls.append(call)


def case_classes(module: Module, made: dict[str, list[str]] | None = None) -> Iterator[CaseClass]:
    """Yield the classes of a file that unittest would run.

    `made` has the bases of those that the file makes when it is imported, by their names.
    """
    for statement in module.body:
        if isinstance(statement, ast.ClassDef):
            case = module.as_class(statement.name)
            if issubclass(case, TestCase):
                yield CaseClass(statement.name, case)
    for name, names in (made or {}).items():
        if names[0] in module.definitions:
            yield CaseClass(name, type(name, tuple(map(module.visible_class, names)), {}))


def first_line(statement: ast.stmt) -> int:
    """Return the line where a statement begins, decorators included, from 1."""
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    return min([statement.lineno, *(decorator.lineno for decorator in decorators)])


def _tests(definition: ast.ClassDef) -> list[ast.FunctionDef]:
    return [
        one
        for one in definition.body
        if isinstance(one, ast.FunctionDef) and one.name.startswith("test")
    ]


def _defined(statement: ast.stmt) -> Iterator[str]:
    """Yield the names that a statement at the top of a file defines."""
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        yield statement.name
        return
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.alias):
            yield node.asname or node.name.partition(".")[0]
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name


def _used(*nodes: ast.AST) -> list[str]:
    return sorted({one.id for node in nodes for one in ast.walk(node) if isinstance(one, ast.Name)})


def _with_base(lines: list[str], definition: ast.ClassDef) -> list[str]:
    """Return the lines of a class with the base that the loader names."""
    number = definition.lineno - first_line(definition)
    head = f"class {definition.name}"
    bases = definition.bases
    end = (bases[-1].end_col_offset or 0) + 1 if bases else len(head)
    lines[number] = f"{head}(_base){lines[number][end:]}"
    return [*lines, " " * definition.body[0].col_offset + "pass"]
