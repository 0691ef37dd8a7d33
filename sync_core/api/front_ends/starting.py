"""Start a sync as front ends of other systems do: who comes second joins the one on its way."""

from sync_core import runs
from sync_core.api.callers import Seat
from sync_core.foundation import db
from sync_core.foundation.errors import SyncError
from sync_core.foundation.vocabulary import Trigger
from sync_core.operations import syncs
from sync_core.runs import Run
from sync_core.runs.once import Once

ALREADY = "Sync already in progress"


def start_or_join(seat: Seat, resource: str, request: Once | None = None) -> tuple[Run, bool]:
    """Return the run that was started or is on its way, and whether it is a new one.

    Raises SyncError as `syncs.start` does, but for "already_running".
    """
    organization, person = seat
    try:
        return syncs.start(organization, resource, person, Trigger.API, request=request), True
    except SyncError as error:
        if error.code != "already_running":
            raise
        found = error.facts["run"]
    with db.within(organization.id) as connection:
        return runs.get(connection, organization.id, int(str(found))), False
