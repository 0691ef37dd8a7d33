"""The accounts of Cliniko in a chaos run: what happens in them, and what a sync must have found."""

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from threading import Lock

from sync_core.demo.cliniko import Account
from sync_core.demo.cliniko.known import Kind
from sync_core.organizations import Organization
from tests.support import watching

LISTS: dict[str, Kind] = {"patients": "patients", "appointments": "individual_appointments"}
KEYS = {"patients": "cliniko_patient_id", "appointments": "cliniko_appointment_id"}
LAST = """
select status from runs where organization_id = :o and resource = 'patients'
order by id desc limit 1
"""
SLACK = 2  # seconds: Cliniko's moments have no fractions


@dataclass
class Clinic:
    """An account in which people work while it is read."""

    organization: Organization
    account: Account
    chance: random.Random
    gone: dict[str, dict[str, float]] = field(  # by entity: the ids, and when each went
        default_factory=lambda: {entity: {} for entity in LISTS}
    )
    one_at_a_time: Lock = field(default_factory=Lock)

    def work_on(self) -> None:
        """Let somebody add, change or delete a record."""
        with self.one_at_a_time:
            now = int(time.time())
            entity, kind = self.chance.choice(list(LISTS.items()))
            live = [one.id for one in self.account.known(kind) if _is_live(one)]
            number = self.chance.choice(live)
            how = self.chance.random()
            if how < 0.2:
                self.gone[entity][str(number)] = time.time()
                self.account.delete(kind, number, now)
            elif kind == "patients" and how < 0.5:
                self._add(now)
            elif kind == "patients":
                name = self.chance.choice(("Ash", "Birch", "Cedar"))
                self.account.change(kind, number, at=now, first_name=name)
            else:
                self.account.change(kind, number, at=now, did_not_arrive=True)

    def _add(self, now: int) -> None:
        number = self.account.add("patients")
        self.account.change("patients", number, at=now, created_at=now)

    def wrong_records(self) -> Iterator[str]:
        """Say where the tables differ from the account, after a last sync of it, if that came."""
        if watching.ask(LAST, o=self.organization.id) not in ([("completed",)], [("partial",)]):
            print(f"the last sync of the account of organization {self.organization.id} failed")
            return
        for entity, kind in LISTS.items():
            name = f"{entity} of organization {self.organization.id}"
            live = {str(one.id) for one in self.account.known(kind) if _is_live(one)}
            if lost := live - self._kept(entity):
                yield f"{name}: {len(lost)} are missing, such as {min(lost)}"
            if left := self._kept(entity) & self.gone[entity].keys():
                yield f"{name}: {len(left)} are gone and were kept, such as {min(left)}"
        told = {
            str(one.id): self.account.record("patients", one, "")["first_name"]
            for one in self.account.known("patients")
            if _is_live(one)
        }
        if old := sorted(told.items() - self._first_names().items()):
            yield f"{len(old)} patients of organization {self.organization.id} are old: {old[0]}"

    def wrong_removals(self) -> Iterator[str]:
        """Say which records a run removed that were there."""
        removed = watching.ask(
            "select entity, key, run_id, cast(extract(epoch from finished_at) as float)"
            " from outcomes join runs on runs.id = run_id"
            " where runs.organization_id = :o and runs.resource = 'patients'"
            " and outcomes.kind = 'removed'",
            o=self.organization.id,
        )
        for entity, key, run_id, end in removed:
            if self.gone.get(entity, {}).get(key, float("inf")) > end + SLACK:
                yield f"run {run_id} removed the {entity} {key}, which is there"

    def _kept(self, entity: str) -> set[str]:
        rows = watching.ask(
            f"select {KEYS[entity]} from {entity} where organization_id = :o"
            " and _removed_at is null and deleted_at is null",
            o=self.organization.id,
        )
        return {key for (key,) in rows}

    def _first_names(self) -> dict[str, str]:
        rows = watching.ask(
            "select cliniko_patient_id, first_name from patients where organization_id = :o",
            o=self.organization.id,
        )
        return dict(rows)


def _is_live(known: object) -> bool:
    return all(
        getattr(known, name) is None
        for name in ("archived_at", "deleted_at", "merged_at", "cancelled_at")
    )
