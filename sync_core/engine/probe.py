"""A probe of sources: what a sync would find in their first rows; nothing of it stays.

It reads, judges and compares as a sync does, by the same code, but in a transaction that is rolled
back. How much is read is bounded, for a person waits. Whoever reads a source knows no database, and
whoever compares knows no source: the rows stand in a file between them, as they go to staging.
"""

import secrets
import time
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, BinaryIO, Self

from sqlalchemy import Connection

from sync_core.catalogue.issue import Issue
from sync_core.catalogue.resource import Entity, Resource
from sync_core.catalogue.source import Page, Sheet, Source
from sync_core.engine import headers, importer, plan, staging
from sync_core.engine.importer import Compared
from sync_core.engine.observations import Observations
from sync_core.engine.statements import Scope, execute
from sync_core.engine.validate import ROW, Format, ValidatedPage, Validator
from sync_core.foundation import db
from sync_core.foundation.errors import SyncError
from sync_core.records import privacy
from sync_core.records.privacy import MASK, Place

ROWS = 10_000  # no page is read after so many
SECONDS = 20.0  # nor after so long
SHOWN = 5  # rows
LONGEST = 200  # characters of a cell that is shown
_OURS = frozenset({"entity", "error", "records"})  # parts that are told in another way


@dataclass(frozen=True)
class Finding:
    """Something that is wrong with some rows: the first issue of its kind stands for all."""

    first: Issue
    rows: int

    @property
    def sentence(self) -> str:
        """What is wrong, where it is first, and how often."""
        where = f"{self.first.cell}: " if self.first.cell else ""
        more = self.rows - 1
        others = f" ({more:,} more {'row' if more == 1 else 'rows'} like it)" if more else ""
        return f"{where}{self.first.told}{others}"


@dataclass(frozen=True)
class Sample:
    """The first rows of a table under its headers, as everybody may see them."""

    headers: Sequence[str]
    rows: Sequence[Sequence[str]]
    hidden: Sequence[str] = ()  # labels of the personal columns, which are left out


