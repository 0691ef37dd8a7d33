"""What there is to know of a run in a few lines: who asked for it, when it was, what it read."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import streamlit as st

from sync_core.foundation import db
from sync_core.foundation.counting import count
from sync_core.foundation.vocabulary import RunKind, RunStatus
from sync_core.organizations import actions
from sync_core.runs import Run, sheet_facts, traffic, uploads
from sync_core.runs.attempts import Attempt
from sync_core.ui.frame.visitor import Visitor
from sync_core.ui.parts.html import render
from sync_core.ui.parts.words import capitalized, lasted, moment, origin_within, size, started_how

NAMES = ("downloading", "processing", "saving")
PHASE_ORDER = {name: index for index, name in enumerate(NAMES)}


@dataclass(frozen=True)
class Value:
    """A fact, with a link where it can be seen."""

    text: str
    address: str | None = None


def show(here: Visitor, run: Run, found: Sequence[Attempt]) -> None:
    """Show the facts of a run, and of the attempts at it."""
    facts = [(label, values) for label, values in _facts(here, run, found) if values]
    st.html(render("run_facts", facts=facts))


def _facts(
    here: Visitor, run: Run, found: Sequence[Attempt]
) -> Iterator[tuple[str, Sequence[Value]]]:
    team = f", {run.requested_team}" if run.requested_team else ""
    who = [Value(f"{run.requested_by}{team}"), Value(run.requested_email)]
    yield "Requested by", [one for one in who if one.text]
    yield "How", [Value(_how(here, run))]
    began = found[0].started_at if found else run.queued_at
    yield "Started", [Value(moment(began, here.zone))]
    yield from _decided(here, run)
    if run.finished_at:
        yield "Ended", [Value(moment(run.finished_at, here.zone))]
    yield "Took", list(_times(run, found))
    yield "Source", _sources(run)


def _how(here: Visitor, run: Run) -> str:
    how = started_how(run, here.zone)
    return f"Preview, {origin_within(run.origin)}" if run.kind == RunKind.PREVIEW else how


def _decided(here: Visitor, run: Run) -> Iterator[tuple[str, Sequence[Value]]]:
    """Tell who decided on the plan, and when."""
    with db.within(run.organization_id) as connection:
        found = actions.decisions(connection, run.organization_id, run.id)
    for one in found:
        label = f"{one.kind.capitalize()} by"
        who = Value(f"{one.name}, {moment(one.at, here.zone)}")
        yield label, [who, *([Value(f"Reason: {one.reason}")] if one.reason else [])]


def _times(run: Run, found: Sequence[Attempt]) -> Iterator[Value]:
    """Tell how long the work took, each phase of it, and for what the run waited how long."""
    if run.seconds is not None:
        yield Value(lasted(run.seconds))
    queued = (found[0].started_at - run.queued_at).total_seconds() if found else 0
    waits = {"a worker": queued, "a decision": sum(_decisions(run, found))}
    parts = [f"waited {lasted(time)} for {what}" for what, time in waits.items() if time >= 1]
    last = len(PHASE_ORDER)
    order = sorted(run.phases.items(), key=lambda phase: PHASE_ORDER.get(phase[0], last))
    parts += [f"{name.replace('_', ' ')} {lasted(seconds)}" for name, seconds in order]
    if parts:
        yield Value(capitalized(", ".join(parts)))


def _decisions(run: Run, found: Sequence[Attempt]) -> Iterator[float]:
    """Yield the seconds for which a plan waited: until it was confirmed and taken, or dropped."""
    ends = [*(one.started_at for one in found[1:]), run.finished_at]
    for one, end in zip(found, ends, strict=True):
        if one.ended == RunStatus.WAITING and one.ended_at and end:
            yield (end - one.ended_at).total_seconds()


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
