"""The only room that knows RQ: hands runs over to a worker, and works on them there."""

import logging
import os
import socket
import time
from dataclasses import replace
from datetime import UTC, datetime

import sqlalchemy as sa
from redis import RedisError
from rq import Queue, Worker

from sync_core import (
    actions,
    db,
    importer,
    kv,
    leases,
    organizations,
    people,
    places,
    resources,
    runs,
    settings,
    sources,
)
from sync_core.errors import SyncError
from sync_core.heart import CancelledError, Heart, StoppedError
from sync_core.leases import Claim, Ending, LeaseLostError
from sync_core.organizations import Organization
from sync_core.people import Person
from sync_core.progress import Reporter
from sync_core.reading import Reading
from sync_core.resource import Source
from sync_core.runs import Run
from sync_core.sources import Place

QUEUE = "sync"
GRACE = 30  # seconds that RQ's own limit stands above ours
SILENCE = 20  # seconds after which a worker that said nothing counts as dead
OUTAGE = 30  # seconds for which a horse waits for Postgres to come back

log = logging.getLogger(__name__)


def start(organization: Organization, resource: str, person: Person, trigger: str) -> Run:
    """Start a sync: the run is kept first, then pushed (the beat repeats a lost push).

    Raises SyncError: no_permission, unknown_resource, no_source, already_running, cooldown.
    """
    people.require(person, "sync")
    with db.begin() as connection:
        places.get(connection, organization, places.by_name(resource))
        run = runs.start(connection, organization.id, resource, person, trigger=trigger)
        actions.record(
            connection, organization.id, person, "started", resource=resource, run_id=run.id
        )
    push(run.id)
    return run


def cancel(organization: Organization, run_id: int, person: Person) -> Run:
    """Cancel a run: at once while it waits for a worker, else at the worker's next check."""
    people.require(person, "sync")
    with db.begin() as connection:
        run = runs.request_cancel(connection, organization.id, run_id, person)
        actions.record(
            connection, organization.id, person, "cancelled", resource=run.resource, run_id=run_id
        )
    return run


def push(run_id: int) -> bool:
    """Hand a queued run to RQ; tells whether Redis took it."""
    try:
        Queue(QUEUE, connection=kv.pushing_client()).enqueue(
            work,
            run_id,
            job_id=f"run-{run_id}",
            job_timeout=int(settings.current().time_limit + GRACE),
            result_ttl=60,
            failure_ttl=3600,
        )
    except RedisError as error:
        log.warning("run %s waits for the queue: %s", run_id, type(error).__name__)
        return False
    with db.begin() as connection:
        runs.mark_pushed(connection, run_id)
    return True


def pushed() -> set[int]:
    """List the runs that wait in RQ's queue. Raises RedisError."""
    jobs = Queue(QUEUE, connection=kv.pushing_client()).get_job_ids()
    return {int(job.removeprefix("run-")) for job in jobs if job.startswith("run-")}


def workers() -> int:
    """Count the workers that are alive. Raises RedisError."""
    now = datetime.now(UTC)
    found = Worker.all(connection=kv.pushing_client())
    seen = (worker.last_heartbeat for worker in found)
    return sum((now - at.replace(tzinfo=UTC)).total_seconds() < SILENCE for at in seen if at)


def work(run_id: int) -> str:
    """Work on a run, in a worker; gives its status for RQ's log. Never raises."""
    with db.begin() as connection:
        claim = leases.claim(connection, run_id, f"{socket.gethostname()}:{os.getpid()}")
    return attempt(claim) if claim else "not ours"


def attempt(claim: Claim) -> str:
    """Work on a claimed run; gives its status, or why this attempt did not end it."""
    reporter = Reporter(kv.client(), claim.run_id, claim.attempt)
    with Heart(claim) as heart:
        return _attempt(claim, heart, reporter)


def _attempt(claim: Claim, heart: Heart, reporter: Reporter) -> str:
    try:
        return _sync(claim, heart, reporter).status
    except LeaseLostError:
        return "closed by somebody else"
    except CancelledError:
        return _finish(claim, leases.cancelled(), reporter)
    except StoppedError:
        return _interrupt(claim, "its worker was asked to stop", crashed=False)
    except sa.exc.OperationalError as error:
        log.warning("run %s: Postgres went away: %s", claim.run_id, type(error).__name__)
        return _interrupt(claim, "Postgres went away", crashed=False)
    except SyncError as error:
        log.warning("run %s: %s: %s", claim.run_id, error.code, error.sentence)
        return _finish(claim, _failure(error), reporter)
    except Exception:
        log.exception("run %s", claim.run_id)
        return _finish(claim, _failure(SyncError("internal")), reporter)


def _sync(claim: Claim, heart: Heart, reporter: Reporter) -> Ending:
    resource = places.by_name(claim.resource)
    with db.begin() as connection:
        organization = organizations.by_id(connection, claim.organization_id)
        found = places.get(connection, organization, resource)
    with Reading(heart.check, settings.current().fetch_timeout) as reading:
        work = importer.Work(
            claim,
            resource,
            resources.ENTITIES,
            organization.country,
            reporter,
            reading,
            heart.check,
        )
        return importer.sync(work, {place.entity: _open(place, work) for place in found})


def _open(place: Place, work: importer.Work) -> Source:
    """Open a source that tells the run's page whenever its server keeps us waiting."""

    def on_wait(sentence: str) -> None:
        work.reading.heard()
        work.reporter.say(sentence)
        work.reporter.log(sentence, "warning")

    return sources.open_source(place, settings.current(), on_wait=on_wait)


def _failure(error: SyncError) -> Ending:
    status = "timed_out" if error.code == "source_silent" else "failed"
    return Ending(status, error.sentence, error_code=error.code, advice=error.advice)


def _finish(claim: Claim, ending: Ending, reporter: Reporter) -> str:
    """End a run that did not get through; the target is as it was."""
    reporter.log(ending.message, "warning" if ending.status == "cancelled" else "error")
    try:
        with db.begin() as connection:
            leases.finish(connection, claim, replace(ending, log=reporter.as_json()))
    except LeaseLostError:
        return "closed by somebody else"
    return ending.status


def _interrupt(claim: Claim, why: str, *, crashed: bool) -> str:
    """Give the run back, as soon as Postgres answers; the lease ends by itself otherwise."""
    end = time.monotonic() + OUTAGE
    while time.monotonic() < end:
        try:
            with db.begin() as connection:
                leases.interrupt(connection, claim, why, crashed=crashed)
                resumed = leases.resume(connection)
        except (sa.exc.OperationalError, sa.exc.TimeoutError):
            time.sleep(0.5)
            continue
        for run_id in resumed:
            push(run_id)
        return "interrupted"
    return "left to the beat"


def horse_died(run_id: int, how: str) -> None:
    """Close the run of a work-horse that was killed, in a process of its own."""
    with db.begin() as connection:
        if claim := leases.held(connection, run_id):
            leases.interrupt(connection, claim, how, crashed=True)
        resumed = leases.resume(connection)
    for resumed_id in resumed:
        push(resumed_id)
