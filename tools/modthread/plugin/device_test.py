"""Device test files: read with ast, never imported, and made into scripts for a board."""

import ast
import io
import itertools
import re
import tokenize
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from modthread._reports.tracebacks import Script
from modthread.errors import ModthreadError

MARK_PREFIX = "pytest.mark."
PYTEST = SimpleNamespace(param=pytest.param, mark=pytest.mark)  # what a parameter may use of it
PARAMETRIZE, ROWS = "parametrize", "rows"  # the marks that give a test its arguments
WITH_DOCSTRING = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
WORD = re.compile(r"\w+")
PRELUDE = "prelude"  # the module beside device tests that they share, without its suffix

# Calls a test with each row of arguments. Nothing but its name is taken from the test's own.
EACH_ROW = """\
def {name}_with_each_row(rows):
    import sys
    failed = []
    for row in rows:
        try:
            {name}({fixed}**row)
        except Exception as error:
            print("{name} with", row)
            sys.print_exception(error)
            failed.append(row)
    assert not failed, "fails with %d of %d rows: %r" % (len(failed), len(rows), failed)
{name}_with_each_row({rows!r})
"""


@dataclass(frozen=True)
class Mark:
    """One ``@pytest.mark.NAME(...)`` with the values of its arguments."""

    name: str
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ParameterSet:
    """What one entry of a parametrize mark says: arguments, their name and marks of their own."""

    identifier: str
    arguments: dict[str, Any]
    marks: tuple[Mark, ...]


@dataclass(frozen=True)
class DeviceTest:
    """One function with one set of parameters, and the `source` that runs it on a board.

    `line` is where the function starts, from 1; lines of `source` are numbered as in the file.
    """

    name: str
    ids: tuple[str, ...]
    marks: tuple[Mark, ...]
    line: int
    source: str


