"""The addresses of other front ends: who may ask for what, and in whose organization."""

import httpx2
import pytest

from sync_core import organizations, runs
from sync_core.api.front_ends import patient_runs
from sync_core.foundation import db
from sync_core.foundation.vocabulary import Role
from sync_core.operations import syncs
from sync_core.organizations import Organization, people
from sync_core.organizations.people import Permission, Person
from sync_core.runs import Run
from tests.support.api_server import Program, Server
from tests.support.desk import ANA

FRONT_ENDS = {"admin portal", "sync dashboard", "sheet sync", "Cliniko panel"}  # their tags
CALLS: dict[tuple[str, str], Permission] = {  # method and path -> who may
    ("PUT", "/admin-portal/{resource}/sync-data-master"): "sync",
    ("GET", "/admin-portal/{resource}/sync-status"): "read",
    ("POST", "/api/v1/sync/start/{organization_id}"): "sync",
    ("GET", "/api/v1/sync/status/{sync_id}"): "read",
    ("GET", "/api/v1/sync/dashboard/{organization_id}"): "read",
    ("GET", "/api/v1/sync/history/{organization_id}"): "read",
    ("DELETE", "/api/v1/sync/cancel/{sync_id}"): "sync",
    ("GET", "/api/v1/sync/stream/{sync_id}"): "read",
    ("POST", "/api/sync-sheets-bg"): "sync",
    ("GET", "/api/sync-sheets-bg"): "read",
    ("POST", "/api/sync-sheets"): "sync",
    ("POST", "/api/v1/cliniko/sync-all/{organization_id}"): "sync",
    ("POST", "/api/v1/cliniko/sync/{organization_id}"): "sync",
    ("GET", "/api/v1/cliniko/test-connection/{organization_id}"): "sync",
    ("GET", "/api/v1/cliniko/sync-logs/{organization_id}"): "read",
    ("GET", "/api/v1/cliniko/status/{organization_id}"): "read",
    ("GET", "/api/v1/cliniko/active-patients/{organization_id}"): "read",
}
NOT_THERE = {"unknown_run", "unknown_organization"}


@pytest.fixture
def ended(home: Organization) -> Run:
    with db.begin() as connection:
        run = runs.start(connection, home.id, "patients", ANA, trigger="test")
    return syncs.cancel(home, run.id, ANA)


def ask(
    server: Server, program: Program, call: tuple[str, str], whose: Organization, run: Run
) -> httpx2.Response:
    """Ask for what is of an organization; nothing starts, for no source is set."""
    method, path = call
    facts = {
        "resource": "admins",
        "organization_id": whose.slug,
        "sync_id": patient_runs.sync_id(whose, run),
    }
    query = {"organization": whose.slug, "syncId": f"sync-{run.id}"}
    of_query = query if "{" not in path or "admin-portal" in path else None
    url = f"{server.url}{path.format(**facts)}"
    return httpx2.request(method, url, headers=program.headers, params=of_query, timeout=30)


@pytest.mark.parametrize("role", list(Role))
def test_each_role_may_at_these_addresses_what_it_may_on_the_pages(
    server: Server, home: Organization, ended: Run, role: Role
) -> None:
    program = Program(server, home, role)
    for call, needs in CALLS.items():
        answer = ask(server, program, call, home, ended)
        may = Person("", "", role).may(needs)
        refused = answer.status_code == 403 and answer.json()["code"] == "no_permission"
        assert refused != may, (call, answer.text)
        if may and needs == "read":
            assert answer.status_code == 200, (call, answer.text)


def test_what_is_of_another_organization_is_not_there(
    server: Server, home: Organization, ended: Run
) -> None:
    with db.begin() as connection:
        other = organizations.add(connection, f"{home.slug}-2", "Harbor Clinics")
        people.add(connection, other.id, ANA)
    stranger = Program(server, other)
    for call in CALLS:
        answer = ask(server, stranger, call, home, ended)
        assert answer.status_code == 404, (call, answer.text)
        assert answer.json()["code"] in NOT_THERE, call


def test_nobody_is_told_anything_without_a_token_or_a_sign_in(
    server: Server, home: Organization, ended: Run
) -> None:
    program = Program(server, home)
    program.headers = {}
    for call in CALLS:
        answer = ask(server, program, call, home, ended)
        assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in"), call


def test_every_address_of_other_front_ends_is_tried_here(server: Server) -> None:
    told = httpx2.get(f"{server.url}/api/openapi.json").json()
    there = {
        (method.upper(), methods.get("servers", told["servers"])[0]["url"].rstrip("/") + path)
        for path, methods in told["paths"].items()
        for method in methods
        if method != "servers" and FRONT_ENDS & {*methods[method]["tags"]}
    }
    assert there == set(CALLS)
