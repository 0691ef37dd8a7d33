"""One run from beginning to end: read, validate, plan, guard, apply."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from sqlalchemy import Connection

from sync_core.catalogue.fields import Convention
from sync_core.catalogue.resource import Entity
from sync_core.catalogue.source import Counting, Sheet, Source, Watchable
from sync_core.engine import (
    confirming,
    evidence,
    guarding,
    headers,
    narration,
    plan,
    reconciliation,
    settle,
    staging,
    undo,
    waiting,
)
from sync_core.engine.apply import apply
from sync_core.engine.checks import references
from sync_core.engine.messages import Named, counts, message
from sync_core.engine.messages import undone as undone_message
from sync_core.engine.narration import Saving
from sync_core.engine.observations import Observations
from sync_core.engine.staging import Checkpoint, StagingLostError
from sync_core.engine.statements import Scope
from sync_core.engine.tally import Tally
from sync_core.engine.validate import Validator
from sync_core.engine.work import Analysis, Work
from sync_core.foundation import db
from sync_core.foundation.errors import SyncError
from sync_core.foundation.vocabulary import RunKind, RunStatus
from sync_core.runs import Run, lease, overtaken
from sync_core.runs.lease import RunResult
from sync_core.runs.plans import Plans, Tripped
from sync_core.runs.retries import Retried
from sync_core.runs.sheet_facts import SheetFacts, declaration
from sync_core.runs.traffic import NO_TRAFFIC, Traffic

EDITED, SHRANK = "source_changed_while_reading", "cliniko_shrank"


@dataclass(frozen=True)
class Compared:
    """An entity's scope as the whole sheet has settled it, what is planned, and notes on it."""

    scope: Scope
    tally: Tally
    notes: tuple[str, ...]


def sync(work: Work, sources: Mapping[str, Source]) -> RunResult:
    """Do the whole run; returns how it ended. Raises SyncError with the target as it was."""
    if work.undone:
        return take_back(work, work.undone)
    if work.confirmed:
        return confirm(work, sources, work.confirmed)
    with work.phase("downloading"):
        scopes = read(work, sources)
    with work.phase("processing"):
        scopes, tallies = make_plans(work, scopes)
    held_back = guarding.look(work, scopes, tallies)
    if held_back or work.claim.kind == RunKind.PREVIEW:
        return wait(work, scopes, tallies, held_back)
    return save(work, scopes, tallies)


def confirm(work: Work, sources: Mapping[str, Source], confirmed: Plans) -> RunResult:
    """Apply exactly the plans that a person has confirmed, once it is known that they still hold.

    Nothing is read again of a source that can tell that it is as it was. Raises SyncError.
    """
    narration.confirms(work, confirmed)
    confirming.require_no_undo(work)
    with work.phase("downloading"):
        confirming.require_rows(work)
        scopes = read(work, sources)
    with work.phase("processing"):
        confirming.put_aside(work, scopes)
        scopes, tallies = make_plans(work, scopes)
        confirming.require_same(scopes, confirmed)
    return save(work, scopes, tallies)


def take_back(work: Work, undone: Run) -> RunResult:
    """Plan the undo of a run, and wait: people see what is kept before anything is taken back.

    Once they have confirmed it, exactly that plan is applied. A guard may hold it back until
    somebody else has. Raises SyncError(plan_outdated).
    """
    if work.confirmed:
        narration.confirms(work, work.confirmed)
    narration.undoing(work, undone)
    if work.confirmed:
        confirming.require_no_undo(work)
    with work.phase("processing"):
        scopes = undo.scopes(work)
        if work.confirmed:
            confirming.put_aside(work, scopes)
        with db.within(work.claim.organization_id) as connection:
            lease.fence(connection, work.claim)
            scopes, tallies = undo.make(connection, scopes, undone)
        narration.planned(work, tallies)
        if not work.confirmed:
            return wait(work, scopes, tallies, guarding.look_at_undo(work, scopes, tallies))
        confirming.require_same(scopes, work.confirmed)
    return save(work, scopes, tallies)


