"""Who comes with a token: as whom, how long, and never twice the same guess for free."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx2
import psycopg
import pytest

from sync_core import organizations
from sync_core.api import rate
from sync_core.foundation import db
from sync_core.foundation.errors import SyncError
from sync_core.foundation.vocabulary import Role
from sync_core.operations import administration
from sync_core.operations import tokens as operations
from sync_core.organizations import Organization, people, tokens
from sync_core.organizations.people import Person
from sync_core.runs import Run
from tests.support.api_server import Server
from tests.support.desk import ANA
from tests.support.exports import manifests, trail_of


@pytest.fixture(autouse=True)
def no_guesses() -> Iterator[None]:
    rate._counted.cache_clear()  # noqa: SLF001 - as a new process would
    yield
    rate._counted.cache_clear()  # noqa: SLF001


def ask(server: Server, path: str, token: str, scheme: str = "Bearer") -> httpx2.Response:
    return server.get(path, None, headers={"authorization": f"{scheme} {token}"})


def test_a_token_asks_in_the_name_of_its_maker_with_its_own_role(
    server: Server, home: Organization, run: Run
) -> None:
    secret = operations.add(home, ANA, " Front  desk ", Role.MANAGER)
    assert ask(server, trail_of(home), secret).status_code == 200
    (told,) = manifests(home)
    assert told["by"] == ANA.email
    weak = operations.add(home, ANA, "Kiosk", Role.VIEWER)
    assert ask(server, f"/runs/{run.id}/outcomes.csv", weak).json()["code"] == "no_permission"
    log = ask(server, f"/runs/{run.id}/log.txt", weak)
    assert log.status_code == 200
    with db.everywhere() as connection:
        used = {one.name: one for one in tokens.everyone(connection, home.id)}
    assert set(used) == {"Front desk", "Kiosk"}
    assert all(one.used_at and one.made_by == ANA.name for one in used.values())


def test_a_token_may_be_limited_to_single_permissions_of_its_role(
    server: Server, home: Organization, run: Run
) -> None:
    starts = operations.add(home, ANA, "Starts", Role.ADMIN, permissions=["sync"])
    reads = operations.add(home, ANA, "Reads", Role.ANALYST, permissions=["read"])
    told = ask(server, f"/runs/{run.id}", starts)
    assert (told.status_code, told.json()["code"]) == (403, "beyond_token")
    assert told.json()["detail"] == "This token may not see what is synced."
    tried = server.get(f"/runs/{run.id}/retry", None, {"authorization": f"Bearer {starts}"}, "POST")
    assert tried.status_code == 202, tried.text
    body = {"resource": "admins"}
    with httpx2.Client(headers={"authorization": f"Bearer {starts}"}) as client:
        begun = client.post(f"{server.url}/api/v1/runs", json=body)
    assert begun.json()["code"] == "no_source"
    assert ask(server, f"/runs/{run.id}", reads).status_code == 200
    refused = server.get(f"/runs/{run.id}/undo", None, {"authorization": f"Bearer {reads}"}, "POST")
    assert (refused.status_code, refused.json()["code"]) == (403, "beyond_token")
    export = ask(server, trail_of(home), reads)
    assert (export.status_code, export.json()["code"]) == (403, "no_permission")
    with db.everywhere() as connection:
        kept = {one.name: one.permissions for one in tokens.everyone(connection, home.id)}
    assert kept == {"Starts": ["sync"], "Reads": ["read"]}


def test_no_token_may_more_than_its_role(home: Organization) -> None:
    with pytest.raises(SyncError) as told:
        operations.add(home, ANA, "Front desk", Role.VIEWER, permissions=["read", "export"])
    assert (told.value.code, told.value.facts["doing"]) == ("beyond_role", "export files")


def test_a_token_knows_no_other_organization(server: Server, home: Organization, run: Run) -> None:
    with db.everywhere() as connection:
        other = organizations.add(connection, f"{home.slug}-2", "Harbor Clinics")
        people.add(connection, other.id, ANA)
    secret = operations.add(other, ANA, "Front desk", Role.ADMIN)
    for address in (trail_of(home), f"/runs/{run.id}/log.txt?org={home.slug}"):
        assert ask(server, address, secret).json()["code"] == "unknown_organization"
    assert ask(server, f"/runs/{run.id}/log.txt", secret).json()["code"] == "unknown_run"


def refused(server: Server, home: Organization, secret: str, scheme: str = "Bearer") -> bool:
    answer = ask(server, trail_of(home), secret, scheme)
    return answer.status_code == 401 and answer.json()["code"] == "bad_token"


def test_a_token_ends_when_it_is_revoked_or_its_time_is_over(
    server: Server, home: Organization, database: psycopg.Connection
) -> None:
    secret = operations.add(home, ANA, "Front desk", Role.ADMIN, 1)
    assert not refused(server, home, secret)
    assert refused(server, home, secret, "Basic")
    assert refused(server, home, secret + "x")
    past = datetime.now(UTC) - timedelta(seconds=1)
    database.execute("update tokens set ends_at = %s where organization_id = %s", [past, home.id])
    assert refused(server, home, secret)
    operations.revoke(home, ANA, "Front desk")
    again = operations.add(home, ANA, "Front desk", Role.ADMIN)
    assert not refused(server, home, again)
    operations.revoke(home, ANA, "Front desk")
    assert refused(server, home, again)


@pytest.mark.parametrize("how", ["leaves", "is an analyst now"])
def test_a_token_ends_with_the_administrator_who_made_it(
    server: Server, home: Organization, how: str
) -> None:
    zoe = Person("Zoe Hall", "zoe.hall@example.org", Role.ADMIN)
    administration.put_person(home, ANA, zoe)
    secret = operations.add(home, zoe, "Front desk", Role.ADMIN)
    assert not refused(server, home, secret)
    if how == "leaves":
        administration.remove_person(home, ANA, zoe.email)
    else:
        administration.put_person(home, ANA, Person(zoe.name, zoe.email, Role.ANALYST))
    assert refused(server, home, secret)


def test_nothing_keeps_the_secret(home: Organization, database: psycopg.Connection) -> None:
    secret = operations.add(home, ANA, "Front desk", Role.ADMIN)
    tables = database.execute(
        "select table_name from information_schema.tables where table_schema = 'public'"
    ).fetchall()
    for (table,) in tables:
        found = database.execute(
            f"select count(*) from {table} t where strpos(t::text, %s) > 0",
            [secret.removeprefix(tokens.PREFIX)],
        ).fetchone()
        assert found == (0,), table


def test_guessing_is_stopped(server: Server, home: Organization) -> None:
    for _ in range(rate.REFUSALS):
        assert refused(server, home, "syncdesk_guess")
    assert ask(server, trail_of(home), "syncdesk_other").status_code == 429


@pytest.mark.parametrize(
    ("name", "days", "code"),
    [("  ", None, "blank_name"), ("A", 0, "bad_days"), ("A", 9999, "bad_days")],
)
def test_a_mistake_is_answered_with_a_sentence(
    home: Organization, name: str, days: int | None, code: str
) -> None:
    with pytest.raises(SyncError) as told:
        operations.add(home, ANA, name, Role.VIEWER, days)
    assert told.value.code == code


def test_two_tokens_never_have_one_name(home: Organization) -> None:
    operations.add(home, ANA, "Front desk", Role.VIEWER)
    with pytest.raises(SyncError, match="There is a token Front desk already"):
        operations.add(home, ANA, "Front desk", Role.ADMIN)
    with pytest.raises(SyncError, match="There is no token Back desk"):
        operations.revoke(home, ANA, "Back desk")
