"""Device test files: read with ast, never imported, and made into scripts for a board."""

import ast
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from modthread.errors import ModthreadError
from modthread.report import Script

MARK_PREFIX = "pytest.mark."
PRELUDE = "prelude"  # the module beside device tests that they share, without its suffix


@dataclass(frozen=True)
class Mark:
    """One ``@pytest.mark.NAME(...)`` with the values of its arguments."""

    name: str
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)


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

    def tests(self) -> Iterator[DeviceTest]:
        """Yield every test function once for each of its parameter sets."""
        self._refuse_what_only_the_host_can()
        for function in self._functions():
            marks = [self._mark(decorator) for decorator in function.decorator_list]
            others = tuple(mark for mark in marks if mark.name != "parametrize")
            for ids, parameters in self._parameter_sets(function, marks):
                call = f"{function.name}({', '.join(f'{k}={v!r}' for k, v in parameters.items())})"
                source = f"{self._text_with_only(function)}\n{call}\n"
                yield DeviceTest(function.name, ids, others, function.lineno, source)

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

    def _text_with_only(self, function: ast.FunctionDef) -> str:
        """Return the file without what only the host needs; line numbers stay."""
        lines = self._text.rstrip("\n").split("\n")
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
        return "\n".join(lines)

    def _prelude(self, node: ast.stmt) -> str:
        """Return one line that stands for `node`: tracebacks show the prelude's name and lines."""
        if not isinstance(node, ast.ImportFrom) or not self._is_alone(node):
            raise self._error(node, f"write `from {PRELUDE} import NAME` on a line of its own")
        path = self._path.with_name(f"{PRELUDE}.py")
        try:
            text = path.read_text(encoding="utf-8-sig")
        except OSError:
            raise self._error(node, f"there is no {path}") from None
        return f"exec(compile({text!r}, {path.name!r}, 'exec'))"

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
            return eval(compile(ast.Expression(node), self._path, "eval"), {"__builtins__": {}})
        except Exception as error:
            text = f"{ast.unparse(node)}: only constants, the file is not imported ({error})"
            raise self._error(node, text) from None

    def _parameter_sets(
        self, function: ast.FunctionDef, marks: list[Mark]
    ) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
        """Yield identifiers and arguments for every combination of the parametrize marks."""
        parametrize = [mark for mark in reversed(marks) if mark.name == "parametrize"]
        axes = [self._axis(function, mark) for mark in parametrize]
        wanted = [arg.arg for arg in function.args.args + function.args.kwonlyargs]
        for combination in itertools.product(*axes):
            ids = tuple(identifier for identifier, _ in combination)
            parameters = {k: v for _, values in combination for k, v in values.items()}
            if sorted(parameters) != sorted(wanted):
                raise self._error(
                    function, f"{function.name} takes {wanted}, parametrize gives {[*parameters]}"
                )
            yield ids, parameters

    def _axis(self, function: ast.FunctionDef, mark: Mark) -> list[tuple[str, dict[str, Any]]]:
        """Return identifier and arguments for every value set of one parametrize mark."""
        if len(mark.args) != 2 or mark.kwargs:
            raise self._error(function, "parametrize takes names and values here, nothing else")
        names, value_sets = mark.args
        if not value_sets:
            raise self._error(function, "parametrize has no values; write one, or drop the test")
        names = [name.strip() for name in names.split(",")] if isinstance(names, str) else names
        identifiers, arguments = [], []
        for number, value_set in enumerate(value_sets):
            values = (value_set,) if len(names) == 1 else value_set
            if len(values) != len(names):
                raise self._error(function, f"parametrize: {values} are not {len(names)} values")
            for value in values:
                if not _has_text(value):
                    raise self._error(function, f"parametrize: write {value!r} in the test itself")
            named = dict(zip(names, values, strict=True))
            identifiers.append("-".join(_identifier(*pair, number) for pair in named.items()))
            arguments.append(named)
        return list(zip(_unique(identifiers), arguments, strict=True))

    def _error(self, node: ast.expr | ast.stmt, message: str) -> ModthreadError:
        return ModthreadError(f"{self._path}:{node.lineno}: {message}")


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
