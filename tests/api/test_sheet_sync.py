"""What the front end of sheets is promised, by its own example answers."""

import re
import threading
from typing import Any

import httpx2
import psycopg
import pytest

from sync_core import organizations, runs
from sync_core.api.front_ends import sheet_sync
from sync_core.catalogue import resources
from sync_core.catalogue.phases import SHEETS
from sync_core.execution import maintenance
from sync_core.foundation import db, redis_clients
from sync_core.foundation.vocabulary import Role
from sync_core.organizations import Organization, people
from sync_core.runs import Run, lease
from sync_core.runs.progress import Download, Reporter
from tests.support.api_server import Program, Server
from tests.support.desk import ANA, Desk
from tests.support.example_answers import assert_like
from tests.support.locations import HEADER, row
from tests.support.waiting import eventually

STARTED = {"success": True, "syncId": "sync-1234567890", "message": "Background sync started"}
STATUS = {
    "status": "downloading",
    "progress": 45,
    "message": "Downloading data from Google Sheets...",
    "lastUpdated": "2025-11-11T10:30:00.000Z",
    "stats": {"size": 524288, "lines": 1523},
}
BACKGROUND, BLOCKING = "/sync-sheets-bg", "/sync-sheets"
ADMINS = [
    ["Email", "Name", "Role", "Team", "Active"],
    ["mia.wood@example.org", "Mia Wood", "Admin", "IT", "yes"],
]


@pytest.fixture
def program(server: Server, home: Organization) -> Program:
    return Program(server, home, Role.ANALYST)


@pytest.fixture
def ready(home: Organization, desk: Desk) -> Desk:
    assert home
    desk.write("locations", [HEADER, row("L1"), row("L2")])
    desk.set_source("locations")
    return desk


def ask(
    program: Program, method: str, path: str, once: str | None = None, **query: str
) -> httpx2.Response:
    url = program.url.removesuffix("/v1") + path
    headers = {**program.headers, **({"idempotency-key": once} if once else {})}
    return httpx2.request(method, url, headers=headers, params=query or None, timeout=30)


def start(program: Program, **query: str) -> str:
    answer = ask(program, "POST", BACKGROUND, **query)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert_like(told, STARTED)
    return str(told["syncId"])


def status(program: Program, sync_id: str) -> dict[str, Any]:
    answer = ask(program, "GET", BACKGROUND, syncId=sync_id)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    assert_like(told, STATUS)
    return told


def runs_of(desk: Desk) -> dict[str, Run]:
    with db.everywhere() as connection:
        return runs.latest(connection, desk.organization.id)


def latest(desk: Desk, resource: str = "locations") -> Run:
    return runs_of(desk)[resource]


# In the background


def test_start_answers_at_once_with_the_id_to_follow(program: Program, ready: Desk) -> None:
    sync_id = start(program)
    assert re.fullmatch(r"sync-\d+", sync_id)
    assert sync_id == f"sync-{latest(ready).id}"
    told = status(program, sync_id)
    assert (told["status"], told["progress"]) == ("idle", 0)
    assert told["stats"] == {"size": 0, "lines": 0}


def test_status_tells_each_phase_its_percentage_and_how_much_was_read(
    program: Program, ready: Desk
) -> None:
    sync_id = start(program)
    with db.everywhere() as connection:
        held = lease.claim(connection, latest(ready).id, db.name())
    assert held
    reporter = Reporter(redis_clients.client(), held.run_id, held.attempt)
    for band, state in zip(SHEETS.bands, ("downloading", "processing", "saving"), strict=True):
        reporter.tell(band, f"At {band.name}", download=Download(524_288, None), now=True)
        told = status(program, sync_id)
        assert (told["status"], told["message"]) == (state, f"At {band.name}")
        assert told["progress"] == band.start
        assert told["stats"]["size"] == 524_288


def test_status_of_a_sync_that_has_ended_tells_how(program: Program, ready: Desk) -> None:
    sync_id = start(program)
    ended = ready.work(latest(ready))
    told = status(program, sync_id)
    assert (told["status"], told["progress"]) == ("complete", 100)
    assert (told["message"], told["error"]) == (ended.message, None)
    size = (ready.folder / "locations.csv").stat().st_size
    assert told["stats"] == {"size": size, "lines": 2}


