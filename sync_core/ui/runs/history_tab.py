"""The latest runs, of a resource or of all; each opens on the page of its own."""

from collections.abc import Callable, Mapping, Sequence

import streamlit as st

from sync_core import runs
from sync_core.catalogue import resources
from sync_core.catalogue.resource import Resource
from sync_core.foundation import db
from sync_core.foundation.vocabulary import OutcomeKind
from sync_core.runs import Run, Tallies, run_address, run_number, undos
from sync_core.runs.filters import Filter
from sync_core.ui.frame.navigation import page_file
from sync_core.ui.frame.visitor import Visitor
from sync_core.ui.parts import figures, paging, row_table
from sync_core.ui.parts.row_table import Cell, Column, Row, Table
from sync_core.ui.parts.words import icon_name, lasted, look, moment, under_a_name
from sync_core.ui.runs import runs_filter

RUN = "run"  # in the address, formerly
TITLE = "History"  # of the tab
EMPTY = "Every run stays here: who requested it, when, and how it ended."
COUNTED = (OutcomeKind.CREATED, OutcomeKind.UPDATED, OutcomeKind.FAILED)  # the message has all


def show(
    here: Visitor,
    resource: Resource | None = None,
    begin: Callable[[], None] | None = None,
) -> None:
    """Show the latest runs; a click on one opens it. Where there is none, `begin` is the button."""
    if number := run_number.read(st.query_params.get(RUN, "")):  # an address as it was once sent
        open_run(here, number)
    ours = Filter(
        organizations=(here.organization.id,), resource=(resource.name,) if resource else ()
    )
    wanted = ours if resource else runs_filter.ask(here)
    with db.within(here.organization.id) as connection:
        total = runs.count(connection, wanted)
    if not total and wanted == ours:
        paging.show_empty(":material/history:", "There are no runs yet.", EMPTY, begin)
        return
    if not total:
        paging.show_no_match("runs", runs_filter.clear)
        return
    table, pages = st.container(), f"history-{resource.name if resource else 'all'}"
    offset = paging.choose_page(pages, total, "run", None if wanted == ours else wanted)
    with db.within(here.organization.id) as connection:
        latest = runs.found(connection, wanted, paging.PAGE_ROWS, offset=offset)
        found = undos.marked(connection, latest)
        tallies = runs.tallies(connection, [run.id for run in found])
    with table:
        if resource:
            figures.show_durations(found, here.zone, f"durations-{resource.name}")
        opened = _table(here, found, tallies, pages, several=resource is None)
    if opened is not None:
        open_run(here, int(opened))


def open_run(here: Visitor, run_id: int, **opened: str) -> None:
    """Go to the page of a run, where what these parameters of the address name is opened."""
    its = run_address.parameters(here.organization.slug, run_id)
    st.switch_page(page_file(run_address.PAGE), query_params=its | opened)


def _table(
    here: Visitor, found: Sequence[Run], tallies: Mapping[int, Tallies], key: str, *, several: bool
) -> str | None:
    """Show a page of runs; returns the number of the one that is opened."""
    columns = [
        Column("Run", "pinned number"),
        Column("When", "brief"),
        *([Column("Resource")] if several else []),
        Column("Result", "brief"),
        Column("By", "named"),
        Column("Message", "wide widest first"),
        Column("Took", "brief"),
        *([] if several else [Column(kind.capitalize(), "number") for kind in COUNTED]),
    ]
    rows = [_row(here, run, tallies.get(run.id, {}), columns) for run in found]
    alt = "Runs, the newest first"
    return row_table.show(Table(columns, rows, cards=True), key=f"list-{key}", alt=alt)


def _row(here: Visitor, run: Run, tallies: Tallies, columns: Sequence[Column]) -> Row:
    run_look = look(run)
    cells = {
        "Run": Cell(f"{run.id}"),
        "When": Cell(moment(run.queued_at, here.zone)),
        "Resource": Cell(resources.CATALOGUE[run.resource].title),
        "Result": Cell(run_look.word, f"badge {run_look.color}", icon_name(run_look.icon)),
        "By": Cell(run.requested_by, under=_from_where(run)),
        "Message": Cell(run.message),
        "Took": Cell(lasted(run.seconds) if run.seconds is not None else ""),
    }
    for kind in COUNTED if tallies else ():
        counted = sum(tally[kind] for tally in tallies.values())
        cells[kind.capitalize()] = Cell(f"{counted:,}")
    return Row(str(run.id), [cells.get(column.label, Cell()) for column in columns])


def _from_where(run: Run) -> str:
    """Return from which team a run was asked for, and how: "IT · scheduled, late"."""
    return under_a_name(run.requested_team, run.origin) + (", late" if run.late else "")