def read(work: Work, sources: Mapping[str, Source]) -> list[Scope]:
    """Read, validate and stage every entity; once more where a source was edited meanwhile."""
    try:
        return _read(work, sources)
    except SyncError as error:
        if error.code not in {EDITED, SHRANK}:
            raise
        narration.begins_again(work, error)
    try:
        return _read(work, sources)
    except SyncError as error:
        if error.code != EDITED:
            raise
        raise SyncError("source_being_edited", name=error.facts["name"]) from error


def _read(work: Work, sources: Mapping[str, Source]) -> list[Scope]:
    """Read every entity, once the headers of all of them are right."""
    narration.begins(work)
    entities = {entity.name: entity for entity in work.resource.entities}
    opened = {name: _open(work, entity, sources[name]) for name, entity in entities.items()}
    if work.window:
        sheets = [sheet for sheet, _ in opened.values() if isinstance(sheet, Watchable)]
        behind = max((sheet.behind for sheet in sheets), default=0.0)
        window = work.window.settle(behind)
        work = replace(work, window=window)
        work.note(window.sentence(work.time_zone), level="info")
    scopes = {}
    for name in work.steps.order(list(entities)):
        sheet, columns = opened[name]
        work.note(*columns.notes)
        scopes[name] = _stage(work, _scope(work, entities[name], sheet, columns), sheet)
        work.note(*sheet.notes)
    return [scopes[name] for name in entities]


def _open(work: Work, entity: Entity, source: Source) -> tuple[Sheet, headers.Columns]:
    work.check()
    narration.opening(work, entity)
    sheet = work.reading.call(partial(source.open, entity))
    columns = headers.match(entity, sheet)
    narration.opened(work, sheet)
    return sheet, columns


def _scope(work: Work, entity: Entity, sheet: Sheet, columns: headers.Columns) -> Scope:
    entities = work.resource.entities
    return Scope(
        run_id=work.claim.run_id,
        organization_id=work.claim.organization_id,
        entity=entity,
        columns=columns,
        title=sheet.title,
        partial=work.window is not None and work.window.since is not None,
        together=entities[: entities.index(entity)],
        known=work.known,
        retried=work.retried,
    )


def _stage(work: Work, scope: Scope, sheet: Sheet) -> Scope:
    """Stage the rows of a sheet, from where an earlier attempt has left off if that can be."""
    facts = _facts(work, scope, sheet)
    again = False
    if work.confirmed:
        confirming.require_moment(work, scope, sheet)
        again = confirming.may_have_changed(work, sheet)
    with db.within(work.claim.organization_id) as connection:
        kept = staging.kept(connection, scope.run_id, scope.entity, facts)
    if kept and not again and (kept.complete or kept.cursor):
        narration.goes_on(work, scope.entity, kept.staged)
        return _read_on(work, scope, sheet, kept)
    with db.within(work.claim.organization_id) as connection:
        lease.fence(connection, work.claim)
        staging.create(connection, scope.run_id, scope.entity, facts)
    return _read_on(work, scope, sheet, Checkpoint())


def _facts(work: Work, scope: Scope, sheet: Sheet) -> SheetFacts:
    return SheetFacts(
        name=sheet.name,
        title=scope.title,
        headers=scope.columns.headers,
        locale=sheet.locale,
        link=sheet.link(sheet.header_row, 0),
        declaration=declaration(scope.entity),
        version=sheet.version,
        window=work.window,
        address=work.addresses.get(scope.entity.name),
    )