def test_status_of_a_sync_that_failed_has_an_error_that_says_what_to_do(
    program: Program, ready: Desk
) -> None:
    ready.write("locations", [["Nothing"], ["of use"]])
    sync_id = start(program)
    ended = ready.work(latest(ready))
    told = status(program, sync_id)
    assert (told["status"], told["message"]) == ("error", ended.message)
    assert told["error"] == f"{ended.message} {ended.advice}"


def test_one_id_stands_for_all_sheets_of_an_organization(program: Program, ready: Desk) -> None:
    ready.write("admins", ADMINS)
    ready.set_source("admins")
    sync_id = start(program)
    assert re.fullmatch(r"sync-all-\d+", sync_id)
    ready.work(latest(ready))
    half = status(program, sync_id)
    assert (half["status"], half["progress"]) == ("downloading", 50)
    done = [ready.work(latest(ready, name)) for name in ("locations", "admins")]
    whole = status(program, sync_id)
    assert (whole["progress"], whole["stats"]["lines"]) == (100, 3)
    assert whole["message"] == " ".join(run.message for run in done)


def test_a_sheet_whose_rows_refer_to_another_one_is_read_after_it(
    program: Program, ready: Desk
) -> None:
    therapist = resources.by_name("therapists")
    for entity in therapist.entities:
        ready.write(entity.name, [[field.label for field in entity.fields]])
    ready.set_source("therapists")
    answers = list[httpx2.Response]()
    thread = blocking(program, answers)
    run = eventually(lambda: active(ready))
    assert run
    assert set(runs_of(ready)) == {"locations"}
    first = ask(program, "POST", BACKGROUND).json()
    assert first["message"] == "Sync already in progress"
    ready.work(run)
    waits = status(program, first["syncId"])
    assert (waits["status"], waits["progress"]) == ("downloading", 50)
    assert waits["message"] == "Waiting for its turn"
    maintenance.tick()
    ready.work(latest(ready, "therapists"))
    thread.join(30)
    assert (answers[0].json()["status"], answers[0].json()["progress"]) == ("complete", 100)
    assert answers[0].json()["syncId"] == first["syncId"]


def test_a_sheet_whose_plan_waits_is_left_out_and_told(program: Program, ready: Desk) -> None:
    ready.write("admins", ADMINS)
    ready.set_source("admins")
    assert ready.preview("locations").status == "waiting"
    sync_id = start(program)
    ready.work(latest(ready, "admins"))
    told = status(program, sync_id)
    left_out = "Locations was left out: its plan waits for a decision."
    assert (told["status"], told["error"]) == ("error", left_out)
    assert told["message"].endswith(left_out)


def test_who_starts_a_second_time_joins_the_sync_on_its_way(program: Program, ready: Desk) -> None:
    sync_id = start(program)
    assert ready
    again = ask(program, "POST", BACKGROUND).json()
    joined = {"success": True, "syncId": sync_id, "message": "Sync already in progress"}
    assert again == joined


def test_a_start_that_is_sent_again_starts_nothing_more(
    program: Program, ready: Desk, database: psycopg.Connection
) -> None:
    ready.write("admins", ADMINS)
    ready.set_source("admins")
    first = ask(program, "POST", BACKGROUND, "monday").json()
    for name in ("locations", "admins"):
        ready.work(latest(ready, name))
    assert ask(program, "POST", BACKGROUND, "monday").json() == first
    query = "select count(*) from runs where organization_id = %s"
    assert database.execute(query, [ready.organization.id]).fetchone() == (2,)


def test_one_resource_alone_can_be_asked_for(program: Program, ready: Desk) -> None:
    ready.write("admins", ADMINS)
    ready.set_source("admins")
    assert start(program, resource="admins") == f"sync-{latest(ready, 'admins').id}"
    for query, code in (("wards", "unknown_resource"), ("services", "no_source")):
        assert ask(program, "POST", BACKGROUND, resource=query).json()["code"] == code


