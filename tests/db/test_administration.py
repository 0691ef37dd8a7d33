import os
import pwd
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import cast

import psycopg
import pytest
from click.testing import CliRunner

from sync_core.catalogue.resources import CATALOGUE
from sync_core.cli.common import shell
from sync_core.cli.main import cli
from sync_core.demo import organization as demo
from sync_core.foundation import db
from sync_core.foundation.errors import SyncError
from sync_core.foundation.vocabulary import Removal, Role
from sync_core.operations import administration, syncs, views
from sync_core.organizations import Organization, people, policies, saved_views, source_settings
from sync_core.organizations.people import Person
from sync_core.organizations.policies import Policy
from tests.support.desk import ANA, Desk
from tests.support.sources import refusal

LOCATIONS = CATALOGUE["locations"]
SARAH = Person("Sarah Lim", "sarah.lim@example.org", Role.ANALYST, "Operations")


@pytest.fixture
def staffed(organization: Organization) -> Organization:
    with db.everywhere() as connection:
        people.add(connection, organization.id, ANA)
    return organization


def roles(organization: Organization) -> dict[str, str]:
    with db.everywhere() as connection:
        return {p.email: p.role for p in people.everyone(connection, organization.id)}


def written_down(database: psycopg.Connection, organization: Organization) -> list[str]:
    query = "select detail->>'what' from actions where organization_id = %s order by id"
    return [row[0] for row in database.execute(query, [organization.id])]