def _read_on(work: Work, scope: Scope, sheet: Sheet, kept: Checkpoint) -> Scope:
    """Stage what is not `kept` yet; each page commits together with the run's checkpoint."""
    scope = replace(
        scope,
        staged=kept.staged,
        blank=kept.blank,
        keyless=kept.keyless,
        reasons=kept.staged > 0,  # nobody remembers what an earlier attempt has seen
        observed=Observations.from_json(kept.observed),
    )
    narration.reading(work, scope, sheet, scope.read if sheet.unit == "rows" else None)
    if kept.complete:
        return _counted(work, scope, sheet)
    written = convention(work.country, sheet)
    validate = Validator(scope.entity, scope.columns, written, scope.title)
    read = sheet.pages(scope.columns.numbers, kept.cursor)
    for page, validated in work.reading.ahead((page, validate(page)) for page in read):
        work.check()
        observed = scope.observed.plus(validated.observed)
        with db.within(work.claim.organization_id) as connection:
            lease.fence(connection, work.claim)
            staging.write(connection, scope.run_id, scope.entity, validated, page.cursor, observed)
        scope = replace(
            scope,
            staged=scope.staged + validated.frame.height,
            blank=scope.blank + validated.blank,
            keyless=scope.keyless + validated.keyless,
            reasons=scope.reasons or validated.reasons,
            observed=observed,
        )
        narration.reading(work, scope, sheet, page.done)
    traffic = _traffic(work, scope, sheet)
    with db.within(work.claim.organization_id) as connection:
        lease.fence(connection, work.claim)
        staging.complete(connection, scope.run_id, scope.entity, traffic)
    scope = _counted(work, scope, sheet)
    return replace(scope, repeats=kept.staged > 0 or validate.keys_may_repeat())


def _traffic(work: Work, scope: Scope, sheet: Sheet) -> Traffic:
    """Return what reading the sheet has taken; a file is read whole."""
    asked = work.reporter.traffic.get(scope.entity.name, NO_TRAFFIC)
    return asked + Traffic(bytes=sheet.total or 0) if sheet.unit == "bytes" else asked


def _counted(work: Work, scope: Scope, sheet: Sheet) -> Scope:
    """Tell how much was read, and ask how many records there are, where the source can tell."""
    narration.was_read(work, scope)
    if not isinstance(sheet, Counting):
        return scope
    return replace(scope, held=work.reading.call(sheet.count))


def convention(country: str, sheet: Sheet) -> Convention:
    """Return the way in which the sheet's people write. Raises SyncError("unknown_locale")."""
    try:
        return Convention(country, sheet.locale)
    except ValueError as error:
        raise SyncError("unknown_locale", sheet=sheet.title, locale=sheet.locale) from error


def make_plans(work: Work, scopes: Sequence[Scope]) -> tuple[list[Scope], dict[str, Tally]]:
    """Compare what was staged with the target, entity by entity in order of dependency.

    Returns the scopes as the whole sheets have settled them, and what is planned.
    """
    settled, tallies = [], {}
    for place, scope in enumerate(scopes):
        work.check()
        narration.comparing(work, scope, place / len(scopes))
        with db.within(work.claim.organization_id) as connection:
            lease.fence(connection, work.claim)
            _refuse_what_is_not_all_there(connection, scope)
            found = compare(connection, scope)
        settled.append(found.scope)
        tallies[scope.entity.name] = found.tally
        narration.compared(work, found.scope, tallies)
        if not work.confirmed:  # else they were noted when it was planned
            work.note(*found.notes)
    if work.analyze:
        _analyze(work, work.analyze, settled)
    if work.retried:
        work.note(retry_note(work.retried, tallies))
    narration.planned(work, tallies)
    return settled, tallies


def retry_note(retried: Retried, tallies: Mapping[str, Tally]) -> str:
    """Return what people are told of how many rows are tried again."""
    found = sum(tally.read for tally in tallies.values())
    had = "row had" if retried.failed == 1 else "rows had"
    return (
        f"{retried.failed:,} {had} failed in run {retried.run_id}; {found:,} with their keys or row"
        " numbers were tried again, and no others."
    )


def compare(connection: Connection, scope: Scope) -> Compared:
    """Compare what is staged of an entity with the target."""
    whole = settle.blank_rows(connection, scope)
    stays = settle.blank_cells(connection, whole)
    tally = plan.make(connection, whole)
    if whole.retried:
        left = staging.count(connection, whole.run_id, whole.entity)
        return Compared(replace(whole, staged=left, blank=0), tally, ())
    figures = evidence.compare(connection, whole, tally)
    notes = (*_to_sync_first(connection, whole, tally), *evidence.notes(whole, figures, stays))
    return Compared(whole, tally, notes)


