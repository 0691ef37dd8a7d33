"""A run of twenty pages, to be disturbed while it is read, compared or saved."""

from sync_core.runs import Run
from tests.support import watching
from tests.support.desk import Desk
from tests.support.locations import HEADER, row
from tests.support.waiting import eventually

ROWS = 3000
SHEET = [HEADER, *(row(f"L{n}") for n in range(ROWS))]
ALL_CREATED = f"Processed {ROWS:,} locations: {ROWS:,} created, 0 updated."


def start(desk: Desk, phase: str = "downloading") -> Run:
    """Start the run, and wait until it is in the midst of a phase."""
    desk.write("locations", SHEET)
    run = desk.start("locations")
    eventually(lambda: watching.phase(run) == phase)
    if phase == "downloading":
        eventually(lambda: watching.staged(run) > ROWS / 10)
    return run


def went_on(run: Run) -> bool:
    """Return whether the last attempt went on where an earlier one had been."""
    ((log,),) = watching.ask(
        "select log from attempts where run_id = :r order by attempt desc limit 1", r=run.id
    )
    return any("rows had been read before" in line["text"] for line in log)


def every_row_once(run: Run) -> bool:
    """Return whether each row of the sheet was created, and told of, exactly once."""
    (told,) = watching.ask(
        "select count(*), count(distinct key) from outcomes where run_id = :r and kind = 'created'",
        r=run.id,
    )
    ((there,),) = watching.ask(
        "select count(*) from locations where organization_id = :o", o=run.organization_id
    )
    return told == (ROWS, ROWS) and there == ROWS
