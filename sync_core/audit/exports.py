"""Every file that leaves the program goes this way: who may have it, its bytes, its manifest.

The trail, what a run did to rows, its rows to mend, its log, the history of a record, the proof of
a row, the figures of analytics. The trail names who did what, with their e-mail addresses, to
everybody who may export: that is what it is for. The clinics' own rows are seen as on the pages
(`records.privacy`).
"""

import hashlib
import json
import re
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from sync_core.audit import hash_chain, proofs, trail_file
from sync_core.catalogue import resources
from sync_core.catalogue.resource import Entity
from sync_core.foundation import csv_writer, db, redis_clients
from sync_core.foundation.csv_writer import utc
from sync_core.foundation.errors import SyncError
from sync_core.foundation.vocabulary import RunStatus
from sync_core.organizations import Organization, actions, people
from sync_core.organizations.actions import BeganExport, Detail, Exported, Head
from sync_core.organizations.people import Permission, Person
from sync_core.records import history, missing, outcome_files, planned, privacy, rows
from sync_core.records.privacy import MASK, Place
from sync_core.records.rows import View
from sync_core.runs import Run, attempts, filters, progress
from sync_core.runs.filters import Filter

MEMORY = "64MB"  # of Postgres, to sort a file's rows and to join their counts
Askers = Sequence[tuple[Organization, Person]]  # in each organization, who they are there
Columns = Mapping[str, sa.ColumnElement[Any]]  # by their titles in the file
Content = Callable[[], Iterator[tuple[bytes, int]]]  # blocks, and how many rows each holds
CSV, TEXT = "text/csv; charset=utf-8", "text/plain; charset=utf-8"
JSON = "application/json"


@dataclass(frozen=True)
class Export:
    """A file that somebody asks for: what is in it, and what its manifest says beforehand."""

    manifest: Exported
    askers: Askers
    content: Content
    bom: bool = False
    run: Run | None = None
    media_type: str = CSV

    @property
    def file(self) -> str:
        """The name under which it is kept."""
        return self.manifest.file or "file"


@dataclass
class Written:
    """How much of a file was handed over."""

    rows: int = 0
    size: int = 0  # bytes
    digest: Any = field(default_factory=hashlib.sha256)
    complete: bool = False

    def add(self, block: bytes, rows: int = 0) -> bytes:
        """Count a block that is handed over."""
        self.rows, self.size = self.rows + rows, self.size + len(block)
        self.digest.update(block)
        return block


def save(export: Export, path: Path) -> Written:
    """Write the file to a path."""
    written = Written()
    with path.open("wb") as file:
        for block in write(export, written):
            file.write(block)
    return written


@dataclass(frozen=True)
class _Begun:
    """That a file begins, as an organization's trail has it."""

    organization: Organization
    person: Person
    head: Head  # of the trail, before
    action: int


def write(export: Export, written: Written | None = None) -> Iterator[bytes]:
    """Return the bytes of the file, in flat memory.

    Every organization whose data it holds has it in its trail before the first byte is handed over,
    and again, with how much was, at the end or where it breaks off. Where the program dies in
    between, the first stands alone. It breaks off where the rights of who asks end.
    """
    written, since = written or Written(), datetime.now(UTC)
    blocks = iter(export.content())
    first = next(blocks, (b"", 0))  # what cannot be read does not begin, nor does a file tell of it
    begun = _begin(export)
    try:
        yield written.add(csv_writer.BOM * export.bom + first[0], first[1])
        askers = [person for _, person in export.askers]
        for block, rows in blocks:
            askers = [_unchanged(person) for person in askers]
            yield written.add(block, rows)
        written.complete = True
    finally:
        if isinstance(blocks, Generator):
            blocks.close()  # its query ends now, and not whenever it is forgotten
        _end(export, begun, written, since)


def _unchanged(person: Person) -> Person:
    """Return who asks, looked up anew; a file for somebody who may do something else by now ends.

    Raises SyncError("sign_in_ended").
    """
    now = people.as_now(person)
    if now != person:
        raise SyncError("sign_in_ended")
    return now


