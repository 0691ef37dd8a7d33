"""One read of a question for everybody who asks it within some seconds."""

from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeVar

import streamlit as st
from sqlalchemy import Connection

from sync_core import db
from sync_core.filters import Filter

SHARED = 30  # seconds for which an answer serves everybody who asks the same

P = ParamSpec("P")
T = TypeVar("T")


def read(
    question: Callable[Concatenate[Connection, Filter, P], T],
    wanted: Filter,
    *more: P.args,
    **_none: P.kwargs,
) -> T:
    """Ask, or share what somebody was answered to the same question a moment ago."""
    name = f"{question.__module__}.{question.__qualname__}"
    answer: T = _kept(f"{name} {wanted!r} {more!r}", question, wanted, more)
    return answer


@st.cache_resource(ttl=SHARED, max_entries=500, show_spinner=False)
def _kept(
    name: str,  # noqa: ARG001 - the key of the cache
    _question: Callable[..., Any],
    _wanted: Filter,
    _more: tuple[Any, ...],
) -> Any:  # noqa: ANN401 - whatever the question gives
    with db.begin() as connection:
        return _question(connection, _wanted, *_more)
