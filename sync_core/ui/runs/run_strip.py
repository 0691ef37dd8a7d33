"""The last runs of a resource as a strip of bars: one bar a run, the newest on the right."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import streamlit as st

from sync_core import runs
from sync_core.catalogue import resources
from sync_core.foundation import db
from sync_core.foundation.counting import count
from sync_core.runs import MADE_UP, Run, undos
from sync_core.runs.filters import Filter
from sync_core.ui.frame.run_state import Signature
from sync_core.ui.frame.visitor import Visitor
from sync_core.ui.parts.html import render
from sync_core.ui.parts.words import look, moment

MAX_RUNS = 30


@dataclass(frozen=True)
class Bar:
    """One run of the strip."""

    status: str  # its CSS classes
    title: str


def of(organization_id: int, signature: Signature) -> Mapping[str, Sequence[Run]]:
    """Return the last runs of each resource, oldest first; read anew when one begins or ends."""
    return _read(organization_id, signature)


@st.cache_resource(ttl=600, max_entries=200, show_spinner=False)
def _read(organization_id: int, signature: Signature) -> Mapping[str, Sequence[Run]]:  # noqa: ARG001 - the key of the cache
    with db.within(organization_id) as connection:
        latest = [
            run
            for name in resources.CATALOGUE
            for run in runs.found(connection, _all_of(organization_id, name), MAX_RUNS)[::-1]
        ]
        found = undos.marked(connection, latest)
    return {name: [run for run in found if run.resource == name] for name in resources.CATALOGUE}


def _all_of(organization_id: int, resource: str) -> Filter:
    """Ask for all runs of a resource, also for those that the demo has made up."""
    return Filter(organizations=(organization_id,), resource=(resource,))


def show(here: Visitor, latest: Sequence[Run]) -> None:
    """Show the bars; a run that did less well is a shorter one."""
    ended = Counter(look(run).word for run in latest)
    counts = ", ".join(f"{count} {word.lower()}" for word, count in ended.most_common())
    label = f"Last {count(len(latest), 'run')}: {counts or 'none'}"
    bars = [_bar(here, run) for run in latest]
    st.html(render("run_strip", label=label, empty=MAX_RUNS - len(latest), bars=bars))


def _bar(here: Visitor, run: Run) -> Bar:
    title = f"{look(run).word}, {moment(run.queued_at, here.zone)}, {run.requested_by}"
    kind = "undone" if run.undone or run.nothing_undone else f"{run.status} {run.kind}"
    if run.trigger == MADE_UP:
        return Bar(f"{kind} made-up", f"{title}, made up for the demo")
    return Bar(kind, title)
