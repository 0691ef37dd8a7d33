"""A made-up account: which records it has, and when what happens to them; by seed and size.

Kept in memory is only what lists are filtered by; a record is made up when somebody asks for it.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from random import Random
from typing import Any, NamedTuple

from sync_core.demo.cliniko import records
from sync_core.demo.cliniko.known import Kind, Known, identifier
from sync_core.demo.cliniko.records import Record

DAY = 86_400  # seconds
RECENT = 45  # days
PATIENTS, APPOINTMENTS = 648, 1247

# shares of the 648: 614 are live; of these 89 are active, 72 by a recent and 31 by a coming visit
ARCHIVED, DELETED, MERGED = 20, 8, 6
BOTH, ONLY_RECENT, ONLY_COMING = 14, 58, 17
# shares of the 1,247 that look like visits, and make nobody active
CANCELLED, ARCHIVED_VISITS, NOT_ARRIVED, OF_NOBODY = 40, 6, 12, 5


class Visit(NamedTuple):
    """An appointment before it has an id."""

    starts_at: int
    patient: int | None  # its place among the patients
    cancelled: bool = False
    archived: bool = False
    did_not_arrive: bool = False


class Account:
    """One account; what `today` is decides which appointments are still to come."""

    def __init__(
        self,
        patients: int = PATIENTS,
        appointments: int = APPOINTMENTS,
        *,
        seed: int = 7,
        today: datetime | None = None,
    ) -> None:
        self.seed = seed
        self.today = int((today or datetime.now(UTC)).timestamp())
        self.version = 0  # rises with each change, so that whoever keeps a list knows it is old
        self._sizes = (patients, appointments)
        self._known: dict[Kind, list[Known]] = {}
        self._changes: dict[tuple[Kind, int], Record] = {}
        self._deleted: defaultdict[Kind, list[Known]] = defaultdict(list)

    def known(self, kind: Kind) -> list[Known]:
        """Return what is known of the records of a kind, in the order of their ids."""
        if kind not in self._known:
            self._known[kind] = list(self._made_up(kind))
        return self._known[kind]

    def record(self, kind: Kind, known: Known, origin: str) -> Record:
        """Make up a record in full, as Cliniko answers it."""
        chance = Random(f"{self.seed} {kind} {known.id}")  # noqa: S311 - made-up data
        made_up = records.MAKERS[kind](known, chance, f"{origin}/v1")
        return {**made_up, **self._changes.get((kind, known.id), {})}

    def find(self, kind: Kind, number: int) -> Known | None:
        """Find a record by its id."""
        known = self.known(kind)
        at = bisect_left(known, number, key=lambda one: one.id)
        return known[at] if at < len(known) and known[at].id == number else None

    # what happens to an account

    def change(self, kind: Kind, number: int, *, at: int | None = None, **values: Any) -> None:  # noqa: ANN401 - JSON
        """Change fields of a record; `updated_at` becomes `at`, or stays if none is given."""
        known = self.known(kind)
        place = bisect_left(known, number, key=lambda one: one.id)
        moments = {name: values.pop(name) for name in list(values) if name in Known._fields}
        if at is not None:
            moments["updated_at"] = at
        known[place] = known[place]._replace(**moments)
        self._changes.setdefault((kind, number), {}).update(values)
        self.version += 1

    def archive(self, kind: Kind, number: int) -> None:
        """Archive a record; an older interface does not note it in `updated_at`."""
        self.change(kind, number, archived_at=self.today)

    def delete(self, kind: Kind, number: int, at: int) -> None:
        """Delete a record: it leaves its list, and is listed among the deleted ones."""
        if known := self.find(kind, number):
            self.remove(kind, number)
            self._deleted[kind].append(known._replace(deleted_at=at, updated_at=at))

    def deleted(self, kind: Kind) -> list[Known]:
        """Return the records that were deleted, in the order of their ids."""
        among_others = [one for one in self.known(kind) if one.deleted_at is not None]
        return sorted([*among_others, *self._deleted[kind]])

    def remove(self, kind: Kind, number: int) -> None:
        """Let a record vanish without a trace."""
        self._known[kind] = [one for one in self.known(kind) if one.id != number]
        self.version += 1

    def add(self, kind: Kind, **values: Any) -> int:  # noqa: ANN401 - JSON
        """Add a record, which gets an id above all that ever were; returns it."""
        known = self.known(kind)
        number = max((one.id for one in (*known, *self._deleted[kind])), default=0) + 1
        known.append(Known(number, self.today, self.today))
        self.change(kind, number, **values)
        return number

    # how it is made up

    def _made_up(self, kind: Kind) -> Iterator[Known]:
        patients, appointments = self._sizes
        chance = Random(f"{self.seed} {kind}")  # noqa: S311 - made-up data
        match kind:
            case "patients":
                return self._patients(patients, chance)
            case "individual_appointments":
                return self._appointments(appointments, chance)
            case "appointment_types":
                return self._types()

    def _patients(self, size: int, chance: Random) -> Iterator[Known]:
        gone = self._gone(size)
        for place in range(size):
            created = self.today - (size - place) * 2000 * DAY // size - 2 * DAY
            updated = chance.randrange(created, self.today - DAY)
            how = gone.get(place)  # the deleted and the merged are archived, too
            yield Known(
                identifier(place, size),
                created,
                updated,
                archived_at=updated if how else None,
                deleted_at=updated if how == "deleted" else None,
                merged_at=updated if how == "merged" else None,
                merged_with=identifier((place + 1) % size, size) if how == "merged" else None,
            )

    def _gone(self, size: int) -> dict[int, str]:
        chance = Random(f"{self.seed} gone")  # noqa: S311 - made-up data
        kinds = (("archived", ARCHIVED), ("deleted", DELETED), ("merged", MERGED))
        hows = [how for how, share in kinds for _ in range(_share(share, size))]
        return dict(zip(chance.sample(range(size), len(hows)), hows, strict=True))

    def _appointments(self, size: int, chance: Random) -> Iterator[Known]:
        visits = list(self._visits(size, chance))
        waits = [chance.randrange(DAY, 30 * DAY) for _ in visits]
        booked = [
            (min(visit.starts_at - wait, self.today - DAY), visit)
            for visit, wait in zip(visits, waits, strict=True)
        ]
        booked.sort(key=lambda pair: pair[0])  # ids rise with the moment of booking
        for place, (created, visit) in enumerate(booked):
            yield self._appointment(identifier(place, size), created, visit, chance)

    def _appointment(self, number: int, created: int, visit: Visit, chance: Random) -> Known:
        updated = max(created, min(visit.starts_at, self.today - chance.randrange(DAY)))
        patients = self._sizes[0]
        patient = None if visit.patient is None else identifier(visit.patient, patients)
        types = len(records.TYPES)
        return Known(
            number,
            created,
            updated,
            archived_at=updated if visit.archived else None,
            cancelled_at=updated if visit.cancelled else None,
            starts_at=visit.starts_at,
            ends_at=visit.starts_at + 60 * chance.choice((30, 45, 60)),
            patient_id=patient,
            appointment_type_id=identifier(chance.randrange(types), types),
            practitioner_id=chance.randrange(1, 13),
            business_id=chance.randrange(1, 4),
            did_not_arrive=visit.did_not_arrive,
        )

    def _visits(self, size: int, chance: Random) -> Iterator[Visit]:
        """Make up `size` visits: those that make patients active first, old ones to fill up."""
        patients = self._sizes[0]
        gone = self._gone(patients)
        live = [place for place in range(patients) if place not in gone]
        chance.shuffle(live)
        shares = [_share(share, patients) for share in (BOTH, ONLY_RECENT, ONLY_COMING)]
        both, recent, coming, rest = _split(live, shares)
        made = [Visit(self._recent(chance), place) for place in (*both, *recent)]
        made += [Visit(self._coming(chance), place) for place in (*both, *coming)]
        made += self._traps(size, chance, rest, list(gone))
        yield from made[:size]
        for _ in range(size - len(made)):
            place = chance.choice(live) if live else None
            yield Visit(self._old(chance), place)

    def _traps(
        self, size: int, chance: Random, rest: Sequence[int], gone: Sequence[int]
    ) -> Iterator[Visit]:
        """Make up visits that are recent or still to come, and nevertheless make nobody active."""
        if not rest:
            return
        for number in range(_share(CANCELLED, size, APPOINTMENTS)):
            moment = self._coming(chance) if number % 2 else self._recent(chance)
            yield Visit(moment, chance.choice(rest), cancelled=True)
        for _ in range(_share(ARCHIVED_VISITS, size, APPOINTMENTS)):
            yield Visit(self._coming(chance), chance.choice(rest), archived=True)
        for _ in range(_share(NOT_ARRIVED, size, APPOINTMENTS)):
            yield Visit(self._recent(chance), chance.choice(rest), did_not_arrive=True)
        for _ in range(_share(OF_NOBODY, size, APPOINTMENTS)):
            yield Visit(self._recent(chance), None)
        for place in gone[::3]:
            yield Visit(self._recent(chance), place)

    def _recent(self, chance: Random) -> int:
        return self._moment(chance, -RECENT + 2, -2)

    def _coming(self, chance: Random) -> int:
        return self._moment(chance, 2, 60)

    def _old(self, chance: Random) -> int:
        return self._moment(chance, -900, -RECENT - 2)

    def _moment(self, chance: Random, first: int, last: int) -> int:
        """Choose a quarter of an hour in the opening hours of a day, counted from today."""
        midnight = self.today - self.today % DAY + chance.randint(first, last) * DAY
        return midnight + chance.randrange(32) * 900

    def _types(self) -> Iterator[Known]:
        size = len(records.TYPES)
        for place in range(size):
            made = self.today - (2000 - place) * DAY
            archived = made + 900 * DAY if place in records.ARCHIVED_TYPES else None
            yield Known(identifier(place, size), made, archived or made, archived_at=archived)


def _share(share: int, size: int, whole: int = PATIENTS) -> int:
    return round(share * size / whole)


def _split(places: Sequence[int], shares: Iterable[int]) -> Iterator[Sequence[int]]:
    start = 0
    for share in shares:
        yield places[start : start + share]
        start += share
    yield places[start:]
