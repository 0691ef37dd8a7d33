"""One attempt at a run, in a worker: claimed once, worked on under a lease, ended or given back."""

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from functools import partial

import sqlalchemy as sa
from rq.timeouts import JobTimeoutException
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_fixed

from sync_core import organizations, runs, sources
from sync_core.analytics import analyses
from sync_core.catalogue import resources
from sync_core.catalogue.resource import Resource
from sync_core.catalogue.source import Source
from sync_core.engine import importer, narration, staging
from sync_core.engine.read_ahead import Reading
from sync_core.engine.work import Work
from sync_core.execution import memory
from sync_core.execution.heartbeat import Heartbeat, OverdueError, StoppedError
from sync_core.execution.queue import resume
from sync_core.foundation import db, processes, redis_clients, settings
from sync_core.foundation.errors import SyncError
from sync_core.foundation.vocabulary import RunStatus
from sync_core.organizations import allowed_sources, policies, source_settings
from sync_core.runs import incremental, lease, plans, retries, tab_titles, uploads
from sync_core.runs.lease import CancelledError, Claim, LeaseLostError, RunResult
from sync_core.runs.progress import Reporter
from sync_core.runs.sheet_facts import Address, ReadWindow
from sync_core.runs.traffic import Traffic
from sync_core.sources import Opening, SourceSetting, alone

log = logging.getLogger(__name__)

WHILE_AWAY = Retrying(  # an attempt waits so long for Postgres; later, its lease ends by itself
    retry=retry_if_exception(db.is_away),
    wait=wait_fixed(0.5),
    stop=stop_after_delay(60),
    retry_error_callback=lambda _: "left to maintenance",
)

ENDINGS = {  # of a run, by the code of its error; by any other it failed
    "source_silent": RunStatus.TIMED_OUT,
    "plan_outdated": RunStatus.EXPIRED,  # the promise is kept: exactly what was shown, or nothing
}

_alone = False


def be_alone() -> None:
    """Let this process, which works on one run, forget all keys but those of its sources."""
    global _alone  # noqa: PLW0603 - of the process, as its environment
    _alone = True


def _forget_other_keys(found: Sequence[SourceSetting]) -> None:
    if _alone:
        settings.know_only(alone.environment_of_run(found))
        processes.forget_first_environment()


def work(run_id: int) -> str:
    """Work on a run, in a worker; returns its status for RQ's log. Never raises."""
    try:
        with db.everywhere() as connection, db.undone():  # its heartbeat needs a connection, too
            claim = lease.claim(connection, run_id, db.name())
    except db.ERRORS as error:
        why = db.as_sync_error(error) or type(error).__name__
        log.warning("run %s cannot be claimed: %s", run_id, why)
        return "not claimed"  # maintenance pushes it again
    return attempt(claim) if claim else "not ours"


def attempt(claim: Claim) -> str:
    """Work on a claimed run; returns its status, or why this attempt did not end it."""
    reporter = Reporter(redis_clients.client(), claim.run_id, claim.attempt)
    limit = _limit(claim)
    with Heartbeat(claim, limit) as heartbeat:
        return _attempt(claim, heartbeat, reporter, limit)


def _limit(claim: Claim) -> float:
    """Return the seconds that the run may take; the usual ones while Postgres does not answer."""
    with suppress(*db.ERRORS), db.within(claim.organization_id) as connection:
        return lease.limit(connection, claim.run_id)
    return lease.usual_limits().of(claim.resource)


def _attempt(claim: Claim, heartbeat: Heartbeat, reporter: Reporter, limit: float) -> str:
    try:
        return _sync(claim, heartbeat, reporter).status
    except LeaseLostError:
        return "closed by somebody else"
    except StoppedError:
        return _interrupt(claim, "its worker was asked to stop", reporter)
    except Exception as error:  # noqa: BLE001 - whatever it is, the run ends with a sentence
        if memory.ran_out(error):
            processes.lift_memory_limit()
            return _finish(claim, _result(claim, memory.too_much(), limit), reporter)
        if staging.is_lost(error):
            return _interrupt(claim, "Postgres lost what was staged", reporter)
        if db.is_away(error):
            refused = db.is_crowded(error)
            why = "Postgres had too many connections" if refused else "Postgres went away"
            # else it may be this run that it dies of
            blameless = refused or db.is_restart(error) or db.was_away_before(error)
            return _interrupt(claim, why, reporter, crashed=not blameless)
        return _finish(claim, _result(claim, error, limit), reporter)


