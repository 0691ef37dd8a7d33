"""The attempts at a run, each in words."""

from collections.abc import Sequence

from sync_core.foundation import db
from sync_core.runs import Run, attempts, result_words
from sync_core.runs.attempts import Attempt
from sync_core.ui.frame.visitor import Visitor
from sync_core.ui.parts import paging, row_table
from sync_core.ui.parts.row_table import Cell, Column, Row, Table
from sync_core.ui.parts.words import LOOKS, capitalized, look_of, second

COLUMNS = (
    Column("Attempt", "number"),
    Column("Started", "brief"),
    Column("Ended", "brief"),
    Column("How it ended", "wide first"),
    Column("Worker"),
)


def read(run: Run) -> Sequence[Attempt]:
    """Return the attempts at the run, with their logs."""
    with db.within(run.organization_id) as connection:
        return attempts.of_run(connection, run.id)


def show(here: Visitor, run: Run, found: Sequence[Attempt]) -> None:
    """Show the attempts at the run: by which worker, when, and how each ended."""
    if not found:
        paging.show_empty(":material/replay:", "No worker has taken it yet.")
        return
    rows = [Row("", list(map(Cell, _cells(here, run, one)))) for one in found]
    table = Table(COLUMNS, rows, cards=True)
    row_table.show(table, key=f"attempts-{run.id}", alt="Attempts at the run")


def _cells(here: Visitor, run: Run, one: Attempt) -> tuple[str, ...]:
    return (
        f"{one.attempt}",
        second(one.started_at, here.zone),
        second(one.ended_at, here.zone) if one.ended_at else "",
        _ending(run, one),
        _worker(one.worker),
    )


def _ending(run: Run, one: Attempt) -> str:
    """Return how an attempt ended: it is kept as a status of its run, or as the reason in words."""
    if one.ended is None:
        return "A worker is working on it"
    if one.ended == run.status:
        return result_words.of_run(run)
    return look_of(run.kind, one.ended).word if one.ended in LOOKS else capitalized(one.ended)


def _worker(name: str) -> str:
    """Return a worker as people can find it: its machine, and the process there."""
    machine, _, rest = name.partition(":")
    process = rest.rpartition(":")[2]
    return f"Process {process} on {machine}" if process else machine
