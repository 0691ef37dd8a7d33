"""Who acts in a chaos run: workers that are replaced when they end, and impatient users."""

import random
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from sync_core import runs
from sync_core.execution import queue
from sync_core.foundation import db
from sync_core.foundation.errors import SyncError
from sync_core.foundation.vocabulary import Role
from sync_core.operations import syncs
from sync_core.organizations import Organization, actions
from sync_core.organizations.actions import Started
from sync_core.organizations.people import Person
from sync_core.runs import Run
from tests.chaos.clinics import Clinic
from tests.chaos.sheets import Sheet
from tests.support import processes, slow_worker, watching
from tests.support.processes import Process
from tests.support.waiting import eventually

PEOPLE = (
    Person("Ana Ruiz", "ana.ruiz@example.org", Role.ADMIN, "IT"),
    Person("Sarah Lim", "sarah.lim@example.org", Role.ANALYST, "Operations"),
)


@dataclass
class Crew:
    """Workers, each with its maintenance, and one maintenance alone."""

    environment: dict[str, str]
    count: int = 3
    workers: list[Process] = field(default_factory=list)
    others: list[Process] = field(default_factory=list)  # the maintenance that is alone

    def begin(self) -> None:
        """Start them, and wait until they are there."""
        self.workers = [processes.worker(**self.environment) for _ in range(self.count)]
        self.others = [processes.start(slow_worker.maintain, self.environment)]
        eventually(lambda: queue.workers() == self.count, 120)

    def replace_ended(self) -> None:
        """Start a new process for each that has ended."""
        for index, process in enumerate(self.workers):
            if not process.is_alive():
                self.workers[index] = processes.worker(**self.environment)
        for index, process in enumerate(self.others):
            if not process.is_alive():
                self.others[index] = processes.start(slow_worker.maintain, self.environment)

    def end(self) -> None:
        """End them all, as a deploy does."""
        for process in [*self.workers, *self.others]:
            process.terminate()
        for process in [*self.workers, *self.others]:
            process.join(20)


@dataclass(frozen=True)
class Lane:
    """A resource of an organization, with its sheets."""

    organization: Organization
    resource: str
    sheets: tuple[Sheet, ...]
    clinic: Clinic | None = None  # of patients

    def change(self) -> None:
        """Let its source become another one."""
        for sheet in self.sheets:
            sheet.publish()
        if self.clinic:
            self.clinic.work_on()

    @property
    def may_be_undone(self) -> bool:
        """Return whether the oracle can tell what an undo does: no record refers to others."""
        return len(self.sheets) == 1


@dataclass
class User:
    """Somebody who presses Sync data all the time, changes sheets, and cancels at times.

    At times they press Preview instead, or take an earlier sync back, and confirm or decline what
    waits.
    """

    lanes: list[Lane]
    chance: random.Random
    stop: threading.Event
    accepted: list[int] = field(default_factory=list)
    answers: dict[str, int] = field(default_factory=dict)
    waits: list[tuple[float, float]] = field(default_factory=list)  # when, seconds

    def press_on(self) -> None:
        """Press until it is time to stop."""
        while not self.stop.wait(self.chance.uniform(0, 0.8)):
            lane = self.chance.choice(self.lanes)
            if self.chance.random() < 0.5:
                lane.change()
            for _ in range(self.chance.choice((1, 1, 2))):  # a double click
                self._press(lane)
            self._decide()

    def _press(self, lane: Lane) -> None:
        person = self.chance.choice(PEOPLE)
        begun = time.time()
        try:
            if self.chance.random() < 0.25:
                run = _start_and_die(lane, person)
            else:
                run = self._ask(lane, person)
        except SyncError as error:
            self._note(error.code)
        except db.ERRORS:
            self._note("no database")
        else:
            self.waits.append((begun, time.time() - begun))
            self.accepted.append(run.id)
            self._note("started")
            if self.chance.random() < 0.1:
                self._cancel(lane, run, person)

    def _ask(self, lane: Lane, person: Person) -> Run:
        applied = applied_syncs(lane)
        if lane.may_be_undone and applied and self.chance.random() < 0.2:
            return syncs.undo(lane.organization, self.chance.choice(applied), person, "chaos")
        begin = syncs.preview if self.chance.random() < 0.4 else syncs.start
        return begin(lane.organization, lane.resource, person, "chaos")

    def _decide(self) -> None:
        """Confirm a plan that waits, or decline it; a colleague may do the same just now."""
        person = self.chance.choice(PEOPLE)
        try:
            for lane, run_id in waiting(self.lanes)[:1]:
                if self.chance.random() < 0.9:
                    syncs.confirm(lane.organization, run_id, person, "chaos")
                    self._note("confirmed")
                else:
                    syncs.cancel(lane.organization, run_id, person)
                    self._note("declined")
        except SyncError as error:
            self._note(error.code)
        except db.ERRORS:
            self._note("no database")

    def _cancel(self, lane: Lane, run: Run, person: Person) -> None:
        time.sleep(self.chance.uniform(0, 3))
        with suppress(SyncError, *db.ERRORS):  # it may have ended meanwhile
            syncs.cancel(lane.organization, run.id, person)

    def _note(self, answer: str) -> None:
        self.answers[answer] = self.answers.get(answer, 0) + 1


def waiting(lanes: Sequence[Lane]) -> list[tuple[Lane, int]]:
    """Return the runs whose plans wait for a decision, the newest first."""
    by_organization = {lane.organization.id: lane for lane in lanes}
    found = watching.ask(
        "select id, organization_id from runs where status = 'waiting' order by id desc"
    )
    return [(by_organization[organization_id], run_id) for run_id, organization_id in found]


def applied_syncs(lane: Lane) -> list[int]:
    """Return the latest syncs of a lane that were applied."""
    found = watching.ask(
        "select id from runs where organization_id = :o and resource = :r and kind = 'sync'"
        " and status in ('completed', 'partial') order by id desc limit 3",
        o=lane.organization.id,
        r=lane.resource,
    )
    return [run_id for (run_id,) in found]


def _start_and_die(lane: Lane, person: Person) -> Run:
    """Keep a run, as `syncs.start` does, and die before it is pushed."""
    organization_id = lane.organization.id
    with db.everywhere() as connection:
        run = runs.start(connection, organization_id, lane.resource, person, trigger="chaos")
        actions.record(
            connection, organization_id, person, Started(), resource=lane.resource, run_id=run.id
        )
    return run