def _begin(export: Export) -> list[_Begun]:
    """Write down that the file begins: what is in it, with which filters, for whom."""
    found = export.manifest
    manifest = BeganExport(
        what=found.what,
        file=found.file,
        run=found.run,
        filters=found.filters,
        organizations=found.organizations,
        masked=found.masked,
    )
    with db.within(*_whose(export.askers)) as connection:
        begun = []
        for organization, person in export.askers:
            head = Head(*hash_chain.head(connection, organization.id))
            action = _record(connection, export, organization, person, replace(manifest, head=head))
            begun.append(_Begun(organization, person, head, action))
        return begun


def _end(export: Export, begun: Iterable[_Begun], written: Written, since: datetime) -> None:
    """Write down how it ended: how much was handed over, and the SHA-256 of those bytes."""
    manifest = replace(
        export.manifest,
        rows=written.rows,
        bytes=written.size,
        sha256=written.digest.hexdigest(),
        complete=written.complete,
        seconds=round((datetime.now(UTC) - since).total_seconds(), 3),
    )
    with db.within(*_whose(export.askers)) as connection:
        for one in begun:
            its = replace(manifest, head=one.head, began=one.action)
            _record(connection, export, one.organization, one.person, its)


def _record(
    connection: sa.Connection,
    export: Export,
    organization: Organization,
    person: Person,
    detail: Detail,
) -> int:
    return actions.record(
        connection,
        organization.id,
        person,
        detail,
        resource=export.run.resource if export.run else None,
        run_id=export.run.id if export.run else None,
    )


def _may(askers: Askers, *permissions: Permission) -> None:
    """Refuse where somebody may do none of these in an organization. Raises no_permission."""
    for _, person in askers:
        if not any(person.may(permission) for permission in permissions):
            people.require(person, permissions[0])


def _may_all(askers: Askers, wanted: Filter) -> None:
    """Refuse who may not export from each organization of the filter. Raises no_permission."""
    _may(askers, "export")
    ours = {organization.id for organization, _ in askers}
    if not ours.issuperset(wanted.organizations):
        raise ValueError("a filter over organizations of which nobody has asked")


def _whose(askers: Askers) -> list[int]:
    return [organization.id for organization, _ in askers]


def _readers(askers: Askers) -> list[Person]:
    return [person for _, person in askers]


def _manifest(what: str, file: str, askers: Askers, wanted: Filter) -> Exported:
    return Exported(
        what=what,
        file=file,
        filters=filters.to_address(wanted) | _searched(wanted.search),
        organizations=[organization.slug for organization, _ in askers],
        masked=not privacy.permits(_readers(askers)),
    )


def _searched(words: str) -> dict[str, str]:
    """Say that words were searched, and not which: they may name a patient, wherever it is.

    Nothing leaves the trail again, and of a hash guesses would find them.
    """
    return {"search": MASK} if words.strip() else {}


def _of_query(
    askers: Askers,
    query: sa.Select[Any],
    *,
    loops: bool = True,
    told: Callable[[bytes], bytes] = bytes,
) -> Content:
    """Return what a query finds in their organizations, each row `told`, in flat memory.

    Columns whose titles begin with "_" are for `told` alone, which leaves them out.
    """

    def content() -> Iterator[tuple[bytes, int]]:
        names = (column.name for column in query.selected_columns)
        titles = csv_writer.line(name for name in names if not name.startswith("_")).encode()
        with db.apart(*_whose(askers)) as connection:
            connection.exec_driver_sql(f"set local jit = off; set local work_mem = '{MEMORY}'")
            planned = nullcontext() if loops else db.without_loops(connection)
            with (
                planned,
                closing(csv_writer.blocks(connection, query)) as blocks,
            ):  # else they block the end
                first = next(blocks, [])  # so that the query is under way, or has failed
                yield titles + (_joined(first, told) if first else b""), len(first)
                for rows in blocks:
                    yield _joined(rows, told), len(rows)

    return content


def _joined(rows: Iterable[bytes], told: Callable[[bytes], bytes]) -> bytes:
    return csv_writer.joined(list(map(told, rows)))


# The trail


def trail(askers: Askers, wanted: Filter, *, bom: bool = False) -> Export:
    """Export what the filter finds, newest first. Raises SyncError("no_permission")."""
    _may_all(askers, wanted)
    file = f"audit-{datetime.now(UTC):%Y-%m-%d-%H%M}.csv"
    manifest = _manifest("audit trail", file, askers, wanted)
    return Export(
        manifest,
        askers,
        _of_query(askers, trail_file.query(askers, wanted), told=trail_file.in_words),
        bom,
    )


# The rows of a run


