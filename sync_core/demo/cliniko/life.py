"""What happens to the demo's account as time goes by: something small every ten minutes.

Each event follows from its number alone, so a demo that was away has lived on meanwhile.
"""

from collections.abc import Callable
from random import Random

from sync_core.demo.cliniko.account import DAY, Account
from sync_core.demo.cliniko.known import Kind, Known
from sync_core.demo.files import STREETS

EVERY = 600  # seconds
VISITS: Kind = "individual_appointments"

Event = Callable[[Account, Random, int], None]


class Life:
    """The events of an account, none of which happens twice."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._happened = 0

    def catch_up(self, now: float) -> None:
        """Let everything happen that was due by now."""
        due = int(now - self._account.today) // EVERY
        for number in range(self._happened, due):
            chance = Random(f"{self._account.seed} event {number}")  # noqa: S311 - made-up data
            chance.choice(EVENTS)(self._account, chance, self._account.today + (number + 1) * EVERY)
        self._happened = max(self._happened, due)


def _moves_house(account: Account, chance: Random, at: int) -> None:
    live = [one for one in account.known("patients") if one.archived_at is None]
    street = f"{chance.randrange(1, 300)} {chance.choice(STREETS)} Street"
    account.change("patients", chance.choice(live).id, at=at, address_1=street)


def _books(account: Account, chance: Random, at: int) -> None:
    like = chance.choice(account.known(VISITS))
    starts = at - at % 900 + chance.randrange(1, 40) * DAY
    account.add(
        VISITS,
        at=at,
        created_at=at,
        starts_at=starts,
        ends_at=starts + 1800,
        patient_id=like.patient_id,
        appointment_type_id=like.appointment_type_id,
        practitioner_id=like.practitioner_id,
        business_id=like.business_id,
    )


def _reschedules(account: Account, chance: Random, at: int) -> None:
    for visit in _one_to_come(account, chance, at):
        later = chance.randrange(1, 8) * DAY
        starts, ends = visit.starts_at or at, visit.ends_at or at
        account.change(VISITS, visit.id, at=at, starts_at=starts + later, ends_at=ends + later)


def _cancels(account: Account, chance: Random, at: int) -> None:
    for visit in _one_to_come(account, chance, at):
        account.change(VISITS, visit.id, at=at, cancelled_at=at)


def _one_to_come(account: Account, chance: Random, at: int) -> list[Known]:
    """Choose a visit that is still to come, if there is one."""
    coming = [
        one
        for one in account.known(VISITS)
        if (one.starts_at or 0) > at and one.cancelled_at is None and one.archived_at is None
    ]
    return [chance.choice(coming)] if coming else []


EVENTS: tuple[Event, ...] = (_moves_house, _books, _reschedules, _cancels)
