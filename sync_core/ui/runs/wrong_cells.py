"""Wrong cells as people read them: where each is, what it holds, what is wrong, what fixes it."""

from collections.abc import Sequence
from dataclasses import dataclass

from sync_core.catalogue.cell_codes import CELL_CODES
from sync_core.foundation import db
from sync_core.foundation.vocabulary import OutcomeKind
from sync_core.records import failures
from sync_core.records.failures import Failure
from sync_core.records.outcomes import Outcome, Wanted
from sync_core.records.privacy import MASK
from sync_core.runs import Run
from sync_core.runs.sheet_facts import SheetLinks
from sync_core.ui.frame.visitor import Visitor
from sync_core.ui.parts import row_table
from sync_core.ui.parts.row_table import Cell, Column, Row, Table
from sync_core.ui.runs import cell_links

COLUMNS = (
    Column("Cell", "brief"),
    Column("Value"),
    Column("Problem", "first"),
    Column("Fix"),
)


@dataclass(frozen=True)
class WrongCell:
    """A wrong cell as it is read."""

    cell: str
    address: str  # of the cell in the sheet, where it is on the web
    value: str
    problem: str
    fix: str


def of(links: SheetLinks, one: Failure) -> WrongCell:
    """Return a wrong cell in words; what is hidden from its reader is said to be."""
    known = CELL_CODES.get(one.issue.code)
    return WrongCell(
        cell=one.issue.cell or f"Row {one.row_number:,}",  # as sheets say it: "Therapists!G801"
        address=cell_links.of_cell(links, one.entity, one.issue.cell, one.row_number) or "",
        value="Hidden" if one.value == MASK else one.value or "blank",
        problem=one.issue.told,
        fix=known.advice if known else "",
    )


def of_row(here: Visitor, run: Run, outcome: Outcome) -> Sequence[WrongCell]:
    """Return what is wrong with a row, in the order of its cells."""
    its = Wanted((OutcomeKind.FAILED,), entity=outcome.entity, row=outcome.row_number)
    with db.within(run.organization_id) as connection:
        found = failures.read(connection, run, its, here.person)
    links = cell_links.sheets_of(run.organization_id, run.id)
    return [of(links, one) for one in found]


def show(run: Run, found: Sequence[WrongCell]) -> None:
    """Show wrong cells as a table, on a phone as cards."""
    rows = [
        Row(
            "", [Cell(one.cell, address=one.address), *map(Cell, (one.value, one.problem, one.fix))]
        )
        for one in found
    ]
    if rows:  # what was wrong is gone once old values are deleted
        row_table.show(Table(COLUMNS, rows, cards=True), key=f"wrong-{run.id}", alt="What is wrong")
