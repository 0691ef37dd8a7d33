"""The addresses of an older admin portal: start the sync of a resource, ask how it is.

Its front end knows fewer states than we do: `STATES` says which of its words each of ours becomes.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from sync_core import runs
from sync_core.api.asked import Whose
from sync_core.api.callers import By
from sync_core.api.run_routes import TRIGGER
from sync_core.api.sample import RESOURCE
from sync_core.catalogue import resources
from sync_core.foundation import db
from sync_core.foundation.errors import SyncError
from sync_core.foundation.vocabulary import RunStatus
from sync_core.operations import syncs
from sync_core.organizations import people
from sync_core.runs import Run

ROOT = "/admin-portal"
State = Literal["running", "completed", "failed", "not_found"]
STATES: Mapping[RunStatus, State] = {
    RunStatus.QUEUED: "running",
    RunStatus.RUNNING: "running",
    RunStatus.INTERRUPTED: "running",  # it goes on by itself
    RunStatus.COMPLETED: "completed",
    RunStatus.PARTIAL: "completed",  # its message tells of the failed rows
    RunStatus.WAITING: "failed",  # nothing is changed unless a person decides: see WAITS
    RunStatus.FAILED: "failed",
    RunStatus.CANCELLED: "failed",
    RunStatus.TIMED_OUT: "failed",
    RunStatus.EXPIRED: "failed",
}
STARTED, GOES_ON = "Sync started...", "Sync in progress..."
WAITS = "Nothing was changed yet: the plan waits for a decision on its page."

routes = APIRouter(prefix=ROOT, tags=["admin portal"])
Resource = Annotated[str, Path(max_length=100, description="a resource", examples=[RESOURCE])]


class PortalStatus(BaseModel):
    """How the sync of a resource is, or how the last one ended."""

    status: State = Field(description="a running one wins over an older result")
    message: str = Field(description="in a sentence", examples=[GOES_ON])


@routes.put("/{resource}/sync-data-master")
def start_sync(by: By, resource: Resource, organization: Whose = None) -> PortalStatus:
    """Start the sync of a resource, or join the one that is on its way."""
    of, person = by.seat(organization)
    name = _resource(resource)
    try:
        syncs.start(of, name, person, TRIGGER)
    except SyncError as error:
        if error.code != "already_running":
            raise
        return PortalStatus(status="running", message=GOES_ON)
    return PortalStatus(status="running", message=STARTED)


@routes.get("/{resource}/sync-status")
def sync_status(by: By, resource: Resource, organization: Whose = None) -> PortalStatus:
    """Tell how the sync of a resource is."""
    of, person = by.seat(organization)
    people.require(person, "read")
    name = _resource(resource)
    with db.begin() as connection:
        latest = runs.latest(connection, of.id).get(name)
    return _told(latest)


def _told(run: Run | None) -> PortalStatus:
    if run is None:
        return PortalStatus(status="not_found", message="")
    if run.active:
        return PortalStatus(status=STATES[run.status], message=GOES_ON)
    waits = run.status == RunStatus.WAITING
    return PortalStatus(status=STATES[run.status], message=WAITS if waits else run.message)


def _resource(name: str) -> str:
    """Return the resource's name; the portal writes - for _."""
    return resources.by_name(name.replace("-", "_")).name
