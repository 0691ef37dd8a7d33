"""What is promised to impatient people: one run at a time, and a Cancel that is obeyed."""

from dataclasses import replace
from functools import partial
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier

import psycopg
import pytest

from sync_core import organizations, runs
from sync_core.execution import attempt, heartbeat, queue
from sync_core.execution.heartbeat import Heartbeat
from sync_core.foundation import db, settings
from sync_core.foundation.errors import SyncError
from sync_core.foundation.vocabulary import Role
from sync_core.operations import syncs
from sync_core.organizations.people import Person
from sync_core.runs import Run, lease, recovery
from tests.support import long_run, processes, watching
from tests.support.desk import ANA, Desk
from tests.support.locations import HEADER, row
from tests.support.processes import Crew
from tests.support.waiting import eventually
from tests.support.watching import attempts, ended

pytestmark = pytest.mark.alone

CANCELLED = ("cancelled", "Cancelled. Nothing was changed.")
SARAH = Person("Sarah Lim", "sarah.lim@example.org", Role.ANALYST, "Operations")


def press(slug: str, together: Barrier, answers: "Queue[str]") -> None:
    """Press the button, as the page of another process does."""
    with db.everywhere() as connection:
        organization = organizations.get(connection, slug)
    together.wait(20)
    try:
        answers.put(syncs.start(organization, "locations", ANA, "test").status)
    except SyncError as error:
        answers.put(error.code)


def cancel(desk: Desk, run: Run) -> Run:
    return syncs.cancel(desk.organization, run.id, ANA)


def how(run: Run) -> tuple[str, str]:
    return run.status, run.message


def test_of_several_processes_that_start_at_once_one_wins(desk: Desk) -> None:
    desk.set_source("locations")
    together, answers = processes.FORKS.Barrier(4), processes.FORKS.Queue()
    for _ in range(4):
        processes.start(press, desk.organization.slug, together, answers)
    found = sorted(answers.get(timeout=20) for _ in range(4))
    assert found == ["already_running", "already_running", "already_running", "queued"]


def test_postgres_itself_refuses_a_second_active_run(
    desk: Desk, database: psycopg.Connection
) -> None:
    desk.set_source("locations")
    run = syncs.start(desk.organization, "locations", ANA, "test")
    copy = (
        "insert into runs (organization_id, resource, trigger, requested_by, requested_email)"
        " select organization_id, resource, 'test', 'x', 'x' from runs where id = %s"
    )
    with pytest.raises(psycopg.errors.UniqueViolation, match="runs_one_active"):
        database.execute(copy, [run.id])


def test_a_colleague_learns_whose_run_it_is_and_follows_it(desk: Desk) -> None:
    desk.set_source("locations")
    run = syncs.start(desk.organization, "locations", SARAH, "test")
    with pytest.raises(SyncError) as caught:
        syncs.start(desk.organization, "locations", ANA, "test")
    assert caught.value.sentence == "Sarah Lim started this 0 s ago."
    assert caught.value.facts["run"] == run.id


def test_pressing_again_revives_a_dead_run_though_no_maintenance_is_alive(desk: Desk) -> None:
    desk.set_source("locations")
    run = syncs.start(desk.organization, "locations", SARAH, "test")
    with db.everywhere() as connection:
        lease.claim(connection, run.id, "a worker that died")
    watching.let_time_pass(lease.LEASE_SECONDS)
    eventually(lambda: watching.postgres_is_up_for(lease.LEASE_SECONDS))
    with pytest.raises(SyncError, match="Sarah Lim started this"):
        syncs.start(desk.organization, "locations", ANA, "test")
    assert (watching.read(run).status, attempts(run)) == ("queued", ["its worker went silent"])
    assert run.id in queue.pushed()


def test_starting_again_within_three_seconds_is_refused(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.sync("locations", locations=[HEADER, row("L1")])
    patient = partial(replace, settings.current(), cooldown=settings.load({}).cooldown)
    monkeypatch.setattr(settings, "current", patient)
    with pytest.raises(SyncError) as caught:
        desk.start("locations")
    assert caught.value.sentence == "The last sync of this ended a moment ago. Try again in 3 s."


def test_a_queued_run_is_cancelled_at_once(desk: Desk) -> None:
    desk.set_source("locations")
    run = syncs.start(desk.organization, "locations", ANA, "test")
    assert how(cancel(desk, run)) == CANCELLED
    assert attempt.work(run.id) == "not ours"


def test_a_cancel_is_obeyed_in_the_midst_of_reading(crew: Crew, desk: Desk) -> None:
    crew("--without-maintenance", SLOW_PAGE="0.2")
    run = long_run.start(desk)
    assert cancel(desk, run).cancelling
    assert how(ended(run)) == CANCELLED
    assert watching.staged(run) < long_run.ROWS
    assert attempts(run) == ["cancelled"]


def test_a_cancel_while_saving_undoes_what_was_saved(
    crew: Crew, desk: Desk, database: psycopg.Connection
) -> None:
    crew("--without-maintenance", SLOW_APPLY="3")
    brands = ["Brand code", "Name", "Website", "Active"]
    packages = "Package code,Brand code,Name,Price,Currency,Sessions,Duration,Valid from"
    desk.write("brands", [brands, ["B1", "Calm"]])
    desk.write("packages", [[*packages.split(","), "Valid until", "Active"], ["P1", "B1", "One"]])
    run = desk.start("services")
    eventually(lambda: watching.phase(run) == "saving")
    cancel(desk, run)
    assert how(ended(run)) == CANCELLED
    query = "select 1 from brands where organization_id = %s"
    assert database.execute(query, [run.organization_id]).fetchall() == []


def test_a_cancel_that_a_frozen_worker_does_not_obey_is_enforced_within_10_s(
    crew: Crew, desk: Desk
) -> None:
    worker = crew(SLOW_PAGE="0.2")
    run = long_run.start(desk)
    with processes.frozen(processes.work_horse(worker)):
        cancel(desk, run)
        run = ended(run, recovery.CANCEL_SECONDS + 2)  # maintenance looks every second
    assert how(run) == CANCELLED
    assert worker.is_alive()


@pytest.mark.parametrize(
    ("reason", "status"), [("cancel", "cancelled"), ("limit", "timed_out"), ("stop", "interrupted")]
)
def test_a_heart_closes_the_run_of_an_attempt_that_does_not_stop(
    reason: str, status: str, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.set_source("locations")
    run = syncs.start(desk.organization, "locations", ANA, "test")
    with db.everywhere() as connection:
        claim = lease.claim(connection, run.id, db.name())
    assert claim
    monkeypatch.setattr(heartbeat, "STOP_SECONDS", 0)
    monkeypatch.setattr(heartbeat, "EXIT_SECONDS", 0)
    ends: list[bool] = []
    with Heartbeat(claim, 0 if reason == "limit" else 600, lambda: ends.append(True)):
        if reason == "cancel":
            cancel(desk, run)
        if reason == "stop":
            heartbeat.STOP_REQUEST.made = True
        try:
            eventually(lambda: ends)
        finally:
            heartbeat.STOP_REQUEST.made = False
    with db.everywhere() as connection:
        assert runs.get(connection, run.organization_id, run.id).status == status
