"""What is told while plans are applied: how many changes are done, or rows of a table stored."""

from collections.abc import Mapping
from dataclasses import dataclass

from sync_core.catalogue.resource import Entity, Resource
from sync_core.engine.tally import Tally
from sync_core.runs.progress import Reporter


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
        self.reporter.tell(steps.saving, said, now=True, unit=self._unit, total=self.total)

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
            done=self.done,
            total=self.total,
            unit=self._unit,
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