def _to_sync_first(connection: Connection, scope: Scope, tally: Tally) -> Iterator[str]:
    """Say which tables must be synced first: rows fail only because those hold nothing yet."""
    for parent in references.not_synced_yet(connection, scope) if tally.failed else ():
        what = parent.title.lower()
        yield f"{scope.entity.title}: there are no {what} yet. Sync {what} first."


def _analyze(work: Work, analyze: Analysis, scopes: Sequence[Scope]) -> None:
    """Find the statistic of the comparing, as it will be once the plans are applied."""
    narration.analyzing(work)
    with db.within(work.claim.organization_id) as connection:
        found = analyze(connection, scopes)
    narration.analyzed(work, found)


def _refuse_what_is_not_all_there(connection: Connection, scope: Scope) -> None:
    if staging.count(connection, scope.run_id, scope.entity) != scope.staged:
        raise StagingLostError


def wait(
    work: Work,
    scopes: Sequence[Scope],
    tallies: Mapping[str, Tally],
    held_back: Sequence[Tripped] = (),
) -> RunResult:
    """Keep the plans until a person has decided; nothing of the target is touched."""
    with db.within(work.claim.organization_id) as connection:
        lease.fence(connection, work.claim)
        for scope in scopes:
            _refuse_a_lost_plan(connection, scope, tallies[scope.entity.name])
        plans = waiting.keep(connection, scopes, tallies, held_back)
        named = _named(connection, scopes, tallies)
        result = waiting.for_a_decision(work, plans, tallies, named)
        lease.finish(connection, work.claim, result)
        overtaken.end_plans(connection)
    return result


def save(work: Work, scopes: Sequence[Scope], tallies: Mapping[str, Tally]) -> RunResult:
    """Apply the plans and end the run, in one transaction that ends with the fence."""
    start = time.monotonic()
    saving = Saving(work.reporter, work.resource, tallies, of_source=work.undone is None)

    def moved(entity: Entity, rows: int) -> None:
        work.check()
        saving.moved(entity, rows)

    saving.begin()
    with db.within(work.claim.organization_id) as connection:
        work.check()
        for scope in scopes:
            tally = tallies[scope.entity.name]
            _refuse_a_lost_plan(connection, scope, tally)
            apply(connection, scope, tally, partial(moved, scope.entity))
            saving.finish(scope.entity)
        missing = sum(_missing(work, connection, scope) for scope in scopes)
        saving.end()
        work.phases["saving"] = round(time.monotonic() - start, 3)
        result = _result(work, tallies, _named(connection, scopes, tallies), missing)
        lease.finish(connection, work.claim, result)
        overtaken.end_plans(connection)
    return result


def _missing(work: Work, connection: Connection, scope: Scope) -> int:
    """Return how many records the source holds and are not stored."""
    if scope.held is None:
        return 0
    found = reconciliation.balance(connection, scope, scope.held)
    if found.held == found.stored:
        work.reporter.log(found.sentence)
    else:
        work.note(found.sentence)
    return found.missing


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


def _result(
    work: Work, tallies: Mapping[str, Tally], named: Mapping[str, Sequence[Named]], missing: int
) -> RunResult:
    needs_a_person = missing or any(tally.failed for tally in tallies.values())
    return RunResult(
        status=RunStatus.PARTIAL if needs_a_person else RunStatus.COMPLETED,
        message=_message(work, tallies),
        log_message=_message(work, tallies, named),
        notes=work.notes,
        phases=work.phases,
        log=work.reporter.as_json(),
    )


def _message(
    work: Work,
    tallies: Mapping[str, Tally],
    named: Mapping[str, Sequence[Named]] | None = None,
) -> str:
    if work.undone:
        return undone_message(work.undone.id, tallies, named)
    if work.retried:
        told = counts(tallies, work.resource.entities, named)
        return f"Tried what failed in run {work.retried.run_id} again. {told}"
    return message(tallies, work.resource.entities, named)
