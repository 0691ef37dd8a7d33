"""The sheets of a chaos run: what stands in each version, and what a sync must make of it."""

import random
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from sync_core.catalogue.resource import Entity
from tests.chaos.places import Place

ROWS = 400

State = Mapping[str, str]  # what the table holds: the value of each key, as Postgres tells them


@dataclass(frozen=True)
class Kind:
    """How the sheet of an entity looks: its key, the cell that changes, the cells that stay."""

    key: str
    spelled: str = "{}"  # the key's cell
    told: str = "{}"  # the key in an outcome
    value: str = "Name"
    values: Sequence[str] = ("Ash", "Birch", "Cedar")
    stored: str = "{}"  # the value in the table
    always: Mapping[str, str] = field(default_factory=dict)


KINDS = {
    "locations": Kind("Location code"),
    "admins": Kind("Email", spelled="{}@example.org", told="{}@example.org"),
    "brands": Kind("Brand code"),
    "packages": Kind("Package code", always={"Brand code": "g0"}),
    "therapists": Kind("Therapist ID"),
    "schedules": Kind(
        "Therapist ID",
        told="{}\x1fMonday\x1f09:00:00",
        value="End",
        values=("15:00", "16:00", "17:00"),
        stored="{}:00",
        always={"Weekday": "Monday", "Start": "09:00"},
    ),
}


@dataclass(frozen=True)
class Row:
    """A row of a sheet; a sync applies it, or leaves it out as failed or skipped."""

    key: str
    value: str
    left_out: str | None = None


@dataclass(frozen=True)
class Effect:
    """What a sync must do with a version: the table after it, its outcomes, its counts."""

    after: State
    outcomes: Mapping[tuple[int, str], tuple[str, Any]]  # row number, kind: key, changes
    counts: Counter[str]


@dataclass(frozen=True)
class Version:
    """What was published at a moment; a damaged one is the version before it, with a flaw."""

    number: int
    came: float  # seconds since 1970
    damaged: bool = False


@dataclass
class Sheet:
    """The table of an entity of one organization, in its versions."""

    place: Place
    organization_id: int
    entity: Entity
    seed: str
    published: list[Version] = field(default_factory=list)
    one_at_a_time: Lock = field(default_factory=Lock)

    @property
    def kind(self) -> Kind:
        """Return how it looks."""
        return KINDS[self.entity.name]

    def publish(self) -> None:
        """Put the next version in the place of the last one, in one step."""
        with self.one_at_a_time:
            number = self.published[-1].number + 1 if self.published else 0
            self.published.append(Version(number, time.time()))
            self.place.put(list(self._cells(number)))

    def damage(self, chance: random.Random) -> None:
        """Damage the file in its place, while it may be read; the next version is whole again."""
        with self.one_at_a_time:
            self.published.append(Version(self.published[-1].number, time.time(), damaged=True))
            self.place.damage(chance)

    def versions(self, start: float, end: float) -> list[Version]:
        """List the versions that stood there at some moment between two."""
        until = [*(version.came for version in self.published[1:]), float("inf")]
        both = zip(self.published, until, strict=True)
        return [version for version, went in both if version.came <= end and went >= start]

    def effect(self, version: int, before: State) -> Effect:
        """Return what a sync of a version does to a table."""
        after, outcomes, counts = dict(before), {}, Counter[str]()
        for number, row in enumerate(self._rows(version), 2):
            key, value = self.kind.told.format(row.key), self.kind.stored.format(row.value)
            old = None if row.left_out else before.get(key)
            kind = row.left_out or (
                "created" if old is None else "unchanged" if old == value else "updated"
            )
            counts[kind] += 1
            if kind != "unchanged":
                outcomes[number, kind] = (key, [old, value] if kind == "updated" else None)
            if not row.left_out:
                after[key] = value
        return Effect(after, outcomes, counts)

    def _rows(self, version: int) -> Iterator[Row]:
        chance = random.Random(f"{self.seed} {version}")
        for number in range(ROWS):
            value = chance.choice(self.kind.values)
            if number == 0 or self.entity.name == "therapists" or chance.random() < 0.8:
                yield Row(f"g{number}", value)
        for number in range(chance.randrange(3)):
            yield Row(f"x{number}", "", "failed")  # a required cell is blank
        if self.entity.name == "therapists":
            yield Row("f0", "Fir", "skipped")
        yield Row("g0", self.kind.values[0], "failed")  # the key stands in the first row already

    def _cells(self, version: int) -> Iterator[list[str]]:
        labels = [declared.label for declared in self.entity.fields]
        yield labels
        for row in self._rows(version):
            cells = {
                **self.kind.always,
                self.kind.key: self.kind.spelled.format(row.key),
                self.kind.value: row.value,
                **({"Employment type": "FLAT"} if row.left_out == "skipped" else {}),
            }
            yield [cells.get(label, "") for label in labels]
