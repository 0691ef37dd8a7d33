"""The queue, for administrators: what waits, what is at work, where, and since when."""

from datetime import UTC, datetime

import streamlit as st
from redis import RedisError

from sync_core.catalogue import resources
from sync_core.execution import queue
from sync_core.foundation import db, settings
from sync_core.foundation.counting import count
from sync_core.runs import at_work
from sync_core.runs.at_work import AtWork
from sync_core.runs.words import origin
from sync_core.ui.frame import visitor
from sync_core.ui.frame.visitor import Visitor
from sync_core.ui.parts import paging, row_table
from sync_core.ui.parts.row_table import Cell, Column, Row, Table
from sync_core.ui.parts.words import lasted, look, moment

COLUMNS = (
    Column("Run", "pinned number"),
    Column("Resource"),
    Column("State", "wide first"),
    Column("Where"),
    Column("Since", "brief"),
    Column("Requested by"),
    Column("Started", "brief"),
)
LOOK_AGAIN = 2  # seconds


def show(here: Visitor) -> None:
    """Show the queue, and go on looking at it."""
    st.caption(
        "Organizations take turns, so that many syncs of one hold up no other. With one account of"
        f" Google, or of Cliniko, {count(settings.current().account_runs, 'sync')} may read at"
        " once."
    )
    visitor.fragment(here, _draw, LOOK_AGAIN)(here)


def _draw(here: Visitor) -> None:
    with db.everywhere() as connection:  # places in the queue, and accounts, are of all
        found = at_work.of(connection, here.organization.id)
        waiting, running = at_work.of_others(connection, here.organization.id)
    st.markdown(
        f":small[{_workers()} · other organizations: {waiting:,} waiting, {running:,} running]"
    )
    if not found:
        more = "Runs are listed here until they end."
        paging.show_empty(":material/inbox:", "Nothing is waiting or running.", more)
        return
    rows = [_row(here, one) for one in found]
    alt = f"Queue of {here.organization.name}"
    row_table.show(Table(COLUMNS, rows, cards=True), key="queue", alt=alt)


def _workers() -> str:
    try:
        return f"{count(queue.workers(), 'worker')} alive"
    except RedisError:
        return "Redis does not answer: nobody knows how many workers are alive"


def _row(here: Visitor, one: AtWork) -> Row:
    run, known = one.run, resources.CATALOGUE.get(one.run.resource)
    cells = (
        f"{run.id}",
        known.title if known else run.resource,
        _state(one),
        one.machine or "",
        f"{moment(one.since, here.zone)} ({_for(one)})",
        run.requested_by,
        origin(run.origin),
    )
    return Row("", list(map(Cell, cells)))


def _state(one: AtWork) -> str:
    if one.place is None:
        return look(one.run).word
    if one.account_full:
        return "Waits for other syncs that read with the same account"
    return f"Waits, number {one.place}"


def _for(one: AtWork) -> str:
    return lasted(max(0, (datetime.now(UTC) - one.since).total_seconds()))
