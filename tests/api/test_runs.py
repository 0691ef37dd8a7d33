"""Runs over HTTP, from the start of one to what it did to each row."""

import threading
from collections.abc import Mapping
from typing import Any

import httpx2
import psycopg
import pytest

from sync_core import organizations, runs
from sync_core.execution import maintenance
from sync_core.foundation import db
from sync_core.foundation.vocabulary import RunStatus
from sync_core.organizations import Organization, people
from sync_core.runs import Run
from tests.support import bends
from tests.support.api_server import Program, Server
from tests.support.desk import ANA, Desk
from tests.support.locations import HEADER, row


@pytest.fixture
def program(server: Server, home: Organization) -> Program:
    return Program(server, home)


@pytest.fixture
def ready(home: Organization, desk: Desk) -> Desk:
    assert home
    desk.write("locations", [HEADER, row("L1"), row("L2", Email="nobody")])
    desk.set_source("locations")
    return desk


def runs_of(database: psycopg.Connection, organization: Organization) -> int:
    query = "select count(*) from runs where organization_id = %s"
    (count,) = database.execute(query, [organization.id]).fetchone() or (0,)
    return int(count)


def work(desk: Desk, told: Mapping[str, Any]) -> Run:
    with db.everywhere() as connection:
        run = runs.get(connection, desk.organization.id, told["id"])
    return desk.work(run)


def test_a_sync_is_started_followed_and_explained(program: Program, ready: Desk) -> None:
    answer = program("POST", "/runs", body={"resource": "locations"})
    assert answer.status_code == 202
    started = answer.json()
    assert answer.headers["location"] == f"/api/v1/runs/{started['id']}"
    assert (started["status"], started["kind"], started["trigger"]) == ("queued", "sync", "API")
    assert started["requested_by"] == "Program admin, token of Ana Ruiz"
    assert (started["started_at"], started["finished_at"]) == (None, None)
    work(ready, started)
    ended = program.get(f"/runs/{started['id']}")
    assert ended["status"] == RunStatus.PARTIAL
    assert ended["counts"]["locations"]["created"] == 1
    assert ended["queued_at"] < ended["started_at"] < ended["finished_at"]
    outcomes = program.get(f"/runs/{started['id']}/outcomes")
    assert [one["kind"] for one in outcomes["outcomes"]] == ["failed", "created"]
    assert outcomes["outcomes"][0]["issues"][0]["field"] == "Email"
    failed = program.get(f"/runs/{started['id']}/outcomes", kind=["failed"], limit=1)
    assert failed["total"] == 1


def test_a_preview_waits_is_confirmed_and_taken_back(program: Program, ready: Desk) -> None:
    planned = program("POST", "/runs", body={"resource": "locations", "kind": "preview"}).json()
    work(ready, planned)
    waiting = program.get(f"/runs/{planned['id']}")
    assert (waiting["status"], waiting["counts"]["locations"]["created"]) == ("waiting", 1)
    assert program("POST", f"/runs/{planned['id']}/confirm").status_code == 202
    assert work(ready, planned).status == RunStatus.PARTIAL
    again = program("POST", f"/runs/{planned['id']}/confirm")
    assert (again.status_code, again.json()["code"]) == (409, "nothing_to_decide")
    undo = program("POST", f"/runs/{planned['id']}/undo").json()
    assert (undo["kind"], undo["undoes"]) == ("undo", planned["id"])
    work(ready, undo)
    declined = program("POST", f"/runs/{undo['id']}/cancel")
    assert (declined.status_code, declined.json()["status"]) == (200, "cancelled")
    tried = program("POST", f"/runs/{planned['id']}/retry")
    assert (tried.status_code, tried.json()["kind"]) == (202, "retry")
    assert program("POST", f"/runs/{tried.json()['id']}/cancel").json()["status"] == "cancelled"


