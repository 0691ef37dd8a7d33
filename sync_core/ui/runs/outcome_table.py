"""What a run did to rows, or would do, as a table: searched and paged in SQL."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial

import streamlit as st

from sync_core.catalogue import resources
from sync_core.foundation import db
from sync_core.foundation.vocabulary import RunStatus
from sync_core.records import outcomes, row_names
from sync_core.records.history import in_words
from sync_core.records.outcomes import Outcome, Wanted
from sync_core.records.privacy import MASK
from sync_core.runs import Run
from sync_core.runs.sheet_facts import SheetLinks
from sync_core.ui.frame.visitor import Visitor
from sync_core.ui.parts import paging, row_table
from sync_core.ui.parts.row_table import Cell, Column, Row, Table
from sync_core.ui.parts.words import icon_name
from sync_core.ui.runs import cell_links, outcome_filter, outcome_in_full, outcome_words

ROW = "row"  # in the address: the row that is opened


def show(here: Visitor, run: Run, kinds: Sequence[str], key: str, named_by: str = ROW) -> None:
    """Show the outcomes of these kinds; the one that the address names opens beside them."""
    wanted = outcome_filter.show(run, kinds, key)
    with db.within(run.organization_id) as connection:
        total = outcomes.count(connection, run, wanted, here.person)
    if not total:
        paging.show_no_match(key, partial(outcome_filter.clear, key))
        return
    table = st.container()
    pages = f"{key}-{run.id}"  # of another run the first is shown
    offset = paging.choose_page(pages, total, asked=None if wanted == Wanted(kinds) else wanted)
    with db.within(run.organization_id) as connection:
        found = outcomes.read(connection, run, replace(wanted, offset=offset), here.person)
        called = row_names.call(connection, run.organization_id, found, here.person)
    with table:
        opened = _table(run, found, called, key)
    if opened is not None:
        st.query_params[named_by] = opened
    for outcome in found:
        if _named(outcome) == st.query_params.get(named_by):
            outcome_in_full.open_beside(here, run, outcome, called(outcome), named_by)


def _named(outcome: Outcome) -> str:
    """Return how the address names a row of a run."""
    return f"{outcome.entity}:{outcome.row_number or ''}:{outcome.key or ''}"


def _table(
    run: Run, found: Sequence[Outcome], called: Callable[[Outcome], str], key: str
) -> str | None:
    """Show a page of outcomes; returns which of them is opened."""
    links = cell_links.sheets_of(run.organization_id, run.id)
    columns = [
        *([Column("Table", "brief")] if len(resources.by_name(run.resource).entities) > 1 else []),
        *([] if run.undoes else [Column("Row", "number")]),  # of the sheet
        Column("Name"),
        Column("Outcome", "brief"),
        Column("Reason or change", "wide first"),
        Column("Key"),
        *([Column("Sheet", "brief")] if links else []),
    ]
    rows = [
        Row(_named(one), [_cell(run, links, one, called(one), c.label) for c in columns])
        for one in found
    ]
    return row_table.show(
        Table(columns, rows, cards=True),
        key=f"table-{key}",
        alt="Rows and what happened to them",
    )


def _cell(run: Run, links: SheetLinks, outcome: Outcome, name: str, label: str) -> Cell:
    match label:
        case "Table":
            return Cell(resources.ENTITIES[outcome.entity].title)
        case "Row":
            return Cell(f"{outcome.row_number:,}" if outcome.row_number else "")
        case "Name":
            return Cell(name)
        case "Outcome":
            look = outcome_words.look(run, outcome.kind)
            return Cell(look.word, f"badge {look.color}", icon_name(look.icon))
        case "Key":
            return Cell(outcome_words.open_text(outcome.key))
        case "Sheet":
            address = cell_links.link(links, outcome)
            return Cell("Open" if address else "", address=address or "")
        case _:
            planned, undoes = run.status == RunStatus.WAITING, run.undoes is not None
            return Cell(explain(outcome, planned=planned, undoes=undoes))


def explain(outcome: Outcome, *, planned: bool = False, undoes: bool = False) -> str:
    """Return what happened to a row in words, or is planned, and why."""
    issues = [f"{_place(issue.cell)}{issue.told}" for issue in outcome.issues]
    match outcome.kind:
        case "updated":
            return "; ".join([*_changes(outcome, planned=planned), *issues])
        case "removed" if not issues:
            return "It was created by that run" if undoes else "It is no longer in the source"
        case "created" if not issues:
            return "It was removed by that run" if undoes else "New record"
        case _:
            return "; ".join(issues)


def _changes(outcome: Outcome, *, planned: bool) -> Iterator[str]:
    """Tell the cells of an updated row before and after, and where it came back or went."""
    labels = {f.column: f.label for f in resources.ENTITIES[outcome.entity].fields}
    for column, (before, after) in (outcome.changes or {}).items():
        if column in labels and MASK in (before, after):
            yield f"{labels[column]} changed"
        elif column in labels:
            yield f"{labels[column]}: {_shown(before)} → {_shown(after)}"
        elif after is None:  # of when it was removed
            yield "It comes back" if planned else "It came back"
        else:
            yield "It is removed again"


def _place(address: str | None) -> str:
    return f"{address.rsplit('!', 1)[-1]}: " if address else ""


def _shown(value: object) -> str:
    return in_words(value) or "blank"
