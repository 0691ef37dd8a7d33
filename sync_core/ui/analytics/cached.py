"""One read of a question for everybody who asks it within some seconds."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Concatenate, ParamSpec, TypeVar

import streamlit as st

from sync_core.foundation import db
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
    answer: T = _kept(_name(question, wanted, *more), question, wanted, more)
    return answer


Asking = tuple[Any, ...]  # a question, its filter, and what more it wants to know


def read_all(asked: Sequence[Asking]) -> list[Any]:
    """Return the answers to several questions, asked in parallel, each on its own connection."""
    names = tuple(_name(question, *more) for question, *more in asked)
    answers: list[Any] = _kept_all(names, asked)
    return answers


def _name(question: Callable[..., Any], *more: object) -> str:
    return f"{question.__module__}.{question.__qualname__} {more!r}"


@st.cache_resource(ttl=CACHE_SECONDS, max_entries=100, show_spinner=False)
def _kept_all(
    names: tuple[str, ...],  # noqa: ARG001 - the key of the cache
    _asked: Sequence[Asking],
) -> list[Any]:
    with ThreadPoolExecutor(PARALLEL_QUESTIONS) as pool:
        return list(pool.map(_answer, _asked))


def _answer(asking: Asking) -> Any:  # noqa: ANN401 - whatever the question returns
    question, wanted, *more = asking
    with db.within(*wanted.organizations) as connection:
        return question(connection, wanted, *more)


@st.cache_resource(ttl=CACHE_SECONDS, max_entries=500, show_spinner=False)
def _kept(
    name: str,  # noqa: ARG001 - the key of the cache
    _question: Callable[..., Any],
    _wanted: Filter,
    _more: tuple[Any, ...],
) -> Any:  # noqa: ANN401 - whatever the question returns
    with db.within(*_wanted.organizations) as connection:
        return _question(connection, _wanted, *_more)
