"""The engine's one sentence: read, judge, plan, guard, apply."""

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from sqlalchemy import Connection

from sync_core import db, headers, leases, plan, staging, tables
from sync_core.apply import apply
from sync_core.errors import SyncError
from sync_core.fields import Convention
from sync_core.judge import Judge
from sync_core.leases import Claim, Ending
from sync_core.progress import SHEET_BANDS, Reporter
from sync_core.reading import Reading
from sync_core.resource import Entity, Page, Resource, Sheet, Source
from sync_core.scope import Scope
from sync_core.staging import Checkpoint, StagingLostError
from sync_core.wording import Named, Tally, message

DOWNLOADING, PROCESSING, SAVING = SHEET_BANDS
FETCHING = 0.9  # of the first band, where a source is fetched whole before it is read


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
        work.reporter.log(f"{entity.title}: opening the source")
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
    """Stage the rows of a sheet, from where an earlier attempt has left off if that can be."""
    about = _about(scope, sheet)
    with db.begin() as connection:
        kept = staging.kept(connection, scope.run_id, scope.entity, about)
    if kept and (kept.complete or kept.cursor):
        work.reporter.log(f"{scope.entity.title}: {kept.staged:,} rows had been read before")
        try:
            return _read_on(work, scope, sheet, kept)
        except SyncError as error:
            if error.code != "source_changed_while_reading":
                raise
            work.reporter.log(f"{scope.entity.title}: the source was changed since, once more")
    with db.begin() as connection:
        leases.fence(connection, work.claim)
        staging.create(connection, scope.run_id, scope.entity, about)
    return _read_on(work, scope, sheet, Checkpoint())


def _about(scope: Scope, sheet: Sheet) -> dict[str, Any]:
    """Describe all that decides what a row of the sheet becomes in staging."""
    declared = hashlib.sha256(repr(scope.entity).encode()).hexdigest()
    return {
        "name": sheet.name,
        "title": scope.title,
        "headers": list(scope.columns.headers),
        "locale": sheet.locale,
        "link": sheet.link(sheet.header_row, 0),  # the pages lead to cells by it
        "entity": declared,
    }


def _read_on(work: Work, scope: Scope, sheet: Sheet, kept: Checkpoint) -> Scope:
    """Stage what is not `kept` yet; each page commits together with the run's checkpoint."""
    scope = replace(
        scope,
        staged=kept.staged,
        blank=kept.blank,
        keyless=kept.keyless,
        reasons=kept.staged > 0,  # nobody remembers what an earlier attempt has seen
    )
    if kept.complete:
        return scope
    judge = Judge(scope.entity, scope.columns, _convention(work, sheet), scope.title)
    read = sheet.pages(scope.columns.numbers, kept.cursor)
    for page, judged in work.reading.ahead((page, judge(page)) for page in read):
        work.check()
        with db.begin() as connection:
            leases.fence(connection, work.claim)
            staging.write(connection, scope.run_id, scope.entity, judged, page.cursor)
        scope = replace(
            scope,
            staged=scope.staged + judged.frame.height,
            blank=scope.blank + judged.blank,
            keyless=scope.keyless + judged.keyless,
            reasons=scope.reasons or judged.reasons,
        )
        _tell_reading(work, scope, sheet, page)
    with db.begin() as connection:
        leases.fence(connection, work.claim)
        staging.complete(connection, scope.run_id, scope.entity)
    work.reporter.log(f"{scope.entity.title}: read {scope.staged:,} rows")
    return replace(scope, repeats=kept.staged > 0 or judge.keys_may_repeat())


def _convention(work: Work, sheet: Sheet) -> Convention:
    """Give the way in which the sheet's people write. Raises SyncError("unknown_locale")."""
    try:
        return Convention(work.country, sheet.locale)
    except ValueError as error:
        raise SyncError("unknown_locale", sheet=sheet.title, locale=sheet.locale) from error


def _tell_reading(work: Work, scope: Scope, sheet: Sheet, page: Page) -> None:
    before, count = len(scope.together), len(work.resource.entities)
    part = page.done / sheet.total if page.done and sheet.total else 0.0
    by_bytes = sheet.unit == "bytes"
    work.reporter.tell(
        DOWNLOADING,
        f"Reading {scope.title}",
        fraction=(before + min(part, 1.0)) / count,
        done=scope.staged + scope.blank,
        total=None if by_bytes else sheet.total,
        read_bytes=page.done if by_bytes else None,
        all_bytes=sheet.total if by_bytes else None,
    )


def tell_fetching(work: Work, entity: str, read: int, whole: int | None) -> None:
    """Tell how much has arrived of a sheet that is fetched whole, before its rows are read."""
    names = [entity.name for entity in work.resource.entities]
    part = FETCHING * read / whole if whole else 0.0
    work.reporter.tell(
        DOWNLOADING,
        "Downloading the source",
        fraction=(names.index(entity) + min(part, 1.0)) / len(names),
        now=work.reporter.latest.read_bytes is None,
        read_bytes=read,
        all_bytes=whole,
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
        work.reporter.count(_planned(tallies))
        if scope.keyless and scope.entity.removal != "keep":
            work.note(
                f"{scope.entity.title}: nothing was removed, for the key of"
                f" {scope.keyless} rows cannot be read."
            )
    work.reporter.log(f"Planned: {message(tallies, work.resource.entities)}")
    return tallies


def _planned(tallies: Mapping[str, Tally]) -> dict[str, int]:
    """Count for the page what the run will do; what there is none of is not told."""
    told = {kind: sum(getattr(tally, kind) for tally in tallies.values()) for kind in tables.KINDS}
    return {kind: number for kind, number in told.items() if number}


def _refuse_what_is_not_all_there(connection: Connection, scope: Scope) -> None:
    if staging.count(connection, scope.run_id, scope.entity) != scope.staged:
        raise StagingLostError
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
            now=done == total,
            done=done,
            total=total,
            unit="changes",
        )

    with db.begin() as connection:
        moved(0)
        for scope in scopes:
            _refuse_a_lost_plan(connection, scope, tallies[scope.entity.name])
            apply(connection, scope, tallies[scope.entity.name], moved)
        work.phases[SAVING.name] = round(time.monotonic() - start, 3)
        ending = _ending(work, tallies, _named(connection, scopes, tallies))
        leases.finish(connection, work.claim, ending)
    return ending


def _refuse_a_lost_plan(connection: Connection, scope: Scope, tally: Tally) -> None:
    """Refuse where Postgres crashed since the plan was made, which emptied it."""
    planned = tally.read - tally.unchanged + tally.removed
    ((there,),) = scope.ask(connection, "select exists (select from {plan})")
    if planned and not there:
        raise StagingLostError


def _named(
    connection: Connection, scopes: Sequence[Scope], tallies: Mapping[str, Tally]
) -> dict[str, list[Named]]:
    left_out = {name for name, tally in tallies.items() if tally.failed or tally.skipped}
    return {
        scope.entity.name: plan.named_rows(connection, scope)
        for scope in scopes
        if scope.entity.name in left_out
    }


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