class DeviceTestFile:
    """The tests of one file. Raises ModthreadError, with file and line, for what it cannot be."""

    def __init__(self, path: Path) -> None:
        """Parse the file."""
        self._path = path
        try:
            self._text = path.read_text(encoding="utf-8-sig")
            self._body = ast.parse(self._text, path).body
        except SyntaxError as error:
            raise ModthreadError(f"{path}:{error.lineno}: {error.msg}") from None
        except ValueError as error:
            raise ModthreadError(f"{path}: {error}; save it as UTF-8") from None
        self.script = Script(path, self._text)
        self._code = _code_only(self._text)
        self._read_prelude: str | None = None

    def tests(self) -> Iterator[DeviceTest]:
        """Yield every test function once for each of its parameter sets."""
        self._refuse_what_only_the_host_can()
        for function in self._functions():
            marks = [self._mark(decorator) for decorator in function.decorator_list]
            others = tuple(mark for mark in marks if mark.name not in (PARAMETRIZE, ROWS))
            rows = self._rows(function, marks)
            for sets in self._combinations(function, marks, rows):
                parameters = {k: v for one in sets for k, v in one.arguments.items()}
                ids = tuple(one.identifier for one in sets)
                own = tuple(mark for one in sets for mark in one.marks)
                source = self._text_with_only(function, _call(function, parameters, rows))
                yield DeviceTest(function.name, ids, others + own, function.lineno, source)

    def _refuse_what_only_the_host_can(self) -> None:
        """Raise where pytest would find a test that is none here."""
        for node in self._body:
            if isinstance(node, ast.AsyncFunctionDef) and node.name.startswith("test"):
                what = f"async def {node.name}: write a function that calls asyncio.run()"
                raise self._error(node, what)
            if isinstance(node, ast.ClassDef) and _has_tests(node):
                raise self._error(node, f"class {node.name}: write functions without a class")

    def _functions(self) -> list[ast.FunctionDef]:
        return [
            node
            for node in self._body
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test")
        ]

    def _text_with_only(self, function: ast.FunctionDef, call: str) -> str:
        """Return the file without what only the host needs, and the call; line numbers stay."""
        lines = self._code.split("\n")
        for node in self._body:
            if _imports_pytest(node):
                if ast.unparse(node) != "import pytest" or not self._is_alone(node):
                    raise self._error(node, "write `import pytest` on a line of its own")
                _blank(lines, node.lineno, node.lineno + 1)
            elif _imports_prelude(node):
                lines[node.lineno - 1] = self._prelude(node)
        for other in self._functions():
            first = min([other.lineno, *(mark.lineno for mark in other.decorator_list)])
            end = other.lineno if other is function else (other.end_lineno or other.lineno) + 1
            _blank(lines, first, end)
        helpers = [node for node in self._body if node not in self._functions()]
        return _with_what_it_names([*lines, call], helpers)

    def _prelude(self, node: ast.stmt) -> str:
        """Return one line that stands for `node`: tracebacks show the prelude's name and lines."""
        if not isinstance(node, ast.ImportFrom) or not self._is_alone(node):
            raise self._error(node, f"write `from {PRELUDE} import NAME` on a line of its own")
        imported = [name.name for name in node.names]
        lines = self._prelude_code(node).split("\n")
        code = _with_what_it_names(lines, ast.parse("\n".join(lines)).body, imported)
        return f"exec(compile({code!r}, '{PRELUDE}.py', 'exec'))"

    def _prelude_code(self, node: ast.stmt) -> str:
        path = self._path.with_name(f"{PRELUDE}.py")
        if self._read_prelude is None:
            try:
                self._read_prelude = _code_only(path.read_text(encoding="utf-8-sig"))
            except OSError:
                raise self._error(node, f"there is no {path}") from None
        return self._read_prelude

    def _is_alone(self, node: ast.stmt) -> bool:
        """Return whether a statement has one line, which is its own."""
        lines = [one.lineno for one in self._body]
        return node.lineno == node.end_lineno and lines.count(node.lineno) == 1

    def _mark(self, decorator: ast.expr) -> Mark:
        """Return the mark that `decorator` is."""
        call = decorator if isinstance(decorator, ast.Call) else None
        name = ast.unparse(call.func if call else decorator)
        if not name.startswith(MARK_PREFIX):
            raise self._error(decorator, f"@{name}: only @pytest.mark decorates a device test")
        args = tuple(self._value(arg) for arg in (call.args if call else []))
        keywords = call.keywords if call else []
        kwargs = {str(keyword.arg): self._value(keyword.value) for keyword in keywords}
        return Mark(name.removeprefix(MARK_PREFIX), args, kwargs)

    def _value(self, node: ast.expr) -> Any:
        """Return the value of a constant expression."""
        try:
            names = {"__builtins__": {}, "pytest": PYTEST}
            return eval(compile(ast.Expression(node), self._path, "eval"), names)
        except Exception as error:
            text = f"{ast.unparse(node)}: only constants, the file is not imported ({error})"
            raise self._error(node, text) from None

    def _combinations(
        self, function: ast.FunctionDef, marks: list[Mark], rows: list[dict[str, Any]]
    ) -> Iterator[tuple[ParameterSet, ...]]:
        """Yield every combination of what the parametrize marks say."""
        parametrize = [mark for mark in reversed(marks) if mark.name == PARAMETRIZE]
        axes = [self._axis(function, mark) for mark in parametrize]
        wanted = [arg.arg for arg in function.args.args + function.args.kwonlyargs]
        in_rows = [name for row in rows[:1] for name in row]
        for combination in itertools.product(*axes):
            given = [name for one in combination for name in one.arguments] + in_rows
            if sorted(given) != sorted(wanted):
                raise self._error(
                    function, f"{function.name} takes {wanted}, parametrize gives {given}"
                )
            yield combination

    def _rows(self, function: ast.FunctionDef, marks: list[Mark]) -> list[dict[str, Any]]:
        """Return the arguments of each row that the mark of that name gives; none without it."""
        tables = [self._axis(function, mark) for mark in marks if mark.name == ROWS]
        if len(tables) > 1:
            raise self._error(function, f"{function.name} has several marks {ROWS}; write one")
        rows = tables[0] if tables else []
        if any(row.marks for row in rows):
            raise self._error(function, f"a row has no marks; write {PARAMETRIZE} for this one")
        return [row.arguments for row in rows]

    def _axis(self, function: ast.FunctionDef, mark: Mark) -> list[ParameterSet]:
        """Return what one parametrize mark says."""
        if len(mark.args) != 2 or mark.kwargs:
            raise self._error(function, f"{mark.name} takes names and values here, nothing else")
        names, entries = mark.args
        if not entries:
            raise self._error(function, f"{mark.name} has no values; write one, or drop the test")
        names = [name.strip() for name in names.split(",")] if isinstance(names, str) else names
        sets = [self._parameter_set(function, names, *pair) for pair in enumerate(entries)]
        identifiers = _unique([one.identifier for one in sets])
        return [
            replace(one, identifier=identifier)
            for one, identifier in zip(sets, identifiers, strict=True)
        ]

    def _parameter_set(
        self, function: ast.FunctionDef, names: list[str], number: int, entry: Any
    ) -> ParameterSet:
        values, identifier, marks = _parts(entry, len(names))
        if len(values) != len(names):
            raise self._error(function, f"parametrize: {values} are not {len(names)} values")
        for value in values:
            if not _has_text(value):
                raise self._error(function, f"parametrize: write {value!r} in the test itself")
        arguments = dict(zip(names, values, strict=True))
        words = (_identifier(*pair, number) for pair in arguments.items())
        return ParameterSet(identifier or "-".join(words), arguments, marks)

    def _error(self, node: ast.expr | ast.stmt, message: str) -> ModthreadError:
        return ModthreadError(f"{self._path}:{node.lineno}: {message}")


