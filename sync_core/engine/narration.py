"""What people are told while a run goes on: in its progress and in its log."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sync_core.catalogue.phases import Band
from sync_core.catalogue.resource import Entity, Resource
from sync_core.catalogue.source import Sheet
from sync_core.engine.messages import Named, counts, undone
from sync_core.engine.statements import Scope
from sync_core.engine.tally import Tally
from sync_core.engine.work import Work
from sync_core.foundation.counting import count
from sync_core.foundation.errors import SyncError
from sync_core.foundation.vocabulary import OutcomeKind
from sync_core.runs import Run
from sync_core.runs.plans import Plans, Tripped
from sync_core.runs.progress import Amount, Download, Reporter
from sync_core.runs.traffic import NO_TRAFFIC

LINE_ROWS, LINES = 50, 10  # rows between two lines of a log, at least; lines of a table, at most
FETCHING = 0.9  # of the first band, where a source is fetched whole before it is read


# Opening a source


def begins(work: Work) -> None:
    """Tell that the run begins."""
    work.reporter.tell(work.steps.first, work.steps.first.sentence, now=True)
    if work.steps.opening:
        work.reporter.log(work.steps.first.sentence)


def waits(work: Work, sentence: str) -> None:
    """Tell that the source lets us wait, and why."""
    work.reporter.say(sentence)
    work.reporter.log(sentence, "warning")


def step_begins(work: Work, name: str) -> None:
    """Tell that the source begins a step of the opening; none comes twice, one for each table."""
    band = next(band for band in work.steps.opening if band.name == name)
    if band.start >= work.reporter.latest.percent and band.name != work.reporter.latest.phase:
        work.reporter.tell(band, band.sentence, now=True)
        work.reporter.log(band.sentence)


def opening(work: Work, entity: Entity) -> None:
    """Tell which source is opened."""
    work.reporter.log(f"{entity.title}: opening the source")


def opened(work: Work, sheet: Sheet) -> None:
    """Tell which sheet is open."""
    work.reporter.log(f"{sheet.name} is open, {len(sheet.headers)} columns")


def fetching(work: Work, entity: str, read: int, whole: int | None) -> None:
    """Tell how much has arrived of a sheet that is fetched whole, before its rows are read."""
    names = [entity.name for entity in work.resource.entities]
    part = FETCHING * read / whole if whole else 0.0
    work.reporter.tell(
        work.steps.read_in(entity),
        "Downloading the source",
        fraction=(names.index(entity) + min(part, 1.0)) / len(names),
        now=work.reporter.latest.download is None,
        download=Download(read, whole),
    )


def confirms(work: Work, confirmed: Plans) -> None:
    """Tell that a plan was confirmed, and which guards had held it back."""
    work.reporter.log("The plan was confirmed: checking whether it still holds")
    work.note(*(f"Approved by a person: {one.sentence}." for one in confirmed.tripped))


# Reading


def goes_on(work: Work, entity: Entity, staged: int) -> None:
    """Tell that the reading goes on where an earlier attempt has left off."""
    work.reporter.log(f"{entity.title}: {count(staged, 'row')} had been read before")


def begins_again(work: Work, error: SyncError) -> None:
    """Tell why all is read from its beginning."""
    work.reporter.log(f"{error.sentence} It is read again", "warning")


def reading(work: Work, scope: Scope, sheet: Sheet, read: int | None) -> None:
    """Tell how far the reading of a sheet has come; `read` is of what `sheet.total` counts."""
    band = work.steps.read_in(scope.entity.name)
    alike = [e.name for e in work.resource.entities if work.steps.read_in(e.name) is band]
    part = read / sheet.total if read and sheet.total else 0.0
    rows = sheet.total if sheet.unit == "rows" else None
    sentence = _reading_sentence(band, scope, rows)
    if band.tells_numbers:
        _log_some(work.reporter, band, sentence, scope.read, rows)
    work.reporter.tell(
        band,
        sentence,
        fraction=(alike.index(scope.entity.name) + min(part, 1.0)) / len(alike),
        amount=Amount(scope.read, rows, "" if band.tells_numbers else "rows"),
        counts={band.statistic: scope.read} if band.statistic else {},
        download=Download(read, sheet.total) if sheet.unit == "bytes" else None,
    )


def _reading_sentence(band: Band, scope: Scope, rows: int | None) -> str:
    if scope.read == 0 and band.sentence:
        return band.sentence
    return band.tell(scope.title, scope.read, rows)


def _log_some(reporter: Reporter, band: Band, sentence: str, done: int, total: int | None) -> None:
    """Log what is told of a band: its beginning, then as often as `is_worth_a_line` says."""
    begins = reporter.latest.phase != band.name
    if begins or is_worth_a_line(reporter.latest.amount.done, done, total):
        reporter.log(sentence)


def is_worth_a_line(before: int, done: int, total: int | None) -> bool:
    """Return whether the log shall tell of rows: each 50, or each 10 % of them if that is more.

    Where nobody knows how many there are, each 50, from 500 on each 500, and so on.
    """
    every = max(LINE_ROWS, (total or 0) // LINES)
    while total is None and every * LINES <= done:
        every *= LINES
    return done // every > before // every


def was_read(work: Work, scope: Scope) -> None:
    """Tell how many rows the sheet had."""
    found = work.steps.read_in(scope.entity.name).found.format(done=scope.staged)
    asked = work.reporter.traffic.get(scope.entity.name, NO_TRAFFIC).requests
    requests = f" with {count(asked, 'request')}" if asked else ""
    read = f"read {count(scope.staged, 'row')}{requests}"
    work.reporter.log(found or f"{scope.entity.title}: {read}")
    if found:
        work.reporter.say(found)


# Comparing


def undoing(work: Work, earlier: Run) -> None:
    """Tell which run is compared with what the tables hold now."""
    band = work.steps.comparing
    sentence = f"Comparing what run {earlier.id} changed with what is there"
    work.reporter.tell(band, sentence, now=True)
    work.reporter.log(sentence)


def comparing(work: Work, scope: Scope, part: float) -> None:
    """Tell which table is compared; `part` of the comparing is done."""
    band = work.steps.comparing
    if part == 0 and band.sentence:
        work.reporter.log(band.sentence)
    work.reporter.tell(band, band.tell(scope.title), fraction=part, now=True)


def compared(work: Work, scope: Scope, tallies: Mapping[str, Tally]) -> None:
    """Tell what the plans made so far will do, and what is left out of this table's."""
    if not work.steps.main:  # else it has statistics of its own
        work.reporter.count(_planned(tallies))
    if withdrawn := scope.staged - tallies[scope.entity.name].read:
        why = "that were cancelled, archived or deleted are left out"
        work.reporter.log(f"{scope.entity.title}: {withdrawn:,} {why}")