def test_without_a_sheet_there_is_nothing_to_sync(program: Program) -> None:
    for path in (BACKGROUND, BLOCKING):
        refused = ask(program, "POST", path)
        assert (refused.status_code, refused.json()["code"]) == (409, "no_source")


def test_an_id_that_is_none_is_not_found(program: Program, ready: Desk) -> None:
    number = start(program).removeprefix("sync-")
    assert ready
    known = ("", "sync", "sync-", "sync-x", "sync-1-", number, "sync-²", f"sync-0{number}")
    for wanted in (*known, "sync-999999", "sync-all-999999", "sync-" + "9" * 60, "sync-all-"):
        answer = ask(program, "GET", BACKGROUND, syncId=wanted)
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_run"), wanted


def test_an_id_that_names_a_run_of_another_organization_is_not_found(
    server: Server, program: Program, ready: Desk
) -> None:
    sync_id = start(program)
    with db.everywhere() as connection:
        other = organizations.add(connection, f"{ready.organization.slug}-2", "Harbor Clinics")
        people.add(connection, other.id, ANA)
    ready.work(latest(ready))
    ready.write("admins", ADMINS)
    ready.set_source("admins")
    of_all = start(program)
    assert of_all.startswith("sync-all-")
    stranger = Program(server, other)
    for wanted in (sync_id, of_all):
        assert status(program, wanted)
        answer = ask(stranger, "GET", BACKGROUND, syncId=wanted)
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_run")


# Until it is done


def blocking(program: Program, answers: list[httpx2.Response]) -> threading.Thread:
    thread = threading.Thread(target=lambda: answers.append(ask(program, "POST", BLOCKING)))
    thread.start()
    return thread


def active(desk: Desk) -> Run | None:
    with db.everywhere() as connection:
        found = runs.latest(connection, desk.organization.id).get("locations")
    return found if found and found.active else None


def test_the_blocking_address_answers_when_the_sync_has_ended(
    program: Program, ready: Desk
) -> None:
    answers = list[httpx2.Response]()
    thread = blocking(program, answers)
    run = eventually(lambda: active(ready))
    assert run
    assert answers == []
    ended = ready.work(run)
    thread.join(30)
    (answer,) = answers
    assert answer.status_code == 200
    told = answer.json()
    assert_like(told, {**STATUS, "success": True, "syncId": "sync-1"})
    assert (told["success"], told["status"]) == (True, "complete")
    assert (told["syncId"], told["message"]) == (f"sync-{run.id}", ended.message)


def test_the_blocking_address_tells_of_a_failure(program: Program, ready: Desk) -> None:
    ready.write("locations", [["Nothing"], ["of use"]])
    answers = list[httpx2.Response]()
    thread = blocking(program, answers)
    run = eventually(lambda: active(ready))
    assert run
    ended = ready.work(run)
    thread.join(30)
    told = answers[0].json()
    assert (told["success"], told["status"]) == (False, "error")
    assert told["error"] == f"{ended.message} {ended.advice}"


def test_the_blocking_address_holds_no_thread_while_it_waits(
    server: Server, program: Program, ready: Desk
) -> None:
    answers = list[httpx2.Response]()
    threads = [blocking(program, answers) for _ in range(8)]  # twice as many as work at once
    run = eventually(lambda: active(ready))
    assert run
    assert Program(server, ready.organization).get("/runs")["runs"][0]["id"] == run.id
    ready.work(run)
    for thread in threads:
        thread.join(30)
    assert {answer.json()["status"] for answer in answers} == {"complete"}
    assert len(answers) == 8


def test_what_takes_longer_than_an_answer_may_wait_goes_on_in_the_background(
    program: Program, ready: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sheet_sync, "LONGEST", 0.1)
    monkeypatch.setattr(sheet_sync, "LIFE_SECONDS", 0.05)
    answer = ask(program, "POST", BLOCKING)
    assert answer.text.startswith(" ")
    told = answer.json()
    assert (told["success"], told["message"]) == (False, sheet_sync.GOES_ON)
    assert told["status"] == "idle"
    ready.work(latest(ready))
    assert status(program, told["syncId"])["status"] == "complete"
