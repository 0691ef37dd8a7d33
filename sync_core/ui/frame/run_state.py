"""The runs of an organization as they are now: one read a second for all sessions here."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum, auto
from itertools import chain

import streamlit as st
from redis import RedisError

from sync_core import runs
from sync_core.foundation import db, redis_clients
from sync_core.foundation.breaker import Breaker
from sync_core.foundation.vocabulary import FAILED, RunStatus
from sync_core.notifications import notices
from sync_core.organizations import policies, schedules
from sync_core.organizations.policies import Policy
from sync_core.organizations.schedules import Schedule
from sync_core.runs import (
    Run,
    Tallies,
    batches,
    declines,
    dismissals,
    progress,
    recovery,
    retries,
    undos,
)
from sync_core.runs.batches import Batch
from sync_core.runs.declines import Decline
from sync_core.runs.progress import Line, Progress
from sync_core.runs.promise import Promise
from sync_core.ui.frame import workers
from sync_core.ui.parts import time_left
from sync_core.ui.parts.time_left import Usual

ACTIVE_POLL_SECONDS, IDLE_POLL_SECONDS = 1, 5  # between two looks of a page
CACHE_SECONDS = 0.9  # for which a read serves everybody

Signature = frozenset[tuple[int, str]]  # the ids of runs, and the stage of each


class Behind(Enum):
    """Why a resource is not up to date: its rows are not those of a sync within its max age."""

    NEVER = auto()  # no sync was applied yet
    OVERDUE = auto()  # the last one is older than the max age
    FAILED = auto()  # it was tried again since, and that failed
    UNDONE = auto()  # something was undone since


@dataclass(frozen=True)
class RunState:
    """The runs that matter now, by resource, with their progress and who wants no notice of them.

    `fresh` holds the runs that last brought a resource in step, `retries` the retries of what had
    failed in each of these, oldest first, `taken_back` the last undo since, `setbacks` the last run
    since that failed or whose plan was declined, `declines` the decisions against these by the run,
    `tallies` the counts of the first two by the run, `queue_positions` the positions of runs in the
    queue (1 is the next), `usual` the seconds that each phase of the runs of an active resource
    usually takes, `problem` why no worker takes one.
    `newest_notice` is the number of the last notice that anybody was given.
    `has_live_progress` is False where progress and logs cannot be read; the runs go on without.
    """

    runs: Mapping[str, Run]
    fresh: Mapping[str, Run]
    retries: Mapping[str, Sequence[Run]]
    taken_back: Mapping[str, Run]
    setbacks: Mapping[str, Run]
    declines: Mapping[int, Decline]
    plans: Sequence[Run]
    tallies: Mapping[int, Tallies]
    policies: Mapping[str, Policy]
    schedules: Mapping[str, Schedule]
    batch: Batch | None
    progress: Mapping[int, Progress]
    logs: Mapping[int, Sequence[Line]]
    queue_positions: Mapping[int, int]
    dismissed: Mapping[tuple[int, str], datetime]
    usual: Mapping[str, Usual]
    problem: str | None
    newest_notice: int
    has_live_progress: bool

    @property
    def poll_seconds(self) -> int:
        """Return the seconds after which a page that shows all of it looks again."""
        is_active = any(run.active for run in self.runs.values())
        return ACTIVE_POLL_SECONDS if is_active else IDLE_POLL_SECONDS

    @property
    def signature(self) -> Signature:
        """Return what concerns the whole page: it is drawn anew when this changes."""
        runs = ((run.id, _stage(run)) for run in (*self.runs.values(), *self.plans))
        batch = self.batch
        of_all = [(-batch.id, "ended" if batch.finished_at else "active")] if batch else []
        return frozenset([*runs, *of_all])

    def plans_of(self, resource: str) -> list[Run]:
        """Return the runs of a resource whose plans wait for a decision, oldest first."""
        return [run for run in self.plans if run.resource == resource]

    def failed_rows(self, resource: str) -> int:
        """Return how many rows failed in the run that last brought the resource in step.

        Where they were tried again since, it is those that failed again.
        """
        return sum(tally["failed"] for tally in self.counts(self.last_judged(resource)).values())

    def last_judged(self, resource: str) -> Run | None:
        """Return the run whose failed rows are those that fail now: the last sync, or its retry."""
        return self.last_retry(resource) or self.fresh.get(resource)

    def last_retry(self, resource: str) -> Run | None:
        """Return the last retry of what had failed when the resource was last in step."""
        return next(reversed(self.retries.get(resource, ())), None)

    def counts(self, run: Run | None) -> Tallies:
        """Return the counts of one of these runs."""
        return self.tallies.get(run.id, {}) if run else {}

    def behind(self, resource: str) -> Behind | None:
        """Return why the resource is not up to date; None where it is."""
        if resource not in self.fresh:
            return Behind.NEVER
        if self.overdue(resource):
            return Behind.OVERDUE
        if self.last_failure(resource):
            return Behind.FAILED
        return Behind.UNDONE if resource in self.taken_back else None

    def last_failure(self, resource: str) -> Run | None:
        """Return the last sync of the resource, where it failed."""
        run = self.setbacks.get(resource)
        return run if run and run.status in FAILED else None

    def overdue(self, resource: str) -> bool:
        """Return whether the resource was in step, but not within the time it shall be fresh."""
        promise = self.promise(resource)
        return promise is not None and not promise.is_kept(datetime.now(UTC))

    def promise(self, resource: str) -> Promise | None:
        """Return when the resource was in step, and how old it may become; None before that."""
        run = self.fresh.get(resource)
        if run is None or run.finished_at is None:
            return None
        return Promise(run.finished_at, self.policies[resource].fresh_hours, run.partly)

    def noticed(self, run: Run, email: str) -> bool:
        """Return whether the end of the run is to be told to the person: until they close it."""
        closed = self.dismissed.get((run.id, email))
        return run.finished_at is not None and (closed is None or closed <= run.finished_at)


def _stage(run: Run) -> str:
    """Return what the page beyond the notice depends on: not each step of a run on its way."""
    if run.active:
        return "active"
    return "waiting" if run.status == RunStatus.WAITING else "ended"


@st.cache_resource(ttl=CACHE_SECONDS, show_spinner=False)
def read(organization_id: int) -> RunState:
    """Read the state of an organization's runs, or share what was read within the last second."""
    with db.within(organization_id) as connection:
        recovery.close_overdue(connection, organizations=[organization_id])
        latest = runs.latest(connection, organization_id)
        fresh = runs.fresh(connection, organization_id)
        tried_again = retries.latest(connection, organization_id, fresh)
        taken_back = undos.taken_back(connection, organization_id, fresh)
        setbacks = runs.setbacks(connection, organization_id)
        declined = [run.id for run in setbacks.values() if run.declined]
        decided_against = declines.of_runs(connection, declined)
        plans = recovery.plans_that_wait(connection, organization_id)
        latest, fresh = _marked(connection, latest, fresh)
        applied = [*fresh.values(), *chain.from_iterable(tried_again.values())]
        tallies = runs.tallies(connection, [run.id for run in applied])
        decided = policies.of(connection, organization_id)
        scheduled = schedules.of(connection, organization_id)
        batch = batches.latest(connection, organization_id)
        dismissed = dismissals.of_runs(connection, [run.id for run in latest.values()])
        newest_notice = notices.newest(connection)
    active = [run for run in latest.values() if run.active]
    live = _live([run.id for run in active])
    return RunState(
        runs=latest,
        fresh=fresh,
        retries=tried_again,
        taken_back=taken_back,
        setbacks=setbacks,
        declines=decided_against,
        plans=plans,
        tallies=tallies,
        policies=decided,
        schedules=scheduled,
        batch=batch,
        progress=live[0] if live else {},
        logs=live[1] if live else {},
        queue_positions=_queue_positions(organization_id, active),
        dismissed=dismissed,
        usual={run.resource: time_left.usual(organization_id, run.resource) for run in active},
        problem=workers.problem(),
        newest_notice=newest_notice,
        has_live_progress=live is not None,
    )


