"""What the admin portal's document promises of its two addresses."""

import httpx2
import pytest

from sync_core import runs
from sync_core.api.front_ends.admin_portal import GOES_ON
from sync_core.api.front_ends.words import WAITS
from sync_core.foundation import db
from sync_core.foundation.vocabulary import Role
from sync_core.organizations import Organization
from tests.support.api_server import Program, Server
from tests.support.desk import Desk
from tests.support.locations import HEADER, row


def ask(program: Program, method: str, path: str) -> httpx2.Response:
    url = program.url.removesuffix("/api/v1")
    return httpx2.request(method, f"{url}/admin-portal{path}", headers=program.headers)


def told(answer: httpx2.Response) -> tuple[int, str, str]:
    said = answer.json()
    return answer.status_code, said["status"], said["message"]


@pytest.fixture
def program(server: Server, home: Organization) -> Program:
    return Program(server, home, Role.ANALYST)


def test_the_sync_of_a_resource_is_started_and_asked_for(program: Program, desk: Desk) -> None:
    status = "/locations/sync-status"
    assert told(ask(program, "GET", status)) == (200, "not_found", "")
    desk.write("locations", [HEADER, row("L1")])
    desk.set_source("locations")
    started = ask(program, "PUT", "/locations/sync-data-master")
    assert started.json() == {"status": "running", "message": "Sync started..."}
    assert told(ask(program, "GET", status)) == (200, "running", GOES_ON)
    again = ask(program, "PUT", "/locations/sync-data-master")
    assert told(again) == (200, "running", GOES_ON)
    with db.everywhere() as connection:
        run = runs.latest(connection, desk.organization.id)["locations"]
    ended = desk.work(run)
    assert told(ask(program, "GET", status)) == (200, "completed", ended.message)


def test_a_plan_that_waits_is_no_success(program: Program, desk: Desk) -> None:
    desk.preview("locations", locations=[HEADER, row("L1")])
    assert told(ask(program, "GET", "/locations/sync-status")) == (200, "failed", WAITS)


def test_a_running_sync_wins_over_an_older_result(program: Program, desk: Desk) -> None:
    desk.sync("locations", locations=[HEADER, row("L1")])
    desk.start("locations")
    assert told(ask(program, "GET", "/locations/sync-status")) == (200, "running", GOES_ON)


def test_what_cannot_be_done_is_told_as_everywhere(
    server: Server, home: Organization, program: Program
) -> None:
    viewer = Program(server, home, Role.VIEWER)
    for asker, method, path, code in (
        (viewer, "PUT", "/locations/sync-data-master", "no_permission"),
        (program, "PUT", "/locations/sync-data-master", "no_source"),
        (program, "PUT", "/wards/sync-data-master", "unknown_resource"),
        (program, "GET", "/wards/sync-status", "unknown_resource"),
        (program, "POST", "/locations/sync-data-master", "wrong_method"),
        (program, "GET", "/locations/elsewhere", "no_such_address"),
    ):
        assert ask(asker, method, path).json()["code"] == code, path
    nobody = httpx2.put(f"{server.url}/admin-portal/locations/sync-data-master")
    assert nobody.json()["code"] == "not_signed_in"


def test_the_document_says_where_these_addresses_are(server: Server) -> None:
    told = httpx2.get(f"{server.url}/api/openapi.json").json()["paths"]
    assert told["/admin-portal/{resource}/sync-status"]["servers"] == [{"url": "/"}]
    page = httpx2.get(f"{server.url}/api/reference").text
    assert "PUT /admin-portal/{resource}/sync-data-master" in page
