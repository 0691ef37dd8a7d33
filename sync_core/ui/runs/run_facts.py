"""What there is to know of a run in a few lines: who asked for it, when it was, what it read."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import streamlit as st

from sync_core.foundation import db
from sync_core.foundation.counting import count
from sync_core.runs import Run, sheet_facts, traffic, uploads
from sync_core.ui.frame.visitor import Visitor
from sync_core.ui.parts.html import render
from sync_core.ui.parts.words import capitalized, lasted, moment, size, started_how

NAMES = ("downloading", "processing", "saving")
PHASE_ORDER = {name: index for index, name in enumerate(NAMES)}


@dataclass(frozen=True)
class Value:
    """A fact, with a link where it can be seen."""

    text: str
    address: str | None = None


def show(here: Visitor, run: Run) -> None:
    """Show the facts of a run."""
    facts = [(label, values) for label, values in _facts(here, run) if values]
    st.html(render("run_facts", facts=facts))


def _facts(here: Visitor, run: Run) -> Iterator[tuple[str, Sequence[Value]]]:
    team = f", {run.requested_team}" if run.requested_team else ""
    who = [Value(f"{run.requested_by}{team}"), Value(run.requested_email)]
    yield "Requested by", [one for one in who if one.text]
    yield "How", [Value(started_how(run, here.zone))]
    yield "Started", [Value(moment(run.started_at or run.queued_at, here.zone))]
    if run.finished_at:
        yield "Ended", [Value(moment(run.finished_at, here.zone))]
    yield "Took", list(_times(run))
    yield "Source", _sources(run)


def _times(run: Run) -> Iterator[Value]:
    """Tell how long the run took, how long it waited, and how long each of its phases took."""
    if run.seconds is not None:
        yield Value(lasted(run.seconds))
    waited = (run.started_at - run.queued_at).total_seconds() if run.started_at else 0
    parts = [f"waited {lasted(waited)}"] if waited >= 1 else []
    last = len(PHASE_ORDER)
    order = sorted(run.phases.items(), key=lambda phase: PHASE_ORDER.get(phase[0], last))
    parts += [f"{name.replace('_', ' ')} {lasted(seconds)}" for name, seconds in order]
    if parts:
        yield Value(capitalized(", ".join(parts)))


def _sources(run: Run) -> list[Value]:
    """Return where the run has read, the files that it was given, and how much it read."""
    with db.within(run.organization_id) as connection:
        given = uploads.of_run(connection, run.id)
        read = sheet_facts.read_from(connection, run.id)
        taken = traffic.of_run(connection, run.id)
    found = [Value(f"File {one.name}, {size(one.size)}, SHA-256 {one.sha256}") for one in given]
    found += [] if given else [Value(label, link) for label, link in read.items()]
    if taken.bytes:
        asked = f" with {count(taken.requests, 'request')}" if taken.requests else ""
        found.append(Value(f"{size(taken.bytes)} read{asked}"))
    return found
