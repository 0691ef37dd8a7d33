"""What a message says to whoever gets it, as they may see it; every channel shows the same."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from sqlalchemy import Connection

from sync_core import runs
from sync_core.catalogue import resources
from sync_core.catalogue.cell_codes import CELL_CODES
from sync_core.foundation import settings
from sync_core.foundation.counting import count, moment_there
from sync_core.foundation.vocabulary import COUNTS, NoticeKind, OutcomeKind
from sync_core.notifications import words
from sync_core.notifications.outbox import Content, Item
from sync_core.organizations import Organization
from sync_core.records import reasons
from sync_core.records.reasons import Reason
from sync_core.runs import Run, run_address

MOST_ENTRIES = 12  # in a letter; a page of the program has the others
MOST_REASONS = 3
LONGEST_LINE = 500  # characters of what came from outside
TEST = "This is a test: messages of Sync Desk arrive here."


@dataclass(frozen=True)
class Entry:
    """One thing that happened: its title, lines of plain text, and where more of it is."""

    title: str
    lines: tuple[str, ...]
    link: str | None = None
    kind: NoticeKind | None = None
    resource: str | None = None
    run_id: int | None = None
    at: datetime | None = None
    counts: Mapping[str, int] | None = None


@dataclass(frozen=True)
class Letter:
    """A message in words: plain text throughout, of one line each."""

    subject: str
    entries: tuple[Entry, ...]
    closing: tuple[str, ...] = ()


def of_news(connection: Connection, organization: Organization, content: Content) -> Letter:
    """Word what happened: of what is called alike the newest."""
    titled = words.titles(connection, organization.id, content.items)
    newest = {title: item for item, title in titled}
    times = Counter(title for _, title in titled)
    told = sorted(newest.items(), key=lambda one: one[1].at, reverse=True)
    shown = told[:MOST_ENTRIES]
    run_ids = [item.run_id for _, item in shown if item.run_id]
    found = {run.id: run for run in runs.some(connection, run_ids)}
    entries = tuple(
        _entry(connection, organization, title, item, found.get(item.run_id or 0), times[title])
        for title, item in shown
    )
    more = len(told) - len(shown)
    closing = (f"And {count(more, 'more change')}: the pages show them.",) if more else ()
    return Letter(_subject(organization, entries), entries, closing)


def of_test(organization: Organization) -> Letter:
    """Word a test."""
    link = page(organization, "settings")
    entry = Entry("Test", (TEST,), link)
    return Letter(f"{line(organization.name)}: a test of Sync Desk", (entry,))


def _subject(organization: Organization, entries: tuple[Entry, ...]) -> str:
    name = line(organization.name)
    if len(entries) == 1:
        return f"{entries[0].title} ({name})"
    return f"{name}: {count(len(entries), 'change')}, first: {entries[0].title}"


def _entry(
    connection: Connection,
    organization: Organization,
    title: str,
    item: Item,
    run: Run | None,
    times: int,
) -> Entry:
    lines = [_when(organization, item.at, times), item.text]
    counts: Mapping[str, int] = {}
    if run and run.organization_id == organization.id:
        counts = counted(connection, run)
        lines += [run.advice, *_reasons(connection, run)]  # its text has the counts
    return Entry(
        title=title,
        lines=tuple(line(one) for one in lines if one),
        link=of_run(organization, item.resource, item.run_id),
        kind=item.kind,
        resource=item.resource,
        run_id=item.run_id,
        at=item.at,
        counts=counts or None,
    )


def _when(organization: Organization, at: datetime, times: int) -> str:
    told = moment_there(at, organization.time_zone)
    return told if times == 1 else f"{told}; {times:,} times lately"


def counted(connection: Connection, run: Run) -> Mapping[str, int]:
    """Return the counts of a run over all its tables; of one that waits, what is planned."""
    tallies = runs.tallies(connection, [run.id]).get(run.id, {})
    return {kind: sum(tally[kind] for tally in tallies.values()) for kind in COUNTS if tallies}


def _reasons(connection: Connection, run: Run) -> Iterator[str]:
    """Tell why rows failed, those of most rows first; no cell is repeated."""
    failed = [one for one in reasons.of_run(connection, run) if one.kind == OutcomeKind.FAILED]
    yield from (_reason(one) for one in failed[:MOST_REASONS])
    if more := len(failed) - MOST_REASONS:
        yield from [f"And {count(more, 'more reason')}."] if more > 0 else []


def _reason(reason: Reason) -> str:
    known = CELL_CODES.get(reason.code)
    why = known.summary if known else reason.code
    entity = resources.ENTITIES.get(reason.entity)
    of = f" of {entity.title.lower()}" if entity else ""
    field = f"{reason.field}: " if reason.field else ""
    return f"{count(reason.rows, 'row')}{of}: {field}{why}"


def of_run(organization: Organization, resource: str, run_id: int | None) -> str | None:
    """Return where the pages show a run, or its resource; None where nobody said where they are."""
    if run_id:
        return run_address.full(organization.slug, run_id)
    return page(organization, resource)


def page(organization: Organization, name: str, **parameters: str) -> str | None:
    """Return the address of a page; None where nobody said where they are."""
    address = settings.current().address
    asked = urlencode({"org": organization.slug, **parameters})
    return f"{address}/{name}?{asked}" if address else None


def line(text: str) -> str:
    """Return a text on one line, without what nobody sees, and not too long."""
    plain = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return plain if len(plain) <= LONGEST_LINE else f"{plain[: LONGEST_LINE - 1]}…"


def all_lines(entries: Iterable[Entry]) -> Iterator[str]:
    """Return the entries as lines of plain text, parted by blank ones."""
    for entry in entries:
        yield from (entry.title, *entry.lines)
        if entry.link:
            yield entry.link
        yield ""
