"""What is told while a run goes on: rows read, plans made, changes done."""

from collections.abc import Mapping
from dataclasses import dataclass

from sync_core.catalogue.resource import Entity, Resource
from sync_core.catalogue.source import Sheet
from sync_core.engine.statements import Scope
from sync_core.engine.tally import Tally
from sync_core.engine.work import Work
from sync_core.foundation.vocabulary import OutcomeKind
from sync_core.runs.progress import Amount, Download, Reporter


@dataclass
class Saving:
    """Counts the rows that the apply moves, and tells them in the resource's words."""

    reporter: Reporter
    resource: Resource
    tallies: Mapping[str, Tally]
    done: int = 0  # changes, of all tables
    here: int = 0  # of the present table

    @property
    def total(self) -> int:
        """How many changes there are to make."""
        return sum(t.created + t.updated + t.removed for t in self.tallies.values())

    def begin(self) -> None:
        """Say that the saving begins."""
        steps = self.resource.steps
        read = self.tallies[steps.main].read if steps.main else 0
        said = steps.saving.sentence.format(done=read) or steps.saving.tell("")
        self.reporter.tell(steps.saving, said, now=True, amount=Amount(0, self.total, self._unit))

    def moved(self, entity: Entity, rows: int) -> None:
        """Tell that so many rows of the table were moved."""
        self.done, self.here = self.done + rows, self.here + rows
        self._tell(entity, now=self.done == self.total)

    def finish(self, entity: Entity) -> None:
        """Tell that the table is in step."""
        self._tell(entity, now=True)
        self.here = 0

    def _tell(self, entity: Entity, *, now: bool) -> None:
        steps, tally = self.resource.steps, self.tallies[entity.name]
        stored = min(tally.unchanged + self.here, tally.read)
        self.reporter.tell(
            steps.saving,
            steps.saving.tell(entity.title, stored, tally.read),
            fraction=self.done / self.total if self.total else 1.0,
            now=now,
            amount=Amount(self.done, self.total, self._unit),
            counts={steps.saving.statistic: stored} if entity.name == steps.main else {},
        )

    def end(self) -> None:
        """Say that all is done, where the resource has words for it."""
        steps = self.resource.steps
        if steps.main and steps.saving.found:
            tally = self.tallies[steps.main]
            self.reporter.log(steps.saving.found.format(done=tally.created + tally.updated))

    @property
    def _unit(self) -> str:
        return "" if self.resource.steps.saving.tells_numbers else "changes"


FETCHING = 0.9  # of the first band, where a source is fetched whole before it is read


def _tell_reading(work: Work, scope: Scope, sheet: Sheet, read: int | None) -> None:
    band = work.steps.read_in(scope.entity.name)
    alike = [e.name for e in work.resource.entities if work.steps.read_in(e.name) is band]
    part = read / sheet.total if read and sheet.total else 0.0
    by_bytes = sheet.unit == "bytes"
    rows = None if by_bytes else sheet.total
    done = scope.staged + scope.blank
    begins = done == 0 and band.sentence
    work.reporter.tell(
        band,
        band.sentence if begins else band.tell(scope.title, done, rows),
        fraction=(alike.index(scope.entity.name) + min(part, 1.0)) / len(alike),
        amount=Amount(done, rows, "" if band.tells_numbers else "rows"),
        counts={band.statistic: done} if band.statistic else {},
        download=Download(read, sheet.total) if by_bytes else None,
    )


def tell_fetching(work: Work, entity: str, read: int, whole: int | None) -> None:
    """Report how much has arrived of a sheet that is fetched whole, before its rows are read."""
    names = [entity.name for entity in work.resource.entities]
    part = FETCHING * read / whole if whole else 0.0
    work.reporter.tell(
        work.steps.read_in(entity),
        "Downloading the source",
        fraction=(names.index(entity) + min(part, 1.0)) / len(names),
        now=work.reporter.latest.download is None,
        download=Download(read, whole),
    )


def _planned(tallies: Mapping[str, Tally]) -> dict[str, int]:
    """Count for the page what the run will do; what there is none of is not told."""
    told = {kind: sum(getattr(tally, kind) for tally in tallies.values()) for kind in OutcomeKind}
    return {kind: number for kind, number in told.items() if number}