def outcomes(organization: Organization, by: Person, run: Run, *, bom: bool = False) -> Export:
    """Export all that a run did to rows, or would do while it waits. Raises no_permission."""
    askers = [(organization, by)]
    _may(askers, "export")
    with db.within(organization.id) as connection:
        query = outcome_files.outcomes(connection, run, *_readers(askers))
    what = "plan" if run.status == RunStatus.WAITING else "outcomes"
    return _of_run(what, askers, run, query, bom=bom)


def rejects(
    organization: Organization, by: Person, run: Run, *, skipped: bool = False, bom: bool = False
) -> Export:
    """Export the rows of a run that failed, or were skipped, for those who fix or may export.

    Raises no_permission.
    """
    askers = [(organization, by)]
    _may(askers, "export", "sync")
    with db.within(organization.id) as connection:
        make = outcome_files.skips if skipped else outcome_files.failures
        query = make(connection, run, *_readers(askers))
    what = "skipped rows" if skipped else "rows to fix"
    return _of_run(what, askers, run, query, bom=bom)


def missing_records(
    organization: Organization, by: Person, run: Run, entity: Entity, *, bom: bool = False
) -> Export:
    """Export the records of a table that a run which waits has not found in its source.

    Raises SyncError: no_permission, unknown_file.
    """
    askers = [(organization, by)]
    _may(askers, "export")
    if not missing.may_see(entity, Place.EXPORT, by):
        people.require(by, "personal")
    with db.within(organization.id) as connection:
        if run.status != RunStatus.WAITING or not planned.hold(connection, run):
            raise SyncError("unknown_file")
    what = f"missing {entity.title.lower()}"
    return _of_run(what, askers, run, missing.for_file(run, entity), bom=bom)


def _of_run(what: str, askers: Askers, run: Run, query: sa.Select[Any], *, bom: bool) -> Export:
    file = f"{run.resource}-run-{run.id}-{what.replace(' ', '-')}.csv"
    masked = not privacy.permits(_readers(askers))
    manifest = Exported(what=what, file=file, run=run.id, masked=masked)
    return Export(manifest, askers, _of_query(askers, query), bom, run)


def log(organization: Organization, by: Person, run: Run) -> Export:
    """Export the log of a run as it is now, or as its attempts have left it.

    It holds nothing personal: who may see the run may have it. Raises no_permission, RedisError.
    """
    _may([(organization, by)], "read")
    _, live = progress.read(redis_clients.client(), [run.id] if run.active else [])
    with db.within(organization.id) as connection:
        lines = live.get(run.id) or attempts.log_of(run, attempts.of_run(connection, run.id))
    text = f"{progress.as_text(lines, ZoneInfo(organization.time_zone))}\n".encode()
    return Export(
        manifest=Exported(what="log", file=f"{run.resource}-run-{run.id}.log", run=run.id),
        askers=[(organization, by)],
        content=lambda: iter([(text, len(lines))]),
        run=run,
        media_type=TEXT,
    )


# A record


def records(
    organization: Organization,
    by: Person,
    entity: Entity,
    view: View,
    group: str = "",
    *,
    bom: bool = False,
) -> Export:
    """Export the rows of a table that a search, filters and a group find, in their order.

    Raises SyncError: no_permission, search_refused.
    """
    askers = [(organization, by)]
    _may(askers, "export")
    chosen = {name: ", ".join(map(str, s)) for name, s in view.only.items() if s}
    is_told = not privacy.hidden(entity, Place.LOG)  # the trail is read by others
    told = _searched(view.search) | {n: text if is_told else MASK for n, text in chosen.items()}
    manifest = Exported(
        what="records",
        file=f"{entity.name}-{datetime.now(UTC):%Y-%m-%d-%H%M}.csv",
        filters={"table": entity.name} | told | ({"group": group} if group else {}),
        organizations=[organization.slug],
        masked=bool(privacy.hidden(entity, Place.EXPORT, by)),
    )
    query = rows.for_file(organization.id, entity, view, by)
    return Export(manifest, askers, _of_query(askers, query, loops=view.within is None), bom)


