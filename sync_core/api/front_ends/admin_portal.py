"""The addresses of an older admin portal: start the sync of a resource, ask how it is.

Its front end knows fewer states than we do: `words` says which of its words each of ours becomes.
"""

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from sync_core import runs
from sync_core.api.asked import Whose
from sync_core.api.callers import By
from sync_core.api.front_ends import words
from sync_core.api.front_ends.starting import start_or_join
from sync_core.api.front_ends.words import STATES, PortalState
from sync_core.api.sample import RESOURCE
from sync_core.catalogue import resources
from sync_core.foundation import db
from sync_core.organizations import people
from sync_core.runs import Run

ROOT = "/admin-portal"
STARTED, GOES_ON = "Sync started...", "Sync in progress..."

routes = APIRouter(prefix=ROOT, tags=["admin portal"])
Resource = Annotated[str, Path(max_length=100, description="a resource", examples=[RESOURCE])]


class PortalStatus(BaseModel):
    """How the sync of a resource is, or how the last one ended."""

    status: PortalState = Field(
        description=f"a running one wins over an older result. {words.meaning('portal')}"
    )
    message: str = Field(description="in a sentence", examples=[GOES_ON])


@routes.put("/{resource}/sync-data-master")
def start_sync(by: By, resource: Resource, organization: Whose = None) -> PortalStatus:
    """Start the sync of a resource, or join the active one."""
    _, new = start_or_join(by.seat(organization), _resource(resource))
    return PortalStatus(status="running", message=STARTED if new else GOES_ON)


@routes.get("/{resource}/sync-status")
def sync_status(by: By, resource: Resource, organization: Whose = None) -> PortalStatus:
    """Tell how the sync of a resource is."""
    of, person = by.seat(organization)
    people.require(person, "read")
    name = _resource(resource)
    with db.within(of.id) as connection:
        latest = runs.latest(connection, of.id).get(name)
    return _told(latest)


def _told(run: Run | None) -> PortalStatus:
    if run is None:
        return PortalStatus(status=words.NO_PORTAL_RUN, message="")
    message = GOES_ON if run.active else words.message(run, None)
    return PortalStatus(status=STATES[run.status].portal, message=message)


def _resource(name: str) -> str:
    """Return the resource's name; the portal writes - for _."""
    return resources.by_name(name.replace("-", "_")).name