def _sync(claim: Claim, heartbeat: Heartbeat, reporter: Reporter) -> RunResult:
    if claim.undoes:
        return _undo(claim, claim.undoes, heartbeat, reporter)
    resource = resources.by_name(claim.resource)
    with db.within(claim.organization_id) as connection:
        organization = organizations.by_id(connection, claim.organization_id)
        given = uploads.settings_of_run(connection, organization, resource, claim.run_id)
        found = given or source_settings.read(connection, organization, resource)
        allowed_sources.require(connection, organization, found)
        found = tab_titles.named(connection, organization, found)
        policy = policies.of(connection, organization.id)[resource.name]
        resource = policies.applied(resource, policy)
        window = _window(connection, claim, resource, found)
        confirmed = plans.of_run(connection, claim.run_id)
        retried = retries.of_run(connection, claim.run_id)
        noted = runs.get(connection, organization.id, claim.run_id).notes if confirmed else []
    _forget_other_keys(found)
    analysis = analyses.of(resource)
    with Reading(heartbeat.check, settings.current().fetch_timeout) as reading:
        work = Work(
            claim,
            resource,
            resources.ENTITIES,
            organization.country,
            reporter,
            reading,
            heartbeat.check,
            window,
            analysis.during_run if analysis else None,
            confirmed,
            notes=noted,
            guards=policy.guards,
            addresses={s.entity: address for s in found if (address := Address.of(s))},
            retried=retried,
            time_zone=organization.time_zone,
        )
        return importer.sync(work, {setting.entity: _open(setting, work) for setting in found})


def _undo(claim: Claim, run_id: int, heartbeat: Heartbeat, reporter: Reporter) -> RunResult:
    """Take a run back: that needs no source."""
    with db.within(claim.organization_id) as connection:
        organization = organizations.by_id(connection, claim.organization_id)
        undone = runs.get(connection, organization.id, run_id)
        policy = policies.of(connection, organization.id)[claim.resource]
        confirmed = plans.of_run(connection, claim.run_id)
    _forget_other_keys([])
    with Reading(heartbeat.check, settings.current().fetch_timeout) as reading:
        work = Work(
            claim,
            resources.by_name(claim.resource),
            resources.ENTITIES,
            organization.country,
            reporter,
            reading,
            heartbeat.check,
            confirmed=confirmed,
            undone=undone,
            guards=policy.guards,
            time_zone=organization.time_zone,
        )
        return importer.sync(work, {})


def _window(
    connection: sa.Connection, claim: Claim, resource: Resource, found: Sequence[SourceSetting]
) -> ReadWindow | None:
    """Decide how much is read of sources that can tell what changed."""
    if not sources.can_tell_changes(found):
        return None
    sweep = timedelta(hours=settings.current().sweep_hours)
    return incremental.decide(connection, claim, resource, sweep)


def _open(setting: SourceSetting, work: Work) -> Source:
    """Open a source that tells the run's page what it does, and when its server lets us wait."""

    def on_wait(sentence: str) -> None:
        work.reading.heard()
        narration.waits(work, sentence)

    def on_bytes(read: int, whole: int | None) -> None:
        work.reading.heard()
        narration.fetching(work, setting.entity, read, whole)

    def on_traffic(requests: int, size: int, waited: float) -> None:
        work.reading.heard()
        work.reporter.heard(setting.entity, Traffic(requests, size, waited))

    opening = Opening(
        settings=settings.current(),
        on_wait=on_wait,
        on_bytes=on_bytes,
        on_traffic=on_traffic,
        on_step=partial(narration.step_begins, work),
        since=work.window.since if work.window else None,
    )
    return sources.open_source(setting, opening)


def _result(claim: Claim, error: Exception, limit: float) -> RunResult:
    """Return the result of a run that did not get through; the target is as it was."""
    match error:
        case CancelledError():
            return lease.cancelled()
        case OverdueError() | JobTimeoutException():
            return lease.overdue(limit, claim.waited)
        case SyncError():
            log.warning("run %s: %s: %s", claim.run_id, error.code, error.sentence)
            return lease.failure(error, ENDINGS.get(error.code, RunStatus.FAILED))
        case _:
            log.error("run %s", claim.run_id, exc_info=error)
            return lease.failure(db.as_sync_error(error) or SyncError("internal"))


def _finish(claim: Claim, result: RunResult, reporter: Reporter) -> str:
    calm = result.status in {RunStatus.CANCELLED, RunStatus.EXPIRED}
    reporter.log(result.message, "warning" if calm else "error")

    def end() -> str:
        with db.within(claim.organization_id) as connection:
            lease.finish(connection, claim, replace(result, log=reporter.as_json()))
        return result.status

    return _as_soon_as_postgres_answers(end)


def _interrupt(claim: Claim, why: str, reporter: Reporter, *, crashed: bool = False) -> str:
    """Give the run back; it goes on elsewhere, unless its last commit had got through."""
    reporter.log(f"Interrupted: {why}", "warning")

    def give_back() -> str:
        log = reporter.as_json()
        with db.within(claim.organization_id) as connection:
            if not lease.interrupt(connection, claim, why, crashed=crashed, log=log):
                raise LeaseLostError
        resume()
        return RunStatus.INTERRUPTED

    return _as_soon_as_postgres_answers(give_back)


def _as_soon_as_postgres_answers(end_run: Callable[[], str]) -> str:
    try:
        return WHILE_AWAY(end_run)
    except LeaseLostError:
        return "closed by somebody else"
