"""What is kept for several people shows nobody what another one may see: found by the code.

A page keeps what it has read by what it was asked for. So each such function asks by its arguments
alone, all of which are its key, and reads of the organizations that they name: whatever shows to
one organization, person or role and not to another is told apart.
"""

import ast
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import streamlit as st
from streamlit.runtime.caching.hashing import UserHashError

from sync_core.analytics import habits, key_figures
from sync_core.foundation.vocabulary import Role
from sync_core.organizations.people import Person
from sync_core.runs.filters import Filter
from sync_core.ui.analytics import cached
from tests.support import code_reader

ANA = Person("Ana Ruiz", "ana.ruiz@example.org", Role.ADMIN)
PAST_THE_WALLS = {"db.everywhere", "db.at_once", "db.engine", "db.as_owner", "walls.open_all"}
SESSION = ("st.session_state", "st.user", "st.context", "st.query_params", "visitor.", "global ")
OF_NO_ORGANIZATION = {  # kept for pages, and what it is
    "sync_core/ui/frame/workers.py:problem": "whether any worker lives",
    "sync_core/ui/frame/visitor.py:_places": "who a sign-in is, and where",
}
ASKED_ELSEWHERE = {  # who opens the transaction for what is kept
    "sync_core/ui/runs/run_details.py:_log_of": "attempts.read, in the organization of the run",
}
OVER_ALL = {  # what is asked of all organizations for what is kept of one
    "sync_core/ui/frame/run_state.py:_queue_positions": "how many runs wait before its own",
}
HANDLES = {  # kept by a process, and what they are: they hold no answer of any server
    "sync_core/foundation/db.py:engine": "the pool of connections",
    "sync_core/foundation/redis_clients.py:client": "connections",
    "sync_core/foundation/redis_clients.py:pushing_client": "connections",
    "sync_core/foundation/redis_clients.py:queue_client": "connections",
    "sync_core/foundation/settings.py:current": "the settings of the process",
    "sync_core/foundation/settings.py:given": "the settings of the process",
    "sync_core/sources/rate_limit.py:_shared": "the limiter of an account",
}
GROWING = {  # containers that a module changes, and what they hold
    "sync_core/api/download.py:open_streams": "who reads a file at the moment, to count them",
    "sync_core/api/prepared.py:_kept": "files, each for the persons for whom it was prepared",
    "sync_core/execution/readiness.py:_asked": "checks of servers that are under way",
    "sync_core/foundation/embedded.py:_held": "locks of embedded servers",
    "sync_core/operations/source_probes.py:_trying": "organizations that try a source",
}


def functions(module: ast.Module) -> dict[str, ast.FunctionDef]:
    return {one.name: one for one in ast.walk(module) if isinstance(one, ast.FunctionDef)}


def kept(*ways: str) -> Iterator[tuple[str, ast.Module, ast.FunctionDef]]:
    """Find the functions whose results are kept: `cache`, `st.cache_resource`."""
    for path, module in code_reader.modules().items():
        for name, one in functions(module).items():
            written = [ast.unparse(decorator).partition("(")[0] for decorator in one.decorator_list]
            if set(written) & set(ways):
                yield f"{path}:{name}", module, one


def reached(module: ast.Module, function: ast.FunctionDef) -> list[ast.FunctionDef]:
    """Return a function and those of its module that it calls, over however many."""
    found, known = [function], functions(module)
    for one in found:
        named = {node.id for node in ast.walk(one) if isinstance(node, ast.Name)}
        found += [known[name] for name in sorted(named & known.keys()) if known[name] not in found]
    return found


def own_names(function: ast.FunctionDef) -> set[str]:
    """Return the names of what a function is given, and of what it takes out of that."""
    names = {one.arg for one in ast.walk(function) if isinstance(one, ast.arg)}
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and roots(node.value) <= names:
            names |= roots(*node.targets)
    return names


def roots(*nodes: ast.AST) -> set[str]:
    return {one.id for node in nodes for one in ast.walk(node) if isinstance(one, ast.Name)}


PAGES = {name: (module, one) for name, module, one in kept("st.cache_resource", "st.cache_data")}
PROCESSES = {name: (module, one) for name, module, one in kept("cache", "lru_cache")}


def test_what_is_kept_is_found() -> None:
    assert len(PAGES) > 10
    assert len(PROCESSES) > 10
    written = [place for place, _ in code_reader.calls("st.cache_resource", "st.cache_data")]
    assert len(written) == len(PAGES)  # and nothing is kept another way than by a decorator


@pytest.mark.parametrize("name", sorted(PAGES))
def test_all_that_a_page_keeps_by_is_its_key(name: str) -> None:
    """Streamlit leaves out of the key what begins with an underscore."""
    module, function = PAGES[name]
    assert function in module.body, "made anew, it may hold what its arguments do not tell"
    assert [one.arg for one in function.args.args if one.arg.startswith("_")] == []
    assert not function.args.kwonlyargs
    assert not function.args.vararg


