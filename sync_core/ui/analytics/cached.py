"""One read of a question for everybody who asks it within some seconds."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import FunctionType
from typing import Any, Concatenate, ParamSpec, TypeVar
from zoneinfo import ZoneInfo

import streamlit as st

from sync_core.foundation import db
from sync_core.organizations.people import Person
from sync_core.runs.filters import Filter

PARALLEL_QUESTIONS = 3  # of one page
CACHE_SECONDS = 30  # for which an answer serves everybody who asks the same

P = ParamSpec("P")
T = TypeVar("T")


def read(
    question: Callable[Concatenate[db.Connection, Filter, P], T],
    wanted: Filter,
    *more: P.args,
    **_none: P.kwargs,
) -> T:
    """Return the answer to a question, shared with whoever asked the same a moment ago."""
    answer: T = _kept(question, wanted, more)
    return answer


Asking = tuple[Any, ...]  # a question, its filter, and what more it wants to know


def read_all(asked: Sequence[Asking]) -> list[Any]:
    """Return the answers to several questions, asked in parallel, each on its own connection."""
    answers: list[Any] = _kept_all(tuple(asked))
    return answers


def _name(question: FunctionType) -> str:
    """Name a question; one that was made within a function may hold more than its name tells."""
    if "<" in question.__qualname__:
        raise TypeError(f"{question.__qualname__} has no name of its own: define it in a module")
    return f"{question.__module__}.{question.__qualname__}"


KEYS: dict[str | type[Any], Callable[[Any], str]] = {  # what each tells of itself is all that it is
    FunctionType: _name,
    Filter: repr,
    Person: repr,
    ZoneInfo: str,
}


@st.cache_resource(ttl=CACHE_SECONDS, max_entries=100, show_spinner=False, hash_funcs=KEYS)
def _kept_all(asked: Sequence[Asking]) -> list[Any]:
    with ThreadPoolExecutor(PARALLEL_QUESTIONS) as pool:
        return list(pool.map(_answer, asked))


def _answer(asking: Asking) -> Any:  # noqa: ANN401 - whatever the question returns
    question, wanted, *more = asking
    with db.within(*wanted.organizations) as connection:
        return question(connection, wanted, *more)


@st.cache_resource(ttl=CACHE_SECONDS, max_entries=500, show_spinner=False, hash_funcs=KEYS)
def _kept(question: Callable[..., Any], wanted: Filter, more: tuple[Any, ...]) -> Any:  # noqa: ANN401 - whatever the question returns
    return _answer((question, wanted, *more))
