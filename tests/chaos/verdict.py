"""What became of every run, against what was promised."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from sync_core.foundation import vocabulary
from sync_core.runs import recovery
from tests.chaos import oracle, ticks, told, witness
from tests.chaos.actors import Lane
from tests.chaos.faults import POSTGRES, Fault
from tests.chaos.oracle import Sync
from tests.chaos.sheets import Version
from tests.chaos.source_faults import EDITED, SOURCE_FAULTS
from tests.support import processes, watching

LIMIT = 90  # seconds that a run may take
AFTERMATH = 15  # seconds after a fault of Postgres in which a lease may still end of it
APPLIED = ("completed", "partial")


@dataclass(frozen=True)
class Done:
    """A run that has ended."""

    id: int
    organization_id: int
    resource: str
    status: str
    error_code: str | None
    message: str
    attempt: int
    crashes: int
    queued: float  # seconds since 1970
    finished: float
    asked_to_cancel: bool
    waited: bool  # for a decision on its plan
    undoes: int | None


def read_runs() -> list[Done]:
    """Read all runs; those that have not ended finish at infinity."""
    return [
        Done(*row)
        for row in watching.ask(
            "select id, organization_id, resource, status, error_code, message, attempt, crashes,"
            " cast(extract(epoch from queued_at) as float),"
            " cast(coalesce(extract(epoch from finished_at), 'infinity') as float),"
            " exists (select from actions"
            " where run_id = runs.id and kind in ('cancelled', 'declined')), plans is not null,"
            " undoes from runs order by id"
        )
    ]


def violations(
    lanes: Sequence[Lane], accepted: Iterable[int], faults: Sequence[Fault]
) -> Iterator[str]:
    """Say in a sentence each, which promise was broken where."""
    done = read_runs()
    yield from wrong_writes()
    yield from _wrong_endings(done, Excuses(lanes, faults))
    yield from _wrong_attempts(done)
    yield from _thought_dead(faults)
    yield from told.wrong_notices()
    yield from left_in_postgres()
    yield from ticks.wrong_ticks()
    yield from (f"the process {pid} has outlived its worker" for pid in processes.left())
    missing = set(accepted) - {run.id for run in done}
    yield from (f"run {run} was accepted and has vanished" for run in missing)
    for lane in lanes:
        syncs = [
            Sync(run.id, run.queued, run.finished, run.status in APPLIED, run.undoes)
            for run in sorted(done, key=lambda run: run.finished)  # plans may wait for others
            if (run.organization_id, run.resource) == (lane.organization.id, lane.resource)
        ]
        for sheet in lane.sheets:
            yield from oracle.wrong_effects(sheet, syncs)
        if lane.clinic:
            yield from lane.clinic.wrong_removals()
            yield from lane.clinic.wrong_records()


def wrong_writes() -> Iterator[str]:
    for what, run, attempt, late in watching.ask(witness.LATE):
        yield f"run {run}.{attempt} wrote a {what} {late} after it was closed"
    for what, run, attempt, other, its_attempt, late in watching.ask(witness.OVERLAP):
        yield f"run {run}.{attempt} wrote a {what} {late} after {other}.{its_attempt} had begun"
    for what, run, attempt in watching.ask(witness.TORN):
        yield f"run {run}.{attempt} wrote {what} apart from the end of the run"
    for one, other in watching.ask(witness.TWO_ACTIVE):
        yield f"the runs {one} and {other} were active at once"


@dataclass(frozen=True)
class Excuses:
    """Why the source of a run could not be read: faults, and people who edit it all the time."""

    lanes: Sequence[Lane]
    faults: Sequence[Fault]

    def hold(self, run: Done) -> bool:
        """Return whether it is true what a failed run says of its source."""
        edits = [version for version in self._versions(run) if version.came > run.queued]
        if run.error_code in EDITED and len(edits) > 1:
            return True
        return any(
            run.error_code in SOURCE_FAULTS[fault.name].codes
            for fault in self.faults
            if fault.name in SOURCE_FAULTS and fault.start < run.finished and run.queued < fault.end
        )

    def _versions(self, run: Done) -> Iterator[Version]:
        for lane in self.lanes:
            if (lane.organization.id, lane.resource) == (run.organization_id, run.resource):
                for sheet in lane.sheets:
                    yield from sheet.versions(run.queued, run.finished)


def _wrong_endings(done: Sequence[Done], excuses: Excuses) -> Iterator[str]:
    for run in done:
        if run.waited and run.error_code == "plan_outdated":
            continue  # the sheet or the table was another one when somebody confirmed
        if run.status == "failed" and excuses.hold(run):
            continue
        name = f"run {run.id} ({run.resource}, {run.status})"
        seconds = run.finished - run.queued
        if run.finished == float("inf"):
            yield f"{name} never ended"
        elif run.status == "cancelled" and not run.asked_to_cancel:
            yield f"{name}: nobody has asked for that"
        elif run.status == "timed_out" and seconds < LIMIT:
            yield f"{name}: it took {seconds:.1f} s only"
        elif run.status == "failed" and run.error_code != "crashed":
            yield f"{name}: {run.error_code}: {run.message}"
        elif run.status in (*APPLIED, "failed") and (
            (run.status == "failed") != (run.crashes >= recovery.MAX_CRASHES)
        ):
            yield f"{name}: its worker died {run.crashes} times"
    yield from _wrong_starts(done)


def _wrong_starts(done: Sequence[Done]) -> Iterator[str]:
    started = Counter(
        run
        for (run,) in watching.ask(
            "select run_id from actions where kind in ('started', 'previewed', 'asked to undo')"
        )
    )
    for run in done:
        if started[run.id] != 1:
            yield f"run {run.id} was started {started[run.id]} times, says the list of actions"


def _wrong_attempts(done: Sequence[Done]) -> Iterator[str]:
    attempts = defaultdict(list)
    for run_id, number, ended in watching.ask(
        "select run_id, attempt, ended from attempts order by 1, 2"
    ):
        attempts[run_id].append((number, ended))
    for run in done:
        mine = attempts[run.id]
        if [number for number, _ in mine] != list(range(1, run.attempt + 1)):
            yield f"run {run.id} has the attempts {mine} and says {run.attempt}"
        if any(ended is None for _, ended in mine):
            yield f"run {run.id} has an attempt that did not end: {mine}"
        ends = [ended for _, ended in mine if ended in vocabulary.ENDED]
        if len(ends) > 1 or (ends and ends != [run.status]):
            yield f"run {run.id} is {run.status}, its attempts ended {mine}"


def _thought_dead(faults: Sequence[Fault]) -> Iterator[str]:
    """Say which attempts were called silent that nobody had hit."""
    for run, number, worker, start, end in watching.ask(
        "select run_id, attempt, worker, cast(extract(epoch from started_at) as float),"
        " cast(extract(epoch from ended_at) as float)"
        " from attempts where ended = 'its worker went silent'"
    ):
        work_horse = int(worker.rpartition(":")[2])
        hit = any(
            fault.work_horse == work_horse or fault.name.startswith(POSTGRES)
            for fault in faults
            if fault.start < end and start < fault.end + AFTERMATH
        )
        if not hit:
            yield f"run {run}.{number} was called silent, and nobody had hit its worker"


def left_in_postgres() -> Iterator[str]:
    """Say what ended runs have left in Postgres."""
    left = (
        "select relname from pg_class"
        " where relnamespace = 'staging'::regnamespace and relkind in ('r', 'v')"
    )
    for (name,) in watching.ask(left):
        yield f"the staging table {name} was left"
    for (run,) in watching.ask("select run_id from leases"):
        yield f"the lease of run {run} was left"
