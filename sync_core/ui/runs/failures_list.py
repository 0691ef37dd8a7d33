"""What is wrong with failed rows: by cause, cell by cell, with its value, problem and fix."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby

import streamlit as st

from sync_core.catalogue import resources
from sync_core.foundation import db
from sync_core.foundation.counting import count
from sync_core.foundation.vocabulary import OutcomeKind
from sync_core.records import failures, outcomes, row_names
from sync_core.records.failures import Failure
from sync_core.records.outcomes import Wanted
from sync_core.records.reasons import Reason
from sync_core.runs import Run
from sync_core.ui.frame.visitor import Visitor
from sync_core.ui.parts import paging, row_table
from sync_core.ui.parts.html import render
from sync_core.ui.runs import (
    cell_links,
    outcome_filter,
    outcome_in_full,
    reasons_list,
    wrong_cells,
)
from sync_core.ui.runs.wrong_cells import WrongCell

KINDS = (OutcomeKind.FAILED,)
GONE = "What was wrong with these rows was deleted with the old values."
ROW = "failure"  # in the address: the row that is opened, "therapists:12"
ROW_NUMBER = re.compile("[1-9][0-9]{0,9}")


@dataclass(frozen=True)
class Line:
    """A wrong cell in the list, and the row that it opens."""

    opens: str
    record: str
    wrong: WrongCell
    follows: bool


@dataclass(frozen=True)
class Group:
    """What fails for one cause, and what follows from it."""

    title: str
    lines: Sequence[Line]


def show(here: Visitor, run: Run, key: str) -> None:
    """Show what is wrong; the row that the address names opens beside it."""
    wanted = outcome_filter.show(run, KINDS, key)
    with db.within(run.organization_id) as connection:
        total = failures.count(connection, run, wanted, here.person)
    if not total and wanted == Wanted(KINDS):
        paging.show_empty(":material/auto_delete:", GONE, "Their counts stay.")
        return
    if not total:
        paging.show_no_match(key, partial(outcome_filter.clear, key))
        return
    if total > paging.PAGE_ROWS:
        reasons_list.show(run, KINDS)
    table = st.container()
    asked = None if wanted == Wanted(KINDS) else wanted
    pages = f"{key}-{run.id}"  # of another run the first is shown
    offset = paging.choose_page(pages, total, "problem", asked)
    with db.within(run.organization_id) as connection:
        found = failures.read(connection, run, replace(wanted, offset=offset), here.person)
        called = row_names.call(connection, run.organization_id, found, here.person)
    with table:
        _open(here, run, _table(run, found, called, f"table-{key}"))


def _table(
    run: Run, found: Sequence[Failure], called: Callable[[Failure], str], key: str
) -> str | None:
    groups = [
        Group(_title(run, cause), list(_lines(run, lines, called)))
        for cause, lines in groupby(found, lambda one: one.cause)
    ]
    with st.container(key=key):
        st.html(render("failures", groups=groups))
    return row_table.listen(key)


def _title(run: Run, cause: Reason) -> str:
    """Return what a cause is called: "2 rows of therapists · Email: Duplicate"."""
    several = len(resources.by_name(run.resource).entities) > 1
    of = f" of {resources.ENTITIES[cause.entity].title.lower()}" if several else ""
    return f"{count(cause.rows, 'row')}{of} · {outcome_filter.titled(cause.field, cause.code)}"


def _lines(run: Run, found: Iterator[Failure], called: Callable[[Failure], str]) -> Iterator[Line]:
    links = cell_links.sheets_of(run.organization_id, run.id)
    for one in found:
        opens = f"{one.entity}:{one.row_number}"
        yield Line(opens, called(one), wrong_cells.of(links, one), one.follows)


def _open(here: Visitor, run: Run, opened: str | None) -> None:
    """Open the row that is named, now or by the address."""
    if opened:
        st.query_params[ROW] = opened
    entity, _, number = str(st.query_params.get(ROW, "")).partition(":")
    if entity not in resources.ENTITIES or not ROW_NUMBER.fullmatch(number):
        return
    wanted = Wanted(KINDS, entity=entity, row=int(number), limit=1)
    with db.within(run.organization_id) as connection:
        found = outcomes.read(connection, run, wanted, here.person)
        called = row_names.call(connection, run.organization_id, found, here.person)
    for outcome in found:
        outcome_in_full.open_beside(here, run, outcome, called(outcome), ROW)