def _marked(connection: db.Connection, *found: Mapping[str, Run]) -> Iterator[dict[str, Run]]:
    """Return these runs of resources, each with the undo that took it back."""
    several = {run.id: run for by_resource in found for run in by_resource.values()}
    marked = {run.id: run for run in undos.marked(connection, list(several.values()))}
    return ({name: marked[run.id] for name, run in one.items()} for one in found)


def _queue_positions(organization_id: int, active: Sequence[Run]) -> Mapping[int, int]:
    """Return the positions of the runs that wait, among those of all organizations."""
    if not any(run.status == RunStatus.QUEUED for run in active):
        return {}
    with db.everywhere() as connection:
        return runs.queue_positions(connection, organization_id)


def forget(organization_id: int) -> None:
    """Read again at the next look, for something has just been changed."""
    read.clear(organization_id)


def dismiss(run: Run, email: str) -> None:
    """Show the person no more notices of the run as it is now, on any device."""
    with db.within(run.organization_id) as connection:
        dismissals.save(connection, run.id, email)
    forget(run.organization_id)


_redis_breaker = Breaker()


def _live(run_ids: Sequence[int]) -> tuple[dict[int, Progress], dict[int, list[Line]]] | None:
    """Read progress and logs; None where Redis does not answer, or did not a moment ago."""
    if not run_ids:
        return {}, {}
    if _redis_breaker.is_open:
        return None
    try:
        return progress.read(redis_clients.client(), run_ids)
    except RedisError:
        _redis_breaker.open()
        return None
