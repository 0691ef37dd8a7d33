"""What people ask of runs: start one, cancel one."""

from sync_core import runs
from sync_core.catalogue import resources
from sync_core.execution.queue import push, resume
from sync_core.foundation import db
from sync_core.organizations import Organization, actions, people, source_settings
from sync_core.organizations.actions import Cancelled, Started
from sync_core.organizations.people import Person
from sync_core.runs import Run, recovery


def start(organization: Organization, resource: str, person: Person, trigger: str) -> Run:
    """Start a sync: the run is kept first, then pushed (maintenance repeats a lost push).

    Raises SyncError: no_permission, unknown_resource, no_source, already_running, cooldown.
    """
    people.require(person, "sync")
    _revive(organization, resource)
    with db.begin() as connection:
        source_settings.read(connection, organization, resources.by_name(resource))
        run = runs.start(connection, organization.id, resource, person, trigger=trigger)
        actions.record(
            connection, organization.id, person, Started(), resource=resource, run_id=run.id
        )
    push(run.id, resource)
    return run


def cancel(organization: Organization, run_id: int, person: Person) -> Run:
    """Cancel a run: at once while it waits for a worker, else at the worker's next check."""
    people.require(person, "sync")
    _revive(organization)
    with db.begin() as connection:
        run = runs.request_cancel(connection, organization.id, run_id, person)
        actions.record(
            connection, organization.id, person, Cancelled(), resource=run.resource, run_id=run_id
        )
    return run


def _revive(organization: Organization, resource: str | None = None) -> None:
    """Let a run go on whose worker is dead, though no maintenance may be alive to do so."""
    with db.begin() as connection:
        dead = recovery.close_dead(connection, organization.id, resource)
    if dead:
        resume()