def record(
    organization: Organization,
    by: Person,
    entity: Entity,
    key: Sequence[str],
    as_of: datetime | None = None,
    *,
    bom: bool = False,
) -> Export:
    """Export all that happened to a record, or what it was at a moment.

    Raises SyncError: no_permission, unknown_record.
    """
    askers = [(organization, by)]
    _may(askers, "export")
    with db.within(organization.id) as connection:
        found = history.read(connection, organization.id, entity, key, by, place=Place.EXPORT)
    lines = _lines_of(found) if as_of is None else _lines_as_of(found.as_of(as_of))
    called = found.title if privacy.may_be_told([entity]) else MASK  # the trail is read by others
    name = re.sub(r"[^\w.]+", "-", f"{entity.name}-{called}").strip("-")
    manifest = Exported(
        what="history of a record" if as_of is None else "a record as it was",
        file=f"{name}.csv",
        filters={"table": entity.name, "key": called} | _moment_asked(as_of),
        organizations=[organization.slug],
        masked=bool(found.hidden),
    )
    return Export(manifest, askers, _of_lines(lines), bom)


def _moment_asked(as_of: datetime | None) -> dict[str, str]:
    return {"as of": as_of.astimezone(UTC).isoformat(timespec="seconds")} if as_of else {}


def _lines_of(found: history.Record) -> list[Sequence[object]]:
    names = "Person", "E-mail", "Team"
    titles = utc("Time"), "Run", *names, "Event", "Row", "Field", "Before", "After"
    lines: list[Sequence[object]] = [titles]
    for entry in found.entries:
        run, at = entry.run, entry.at and f"{entry.at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
        who = (run.id, run.requested_by, run.requested_email, run.requested_team) if run else ()
        first = (at, *(who or ("",) * 4), entry.sentence, entry.row_number)
        lines += [
            (*first, cell.field.label, history.in_words(cell.before), history.in_words(cell.after))
            for cell in entry.cells
        ] or [(*first, "", "", "")]
    return lines


def _lines_as_of(snapshot: history.Snapshot) -> list[Sequence[object]]:
    cells = [(cell.field.label, history.in_words(cell.after)) for cell in snapshot.cells]
    return [("Field", "Value"), *cells]


def _of_lines(lines: Sequence[Iterable[object]]) -> Content:
    """Return lines that are at hand, the first of which is of titles."""
    text = "".join(map(csv_writer.line, lines)).encode()
    return lambda: iter([(text, len(lines) - 1)])


# A proof


def proof(
    organization: Organization,
    by: Person,
    run: Run,
    *,
    keys: Collection[str] = (),
    entity: str | None = None,
    row_number: int | None = None,
) -> Export:
    """Export the proof of what a run did to a row, for whoever sees personal data.

    The row is named by its key, in any of some spellings, or by its number.
    Raises SyncError: no_permission, nothing_to_prove, several_to_prove, not_provable.
    """
    people.require(by, "export")
    people.require(by, "personal")
    key = next(iter(keys), None)
    if key and not privacy.may_be_told(resources.by_name(run.resource).entities):
        key = MASK
    named = {"key": key, "table": entity, "row": row_number}
    with db.apart(organization.id) as connection:
        made = proofs.make(
            connection, organization, run, keys=keys, entity=entity, row_number=row_number
        )
    text = f"{json.dumps(made, indent=1, ensure_ascii=False)}\n".encode()
    manifest = Exported(
        what="proof of a row",
        file=f"run-{run.id}-proof.json",
        run=run.id,
        filters={name: str(value) for name, value in named.items() if value is not None},
        organizations=[organization.slug],
        masked=False,
    )
    askers = [(organization, by)]
    return Export(manifest, askers, lambda: iter([(text, 1)]), run=run, media_type=JSON)


# Analytics


def figures(
    askers: Askers,
    wanted: Filter,
    name: str,
    titles: Sequence[str],
    cells: Iterable[Iterable[object]],
) -> Export:
    """Export a table of figures that is at hand. Raises SyncError("no_permission")."""
    _may_all(askers, wanted)
    file = f"{name.lower().replace(' ', '-')}.csv"
    manifest = _manifest(f"figures: {name}", file, askers, wanted)
    return Export(manifest, askers, _of_lines([titles, *cells]), bom=True)


def failed_rows(askers: Askers, wanted: Filter, code: str, query: sa.Select[Any]) -> Export:
    """Export the failed rows behind a reason. Raises SyncError("no_permission")."""
    _may_all(askers, wanted)
    manifest = _manifest(f"failed rows: {code}", f"failed-rows-{code}.csv", askers, wanted)
    return Export(manifest, askers, _of_query(askers, query), bom=True)
