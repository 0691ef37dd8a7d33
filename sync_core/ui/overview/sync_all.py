"""Sync all: the button on the overview, and a line that tells how far it is."""

from datetime import UTC, datetime, timedelta

import streamlit as st

from sync_core.catalogue import resources
from sync_core.foundation.counting import ago, count
from sync_core.foundation.errors import SyncError
from sync_core.foundation.vocabulary import RunStatus, Trigger
from sync_core.operations import syncs
from sync_core.runs.batches import Batch, Part
from sync_core.ui.frame import error_box, run_state
from sync_core.ui.frame.run_state import RunState
from sync_core.ui.frame.visitor import Visitor
from sync_core.ui.parts.words import literal

REFUSED = "sync-all-refused"  # session key: why it could not be started, until it is shown
SHOWN_FOR = timedelta(minutes=15)  # after its end


def offer(here: Visitor) -> None:
    """Show the button, and why it could not be started."""
    batch = run_state.read(here.organization.id).batch
    under_way = bool(batch and batch.finished_at is None)
    st.button(
        "Syncing all..." if under_way else "Sync all",
        icon="spinner" if under_way else ":material/sync:",
        key="sync-all",
        help="Sync every resource, each after those to which its rows refer.",
        disabled=under_way,
        on_click=start,
        args=(here,),
    )


def start(here: Visitor) -> None:
    """Sync all; why that is refused is shown at the next draw."""
    try:
        syncs.start_all(here.organization, here.person, Trigger.PAGE)
    except SyncError as error:
        st.session_state[REFUSED] = error
    run_state.forget(here.organization.id)


def show(state: RunState) -> None:
    """Show how far it is, or how it ended a moment ago."""
    if isinstance(error := st.session_state.pop(REFUSED, None), SyncError):
        error_box.show_sentence(error)
    batch = state.batch
    if batch is None:
        return
    if batch.finished_at is None:
        st.progress(_share(batch, state), text=_under_way(batch))
    elif datetime.now(UTC) - batch.finished_at < SHOWN_FOR:
        st.caption(f":material/done_all: {_ended(batch)}")


def _synced(batch: Batch) -> list[Part]:
    return [part for part in batch.parts if part.run or not part.skipped]


def _share(batch: Batch, state: RunState) -> float:
    parts = _synced(batch)
    shares = (1.0 if part.done else _of_run(part, state) for part in parts)
    return min(1.0, sum(shares) / max(1, len(parts)))


def _of_run(part: Part, state: RunState) -> float:
    known = state.progress.get(part.run.id) if part.run else None
    return min(known.percent, 99) / 100 if known else 0.0


def _under_way(batch: Batch) -> str:
    """Return in a line: "Sync all by Ana Ruiz: 2 of 5 done · Therapists after Locations"."""
    parts = _synced(batch)
    done = sum(part.done for part in parts)
    waits = [
        f"{_title(part.resource)} after {' and '.join(map(_title, before))}"
        for part in parts
        if part.run is None and (before := batch.awaits(part))
    ]
    told = f"Sync all by {literal(batch.requested_by)}: {done} of {len(parts)} done"
    return " · ".join([told, *waits])


def _ended(batch: Batch) -> str:
    found = [part.run.status for part in batch.parts if part.run]
    counts = {
        "synced": found.count(RunStatus.COMPLETED),
        "partly synced": found.count(RunStatus.PARTIAL),
        "waiting for a decision": found.count(RunStatus.WAITING),
    }
    counts["not synced"] = len(found) - sum(counts.values())
    told = [f"{number} {what}" for what, number in counts.items() if number]
    left_out = [_left_out(part) for part in batch.parts if part.skipped]
    without = f"; left out: {', '.join(left_out)}" if left_out else ""
    when = ago(batch.finished_at) if batch.finished_at else ""
    of = count(len(found), "resource")
    who = literal(batch.requested_by)
    return f"Sync all by {who} ended {when}: of {of}, {', '.join(told)}{without}"


def _left_out(part: Part) -> str:
    why = " (its plan waits for a decision)" if part.skipped == "plan_waits" else ""
    return _title(part.resource) + why


def _title(name: str) -> str:
    known = resources.CATALOGUE.get(name)
    return known.title if known else name
