"""A face changes nothing by itself: what changes anything is asked of the operations.

Found by reading the code: which functions write, directly or by what they call, and which of these
a page, a command or a route names.
"""

import ast
import importlib
import inspect
import pkgutil
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from types import FunctionType, ModuleType

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

import sync_core

FACES = ("ui", "cli", "api")
WRITING = {id(made) for made in (sa.insert, sa.update, sa.delete, postgresql.insert)}
STATEMENT = re.compile(
    r"\s*(insert into|update \w+ (\w+ )?set|delete from|truncate)\b", re.IGNORECASE
)
ALLOWED = {
    "audit.exports.write": "permission is checked when a file is made; its manifest is an action",
    "audit.exports.save": "likewise",
    "audit.hash_chain.keep": "keeps a measurement; an action would add a link to what was measured",
    "demo.organization.load": "the made-up organization of a machine without a database of its own",
    "demo.empty_organization.make": "likewise",
    "engine.plan_script.steps": "returns the SQL of a plan for people to read, and runs nothing",
    "execution.maintenance.main": "the machine's own care; it closes dead runs in nobody's name",
    "notifications.notices.mark_read": "what one person has read; it concerns nobody else",
    "notifications.notices.mark_run_read": "likewise",
    "organizations.tokens.use": "notes when a token was last used; to show it is the permission",
    "runs.dismissals.save": "what one person no longer wants to see; it concerns nobody else",
    "runs.recovery.close_overdue": "the same care, where no maintenance is alive",
}


@cache
def _modules() -> Mapping[str, ModuleType]:
    found = pkgutil.walk_packages(sync_core.__path__, "sync_core.")
    names = [module.name for module in found if not module.name.endswith("__main__")]
    kept = (name for name in names if not name.startswith("sync_core.migrations"))
    return {name.partition(".")[2]: importlib.import_module(name) for name in kept}


def _name(function: Callable[..., object]) -> str:
    return f"{function.__module__.partition('.')[2]}.{function.__qualname__}"


def _functions(module: ModuleType) -> Iterator[tuple[str, ast.AST]]:
    """Return the functions of a module, methods too, with their code."""
    tree = ast.parse(inspect.getsource(module))
    within = module.__name__.partition(".")[2]
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            yield f"{within}.{node.name}", node
        if isinstance(node, ast.ClassDef):
            yield from (
                (f"{within}.{node.name}.{m.name}", m)
                for m in node.body
                if isinstance(m, ast.FunctionDef)
            )


def _named(code: ast.AST, module: ModuleType) -> Iterator[object]:
    """Return what the names in some code stand for, as far as its module tells."""
    for node in ast.walk(code):
        if isinstance(node, ast.Name | ast.Attribute):
            yield _meaning(node, module)


def _meaning(node: ast.expr, module: ModuleType) -> object:
    """Return what a name, or a name within one of our modules, stands for."""
    if isinstance(node, ast.Name):
        return vars(module).get(node.id)
    if not isinstance(node, ast.Attribute):
        return None
    within = _meaning(node.value, module)
    ours = isinstance(within, ModuleType) and within.__name__.startswith(
        ("sync_core", "sqlalchemy")
    )
    return getattr(within, node.attr, None) if ours else None


def _writes(code: ast.AST, module: ModuleType) -> bool:
    """Return whether some code writes by itself: it makes a statement that changes rows."""
    texts = [node.value for node in ast.walk(code) if isinstance(node, ast.Constant)]
    meant = list(_named(code, module))
    return any(id(one) in WRITING for one in meant) or any(
        isinstance(text, str) and STATEMENT.match(text) for text in (*texts, *meant)
    )


def _calls(code: ast.AST, module: ModuleType) -> set[str]:
    return {
        _name(one)
        for one in _named(code, module)
        if isinstance(one, FunctionType) and one.__module__.startswith("sync_core.")
    }


@cache
def _writers() -> frozenset[str]:
    """Return the functions that change rows, directly or by what they call."""
    calls, found = dict[str, set[str]](), set[str]()
    for module in _modules().values():
        for name, code in _functions(module):
            calls[name] = _calls(code, module)
            if _writes(code, module):
                found.add(name)
    while more := {name for name, called in calls.items() if called & found} - found:
        found |= more
    return frozenset(found)


def _asked_for_by(face: str) -> set[str]:
    """Return the functions of other packages that a face names."""
    asked = set[str]()
    for name, module in _modules().items():
        if name.split(".")[0] == face:
            asked |= _calls(ast.parse(inspect.getsource(module)), module)
    return {name for name in asked if name.split(".")[0] not in {*FACES, "operations"}}


def test_the_reading_finds_what_writes() -> None:
    expected = {
        "organizations.people.add",
        "organizations.source_settings.save",
        "organizations.organization.add",
        "organizations.policies.put",
        "organizations.actions.record",
        "runs.requests.start",
        "runs.requests.request_cancel",
        "audit.retention.drop_values",
        "audit.exports.write",
        "operations.syncs.start",
    }
    assert expected <= _writers()
    assert not {"organizations.people.find", "runs.run.get", "records.rows.read"} & _writers()


def test_faces_ask_the_operations_for_every_change() -> None:
    around = {name for face in FACES for name in _asked_for_by(face) & _writers()}
    assert around == set(ALLOWED)


def test_every_face_changes_something_by_the_operations() -> None:
    for face, expected in {
        "ui": "operations.syncs.start",
        "cli": "operations.syncs.cancel",
    }.items():
        modules = [m for name, m in _modules().items() if name.split(".")[0] == face]
        asked = set[str]().union(*(_calls(ast.parse(inspect.getsource(m)), m) for m in modules))
        assert expected in asked