def test_a_second_sync_names_the_first(program: Program, ready: Desk) -> None:
    assert ready
    first = program("POST", "/runs", body={"resource": "locations"}).json()
    second = program("POST", "/runs", body={"resource": "locations"})
    told = second.json()
    assert (second.status_code, told["code"], told["run"]) == (409, "already_running", first["id"])


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"resource": "wards"}, 404, "unknown_resource"),
        ({"resource": "admins"}, 409, "no_source"),
        ({"resource": "locations", "kind": "undo"}, 400, "bad_request"),
        ({"resource": "locations", "organisation": "demo"}, 400, "bad_request"),
        ({"resource": "locations", "organization": "elsewhere"}, 404, "unknown_organization"),
        ([], 400, "bad_request"),
        (None, 400, "bad_request"),
    ],
)
def test_what_cannot_be_started_is_told(
    program: Program, ready: Desk, body: object, status: int, code: str
) -> None:
    assert ready
    answer = program("POST", "/runs", body=body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


# The same request, sent again


def test_the_same_request_sent_again_answers_with_the_run_of_the_first(
    program: Program, ready: Desk, database: psycopg.Connection
) -> None:
    asked = {"resource": "locations"}
    first = program("POST", "/runs", asked, "k-1").json()
    work(ready, first)
    again = program("POST", "/runs", asked, "k-1")
    assert (again.status_code, again.json()["id"]) == (202, first["id"])
    assert again.json()["status"] == RunStatus.PARTIAL
    other = program("POST", "/runs", {**asked, "kind": "preview"}, "k-1")
    assert (other.status_code, other.json()["code"]) == (422, "key_used")
    undone = [
        program("POST", f"/runs/{first['id']}/undo", once="k-2").json()["id"] for _ in range(2)
    ]
    assert undone[0] == undone[1] != first["id"]
    assert runs_of(database, ready.organization) == 2


def test_requests_at_the_same_time_make_one_run(
    server: Server, home: Organization, ready: Desk, database: psycopg.Connection
) -> None:
    assert ready
    program, answers = Program(server, home), list[httpx2.Response]()

    def ask() -> None:
        answers.append(program("POST", "/runs", {"resource": "locations"}, "k"))

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.status_code for answer in answers] == [202] * 6
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert runs_of(database, home) == 1
    (told,) = database.execute(
        "select count(*) from actions where organization_id = %s and kind = 'started'", [home.id]
    ).fetchone() or (0,)
    assert told == 1


def test_a_refused_request_may_be_sent_again_with_its_key(program: Program, desk: Desk) -> None:
    asked = {"resource": "locations"}
    assert program("POST", "/runs", asked, "k").json()["code"] == "no_source"
    desk.write("locations", [HEADER, row("L1")])
    desk.set_source("locations")
    assert program("POST", "/runs", asked, "k").status_code == 202


def test_a_key_is_forgotten_after_a_day(
    program: Program, ready: Desk, database: psycopg.Connection
) -> None:
    first = program("POST", "/runs", {"resource": "locations"}, "k").json()
    work(ready, first)
    database.execute("update requests_once set at = at - interval '25 hours'")
    maintenance.tick()
    second = program("POST", "/runs", {"resource": "locations"}, "k").json()
    assert second["id"] > first["id"]
    program("POST", f"/runs/{second['id']}/cancel")


# Lists


def test_runs_are_listed_by_filter_and_page_by_page(program: Program, ready: Desk) -> None:
    ids = [ready.sync("locations").id for _ in range(3)]
    first = program.get("/runs", limit=2, resource=["locations"])
    assert [run["id"] for run in first["runs"]] == ids[:0:-1]
    rest = program.get("/runs", limit=2, resource=["locations"], cursor=first["next"])
    assert ([run["id"] for run in rest["runs"]], rest["next"]) == (ids[:1], None)
    assert program.get("/runs", status=["cancelled"])["runs"] == []
    assert len(program.get("/runs", person=[ANA.email], search="locations")["runs"]) == 3
    assert program.get("/runs?since=2100-01-01T00:00:00Z")["runs"] == []
    for bad in ("status=odd", "since=yesterday", "limit=0", "cursor=x", "x=1"):
        assert program("GET", f"/runs?{bad}").json()["code"] == "bad_request", bad


def test_a_run_of_another_organization_is_not_there(
    server: Server, home: Organization, run: Run
) -> None:
    with db.everywhere() as connection:
        other = organizations.add(connection, f"{home.slug}-2", "Harbor Clinics")
        people.add(connection, other.id, ANA)
    stranger = Program(server, other)
    assert stranger("GET", f"/runs/{run.id}").json()["code"] == "unknown_run"
    assert stranger.get("/runs")["runs"] == []
    assert stranger.get("/records/locations")["rows"] == []
    assert stranger("GET", "/runs", organization=home.slug).status_code == 404
    gone = stranger("GET", "/records/locations/history", key="L1")
    assert gone.json()["code"] == "unknown_record"


def test_who_is_signed_in_to_the_pages_asks_from_them_alone(
    server: Server, home: Organization, desk: Desk
) -> None:
    assert home
    address = f"/runs/{desk.start('locations').id}/cancel"
    assert server.get(address, method="POST").status_code == 200
    foreign = server.get(address, headers={"origin": "https://evil.example.org"}, method="POST")
    assert (foreign.status_code, foreign.json()["code"]) == (403, "another_site")


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b'{"resource": "\\u0000"}', b"[" * 5_000])
def test_a_body_that_is_none_is_told(server: Server, program: Program, body: bytes) -> None:
    headers = {**program.headers, "content-type": "application/json"}
    answer = httpx2.post(f"{server.url}/api/v1/runs", content=body, headers=headers)
    assert answer.json()["code"] in {"bad_request", "unknown_resource"}


def test_a_run_that_nobody_took_has_ended_for_whoever_asks(
    server: Server, home: Organization, desk: Desk, database: psycopg.Connection
) -> None:
    desk.write("locations", [HEADER, row("L1")])
    run = desk.start("locations")
    bends.let_it_wait(database, run)
    assert Program(server, home).get(f"/runs/{run.id}")["status"] == "timed_out"
