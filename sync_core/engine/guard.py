"""What makes a plan suspicious, so that it waits for a person: figures against thresholds."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from sync_core.catalogue.resource import Entity
from sync_core.engine.tally import Tally
from sync_core.foundation.vocabulary import GuardKind, OutcomeKind, Removal
from sync_core.organizations.policies import Guards
from sync_core.runs.figures import Figures
from sync_core.runs.plans import Tripped
from sync_core.runs.sheet_facts import Address

REMOVED = {
    Removal.DEACTIVATE: "would be deactivated",
    Removal.DELETE: "would be deleted",
    Removal.KEEP: "are not in the source any more",
}
USUAL = {  # the count that tells what is usual
    GuardKind.EMPTY_SOURCE: "read",
    GuardKind.FEWER_ROWS: "read",
    GuardKind.REMOVALS: OutcomeKind.REMOVED,
    GuardKind.CREATIONS: OutcomeKind.CREATED,
    GuardKind.UPDATES: OutcomeKind.UPDATED,
    GuardKind.FAILURES: OutcomeKind.FAILED,
}


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What is known of an entity's plan."""

    entity: Entity
    sheet: str  # the title of its sheet
    tally: Tally
    figures: Figures
    partial: bool = False  # only what changed was read
    address: Address | None = None  # of its source
    address_before: Address | None = None  # of that of the last sync
    usual: Mapping[str, int] = field(default_factory=dict)  # counts of the last syncs, by kind
    deactivated: int = 0  # records that an undo marks as removed, beside those that it deletes

    @property
    def gone(self) -> int:
        """How many known records leave: where they are kept, those that the last sync still had."""
        if self.entity.removal == Removal.KEEP:
            return max(0, self.figures.absent - self.figures.absent_before)
        return self.tally.removed + self.deactivated

    @property
    def becomes(self) -> str:
        """What happens to the records that leave, in words."""
        if not self.deactivated:
            return REMOVED[self.entity.removal]
        return "would be removed" if self.tally.removed else REMOVED[Removal.DEACTIVATE]

    @property
    def missing(self) -> int:
        """How many rows fewer there are than the last sync has read."""
        return 0 if self.partial else max(0, (self.figures.read_before or 0) - self.tally.read)

    @property
    def title(self) -> str:
        """What sentences call the records."""
        return self.entity.title.lower()


@dataclass(frozen=True)
class Finding:
    """What a guard measures: so many rows out of so many, and the sentence that tells it."""

    kind: GuardKind
    rows: int
    of: int
    sentence: str
    label: str | None = None


def tripped(found: Evidence, guards: Guards) -> list[Tripped]:
    """Return the guards that hold the plan of an entity back, by their thresholds."""
    measured = [*_of_rows(found)]
    if found.figures.known:  # the first load of an empty table is guarded by failures alone
        measured += [*_of_records(found), *_of_sheet(found), *_of_columns(found)]
    flags = [*_without_numbers(found)] if found.figures.known else []
    passed = [one for one in measured if _passes(one, found, guards)]
    passed += [one for one in flags if getattr(guards, one.kind)]
    order = list(GuardKind)
    return [
        _tripped(one, found, guards) for one in sorted(passed, key=lambda p: order.index(p.kind))
    ]


def tripped_by_undo(found: Evidence, guards: Guards) -> list[Tripped]:
    """Return the guard of removals where it holds the plan of an undo back.

    The others judge what a source says, and an undo reads none.
    """
    removals = _of_removals(found)
    return [_tripped(removals, found, guards)] if _passes(removals, found, guards) else []


def _passes(one: Finding, found: Evidence, guards: Guards) -> bool:
    threshold = guards.threshold(one.kind)
    if threshold is None:
        return False
    if one.kind == GuardKind.NEW_KEYS:  # both at once
        absent = threshold.passed_by(found.figures.absent, found.figures.known)
        return absent and threshold.passed_by(one.rows, one.of)
    return threshold.passed_by(one.rows, one.of)


def _tripped(one: Finding, found: Evidence, guards: Guards) -> Tripped:
    threshold = None
    if one.kind not in {GuardKind.EMPTY_SOURCE, GuardKind.OTHER_SOURCE}:
        threshold = guards.threshold(one.kind)
    return Tripped(
        guard=one.kind,
        entity=found.entity.name,
        sentence=one.sentence,
        rows=one.rows,
        of=one.of,
        label=one.label,
        more_than_rows=threshold.rows if threshold else None,
        more_than_percent=threshold.percent if threshold else None,
        usual=_usual(one.kind, found),
    )


def _usual(kind: GuardKind, found: Evidence) -> int | None:
    """Return what is usual of what a guard measures; of records that are kept nothing counts it."""
    if kind == GuardKind.REMOVALS and found.entity.removal == Removal.KEEP:
        return None
    return found.usual.get(USUAL.get(kind, ""))


def _of_rows(found: Evidence) -> Iterator[Finding]:
    failed, read = found.tally.failed, found.tally.read
    told = f"{failed:,} of {read:,} rows of {found.title} fail"
    yield Finding(GuardKind.FAILURES, failed, read, told)


def _of_records(found: Evidence) -> Iterator[Finding]:
    known, title = found.figures.known, found.title
    created, updated = found.tally.created, found.tally.updated
    yield _of_removals(found)
    told = f"{created:,} {title} would be created beside the {known:,} that are known"
    yield Finding(GuardKind.CREATIONS, created, known, told)
    told = f"{updated:,} of {known:,} {title} would be changed"
    yield Finding(GuardKind.UPDATES, updated, known, told)


def _of_removals(found: Evidence) -> Finding:
    gone, known = found.gone, found.figures.known
    told = f"{gone:,} of {known:,} {found.title} {found.becomes}"
    return Finding(GuardKind.REMOVALS, gone, known, told)


def _of_sheet(found: Evidence) -> Iterator[Finding]:
    figures, read, title = found.figures, found.tally.read, found.title
    before = figures.read_before or 0
    told = f"only {read:,} rows of {title} were read; the last sync read {before:,}"
    yield Finding(GuardKind.FEWER_ROWS, found.missing, before, told)
    lost = f"{figures.absent:,} of the {figures.known:,} known ones are gone"
    told = f"{figures.new:,} of {figures.read:,} keys of {title} are new, and {lost}"
    yield Finding(GuardKind.NEW_KEYS, figures.new, figures.read, told)


def _of_columns(found: Evidence) -> Iterator[Finding]:
    """Look at the columns that were filled in more than half of the records."""
    for label, rows in found.figures.blanked.items():
        had = found.figures.filled[label]
        if had * 2 > found.figures.known:
            told = (
                f"{label} would become blank in {rows:,} of the {had:,} {found.title} that have one"
            )
            yield Finding(GuardKind.BLANK_COLUMN, rows, had, told, label)


def _without_numbers(found: Evidence) -> Iterator[Finding]:
    known, now, before = found.figures.known, found.address, found.address_before
    if found.tally.read == 0 and not found.partial:
        told = f"'{found.sheet}' has no rows, but {known:,} {found.title} are known"
        yield Finding(GuardKind.EMPTY_SOURCE, 0, known, told)
    if now and before and now.digest != before.digest:
        names = (
            (now.label, before.label)
            if now.label != before.label
            else ("another source", now.label)
        )
        told = f"{found.title} would be read from {names[0]}, and the last sync read {names[1]}"
        yield Finding(GuardKind.OTHER_SOURCE, found.tally.read, known, told)
