"""What the dashboard of patients' syncs is promised, by its own example answers."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import httpx2
import pytest

from sync_core import organizations, runs
from sync_core.catalogue.resources import CATALOGUE
from sync_core.foundation import db, redis_clients
from sync_core.foundation.vocabulary import Role
from sync_core.operations import syncs
from sync_core.organizations import Organization, people
from sync_core.runs import Run, lease
from sync_core.runs.progress import Reporter
from tests.support.api_server import Program, Server
from tests.support.clinic import Clinic
from tests.support.desk import ANA
from tests.support.example_answers import assert_like

START = {
    "message": "Sync started",
    "sync_id": "sync_org_2xwHiNrj68eaRUlX10anlXGvzX7_20241222_143022",
    "organization_id": "org_2xwHiNrj68eaRUlX10anlXGvzX7",
    "status": "starting",
}
STATUS = {
    "organization_id": "org_2xwHiNrj68eaRUlX10anlXGvzX7",
    "sync_id": "sync_org_2xwHiNrj68eaRUlX10anlXGvzX7_20241222_143022",
    "status": "fetching_patients",
    "progress_percentage": 50,
    "current_step": "Found 641 patients",
    "total_steps": 8,
    "current_step_number": 4,
    "patients_found": 641,
    "appointments_found": 1247,
    "active_patients_identified": 89,
    "active_patients_stored": 89,
    "started_at": "2024-12-22T14:30:22.123Z",
    "completed_at": None,
    "errors": list[str](),
    "last_updated": "2024-12-22T14:30:45.456Z",
}
DASHBOARD = {
    "organization_id": "org_2xwHiNrj68eaRUlX10anlXGvzX7",
    "current_sync": {
        "sync_id": "sync_org_2xwHiNrj68eaRUlX10anlXGvzX7_20241222_143022",
        "status": "analyzing",
        "progress_percentage": 75,
        "current_step": "Analyzing active patients...",
        "patients_found": 641,
        "appointments_found": 1247,
        "active_patients_identified": 89,
        "active_patients_stored": 0,
    },
    "patient_stats": {
        "total_patients": 89,
        "active_patients": 89,
        "patients_with_upcoming": 23,
        "patients_with_recent": 66,
        "last_sync_time": "2024-12-22T14:25:15.789Z",
    },
    "last_sync": {
        "status": "completed",
        "started_at": "2024-12-22T14:25:00.000Z",
        "completed_at": "2024-12-22T14:25:15.789Z",
        "records_success": 89,
    },
    "sync_available": True,
}
STEPS = CATALOGUE["patients"].steps
DURING = {  # what the status is in each of our phases
    "initializing": ("starting", 1),
    "checking_config": ("starting", 2),
    "checking_credentials": ("starting", 3),
    "fetching_patients": ("fetching_patients", 4),
    "fetching_appointments": ("fetching_appointments", 5),
    "loading_types": ("fetching_appointments", 6),
    "analyzing": ("analyzing", 7),
    "storing": ("storing", 8),
}


@pytest.fixture
def program(server: Server, clinic: Clinic) -> Program:
    return Program(server, clinic.organization, Role.ANALYST)


def start(program: Program, clinic: Clinic, once: str | None = None) -> dict[str, Any]:
    answer = program("POST", f"/sync/start/{clinic.organization.slug}", once=once)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def status(program: Program, started: dict[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = program.get(f"/sync/status/{started['sync_id']}")
    return told


def dashboard(program: Program, clinic: Clinic) -> dict[str, Any]:
    told: dict[str, Any] = program.get(f"/sync/dashboard/{clinic.organization.slug}")
    return told


def start_and_cancel(clinic: Clinic) -> int:
    run = syncs.start(clinic.organization, "patients", ANA, "test")
    return syncs.cancel(clinic.organization, run.id, ANA).id


def latest(clinic: Clinic) -> Run:
    with db.everywhere() as connection:
        return runs.latest(connection, clinic.organization.id)["patients"]


@contextmanager
def at_work(run: Run) -> Iterator[Reporter]:
    """Hold a run as a worker would, and tell how far it is."""
    with db.everywhere() as connection:
        held = lease.claim(connection, run.id, db.name())
    assert held
    yield Reporter(redis_clients.client(), run.id, held.attempt)


# Start, status


def test_start_answers_at_once_with_the_id_to_follow(program: Program, clinic: Clinic) -> None:
    told = start(program, clinic)
    assert_like(told, START)
    slug = clinic.organization.slug
    assert (told["message"], told["status"]) == ("Sync started", "starting")
    assert told["organization_id"] == slug
    assert re.fullmatch(rf"sync_{slug}_\d{{8}}_\d{{6}}", told["sync_id"])
    assert f"{latest(clinic).queued_at:%Y%m%d_%H%M%S}" in told["sync_id"]
    waiting = status(program, told)
    assert_like(waiting, STATUS)
    assert (waiting["status"], waiting["progress_percentage"]) == ("starting", 0)
    assert (waiting["current_step"], waiting["current_step_number"]) == ("Waiting for a worker", 1)


def test_who_starts_a_second_time_joins_the_sync_on_its_way(
    program: Program, clinic: Clinic
) -> None:
    first, second = start(program, clinic), start(program, clinic)
    assert second["sync_id"] == first["sync_id"]
    assert second["message"] == "Sync already in progress"


def test_a_start_that_is_sent_again_starts_nothing_more(program: Program, clinic: Clinic) -> None:
    first = start(program, clinic, "monday")
    clinic.work(latest(clinic))
    assert start(program, clinic, "monday")["sync_id"] == first["sync_id"]
    assert status(program, first)["status"] == "completed"


def test_status_names_the_step_out_of_eight(program: Program, clinic: Clinic) -> None:
    started = start(program, clinic)
    with at_work(latest(clinic)) as reporter:
        for band in STEPS.bands:
            reporter.tell(band, f"At {band.name}", fraction=0.5, now=True)
            told = status(program, started)
            assert (told["status"], told["current_step_number"]) == DURING[band.name]
            assert (told["total_steps"], told["current_step"]) == (8, f"At {band.name}")
            assert band.start <= told["progress_percentage"] <= band.end
            assert told["active_patients_identified"] == told["active_patients_stored"] == 0


def test_status_of_a_sync_that_has_ended_tells_what_it_found(
    program: Program, clinic: Clinic
) -> None:
    started = start(program, clinic)
    ended = clinic.work(latest(clinic))
    told = status(program, started)
    assert_like(told, {**STATUS, "completed_at": "2024-12-22T14:30:45.456Z"})
    assert (told["status"], told["progress_percentage"]) == ("completed", 100)
    assert (told["current_step"], told["errors"]) == (ended.message, [])
    assert (told["patients_found"], told["patients_stored"]) == (30, 30)
    assert told["current_step_number"] == 8
    active = told["active_patients_identified"]
    assert 0 < active == told["active_patients_stored"] < 30
    assert told["notes"][0] == "Read everything."
    redis_clients.client().delete(f"sync:progress:{ended.id}")
    assert status(program, started) == told  # Redis is not needed for it


def test_status_of_a_sync_that_failed_tells_why_and_what_to_do(
    program: Program, clinic: Clinic
) -> None:
    clinic.server.add(f"{clinic.organization.slug}-au1", clinic.account, forbidden={"patients"})
    started = start(program, clinic)
    ended = clinic.work(latest(clinic))
    told = status(program, started)
    assert (told["status"], told["completed_at"] is None) == ("failed", False)
    assert told["errors"] == [f"{ended.message} {ended.advice}"]
    assert 0 < told["progress_percentage"] < 100


def test_counters_rise_with_their_step_and_never_before_it(
    program: Program, clinic: Clinic
) -> None:
    started = start(program, clinic)
    told = [json.loads(data) for data in heard_while_working(program, clinic, started)]
    for one in told:
        step = one["current_step_number"]
        assert one["appointments_found"] == 0 or step >= 5
        assert one["active_patients_identified"] == 0 or step >= 7
        assert one["active_patients_stored"] == 0 or one["status"] == "completed"
    for before, after in pairwise(told):
        assert before["progress_percentage"] <= after["progress_percentage"]


# Dashboard


def test_dashboard_tells_all_in_one_answer(program: Program, clinic: Clinic) -> None:
    before = dashboard(program, clinic)
    assert (before["current_sync"], before["last_sync"]) == (None, None)
    assert (before["status"], before["sync_available"]) == ("idle", True)
    assert before["patient_stats"]["total_patients"] == 0
    ended = clinic.sync()
    idle = dashboard(program, clinic)
    assert_like({**idle, "current_sync": DASHBOARD["current_sync"]}, DASHBOARD)
    assert idle["patient_stats"]["total_patients"] == 30
    assert idle["last_sync"]["status"] == "completed"
    assert idle["last_sync"]["records_success"] == 30
    assert ended.finished_at
    assert idle["last_sync"]["completed_at"] == idle["patient_stats"]["last_sync_time"]
    started = start(program, clinic)
    running = dashboard(program, clinic)
    assert_like(running, DASHBOARD)
    assert running["current_sync"]["sync_id"] == started["sync_id"]


def test_no_sync_is_available_while_one_is_on_its_way(program: Program, clinic: Clinic) -> None:
    started = start(program, clinic)
    assert dashboard(program, clinic)["sync_available"] is False
    program("DELETE", f"/sync/cancel/{started['sync_id']}")
    assert dashboard(program, clinic)["sync_available"] is True


def test_no_sync_is_available_without_a_source(server: Server, home: Organization) -> None:
    program = Program(server, home, Role.ANALYST)
    assert program.get(f"/sync/dashboard/{home.slug}")["sync_available"] is False
    refused = program("POST", f"/sync/start/{home.slug}")
    assert (refused.status_code, refused.json()["code"]) == (409, "no_source")


# History, cancel


def test_history_lists_the_newest_first_and_no_more_than_the_limit(
    program: Program, clinic: Clinic
) -> None:
    ended = [clinic.sync().id, start_and_cancel(clinic)]
    running = start(program, clinic)
    told = program.get(f"/sync/history/{clinic.organization.slug}", limit=2)
    assert told["organization_id"] == clinic.organization.slug
    assert_like(told["history"], [STATUS])
    assert [one["run"] for one in told["history"]][1:] == ended[1:]
    assert told["history"][0]["sync_id"] == running["sync_id"]
    assert told["history"][1]["requested_by"] == ANA.name
    assert told["history"][1]["status"] == "failed"
    whole = program.get(f"/sync/history/{clinic.organization.slug}")
    assert [one["run"] for one in whole["history"]][1:] == ended[::-1]
    assert whole["history"][-1]["records_success"] == 30
    for bad in ("0", "101", "x"):
        refused = program("GET", f"/sync/history/{clinic.organization.slug}?limit={bad}")
        assert refused.json()["code"] == "bad_request"


def test_a_confirmed_older_run_wins_over_a_newer_result(program: Program, clinic: Clinic) -> None:
    organization = clinic.organization
    planned = clinic.work(syncs.preview(organization, "patients", ANA, "test"))
    newer = start_and_cancel(clinic)
    assert planned.status == "waiting"
    syncs.confirm(organization, planned.id, ANA, "test")
    history = program.get(f"/sync/history/{organization.slug}")["history"]
    assert [one["run"] for one in history] == [planned.id, newer]
    assert dashboard(program, clinic)["current_sync"]["run"] == planned.id


def test_cancel_ends_a_sync_that_no_worker_has_at_once(program: Program, clinic: Clinic) -> None:
    started = start(program, clinic)
    answer = program("DELETE", f"/sync/cancel/{started['sync_id']}")
    assert answer.status_code == 200
    assert answer.json() == {**started, "message": "Sync cancelled", "status": "failed"}
    assert status(program, started)["errors"] != []
    again = program("DELETE", f"/sync/cancel/{started['sync_id']}")
    assert again.json() == answer.json()


def test_cancel_asks_the_worker_of_a_running_sync(program: Program, clinic: Clinic) -> None:
    started = start(program, clinic)
    with at_work(latest(clinic)):
        told = program("DELETE", f"/sync/cancel/{started['sync_id']}").json()
    assert (told["message"], told["status"]) == ("Sync is being cancelled", "starting")
    assert latest(clinic).cancelling


def test_cancel_of_a_sync_that_has_ended_changes_nothing(program: Program, clinic: Clinic) -> None:
    started = start(program, clinic)
    ended = clinic.work(latest(clinic))
    told = program("DELETE", f"/sync/cancel/{started['sync_id']}").json()
    assert (told["message"], told["status"]) == (
        f"Sync has ended already. {ended.message}",
        "completed",
    )


# Stream


def stream(program: Program, sync_id: str, since: str = "") -> Iterator[tuple[str, str, str]]:
    """Hear a stream as a browser does: id, name and data of each event."""
    headers = {**program.headers, **({"last-event-id": since} if since else {})}
    with (
        httpx2.Client(base_url=program.url, headers=headers, timeout=30) as client,
        client.stream("GET", f"/sync/stream/{sync_id}") as answer,
    ):
        assert answer.headers["content-type"].startswith("text/event-stream")
        parts: dict[str, str] = {}
        for line in answer.iter_lines():
            name, _, value = line.partition(": ")
            if name in {"id", "event", "data"}:
                parts[name] = value
            elif not line and parts:
                yield parts.get("id", ""), parts.get("event", "message"), parts["data"]
                parts = {}


def heard_while_working(program: Program, clinic: Clinic, started: dict[str, Any]) -> list[str]:
    events = stream(program, started["sync_id"])
    first = next(events)
    working = threading.Thread(target=clinic.work, args=[latest(clinic)])
    working.start()
    heard = [first, *events]
    working.join()
    return [data for _, name, data in heard if name == "message"]


def test_stream_tells_each_status_as_a_message_until_the_end(
    program: Program, clinic: Clinic
) -> None:
    started = start(program, clinic)
    told = [json.loads(data) for data in heard_while_working(program, clinic, started)]
    assert_like(told[0], STATUS)
    assert told[0]["status"] == "starting"
    assert told[-1] == status(program, started)
    assert told[-1]["status"] == "completed"


def test_stream_carries_the_lines_of_the_log_and_loses_none_at_a_reconnect(
    program: Program, clinic: Clinic
) -> None:
    started = start(program, clinic)
    clinic.work(latest(clinic))
    whole = list(stream(program, started["sync_id"]))
    lines = [json.loads(data)["text"] for _, name, data in whole if name == "log"]
    assert "Found 30 patients" in lines
    rest = list(stream(program, started["sync_id"], whole[2][0]))
    assert rest == whole[3:]
    over = program("GET", f"/sync/stream/{started['sync_id']}", since=whole[-1][0])
    assert over.status_code == 204


def test_stream_ends_with_a_plan_that_waits_and_goes_on_once_it_is_confirmed(
    program: Program, clinic: Clinic
) -> None:
    organization = clinic.organization
    planned = clinic.work(syncs.preview(organization, "patients", ANA, "test"))
    (known,) = program.get(f"/sync/history/{organization.slug}")["history"]
    *_, (place, _, data) = stream(program, known["sync_id"])
    assert json.loads(data)["status"] == "failed"
    assert "waits for a decision" in json.loads(data)["errors"][0]
    syncs.confirm(organization, planned.id, ANA, "test")
    events = stream(program, known["sync_id"], place)
    assert json.loads(next(events)[2])["status"] == "starting"
    clinic.work(planned)
    *_, (_, _, last) = events
    assert json.loads(last)["status"] == "completed"


# Whose


def test_a_sync_that_nobody_knows_is_not_found(program: Program, clinic: Clinic) -> None:
    slug = clinic.organization.slug
    for sync_id in (
        "1",
        "sync_",
        "sync_elsewhere_20241222_143022",
        f"sync_{slug}_20241222_143022",
        f"sync_{slug}_20241399_143022",
        f"sync_{slug}_٢0241222_143022",
        f"sync_{slug}_00001222_143022",
    ):
        for method, path in (("GET", "status"), ("GET", "stream"), ("DELETE", "cancel")):
            answer = program(method, f"/sync/{path}/{sync_id}")
            assert (answer.status_code, answer.json()["code"]) == (404, "unknown_run"), sync_id


def test_another_organization_s_sync_is_not_there(
    server: Server, program: Program, clinic: Clinic
) -> None:
    started, slug = start(program, clinic), clinic.organization.slug
    with db.everywhere() as connection:
        other = organizations.add(connection, f"{slug}-2", "Harbor Clinics")
        people.add(connection, other.id, ANA)
    stranger = Program(server, other)
    for method, path in (("GET", "status"), ("GET", "stream"), ("DELETE", "cancel")):
        answer = stranger(method, f"/sync/{path}/{started['sync_id']}")
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_run"), path
    for method, path in (("POST", "start"), ("GET", "dashboard"), ("GET", "history")):
        answer = stranger(method, f"/sync/{path}/{slug}")
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_organization"), path
