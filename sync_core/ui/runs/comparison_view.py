"""A run beside another one of its resource: counts, headers, reasons, and which rows failed."""

from collections.abc import Iterator

import pandas as pd
import streamlit as st

from sync_core import runs
from sync_core.catalogue import resources
from sync_core.foundation import db
from sync_core.foundation.counting import count
from sync_core.foundation.errors import SyncError
from sync_core.foundation.vocabulary import APPLIED, RunStatus
from sync_core.records import comparisons
from sync_core.records.comparisons import OneSide, Table
from sync_core.runs import Run, run_number
from sync_core.ui.frame.visitor import Visitor
from sync_core.ui.parts import kept_choice
from sync_core.ui.parts.words import literal, look, moment
from sync_core.ui.runs import outcome_filter

OTHER = "compare"  # in the address: the other run
MAX_RUNS = 30  # to choose from
COMPARABLE = (*APPLIED, RunStatus.WAITING)


def offer(here: Visitor, run: Run) -> None:
    """Show the other runs to choose from, and the comparison with the one that is chosen."""
    others = _others(run) if run.status in COMPARABLE else {}
    if not others:
        return
    chosen = kept_choice.show(
        "Compare with",
        {number: _named(here, other) for number, other in others.items()},
        f"compare-{run.id}",
        OTHER,
        placeholder="Another run",
        icon=":material/compare_arrows:",
        width=420,
    )
    if chosen is not None:
        first, second = sorted((others[chosen], run), key=lambda one: one.id)
        _show(here, first, second)


def _others(run: Run) -> dict[str, Run]:
    """Return the latest runs of its resource, and the one that the address names, by number."""
    with db.within(run.organization_id) as connection:
        found = runs.history(connection, run.organization_id, run.resource, MAX_RUNS)
        found += _asked(connection, run)
    return {f"{one.id}": one for one in found if one.id != run.id and one.status in COMPARABLE}


def _asked(connection: db.Connection, run: Run) -> list[Run]:
    """Return the run that the address names, if it is one of the resource: it may be an old one."""
    number = run_number.read(st.query_params.get(OTHER, ""))
    try:
        found = runs.get(connection, run.organization_id, number or 0)
    except SyncError:
        return []
    return [found] if found.resource == run.resource else []


def _named(here: Visitor, run: Run) -> str:
    return f"Run {run.id}, {moment(run.queued_at, here.zone)}, {look(run).word.lower()}"


def _show(here: Visitor, first: Run, second: Run) -> None:
    with db.within(first.organization_id) as connection:
        found = comparisons.compare(connection, first, second, here.person)
    for note in found.notes:
        st.caption(f":material/info: {literal(note)}")
    for table in found.tables:
        title = resources.ENTITIES[table.entity].title
        lines = list(_lines(table))
        if lines:
            columns = [literal(title), f"Run {first.id}", f"Run {second.id}"]
            shown = pd.DataFrame(lines, columns=columns)
            st.table(shown, border="horizontal", hide_index=True, alt=f"{title} in both runs")
        for run, side in ((first, table.only_first), (second, table.only_second)):
            _failed_only(run, title, side)


def _lines(table: Table) -> Iterator[tuple[str, str, str]]:
    """Return what there is to say of a table, for both runs."""
    for kind, (first, second) in table.counts.items():
        if first or second:
            yield kind.capitalize(), _number(first, second), _number(second, first)
    for header in table.lost_headers:
        yield f"Column {literal(header)}", "read", ":orange[not there]"
    for header in table.new_headers:
        yield f"Column {literal(header)}", ":orange[not there]", "read"
    for (field, code), (first, second) in table.reasons.items():
        why = literal(outcome_filter.named(code))
        what = f"{literal(field)}: {why}" if field else why
        yield what, _number(first, second), _number(second, first)


def _number(number: int, other: int) -> str:
    """Return a count; in bold where the other run has another one."""
    return f"{number:,}" if number == other else f"**{number:,}**"


def _failed_only(run: Run, title: str, side: OneSide) -> None:
    if not side.rows:
        return
    what = f"{count(side.rows, 'row')} of {title.lower()} failed only in run {run.id}"
    with st.expander(literal(what), icon=":material/error:"):
        rows = [
            {
                "Row": f"{row.row_number:,}" if row.row_number else "",
                "Name": literal(row.name or row.key or ""),
                "Reason": literal("; ".join(row.reasons)),
            }
            for row in side.first
        ]
        st.table(pd.DataFrame(rows), border="horizontal", hide_index=True, alt=what)
        if side.rows > len(side.first):
            st.caption(f"The first {len(side.first):,} of {side.rows:,}.")