Change = Callable[[Organization, Person], object]
CHANGES: dict[str, Change] = {
    "source": lambda at, by: administration.set_source(at, by, LOCATIONS, "folder:data"),
    "person": lambda at, by: administration.put_person(at, by, SARAH),
    "removal": lambda at, by: administration.remove_person(at, by, SARAH.email),
    "policy": lambda at, by: administration.set_policy(
        at, by, LOCATIONS, Policy(6, Removal.DELETE)
    ),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("by", [p for p in demo.PEOPLE if p.role != "admin"], ids=lambda p: p.role)
def test_only_an_administrator_changes_settings(
    staffed: Organization, change: str, by: Person
) -> None:
    assert refusal(lambda: CHANGES[change](staffed, by)).code == "no_permission"
    assert roles(staffed) == {ANA.email: "admin"}


@pytest.mark.parametrize("by", demo.PEOPLE, ids=lambda p: p.role)
def test_only_analysts_and_administrators_start_and_cancel(desk: Desk, by: Person) -> None:
    desk.set_source("locations")
    if by.role in {"analyst", "admin"}:
        run = syncs.start(desk.organization, "locations", by, "test")
        assert syncs.cancel(desk.organization, run.id, by).status == "cancelled"
        return
    run = desk.start("locations")
    started = refusal(lambda: syncs.start(desk.organization, "locations", by, "test"))
    cancelled = refusal(lambda: syncs.cancel(desk.organization, run.id, by))
    assert (started.code, cancelled.code) == ("no_permission", "no_permission")


def test_a_source_that_is_set_is_kept_and_written_down(
    staffed: Organization, database: psycopg.Connection
) -> None:
    administration.set_source(staffed, ANA, LOCATIONS, "folder:clinics")
    with db.everywhere() as connection:
        assert source_settings.read(connection, staffed, LOCATIONS)[0].location == "clinics"
    assert written_down(database, staffed) == ["the source of locations to folder clinics"]


def test_the_row_of_a_source_s_header_is_kept_and_written_down(
    staffed: Organization, database: psycopg.Connection
) -> None:
    administration.set_source(staffed, ANA, LOCATIONS, "folder:clinics", header_row=3)
    with db.everywhere() as connection:
        assert source_settings.read(connection, staffed, LOCATIONS)[0].header_row == 3
    assert written_down(database, staffed) == [
        "the source of locations to folder clinics, header in row 3"
    ]
    for row in (0, 1_001):
        with pytest.raises(SyncError) as refused:
            administration.set_source(staffed, ANA, LOCATIONS, "folder:x", header_row=row)
        assert refused.value.code == "bad_header_row"


def test_a_person_is_added_changed_and_removed_and_each_is_written_down(
    staffed: Organization, database: psycopg.Connection
) -> None:
    administration.put_person(staffed, ANA, SARAH)
    assert roles(staffed)[SARAH.email] == "analyst"
    administration.put_person(staffed, ANA, Person("Sarah Lim", SARAH.email, Role.MANAGER))
    assert roles(staffed)[SARAH.email] == "manager"
    administration.remove_person(staffed, ANA, SARAH.email)
    assert SARAH.email not in roles(staffed)
    assert len(written_down(database, staffed)) == 3


def test_who_is_removed_leaves_no_saved_views_and_others_keep_theirs(staffed: Organization) -> None:
    administration.put_person(staffed, ANA, SARAH)
    for person in (ANA, SARAH):
        views.save(staffed, person, "audit", "Mine", {"days": ["7"]})
    administration.remove_person(staffed, ANA, f" {SARAH.email.upper()}")
    administration.put_person(staffed, ANA, SARAH)
    with db.everywhere() as connection:
        left = {
            person.email: saved_views.of_person(connection, staffed.id, person, "audit")
            for person in (ANA, SARAH)
        }
    assert [len(found) for found in left.values()] == [1, 0]


@pytest.mark.parametrize(
    ("person", "told"),
    [
        (Person(" ", "a@example.org", Role.VIEWER), "The name is blank."),
        (Person("A", "not an address", Role.VIEWER), "'not an address' is not an e-mail address."),
        (Person("A", "a@example.org", cast("Role", "owner")), "There is no role 'owner'."),
    ],
    ids=["no name", "no address", "no role"],
)
def test_a_person_needs_a_name_an_address_and_a_role(
    staffed: Organization, person: Person, told: str
) -> None:
    refused = refusal(lambda: administration.put_person(staffed, ANA, person))
    assert refused.sentence == told


def test_the_last_administrator_stays(staffed: Organization) -> None:
    demoted = Person(ANA.name, ANA.email, Role.VIEWER, ANA.team)
    for change in (
        lambda: administration.put_person(staffed, ANA, demoted),
        lambda: administration.remove_person(staffed, ANA, ANA.email),
    ):
        assert refusal(change).code == "last_admin"
    assert roles(staffed) == {ANA.email: "admin"}


def test_an_organization_is_added_by_the_machine_s_shell_alone_and_nobody_is_in_it(
    staffed: Organization,
) -> None:
    slug = f"{staffed.slug[:20]}-2"
    for by in demo.PEOPLE:
        add = partial(administration.add_organization, by, slug, "Harbor Clinics", "AU", "UTC")
        assert refusal(add).code == "not_operator"
    added = administration.add_organization(shell(), slug, "Harbor Clinics", "AU", "UTC")
    assert roles(added) == {}
    with pytest.raises(SyncError, match="already"):
        administration.add_organization(shell(), slug, "Again", "AU", "UTC")


@pytest.mark.parametrize("number", [os.getuid(), 54_321])  # the second is nobody's, as a rule
def test_the_shell_s_person_is_the_system_s_user_whatever_variables_say(
    monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME", "SUDO_USER", "HOME"):
        monkeypatch.setenv(name, "somebody-else")
    monkeypatch.setattr(os, "getuid", lambda: number)
    known = [one.pw_name for one in pwd.getpwall() if one.pw_uid == number]
    name = next(iter(known), f"user-{number}")
    assert (shell().name, shell().email) == (name, f"{name}@localhost")


def test_rows_that_left_the_source_go_as_the_organization_has_decided(
    staffed: Organization, database: psycopg.Connection, desk: Desk
) -> None:
    labels = [field.label for field in LOCATIONS.entities[0].fields]
    rows = [[code, "Clinic", *[""] * (len(labels) - 2)] for code in ("L1", "L2")]
    administration.set_policy(staffed, ANA, LOCATIONS, Policy(6, Removal.DELETE))
    desk.sync("locations", locations=[labels, *rows])
    run = desk.sync("locations", locations=[labels, rows[0]])
    assert desk.counts(run, "locations")["removed"] == 1
    query = "select location_code from locations where organization_id = %s"
    assert database.execute(query, [staffed.id]).fetchall() == [("L1",)]


@pytest.mark.parametrize(
    ("policy", "told"),
    [
        (Policy(0), "Data stay fresh for 1 hour at least."),
        (Policy(limit_minutes=0), "A sync may take from 1 to 1,440 minutes."),
        (Policy(limit_minutes=1_441), "A sync may take from 1 to 1,440 minutes."),
    ],
    ids=["fresh for no time", "no time", "more than a day"],
)
def test_a_decision_that_makes_no_sense_is_refused(
    staffed: Organization, policy: Policy, told: str
) -> None:
    change = refusal(lambda: administration.set_policy(staffed, ANA, LOCATIONS, policy))
    assert change.sentence == told


def test_what_is_decided_is_kept_and_written_down(
    staffed: Organization, database: psycopg.Connection
) -> None:
    decided = Policy(6, Removal.DELETE, 90)
    administration.set_policy(staffed, ANA, LOCATIONS, decided)
    with db.everywhere() as connection:
        assert policies.of(connection, staffed.id)["locations"] == decided
        assert policies.of(connection, staffed.id)["admins"] == Policy()
    what = "locations: fresh for 6 h, removed rows: delete, time limit: 90 min"
    assert written_down(database, staffed) == [what]


def test_the_shell_lets_the_first_administrator_in(organization: Organization) -> None:
    words = ["person", "set", ANA.email, ANA.name, "--role", "admin", "--org", organization.slug]
    assert CliRunner().invoke(cli, words).exit_code == 0
    assert roles(organization) == {ANA.email: "admin"}
    listed = CliRunner().invoke(cli, ["person", "list", "--org", organization.slug])
    assert ANA.email in listed.stdout
    words[words.index("admin")] = "viewer"
    refused = CliRunner().invoke(cli, words)
    assert (refused.exit_code, "no administrator left" in refused.stderr) == (5, True)


def test_what_is_done_to_people_is_written_down_in_plain_words(
    staffed: Organization, database: psycopg.Connection
) -> None:
    administration.put_person(staffed, ANA, SARAH)
    administration.put_person(staffed, ANA, replace(SARAH, team=""))
    administration.put_person(staffed, ANA, replace(SARAH, team=""))
    administration.put_person(staffed, ANA, replace(SARAH, name="Sarah Tan", role=Role.ADMIN))
    administration.let_account_in(staffed, ANA, SARAH.email.upper())
    administration.remove_person(staffed, ANA, SARAH.email)
    assert written_down(database, staffed) == [
        "invited Sarah Lim as an analyst, team Operations",
        "changed Sarah Lim: team none",
        "saved Sarah Lim unchanged",
        "changed Sarah Lim: name Sarah Tan, now an administrator, team Operations",
        "let another account of Sarah Tan in",
        "removed Sarah Tan",
    ]
    query = "select distinct kind, detail->>'email' from actions where organization_id = %s"
    written = database.execute(query, [staffed.id]).fetchall()
    assert written == [("changed the people", SARAH.email)]