@pytest.mark.parametrize("name", sorted(PAGES))
def test_what_a_page_keeps_depends_on_its_arguments_alone(name: str) -> None:
    for one in reached(*PAGES[name]):
        written = ast.unparse(one)
        assert [place for place in SESSION if place in written] == []


@pytest.mark.parametrize("name", sorted(PAGES.keys() - OF_NO_ORGANIZATION.keys()))
def test_what_a_page_keeps_is_read_within_the_organizations_that_its_arguments_name(
    name: str,
) -> None:
    module, function = PAGES[name]
    opened = 0
    for one in reached(module, function):
        for call in (node for node in ast.walk(one) if isinstance(node, ast.Call)):
            written = ast.unparse(call.func)
            if f"{name.partition(':')[0]}:{one.name}" not in OVER_ALL:
                assert written not in PAST_THE_WALLS
            if written in {"db.within", "db.undone", "db.apart"}:
                opened += 1
                assert call.args
                assert roots(*call.args) <= own_names(one), ast.unparse(call)
    assert opened or name in ASKED_ELSEWHERE


@pytest.mark.parametrize("name", sorted(PROCESSES.keys() - HANDLES.keys()))
def test_what_a_process_keeps_is_nothing_of_an_organization(name: str) -> None:
    module, function = PROCESSES[name]
    asks = ("db.", "connection", "redis", "client", "st.", "session", "read(", "open(")
    for one in reached(module, function):
        written = ast.unparse(ast.Module(one.body, []))
        assert [word for word in asks if word in written] == []


CONTAINERS = ("dict", "list", "set", "OrderedDict", "defaultdict", "deque", "Counter")
CHANGING = ("add", "append", "update", "setdefault", "pop", "clear", "extend", "insert")


def growing() -> Iterator[str]:
    """Find the containers of modules that change while the process lives."""
    for path, module in code_reader.modules().items():
        made = {
            target.id
            for node in module.body
            if isinstance(node, ast.Assign | ast.AnnAssign) and is_container(node.value)
            for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
            if isinstance(target, ast.Name)
        }
        yield from (f"{path}:{name}" for name in sorted(made & changed(module)))


def is_container(value: ast.expr | None) -> bool:
    if isinstance(value, ast.Call):
        return ast.unparse(value.func).rpartition(".")[2] in CONTAINERS
    return isinstance(value, ast.Dict | ast.List | ast.Set)


def changed(module: ast.Module) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(module):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=verb)):
                found |= {name} if verb in CHANGING else set()
            case ast.Subscript(value=ast.Name(id=name), ctx=ast.Store() | ast.Del()):
                found.add(name)
    return found


def test_what_modules_keep_and_change_is_known() -> None:
    assert sorted(growing()) == sorted(GROWING)


# The questions of the analytics page


@st.cache_resource(hash_funcs=cached.KEYS)
def keep(asked: tuple[object, ...]) -> list[object]:
    return [*asked]


WANTED = Filter(organizations=(1,))


def others(one: Any) -> Iterator[Any]:  # noqa: ANN401 - a dataclass
    """Return the same with one part changed, for each of its parts that compare."""
    for part in fields(one):
        if part.compare:
            yield replace(one, **{part.name: other_value(part.name, getattr(one, part.name))})


def other_value(name: str, value: object) -> object:
    match value:
        case None if name == "only":
            return frozenset({"read"})
        case None:
            return datetime(2026, 1, 1, tzinfo=UTC)
        case bool():
            return not value
        case Role():
            return Role.VIEWER
        case str():
            return f"{value}x"
        case _:
            return (2,) if name == "organizations" else ("x",)


def test_an_answer_of_the_analytics_is_kept_by_all_that_was_asked() -> None:
    """By each part of the filter, of the persons who read, of the zone, and by the question."""
    asked = [
        (key_figures.of_runs, WANTED),
        (habits.done, WANTED),
        *((habits.done, wanted) for wanted in others(WANTED)),
        *((habits.done, WANTED, [person]) for person in (ANA, *others(ANA))),
        (habits.done, WANTED, [ANA, ANA]),
        *((habits.done, WANTED, ZoneInfo(zone)) for zone in ("UTC", "Australia/Sydney")),
    ]
    assert len(asked) > 20
    kept = [keep(one) for one in asked]
    assert len(set(map(id, kept))) == len(asked)
    assert [keep(tuple(one)) for one in asked] == kept


def test_a_question_that_is_made_anew_is_refused() -> None:
    """Its name does not tell what it holds."""
    with pytest.raises(UserHashError, match="no name of its own"):
        cached.read(lambda _connection, _wanted: 1, WANTED)
