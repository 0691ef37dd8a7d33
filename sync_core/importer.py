"""The engine's one sentence: read, judge, plan, guard, apply."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial

from sqlalchemy import Connection

from sync_core import db, headers, leases, plan, staging
from sync_core.apply import apply
from sync_core.errors import SyncError
from sync_core.fields import Convention
from sync_core.judge import Judge
from sync_core.leases import Claim, Ending
from sync_core.progress import SHEET_BANDS, Reporter
from sync_core.reading import Reading
from sync_core.resource import Entity, Page, Resource, Sheet, Source
from sync_core.scope import Scope
from sync_core.wording import Named, Tally, message

DOWNLOADING, PROCESSING, SAVING = SHEET_BANDS


@dataclass(frozen=True)
class Work:
    """One attempt at one run: what it works on, and what it has found out so far."""

    claim: Claim
    resource: Resource
    known: Mapping[str, Entity]
    country: str
    reporter: Reporter
    reading: Reading
    check: Callable[[], None]  # raises where the attempt must stop
    notes: list[str] = field(default_factory=list)
    phases: dict[str, float] = field(default_factory=dict)  # seconds

    def note(self, *sentences: str) -> None:
        """Keep what a person should know of the run, though nothing is wrong."""
        for sentence in sentences:
            self.notes.append(sentence)
            self.reporter.log(sentence, "warning")

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Time a phase."""
        start = time.monotonic()
        yield
        self.phases[name] = round(time.monotonic() - start, 3)


def sync(work: Work, sources: Mapping[str, Source]) -> Ending:
    """Do the whole run; gives how it ended. Raises SyncError with the target as it was."""
    with work.phase(DOWNLOADING.name):
        scopes = read(work, sources)
    with work.phase(PROCESSING.name):
        tallies = make_plans(work, scopes)
    return save(work, scopes, tallies)


def read(work: Work, sources: Mapping[str, Source]) -> list[Scope]:
    """Read, judge and stage every entity, once the headers of all of them are right."""
    work.reporter.tell(DOWNLOADING, "Opening the source", now=True)
    opened = []
    for entity in work.resource.entities:
        work.check()
        sheet = work.reading.call(partial(sources[entity.name].open, entity))
        opened.append((entity, sheet, headers.match(entity, sheet)))
        work.reporter.log(f"{sheet.name} is open, {len(sheet.headers)} columns")
    scopes: list[Scope] = []
    for entity, sheet, columns in opened:
        work.note(*columns.notes)
        scope = Scope(
            run_id=work.claim.run_id,
            organization_id=work.claim.organization_id,
            entity=entity,
            columns=columns,
            title=sheet.title,
            together=tuple(scope.entity for scope in scopes),
            known=work.known,
        )
        scopes.append(_stage(work, scope, sheet))
    return scopes


def _stage(work: Work, scope: Scope, sheet: Sheet) -> Scope:
    """Stage the rows of a sheet; each page commits together with the run's checkpoint."""
    with db.begin() as connection:
        leases.fence(connection, work.claim)
        staging.create(connection, scope.run_id, scope.entity, scope.title, scope.columns.headers)
    judge = Judge(scope.entity, scope.columns, Convention(work.country, sheet.locale), scope.title)
    pages = ((page, judge(page)) for page in sheet.pages(scope.columns.numbers))
    for page, judged in work.reading.ahead(pages):
        work.check()
        with db.begin() as connection:
            leases.fence(connection, work.claim)
            staging.write(connection, scope.run_id, scope.entity, judged, page.cursor)
        scope = replace(
            scope,
            staged=scope.staged + judged.frame.height,
            blank=scope.blank + judged.blank,
            keyless=scope.keyless + judged.keyless,
        )
        _tell_reading(work, scope, sheet, page)
    work.reporter.log(f"{scope.entity.title}: read {scope.staged:,} rows")
    return scope


def _tell_reading(work: Work, scope: Scope, sheet: Sheet, page: Page) -> None:
    before, count = len(scope.together), len(work.resource.entities)
    part = page.done / sheet.total if page.done and sheet.total else 0.0
    rows = sheet.total if sheet.unit == "rows" else None
    work.reporter.tell(
        DOWNLOADING,
        f"Reading {scope.title}",
        fraction=(before + min(part, 1.0)) / count,
        done=scope.staged + scope.blank,
        total=rows,
    )


def make_plans(work: Work, scopes: Sequence[Scope]) -> dict[str, Tally]:
    """Compare what was staged with the target, entity by entity in order of dependency."""
    tallies = {}
    for place, scope in enumerate(scopes):
        work.check()
        part = place / len(scopes)
        work.reporter.tell(PROCESSING, f"Comparing {scope.title}", fraction=part, now=True)
        with db.begin() as connection:
            leases.fence(connection, work.claim)
            _refuse_what_is_not_all_there(connection, scope)
            tallies[scope.entity.name] = plan.make(connection, scope)
        if scope.keyless and scope.entity.removal != "keep":
            work.note(
                f"{scope.entity.title}: nothing was removed, for the key of"
                f" {scope.keyless} rows cannot be read."
            )
    work.reporter.log(f"Planned: {message(tallies, work.resource.entities)}")
    return tallies


def _refuse_what_is_not_all_there(connection: Connection, scope: Scope) -> None:
    if staging.count(connection, scope.run_id, scope.entity) != scope.staged:
        raise leases.LeaseLostError  # Postgres crashed and emptied it: another attempt reads again
    if scope.staged == 0 and (held := plan.standing(connection, scope)):
        raise SyncError("source_empty", sheet=scope.title, table=scope.entity.title, held=held)


def save(work: Work, scopes: Sequence[Scope], tallies: Mapping[str, Tally]) -> Ending:
    """Apply the plans and end the run, in one transaction that ends with the fence."""
    start = time.monotonic()
    total = sum(t.created + t.updated + t.removed for t in tallies.values())
    done = 0

    def moved(rows: int) -> None:
        nonlocal done
        done += rows
        work.check()
        work.reporter.tell(
            SAVING,
            "Saving the changes",
            fraction=done / total if total else 1.0,
            done=done,
            total=total,
            unit="changes",
        )

    with db.begin() as connection:
        _name_backend(connection, work.claim)
        for scope in scopes:
            apply(connection, scope, tallies[scope.entity.name], moved)
        work.phases[SAVING.name] = round(time.monotonic() - start, 3)
        ending = _ending(work, tallies, _named(connection, scopes))
        leases.finish(connection, work.claim, ending)
    return ending


def _name_backend(connection: Connection, claim: Claim) -> None:
    pid = db.cursor(connection).connection.info.backend_pid
    with db.begin() as other:  # at once, for whoever has to end the apply
        leases.name_backend(other, claim, pid)


def _named(connection: Connection, scopes: Sequence[Scope]) -> dict[str, list[Named]]:
    return {scope.entity.name: plan.named_rows(connection, scope) for scope in scopes}


def _ending(
    work: Work, tallies: Mapping[str, Tally], named: Mapping[str, Sequence[Named]]
) -> Ending:
    entities = work.resource.entities
    return Ending(
        status="partial" if any(tally.failed for tally in tallies.values()) else "completed",
        message=message(tallies, entities),
        log_message=message(tallies, entities, named),
        notes=work.notes,
        phases=work.phases,
        log=work.reporter.as_json(),
    )
