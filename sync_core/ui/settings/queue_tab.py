"""The queue, for administrators: what waits, what is at work, where, and since when."""

from datetime import UTC, datetime

import pandas as pd
import streamlit as st
from redis import RedisError

from sync_core.catalogue import resources
from sync_core.execution import queue
from sync_core.foundation import db, settings
from sync_core.foundation.counting import count
from sync_core.runs import at_work
from sync_core.runs.at_work import AtWork
from sync_core.ui.frame.visitor import Visitor
from sync_core.ui.parts import paging
from sync_core.ui.parts.words import lasted, look, moment, origin

LOOK_AGAIN = 2  # seconds


def show(here: Visitor) -> None:
    """Show the queue, and go on looking at it."""
    st.caption(
        "Organizations take turns, so that many syncs of one hold up no other. With one account of"
        f" Google, or of Cliniko, {count(settings.current().account_runs, 'sync')} may read at"
        " once."
    )
    st.fragment(run_every=LOOK_AGAIN)(_draw)(here)


def _draw(here: Visitor) -> None:
    with db.begin() as connection:
        found = at_work.of(connection, here.organization.id)
        waiting, running = at_work.of_others(connection, here.organization.id)
    st.markdown(
        f":small[{_workers()} · other organizations: {waiting:,} waiting, {running:,} at work]"
    )
    if not found:
        more = "Whatever is started appears here until it has ended."
        paging.show_empty(":material/inbox:", "Nothing waits, and nothing is at work.", more)
        return
    st.dataframe(
        pd.DataFrame([_row(here, one) for one in found]),
        hide_index=True,
        height=paging.height(len(found)),
        row_height=paging.ROW_PIXELS,
        key="queue",
        alt=f"Queue of {here.organization.name}",
    )


def _workers() -> str:
    try:
        return f"{count(queue.workers(), 'worker')} alive"
    except RedisError:
        return "Redis does not answer: nobody knows how many workers are alive"


def _row(here: Visitor, one: AtWork) -> dict[str, object]:
    run, known = one.run, resources.CATALOGUE.get(one.run.resource)
    return {
        "Run": run.id,
        "Resource": known.title if known else run.resource,
        "State": _state(one),
        "Where": one.machine or "",
        "Since": f"{moment(one.since, here.zone)} ({_for(one)})",
        "Asked for by": run.requested_by,
        "Started": origin(run.origin),
    }


def _state(one: AtWork) -> str:
    if one.place is None:
        return look(one.run).word
    if one.account_full:
        return "Waits for other syncs that read with the same account"
    return f"Waits, number {one.place}"


def _for(one: AtWork) -> str:
    return lasted(max(0, (datetime.now(UTC) - one.since).total_seconds()))