@dataclass(frozen=True, kw_only=True)
class Probe:
    """What a sync would find in the source of one entity."""

    entity: str
    sentence: str
    error: SyncError | None = None  # why a sync would fail as a whole
    read: int = 0  # rows that are not blank
    failed: int = 0  # rows that a sync would refuse
    whole: bool = True  # whether all rows were tried
    findings: Sequence[Finding] = ()
    notes: Sequence[str] = ()
    sample: Sample | None = None
    records: int | None = None  # of a whole account; None: the source is none, or does not tell

    def as_json(self) -> dict[str, Any]:
        """Return it as another process of ours reads it."""
        return {
            **vars(self),
            "error": self.error and self.error.as_json(),
            "findings": [{**found.first.as_json(), "rows": found.rows} for found in self.findings],
            "notes": list(self.notes),
            "sample": self.sample and asdict(self.sample),
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Self:
        """Return the probe that another process has made."""
        error, sample = kept["error"], kept["sample"]
        changed = {
            "error": error and SyncError.from_json(error),
            "findings": tuple(
                Finding(Issue.from_json(one), one["rows"]) for one in kept["findings"]
            ),
            "notes": tuple(kept["notes"]),
            "sample": sample and Sample(**sample),
        }
        return cls(**{**kept, **changed})


@dataclass(frozen=True, kw_only=True)
class FirstRows:
    """What was read of an entity's sheet; its rows stand in a file, a piece for each page."""

    name: str  # of the sheet
    title: str
    columns: headers.Columns
    pieces: Sequence[tuple[Format, int]]  # the form for COPY, and how many bytes
    rows: int  # that are not blank
    blank: int
    keyless: int
    reasons: bool
    repeats: bool
    whole: bool
    observed: Observations
    notes: Sequence[str]  # of the sheet, where it was read to its end
    sample: Sample

    def as_json(self) -> dict[str, Any]:
        """Return it as another process of ours reads it."""
        return {
            **vars(self),
            "columns": self.columns.as_json(),
            "observed": self.observed.as_json(),
            "sample": asdict(self.sample),
        }

    @classmethod
    def from_json(cls, entity: Entity, kept: Mapping[str, Any]) -> Self:
        """Return what another process has read."""
        changed = {
            "columns": headers.Columns.from_json(entity, kept["columns"]),
            "observed": Observations.from_json(kept["observed"]),
            "sample": Sample(**kept["sample"]),
        }
        return cls(**{**kept, **changed})


def compare(
    organization_id: int,
    resource: Resource,
    known: Mapping[str, Entity],
    read: Mapping[str, tuple[FirstRows, BinaryIO]],
) -> list[Probe]:
    """Compare what was read of these entities with what is kept, in their order."""
    unread = frozenset(e.name for e in resource.entities if e.name not in read)
    unread |= {name for name, (first, _) in read.items() if not first.whole}
    compared: list[Entity] = []
    tried = []
    with db.undone(organization_id) as connection:
        run_id = secrets.randbits(62)  # of no run: it only names the tables
        for entity in (entity for entity in resource.entities if entity.name in read):
            first, file = read[entity.name]
            scope = _scope(run_id, organization_id, entity, first, tuple(compared), known)
            tried.append(_compare(connection, scope, first, file, unread))
            compared += [] if tried[-1].error else [entity]
    return tried


def refused(entity: Entity, error: SyncError) -> Probe:
    """Return the probe of a source that cannot be read."""
    return Probe(entity=entity.name, sentence=error.sentence, error=error)


def read(entity: Entity, source: Source, country: str, file: BinaryIO) -> FirstRows:
    """Read the first rows, page by page, until there are enough or they take too long.

    They are written to the file, as they go to staging. Raises SyncError.
    """
    until = time.monotonic() + SECONDS
    sheet = source.open(entity)
    columns = headers.match(entity, sheet)
    validate = Validator(entity, columns, importer.convention(country, sheet), sheet.title)
    pieces: list[tuple[Format, int]] = []
    hidden = privacy.hidden(entity, Place.PROBE)
    shown = [index for field, index in columns.fields if field not in hidden]
    sample: list[Sequence[str]] = []
    rows = blank = keyless = 0
    reasons, whole, observed = False, True, Observations()
    for page in sheet.pages(columns.numbers):
        validated = validate(page)
        form, written = validated.for_copy()
        file.write(written)
        pieces.append((form, len(written)))
        rows, blank = rows + validated.frame.height, blank + validated.blank
        keyless, reasons = keyless + validated.keyless, reasons or validated.reasons
        observed = observed.plus(validated.observed)
        sample.extend(_first(page, validated, shown, may_shift=not hidden))
        if (rows >= ROWS or time.monotonic() > until) and not _is_last(page, sheet):
            whole = False
            break
    file.flush()
    return FirstRows(
        name=sheet.name,
        title=sheet.title,
        columns=columns,
        pieces=pieces,
        rows=rows,
        blank=blank,
        keyless=keyless,
        reasons=reasons,
        repeats=validate.keys_may_repeat(),
        whole=whole,
        observed=observed,
        notes=tuple(sheet.notes) if whole else (),
        sample=Sample(
            [columns.headers[index] for index in shown],
            sample[:SHOWN],
            [field.label for field in hidden],
        ),
    )


def _is_last(page: Page, sheet: Sheet) -> bool:
    return None not in (page.done, sheet.total) and page.done == sheet.total


def _first(
    page: Page, validated: ValidatedPage, shown: Sequence[int], *, may_shift: bool
) -> Iterator[Sequence[str]]:
    """Return the cells of these columns in the first rows that are not blank.

    In a row that is longer than its header any cell may stand under any other column's: it is
    masked where some columns are hidden.
    """
    for row in validated.frame[ROW].head(SHOWN):
        place = page.rows.index(row)
        masked = not may_shift and row in page.broken
        yield [_shown(page.texts[index][place], masked=masked) for index in shown]


def _shown(cell: object, *, masked: bool) -> str:
    text = "" if cell is None else str(cell)
    return MASK if masked and text.strip() else text[:LONGEST]


def _scope(
    run_id: int,
    organization_id: int,
    entity: Entity,
    first: FirstRows,
    together: tuple[Entity, ...],
    known: Mapping[str, Entity],
) -> Scope:
    return Scope(
        run_id=run_id,
        organization_id=organization_id,
        entity=entity,
        columns=first.columns,
        title=first.title,
        staged=first.rows,
        blank=first.blank,
        keyless=first.keyless,
        reasons=first.reasons,
        repeats=first.repeats,
        observed=first.observed,
        partial=not first.whole,
        together=together,
        known=known,
    )


def _compare(
    connection: Connection,
    scope: Scope,
    first: FirstRows,
    file: BinaryIO,
    unread: Collection[str],
) -> Probe:
    """Stage what was read and plan it, as a sync would, and return what that shows."""
    execute(connection, staging.new_table(scope.run_id, scope.entity))
    file.seek(0)
    for form, size in first.pieces:
        staging.append(connection, scope.run_id, scope.entity, form, file.read(size))
    try:
        found = importer.compare(connection, scope)
        _refuse_an_empty_source(connection, found.scope)
    except SyncError as error:
        return refused(scope.entity, error)
    issues = _issues(connection, found.scope, unread)
    skipped = found.tally.skipped
    return Probe(
        entity=scope.entity.name,
        sentence=_sentence(first, found, len(issues), skipped),
        read=found.tally.read,
        failed=len(issues),
        whole=first.whole,
        findings=_findings(issues),
        notes=_notes(first, found),
        sample=first.sample,
    )


def _refuse_an_empty_source(connection: Connection, scope: Scope) -> None:
    if scope.staged == 0 and not scope.partial and (held := plan.standing(connection, scope)):
        raise SyncError("source_empty", sheet=scope.title, table=scope.entity.title, held=held)


def _issues(connection: Connection, scope: Scope, unread: Collection[str]) -> list[list[Issue]]:
    """Return what is wrong with each row, but for references to tables that were not read whole."""
    unsure = {field.label for field in scope.entity.fields if field.refers_to in unread}
    query = "select issues from {plan} where kind = 'failed' order by row_number"
    rows = [[Issue.from_json(one) for one in kept] for (kept,) in scope.ask(connection, query)]
    sure = (
        [one for one in row if one.code != "unknown_reference" or one.field not in unsure]
        for row in rows
    )
    return [row for row in sure if row]


def _findings(rows: Sequence[Sequence[Issue]]) -> tuple[Finding, ...]:
    """Count the issues by column and code; those of most rows come first."""
    first: dict[tuple[str, str], Issue] = {}
    counts = Counter[tuple[str, str]]()
    for issues in rows:
        for issue in issues:
            first.setdefault((issue.field, issue.code), issue)
        counts.update({(issue.field, issue.code) for issue in issues})
    return tuple(Finding(first[kind], count) for kind, count in counts.most_common())


def _notes(first: FirstRows, found: Compared) -> tuple[str, ...]:
    """Return the notes of a sync; those on the whole sheet only where it was read to its end."""
    whole = (*first.notes, *found.notes) if first.whole else ()
    return (*first.columns.notes, *whole)


def _sentence(first: FirstRows, found: Compared, failed: int, skipped: int) -> str:
    columns = sum(1 for header in first.columns.headers if header)
    read = _count(found.tally.read, "row")
    told = f"{first.name} can be read: {read}, {_count(columns, 'column')}."
    if not first.whole:
        told += " These are the first rows; those below were not tried."
    ends = [f"refuse {_count(failed, 'row')}"] if failed else []
    ends += [f"skip {_count(skipped, 'row')}"] if skipped else []
    return f"{told} A sync would {' and '.join(ends)}." if ends else told


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def as_json(resource: str, probes: Sequence[Probe]) -> dict[str, Any]:
    """Return probes that could be made, as the shell and the API tell them."""
    ok = not any(probe.failed for probe in probes)
    return {"resource": resource, "ok": ok, "entities": {one.entity: _told(one) for one in probes}}


def _told(probe: Probe) -> dict[str, Any]:
    return {name: part for name, part in probe.as_json().items() if name not in _OURS}
