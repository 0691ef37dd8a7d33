"""What people ask of runs: start one, see its plan first, decide on the plan, cancel one."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import BinaryIO

from sqlalchemy import Connection

from sync_core import organizations, runs
from sync_core.catalogue import resources
from sync_core.execution import queue
from sync_core.foundation import db
from sync_core.foundation.errors import SyncError
from sync_core.foundation.vocabulary import APPLIED, PauseReason, RunKind, RunStatus
from sync_core.organizations import Organization, actions, people, schedules, source_settings
from sync_core.organizations.actions import (
    Approved,
    Cancelled,
    Confirmed,
    Declined,
    Detail,
    GivenFile,
    PausedSchedule,
    Previewed,
    Retried,
    Started,
    StartedAll,
    Undone,
)
from sync_core.organizations.people import Person
from sync_core.records import read_again
from sync_core.runs import Run, batches, lease, once, overtaken, plans, recovery, uploads
from sync_core.runs.batches import Batch
from sync_core.runs.lease import Queued
from sync_core.runs.once import Once
from sync_core.runs.uploads import Upload


def start(
    organization: Organization,
    resource: str,
    person: Person,
    trigger: str,
    files: Sequence[tuple[Upload, BinaryIO]] = (),
    request: Once | None = None,
) -> Run:
    """Start a sync: the run is kept first, then pushed (maintenance repeats a lost push).

    A `request` that was granted before returns its run, however that is by now; so for all verbs.

    It reads the source that is set, or these files, which `operations.uploads` has checked. Raises
    SyncError: no_permission, unknown_resource, no_source, already_running, cooldown, key_used.
    """
    return _start(organization, resource, person, trigger, files, RunKind.SYNC, request)


def preview(
    organization: Organization,
    resource: str,
    person: Person,
    trigger: str,
    files: Sequence[tuple[Upload, BinaryIO]] = (),
    request: Once | None = None,
) -> Run:
    """Start a preview: a sync that stops after its plan, and waits for a decision.

    Raises SyncError as `start` does.
    """
    return _start(organization, resource, person, trigger, files, RunKind.PREVIEW, request)


def _start(
    organization: Organization,
    resource: str,
    person: Person,
    trigger: str,
    files: Sequence[tuple[Upload, BinaryIO]],
    kind: RunKind,
    request: Once | None,
) -> Run:
    person = people.require(person, "sync")
    with _asking(organization, resource) as (connection, waiting):
        if made := once.earlier(connection, organization.id, person, request):
            return made
        if not files:
            source_settings.read(connection, organization, resources.by_name(resource))
        run = runs.start(connection, organization.id, resource, person, trigger=trigger, kind=kind)
        for given, content in files:
            uploads.keep(connection, run.id, given, content)
        asked = Previewed if kind == RunKind.PREVIEW else Started
        detail = asked([_given(one) for one, _ in files] or None)
        _record(connection, organization, person, run, detail)
        once.keep(connection, run, person, request)
        waiting.append(Queued(run.id, lease.limit(connection, run.id)))
    return run


def start_all(
    organization: Organization,
    person: Person,
    trigger: str,
    only: Collection[str] = (),
    request: Once | None = None,
) -> Batch:
    """Sync every resource that has a source, each after those to which its rows refer.

    Those that refer to none start at once; maintenance starts the others. It is one action. With
    `only`, these resources alone. Raises SyncError: no_permission, nothing_to_sync,
    already_syncing_all, key_used.
    """
    person = people.require(person, "sync")
    with _asking(organization) as (connection, waiting):
        if made := once.earlier(connection, organization.id, person, request):
            return batches.with_run(connection, made)
        left_out = _without_source(connection, organization)
        names = [name for name in resources.in_order() if not only or name in only]
        synced = [name for name in names if name not in left_out]
        if not synced:
            raise SyncError("nothing_to_sync")
        batch = batches.add(connection, organization.id, person, trigger, names, left_out)
        detail = StartedAll(batch.id, synced)
        actions.record(connection, organization.id, person, detail)
        for run in batches.start_next(connection, batch.id):
            waiting.append(Queued(run.id, lease.limit(connection, run.id)))
        batch = batches.get(connection, batch.id) or batch
        if first := next((part.run for part in batch.parts if part.run), None):
            once.keep(connection, first, person, request)
        else:
            once.forget(connection, organization.id, person, request)
    return batch


def _without_source(connection: Connection, organization: Organization) -> dict[str, str]:
    """Return why resources cannot be synced, by their names."""
    found = {}
    for name in resources.in_order():
        try:
            source_settings.read(connection, organization, resources.by_name(name))
        except SyncError as error:
            found[name] = error.code
    return found


def retry(
    organization: Organization,
    run_id: int,
    person: Person,
    trigger: str,
    request: Once | None = None,
) -> Run:
    """Read the source again and apply only the rows that had failed in a run; nothing is removed.

    Raises SyncError: no_permission, unknown_run, nothing_to_retry, already_fixed,
    read_by_later_sync, upload_lost, no_source, already_running, cooldown.
    """
    person = people.require(person, "sync")
    with _asking(organization) as (connection, waiting):
        if made := once.earlier(connection, organization.id, person, request):
            return made
        earlier = runs.get(connection, organization.id, run_id)
        failed = read_again.require_may_retry(connection, earlier)
        for given in uploads.of_run(connection, earlier.id):  # it went when its run had ended
            raise SyncError("upload_lost", name=given.name)
        source_settings.read(connection, organization, resources.by_name(earlier.resource))
        run = runs.start(
            connection,
            organization.id,
            earlier.resource,
            person,
            trigger=trigger,
            kind=RunKind.RETRY,
            retries=earlier.id,
        )
        _record(connection, organization, person, run, Retried(earlier.id, failed))
        once.keep(connection, run, person, request)
        waiting.append(Queued(run.id, lease.limit(connection, run.id)))
    return run


def _given(file: Upload) -> GivenFile:
    return GivenFile(file.name, file.size, file.sha256, file.entities)


def confirm(
    organization: Organization,
    run_id: int,
    person: Person,
    trigger: str,
    request: Once | None = None,
) -> Run:
    """Let a run apply exactly the plan with which it waits; a worker checks that it still holds.

    Where a guard holds the plan back, this approves it: of their own plans only administrators may,
    and nobody where the organization requires four eyes. Raises SyncError: no_permission,
    unknown_run, nothing_to_decide, own_approval, four_eyes, already_running.
    """
    person = people.require(person, "sync")
    with _asking(organization) as (connection, waiting):
        if made := once.earlier(connection, organization.id, person, request):
            return made
        run = runs.to_decide(connection, organization.id, run_id)
        kept = plans.of_run(connection, run.id)
        tripped = kept.tripped if kept else ()
        if tripped:
            _refuse_own_approval(connection, run, person)
        run = runs.confirm(connection, run)
        guards = [asdict(one) for one in tripped]
        detail = Approved(trigger, guards) if guards else Confirmed(trigger)
        _record(connection, organization, person, run, detail)
        once.keep(connection, run, person, request)
        waiting.append(Queued(run.id, lease.limit(connection, run.id)))
    return run


def _refuse_own_approval(connection: Connection, run: Run, person: Person) -> None:
    if run.requested_email.lower() != person.email.lower():
        return
    now = organizations.by_id(connection, run.organization_id)
    if now.four_eyes:
        raise SyncError("four_eyes", organization=now.name)
    if not person.may("administer"):
        raise SyncError("own_approval")


def undo(
    organization: Organization,
    run_id: int,
    person: Person,
    trigger: str,
    request: Once | None = None,
    *,
    pause_schedule: bool = False,
) -> Run:
    """Start the undo of a run: it shows what would be taken back, and waits for a decision.

    With `pause_schedule`, the resource's schedule rests, so that it does not do it again. Raises
    SyncError: no_permission, unknown_run, nothing_to_undo, already_running, cooldown, no_schedule.
    """
    person = people.require(person, "sync")
    with db.within(organization.id) as connection:
        undone = runs.get(connection, organization.id, run_id)
    if undone.status not in APPLIED:
        why = f"it is {undone.status}" if undone.finished_at is None else "nothing was applied"
        raise SyncError("nothing_to_undo", run=run_id, why=why)
    with _asking(organization, undone.resource) as (connection, waiting):
        if made := once.earlier(connection, organization.id, person, request):
            return made
        run = runs.start(
            connection,
            organization.id,
            undone.resource,
            person,
            trigger=trigger,
            kind=RunKind.UNDO,
            undoes=undone.id,
        )
        _record(connection, organization, person, run, Undone(undone.id))
        if pause_schedule:
            _pause_schedule(connection, organization, person, run)
        once.keep(connection, run, person, request)
        waiting.append(Queued(run.id, lease.limit(connection, run.id)))
    return run


def _pause_schedule(
    connection: Connection, organization: Organization, person: Person, run: Run
) -> None:
    """Let the schedule rest of a resource that is taken back."""
    kept = schedules.get(connection, organization.id, run.resource)
    why, now = PauseReason.UNDO, datetime.now(UTC)
    if schedules.pause(connection, organization.id, kept.resource, person, why, now):
        _record(connection, organization, person, run, PausedSchedule(why))


LONGEST_REASON = 200  # characters


def decline(organization: Organization, run_id: int, person: Person, reason: str = "") -> Run:
    """Drop the plan with which a run waits; the reason, where one is given, stays in the audit.

    Raises SyncError: no_permission, unknown_run, nothing_to_decide, reason_too_long.
    """
    person = people.require(person, "sync")
    told = " ".join("".join(one if one.isprintable() else " " for one in reason).split())
    if len(told) > LONGEST_REASON:
        raise SyncError("reason_too_long", longest=LONGEST_REASON, length=len(told))
    with _asking(organization) as (connection, _):
        run = runs.to_decide(connection, organization.id, run_id)
        _record(connection, organization, person, run, Declined(told or None))
        runs.decline(connection, run.id)
        return runs.get(connection, organization.id, run_id)


def cancel(organization: Organization, run_id: int, person: Person) -> Run:
    """Cancel a run: at once while it waits for a worker, else at the worker's next check.

    A plan that waits for a person is declined. To ask again changes nothing more. What was asked is
    recorded before what it brings about. Raises SyncError: no_permission, unknown_run,
    already_ended.
    """
    person = people.require(person, "sync")
    with _asking(organization) as (connection, _):
        run = runs.to_cancel(connection, organization.id, run_id)
        if run.cancelling or run.status == RunStatus.CANCELLED:
            return run
        if run.status == RunStatus.WAITING:
            _record(connection, organization, person, run, Declined())
            runs.decline(connection, run.id)
            return runs.get(connection, organization.id, run_id)
        _record(connection, organization, person, run, Cancelled())
        return runs.request_cancel(connection, organization.id, run_id, person)


def _record(
    connection: Connection, organization: Organization, person: Person, run: Run, detail: Detail
) -> None:
    actions.record(
        connection, organization.id, person, detail, resource=run.resource, run_id=run.id
    )


@contextmanager
def _asking(
    organization: Organization, resource: str | None = None
) -> Iterator[tuple[Connection, list[Queued]]]:
    """Open the transaction in which somebody asks for something, and push what waits after it.

    First plans whose time is over or that are out of date expire, and the runs of dead workers are
    revived: they go on even where what is asked for is refused.
    """
    refused: SyncError | None = None
    with db.within(organization.id) as connection:
        recovery.expire_plans(connection)
        overtaken.end_plans(connection)
        recovery.close_overdue(connection, organizations=[organization.id])
        waiting = recovery.revive(connection, organization.id, resource)
        try:
            with connection.begin_nested():
                yield connection, waiting
        except SyncError as error:
            refused = error
    queue.push(*waiting)
    if refused:
        raise refused
