"""Reads the code of the program: which errors it raises, with which facts, and where."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import Formatter

from sync_core.foundation.settings import ROOT

OURS = ("sync_core", "pages")


@dataclass(frozen=True)
class Site:
    """A place in the code that names a code and gives facts; None: they cannot be read there."""

    place: str  # "sync_core/engine/apply.py:35"
    codes: tuple[str, ...] | None
    facts: frozenset[str] | None


@cache
def modules() -> dict[str, ast.Module]:
    """Return every module of the program by its path from the root of the repository."""
    paths = [path for folder in OURS for path in sorted(Path(ROOT, folder).rglob("*.py"))]
    return {str(path.relative_to(ROOT)): ast.parse(path.read_text("utf-8")) for path in paths}


def facts_in(*texts: str) -> frozenset[str]:
    """Return the facts that format strings name."""
    return frozenset(name for text in texts for _, name, _, _ in Formatter().parse(text) if name)


def calls(*names: str) -> Iterator[tuple[str, ast.Call]]:
    """Find the calls of functions by how they are written: `SyncError`, `cell_codes.sentence`."""
    for path, module in modules().items():
        for node in ast.walk(module):
            if isinstance(node, ast.Call) and _is_one_of(node.func, names):
                yield f"{path}:{node.lineno}", node


def _is_one_of(function: ast.expr, names: tuple[str, ...]) -> bool:
    written = ast.unparse(function)
    return any(written == name or (name[0] == "." and written.endswith(name)) for name in names)


def sites(*names: str, position: int = 0, given: frozenset[str] = frozenset()) -> Iterator[Site]:
    """Read calls whose argument at `position` is a code; `given` keywords are no facts."""
    for place, call in calls(*names):
        codes = _codes(call.args[position]) if len(call.args) > position else None
        yield Site(place, codes, _facts(call, given))


def _codes(expression: ast.expr) -> tuple[str, ...] | None:
    match expression:
        case ast.Constant(value=str(code)):
            return (code,)
        case ast.IfExp(body=ast.Constant(value=str(one)), orelse=ast.Constant(value=str(other))):
            return one, other
    return None


def _facts(call: ast.Call, given: frozenset[str]) -> frozenset[str] | None:
    facts: set[str] = set()
    for keyword in call.keywords:
        if keyword.arg is None:
            return None
        if keyword.arg == "each":
            facts |= _keys(keyword.value)
        elif keyword.arg not in given:
            facts.add(keyword.arg)
    return frozenset(facts)


def _keys(expression: ast.expr) -> set[str]:
    """Return the keys of the first dict that is written out in an expression."""
    for node in ast.walk(expression):
        if isinstance(node, ast.Dict):
            return {str(key.value) for key in node.keys if isinstance(key, ast.Constant)}
    return set()


def words(node: ast.AST) -> Iterator[str]:
    """Return the texts that stand in a piece of code."""
    for found in ast.walk(node):
        if isinstance(found, ast.Constant) and isinstance(found.value, str):
            yield found.value


def sentences(module: ast.Module) -> Iterator[tuple[int, str]]:
    """Return the texts of a module with their lines; `{}` is what is put into them.

    Of docstrings only those that commands and routes show.
    """
    hidden = {id(text) for text in _docstrings(module)}
    for found in ast.walk(module):
        if isinstance(found, ast.JoinedStr):
            hidden |= {id(part) for part in found.values}
            yield found.lineno, "".join(map(_literal_part, found.values))
        elif id(found) not in hidden and isinstance(found, ast.Constant):
            yield from [(found.lineno, found.value)] if isinstance(found.value, str) else ()


def _docstrings(module: ast.Module) -> Iterator[ast.Constant]:
    """Return the docstrings that only readers of the code see."""
    for found in ast.walk(module):
        if isinstance(found, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            match found.body:
                case [ast.Expr(value=ast.Constant() as text), *_] if not _is_face(found):
                    yield text


def _is_face(found: ast.AST) -> bool:
    """Return whether it is registered by a call, as commands and routes are."""
    if not isinstance(found, ast.FunctionDef | ast.AsyncFunctionDef):
        return False
    return any(isinstance(decorator, ast.Call) for decorator in found.decorator_list)


def _literal_part(part: ast.expr) -> str:
    return str(part.value) if isinstance(part, ast.Constant) else "{}"
