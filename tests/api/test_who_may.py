"""Who may ask for what, and of which organization: every route, with every role.

Who may is said in `tests.support.ways_in`; a route without a row there fails, and so does a row
without a route.
"""

import json
from collections.abc import Iterator

import httpx2
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from sync_core import organizations, runs
from sync_core.api import app, event_routes
from sync_core.api.front_ends import patient_runs, sheet_sync
from sync_core.demo import organization as demo
from sync_core.foundation import db
from sync_core.foundation.vocabulary import Role
from sync_core.operations import syncs
from sync_core.organizations import Organization, people
from sync_core.organizations.people import Person
from sync_core.runs import Run
from sync_core.runs.filters import Filter
from tests.support import ways_in
from tests.support.api_server import Program, Server
from tests.support.desk import ANA
from tests.support.ways_in import Call

WHO = ways_in.ROUTES
NAMES_NOBODY = {("GET", "/v1/organizations")}  # tells of those of who asks
NOT_THERE = {"unknown_run", "unknown_organization"}
BODIES = {
    ("PUT", "/v1/schedules/{resource}"): {"schedule": "@yearly"},
}


def routes() -> Iterator[Call]:
    for route in app.make().routes:
        found = getattr(route, "effective_route_contexts", lambda route=route: [route])()
        yield from ((m, one.path) for one in found for m in one.methods or () if m != "HEAD")
    yield from (("SOCKET", route.path) for route in event_routes.sockets.routes)  # type: ignore[attr-defined]


def test_every_route_has_a_row_and_every_row_a_route() -> None:
    assert set(routes()) == set(WHO)


@pytest.fixture
def cancelled(home: Organization, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Return a run of patients that has ended; what the test starts is ended after it."""
    monkeypatch.setattr(sheet_sync, "LONGEST", 0)  # it waits for no end of a sync
    with db.everywhere() as connection:
        run = runs.start(connection, home.id, "patients", ANA, trigger="test")
    yield syncs.cancel(home, run.id, ANA)
    with db.everywhere() as connection:
        left = runs.found(connection, Filter(organizations=(home.id,)), 100)
    for one in left:
        if one.finished_at is None:
            syncs.cancel(home, one.id, ANA)


def ask(
    server: Server, headers: dict[str, str], call: Call, whose: Organization, of: tuple[Run, Run]
) -> tuple[int, str]:
    """Ask for what is of an organization; returns the status, and the code of a problem."""
    (method, path), (run, of_patients) = call, of
    resource = "locations" if "schedules" in path or "source-test" in path else "admins"
    root = "" if path.startswith("/admin-portal") else "/api"
    told = path.format(
        run=run.id,
        resource=resource,
        entity="locations",
        file="nothing",
        organization_id=whose.slug,
        sync_id=patient_runs.sync_id(whose, of_patients),
    )
    if method == "SOCKET":
        return _knock(f"ws://{server.host}{root}{told}", headers)
    named = {"organization": whose.slug}
    body = {**named, "resource": "admins"} if path == "/v1/runs" else BODIES.get(call)
    about = {"organizations": whose.slug, "org": whose.slug}
    query = about if path.endswith(ways_in.FILE_NAMES) else named
    if path.endswith("/proof.json"):
        query = {**query, "row": "2"}
    if "/history" in path or "/snapshot" in path:
        query = {**query, "key": "L1"}
    if "/snapshot" in path:
        query["at"] = "2026-01-01T00:00:00Z"
    if path == "/sync-sheets-bg":
        query["syncId"] = f"sync-{run.id}"
    with httpx2.Client(headers=headers, timeout=30) as client:
        sent = body if method in {"POST", "PUT"} else None
        answer = client.request(method, f"{server.url}{root}{told}", params=query, json=sent)
    is_problem = answer.headers.get("content-type") == "application/problem+json"
    return answer.status_code, answer.json()["code"] if is_problem else ""


def _knock(address: str, headers: dict[str, str]) -> tuple[int, str]:
    try:
        with connect(address, additional_headers=headers):
            return 101, ""
    except InvalidStatus as refused:
        return refused.response.status_code, json.loads(bytes(refused.response.body))["code"]


@pytest.mark.parametrize("role", list(Role))
def test_each_role_may_what_it_may_on_the_pages(
    server: Server, home: Organization, run: Run, cancelled: Run, role: Role
) -> None:
    headers = Program(server, home, role).headers
    for call, action in WHO.items():
        status, code = ask(server, headers, call, home, (run, cancelled))
        may = action.is_open_to(role)
        assert (status == 403 and code == "no_permission") != may, (call, status, code)
        assert status < 500, (call, status, code)


def test_what_is_of_another_organization_is_not_there(
    server: Server, home: Organization, run: Run, cancelled: Run
) -> None:
    with db.everywhere() as connection:
        other = organizations.add(connection, f"{home.slug}-2", "Harbor Clinics")
        people.add(connection, other.id, ANA)
    headers = Program(server, other).headers
    for call, action in WHO.items():
        if action.needs and call not in NAMES_NOBODY:
            status, code = ask(server, headers, call, home, (run, cancelled))
            assert (status, code in NOT_THERE) == (404, True), (call, status, code)


def test_nobody_is_told_anything_without_a_token_or_a_sign_in(
    server: Server, home: Organization, run: Run, cancelled: Run
) -> None:
    for call, action in WHO.items():
        if action.needs:
            told = ask(server, {}, call, home, (run, cancelled))
            assert told == (401, "not_signed_in"), call


def signed_in(server: Server, email: str) -> dict[str, str]:
    return {"cookie": "; ".join(f"{name}={it}" for name, it in server.cookie(email).items())}


@pytest.mark.parametrize("by", demo.PEOPLE, ids=lambda person: person.role)
def test_the_address_of_a_file_gives_a_page_s_reader_what_their_role_may(
    server: Server, home: Organization, run: Run, cancelled: Run, by: Person
) -> None:
    for call in ways_in.FILES:
        status, code = ask(server, signed_in(server, by.email), call, home, (run, cancelled))
        may = WHO[call].is_open_to(by.role)
        assert (status, code) == ((200, "") if may else (403, "no_permission")), call


def test_the_address_of_another_organization_s_file_is_not_there(
    server: Server, home: Organization, run: Run, cancelled: Run
) -> None:
    stranger = Person("Otto Berg", "otto.berg@example.org", Role.ADMIN)
    with db.everywhere() as connection:
        other = organizations.add(connection, f"{home.slug}-3", "Harbor Clinics")
        people.add(connection, other.id, stranger)
    for call in ways_in.FILES:
        told = ask(server, signed_in(server, stranger.email), call, home, (run, cancelled))
        assert (told[0], told[1] in NOT_THERE) == (404, True), (call, told)
