"""Why rows of a run were left out, grouped: each cause above what follows from it."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from sync_core.catalogue import resources
from sync_core.foundation.counting import count
from sync_core.foundation.vocabulary import LEFT_OUT
from sync_core.records.reasons import Reason
from sync_core.runs import Run
from sync_core.ui.parts.html import render
from sync_core.ui.parts.words import icon_name
from sync_core.ui.runs import outcome_filter, outcome_words

MAX_CAUSES = 8  # the others are found by the filter


@dataclass(frozen=True)
class Line:
    """A reason as it is read."""

    kind: str  # its CSS class
    icon: str
    rows: str
    what: str
    why: str
    follows: Sequence["Line"] = ()


def show(run: Run, kinds: Sequence[str]) -> None:
    """List the reasons of a run, those of most rows first."""
    if not set(kinds) & set(LEFT_OUT):
        return
    several = len(resources.by_name(run.resource).entities) > 1
    found = [one for one in outcome_filter.offered(run).reasons if one.kind in kinds]
    causes = [_line(run, reason, several=several) for reason in found[:MAX_CAUSES]]
    st.html(render("reasons", causes=causes))
    if len(found) > MAX_CAUSES:
        more = count(len(found) - MAX_CAUSES, "more reason")
        st.caption(f"And {more}: choose one in the filter.")


def _line(run: Run, reason: Reason, *, several: bool) -> Line:
    look = outcome_words.look(run, reason.kind)
    of = f"of {resources.ENTITIES[reason.entity].title.lower()} " if several else ""
    return Line(
        kind=reason.kind,
        icon=icon_name(look.icon),
        rows=count(reason.rows, "row"),
        what=f"{of}{look.word.lower()}",
        why=outcome_filter.titled(reason.field, reason.code),
        follows=[_line(run, one, several=several) for one in reason.follows],
    )