def _planned(tallies: Mapping[str, Tally]) -> dict[str, int]:
    """Count what the run will do; what there is none of is not told."""
    told = {kind: sum(getattr(tally, kind) for tally in tallies.values()) for kind in OutcomeKind}
    return {kind: number for kind, number in told.items() if number}


def analyzing(work: Work) -> None:
    """Tell that the statistic of the comparing is looked for."""
    band = work.steps.comparing
    work.reporter.tell(band, band.found, fraction=0.9, now=True)


def analyzed(work: Work, found: int) -> None:
    """Tell the statistic of the comparing."""
    band = work.steps.comparing
    work.reporter.tell(band, band.found, fraction=1.0, counts={band.statistic: found}, now=True)
    work.reporter.log(f"{band.found} {found:,} {band.statistic}")


def planned(work: Work, tallies: Mapping[str, Tally]) -> None:
    """Tell what the whole plan will do; of a confirmed one, what it would do by now."""
    first = "Planned again" if work.confirmed else "The plan is ready"
    work.reporter.log(f"{first}. {planned_counts(work, tallies)}")


def planned_counts(
    work: Work,
    tallies: Mapping[str, Tally],
    named: Mapping[str, Sequence[Named]] | None = None,
) -> str:
    """Return what the whole plan will do; with `named` rows, their reasons."""
    if work.undone:
        return undone(work.undone.id, tallies, named, planned=True)
    return counts(tallies, work.resource.entities, named, planned=True)


def waits_for_a_decision(work: Work, tripped: Sequence[Tripped]) -> None:
    """Tell that the run stops here until a person has decided."""
    work.reporter.log("Waiting for approval" if tripped else "Waiting for a decision")


# Saving


@dataclass
class Saving:
    """Counts the rows that the apply moves, and tells them in the resource's words."""

    reporter: Reporter
    resource: Resource
    tallies: Mapping[str, Tally]
    of_source: bool = True  # the rows come from a source, and not from an earlier run
    done: int = 0  # changes, of all tables
    here: int = 0  # of the present table
    logged: int = 0  # of its records, those of which the log has told

    @property
    def total(self) -> int:
        """How many changes there are to make."""
        return sum(t.created + t.updated + t.removed for t in self.tallies.values())

    def begin(self) -> None:
        """Tell that the saving begins."""
        steps = self.resource.steps
        read = self.tallies[steps.main].read if steps.main else 0
        said = steps.saving.sentence.format(done=read) or steps.saving.tell("")
        self.reporter.tell(steps.saving, said, now=True, amount=Amount(0, self.total, self._unit))
        if steps.main and self.of_source:
            self.reporter.log(said)

    def moved(self, entity: Entity, rows: int) -> None:
        """Tell that so many rows of the table were moved."""
        self.done, self.here = self.done + rows, self.here + rows
        self._tell(entity, now=self.done == self.total)

    def finish(self, entity: Entity) -> None:
        """Tell that the table is in step."""
        self._tell(entity, now=True)
        self.here = self.logged = 0

    def _tell(self, entity: Entity, *, now: bool) -> None:
        steps, tally = self.resource.steps, self.tallies[entity.name]
        stored = min(tally.unchanged + self.here, tally.read)
        sentence = steps.saving.tell(entity.title, stored, tally.read)
        if steps.saving.tells_numbers and is_worth_a_line(self.logged, stored, tally.read):
            self.reporter.log(sentence)
            self.logged = stored
        self.reporter.tell(
            steps.saving,
            sentence,
            fraction=self.done / self.total if self.total else 1.0,
            now=now,
            amount=Amount(self.done, self.total, self._unit),
            counts={steps.saving.statistic: stored} if entity.name == steps.main else {},
        )

    def end(self) -> None:
        """Tell that all is done, where the resource has words for it."""
        steps = self.resource.steps
        if steps.main and steps.saving.found and self.of_source:
            tally = self.tallies[steps.main]
            created = f"{tally.created:,} {steps.main} created, " if tally.created else ""
            self.reporter.log(steps.saving.found.format(created=created, updated=tally.updated))

    @property
    def _unit(self) -> str:
        return "" if self.resource.steps.saving.tells_numbers else "changes"
