"""What one attempt works on, and what it has found out so far."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy import Connection

from sync_core.catalogue.phases import Steps
from sync_core.catalogue.resource import Entity, Resource
from sync_core.engine.read_ahead import Reading
from sync_core.engine.statements import Scope
from sync_core.organizations.policies import Guards
from sync_core.runs import Run
from sync_core.runs.lease import Claim
from sync_core.runs.plans import Plans
from sync_core.runs.progress import Level, Reporter
from sync_core.runs.retries import Retried
from sync_core.runs.sheet_facts import Address, ReadWindow

Analysis = Callable[[Connection, Sequence[Scope]], int]


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
    window: ReadWindow | None = None  # None: the source cannot tell what changed
    analyze: Analysis | None = None  # gives the statistic of the comparing
    confirmed: Plans | None = None  # exactly these are to be applied; None: whatever is planned
    undone: Run | None = None  # that is to be taken back; then no source is read
    notes: list[str] = field(default_factory=list)
    guards: Guards = field(default_factory=Guards)
    addresses: Mapping[str, Address] = field(default_factory=dict)  # of sources, by entity
    retried: Retried | None = None  # whose failed rows alone are applied
    phases: dict[str, float] = field(default_factory=dict)  # seconds
    time_zone: str = "UTC"  # of the organization

    @property
    def steps(self) -> Steps:
        """The phases that the run goes through."""
        return self.resource.steps

    def note(self, *sentences: str, level: Level = "warning") -> None:
        """Keep what a person should know of the run, though nothing is wrong; each thing once."""
        for sentence in sentences:
            if sentence in self.notes:
                continue
            self.notes.append(sentence)
            self.reporter.log(sentence, level)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Time a phase."""
        start = time.monotonic()
        yield
        self.phases[name] = round(time.monotonic() - start, 3)