def _code_only(text: str) -> str:
    """Return the code without comments and docstrings, each statement in the line where it was.

    A board needs neither, and takes its time to read them.
    """
    lines = text.rstrip("\n").split("\n")
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column].rstrip()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, WITH_DOCSTRING) and len(node.body) > 1 and ast.get_docstring(node):
            first, second = node.body[:2]
            if getattr(node, "lineno", 0) < first.lineno and _end(first) < second.lineno:
                _blank(lines, first.lineno, _end(first) + 1)
    return "\n".join(lines)


def _with_what_it_names(lines: list[str], body: list[ast.stmt], names: Sequence[str] = ()) -> str:
    """Return the code without the functions and classes of `body` that it has no use for.

    It has use for those in `names`, and for those whose name is anywhere else in what is left, even
    in a string. Line numbers stay.
    """
    unused = {
        node: "\n".join(lines[_first(node) - 1 : _end(node)])
        for node in body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
    }
    rest = list(lines)
    for node in unused:
        _blank(rest, _first(node), _end(node) + 1)
    words = {*names, *WORD.findall("\n".join(rest))}
    while used := [node for node in unused if node.name in words or "*" in names]:
        for node in used:
            words.update(WORD.findall(unused.pop(node)))
    kept = list(lines)
    for node in unused:
        _blank(kept, _first(node), _end(node) + 1)
    return "\n".join(kept)


def _first(node: ast.FunctionDef | ast.ClassDef) -> int:
    return min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])


def _end(node: ast.stmt) -> int:
    return node.end_lineno or node.lineno


def _call(function: ast.FunctionDef, parameters: dict[str, Any], rows: list[dict[str, Any]]) -> str:
    """Return the lines that call a test, once or with each row."""
    fixed = [f"{name}={value!r}" for name, value in parameters.items()]
    if not rows:
        return f"{function.name}({', '.join(fixed)})\n"
    first = "".join(f"{argument}, " for argument in fixed)
    return EACH_ROW.format(name=function.name, fixed=first, rows=rows)


def _parts(entry: Any, names: int) -> tuple[tuple[Any, ...], str | None, tuple[Mark, ...]]:
    """Return the values of an entry of parametrize; of a pytest.param() its id and marks, too."""
    if not isinstance(entry, type(pytest.param())):
        return (entry,) if names == 1 else entry, None, ()
    marks = (getattr(mark, "mark", mark) for mark in entry.marks)
    named = tuple(Mark(mark.name, mark.args, dict(mark.kwargs)) for mark in marks)
    return tuple(entry.values), None if entry.id is None else str(entry.id), named


def _identifier(name: str, value: Any, number: int) -> str:
    """Return a word for a parameter's value: short ones as pytest does, others by number."""
    if isinstance(value, str | int | float | bool | None):
        return str(value)
    return f"{name}{number}"


def _unique(identifiers: list[str]) -> Iterator[str]:
    """Number those that are there more than once, as pytest does."""
    numbers = {identifier: itertools.count() for identifier in identifiers}
    for identifier in identifiers:
        if identifiers.count(identifier) == 1:
            yield identifier
            continue
        stem = f"{identifier}_" if identifier[-1:].isdigit() else identifier
        numbered = (f"{stem}{number}" for number in numbers[identifier])
        yield next(one for one in numbered if one not in identifiers)


def _has_text(value: Any) -> bool:
    """Return whether the board can read the value's repr, which that of 1e999 is not."""
    try:
        ast.literal_eval(repr(value))
    except (SyntaxError, ValueError):
        return False
    return True


def _has_tests(node: ast.ClassDef) -> bool:
    methods = [getattr(one, "name", "") for one in node.body]
    return node.name.startswith("Test") and any(name.startswith("test") for name in methods)


def _imports_pytest(node: ast.stmt) -> bool:
    if isinstance(node, ast.ImportFrom):
        return node.module == "pytest"
    return isinstance(node, ast.Import) and any(name.name == "pytest" for name in node.names)


def _imports_prelude(node: ast.stmt) -> bool:
    if isinstance(node, ast.ImportFrom):
        return node.module == PRELUDE
    return isinstance(node, ast.Import) and any(name.name == PRELUDE for name in node.names)


def _blank(lines: list[str], first: int, end: int) -> None:
    """Empty the lines from `first` up to but without `end`, counted from 1."""
    for number in range(first, end):
        lines[number - 1] = ""
