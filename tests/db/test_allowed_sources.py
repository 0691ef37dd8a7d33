"""Several organizations share one account of Google and the keys of Cliniko: who may read what."""

import json
import uuid
from collections.abc import Iterator

import psycopg
import pytest
import sqlalchemy as sa
from alembic import command

from sync_core import runs
from sync_core.catalogue import resources
from sync_core.cli.common import shell
from sync_core.demo.cliniko import Account
from sync_core.execution import attempt
from sync_core.foundation import db, revisions, settings
from sync_core.foundation.embedded import Urls
from sync_core.operations import administration, source_probes, syncs
from sync_core.organizations import Organization, allowed_sources, source_settings
from sync_core.runs import Run
from sync_core.sources import Location
from tests.support.clinic import PATIENTS, open_clinic
from tests.support.desk import ANA
from tests.support.earlier_database import database_of
from tests.support.fakes.cliniko import Cliniko
from tests.support.fakes.google import DEMO, Google
from tests.support.fakes.spreadsheets import Tab
from tests.support.locations import HEADER, row
from tests.support.shell import ask
from tests.support.sources import refusal

LOCATIONS = resources.by_name("locations")


@pytest.fixture
def google(monkeypatch: pytest.MonkeyPatch) -> Iterator[Google]:
    with Google() as google:
        monkeypatch.setenv("GOOGLE_API_BASE_URL", google.url)
        monkeypatch.setenv("GOOGLE_SERVICE_ACCOUNT_JSON", json.dumps(google.service_account()))
        settings.current.cache_clear()
        google.add(Tab("Locations", [HEADER, row("L1")]))
        yield google
    monkeypatch.undo()
    settings.current.cache_clear()


@pytest.fixture
def other(organization: Organization) -> Organization:
    """Add another organization as the machine's shell does: now there are several."""
    slug = f"{organization.slug[:30]}-other"
    return administration.add_organization(shell(), slug, "Harbor Clinics", "AU", "UTC")


def sync(organization: Organization, resource: str = "locations") -> Run:
    run = syncs.start(organization, resource, ANA, "test")
    attempt.work(run.id)
    with db.everywhere() as connection:
        return runs.get(connection, organization.id, run.id)


def set_before(organization: Organization, words: str, resource: str = "locations") -> None:
    """Set a source as it was set before there were several."""
    declared = resources.by_name(resource)
    found = source_settings.parse(organization, declared, words, None, None)
    with db.everywhere() as connection:
        source_settings.save(connection, organization, found)


def sources_of(organization: Organization) -> list[str]:
    with db.everywhere() as connection:
        return [one.location for one in source_settings.read_all(connection, organization)]


def not_allowed(source: str, organization: Organization) -> str:
    return f"{source} is not allowed for {organization.name}."


SHEET = "Google Sheet 1Dem…mnop"


def test_one_organization_alone_sets_what_sheet_it_likes(
    organization: Organization, google: Google
) -> None:
    assert google
    administration.set_source(organization, ANA, LOCATIONS, DEMO)
    assert sync(organization).status == "completed"


def test_what_was_set_goes_on_when_another_organization_comes(
    organization: Organization, google: Google
) -> None:
    assert google
    set_before(organization, DEMO)
    slug = f"{organization.slug[:30]}-late"
    administration.add_organization(shell(), slug, "Harbor Clinics", "AU", "UTC")
    assert sync(organization).status == "completed"
    error = refusal(lambda: administration.set_source(organization, ANA, LOCATIONS, "x" * 30))
    assert error.code == "source_not_allowed"
    assert sources_of(organization) == [DEMO]


def test_who_knows_the_id_of_another_organization_s_sheet_does_not_read_it(
    organization: Organization, other: Organization, google: Google
) -> None:
    assert google
    administration.set_source(organization, shell(), LOCATIONS, DEMO)
    for words in (
        DEMO,
        f" {DEMO}\n",
        f"https://docs.google.com/spreadsheets/d/{DEMO}/edit#gid=0",
        f"https://DOCS.GOOGLE.COM:443/a/example.org/spreadsheets/u/3/d/{DEMO}",
        f"https://docs.google.com/spreadsheets/d/{DEMO}%2F..%2F{'x' * 30}/edit",
        f"https://docs.google.com/spreadsheets/d/{'x' * 30}/../{DEMO}/edit",
    ):
        error = refusal(lambda: administration.set_source(other, ANA, LOCATIONS, words))  # noqa: B023 - called at once
        assert error.sentence.startswith(SHEET)
        assert error.code == "source_not_allowed"
        assert "administrator of the machine" in error.advice
    assert sources_of(other) == []
    assert sync(organization).status == "completed"


def test_a_sheet_that_was_set_all_the_same_is_neither_synced_nor_tried(
    other: Organization, google: Google
) -> None:
    set_before(other, DEMO)
    run = sync(other)
    assert (run.status, run.error_code) == ("failed", "source_not_allowed")
    assert run.message == not_allowed(SHEET, other)
    refused = refusal(lambda: source_probes.probe_sources(other, ANA, "locations"))
    assert refused.sentence == not_allowed(SHEET, other)
    assert google.requests == []


def test_the_shell_allows_a_sheet_and_forbids_it_again(
    other: Organization, google: Google, database: psycopg.Connection
) -> None:
    assert google
    org = ["--org", other.slug]
    allowed = ask("source", "allow", DEMO, *org)
    assert (allowed.exit_code, allowed.stdout) == (0, f"Harbor Clinics may read {SHEET}.\n")
    assert ask("source", "allowed", *org).stdout == f"sheet\t{DEMO}\n"
    administration.set_source(other, ANA, LOCATIONS, DEMO)
    assert sync(other).status == "completed"
    assert ask("source", "forbid", DEMO, *org).exit_code == 0
    assert sync(other).error_code == "source_not_allowed"
    assert ask("source", "forbid", DEMO, *org).exit_code == 5
    query = "select detail->>'what' from actions where organization_id = %s order by id"
    told = [what for (what,) in database.execute(query, [other.id]) if what and "allowed" in what]
    assert told == [f"the allowed sources: added {SHEET}", f"the allowed sources: removed {SHEET}"]


@pytest.mark.parametrize("words", ["folder:clinics", "https://data.example.org/a.csv"])
def test_only_what_is_shared_is_allowed_singly(other: Organization, words: str) -> None:
    error = refusal(lambda: administration.allow_source(other, shell(), words))
    assert error.sentence.endswith(
        "only Google Sheet and Cliniko are allowed to each organization, others need not be."
    )
    administration.set_source(other, ANA, LOCATIONS, words)


def test_a_key_that_waited_for_a_short_name_is_not_taken_by_who_comes_to_have_it(
    other: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Cliniko() as server:
        open_clinic(other, server, Account(3, 3), monkeypatch)
        run = sync(other, "patients")
        assert run.message == not_allowed("Cliniko", other)
        error = refusal(lambda: administration.set_source(other, ANA, PATIENTS, "cliniko"))
        assert error.code == "source_not_allowed"
        assert server.requests == []
        assert ask("source", "allow", "cliniko", "--org", other.slug).exit_code == 0
        assert sync(other, "patients").status == "completed"
    settings.current.cache_clear()


def test_the_shell_names_keys_that_no_organization_uses(
    other: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting, nobody = settings.cliniko_variable(other.slug), uuid.uuid4().hex[:8].upper()
    monkeypatch.setenv(waiting, "key-au1")
    monkeypatch.setenv(f"CLINIKO_API_KEY_{nobody}", "key-au1")
    monkeypatch.setenv("CLINIKO_CONTACT", "it@example.org")
    settings.current.cache_clear()
    told = ask("org", "list").stderr.splitlines()
    assert f"CLINIKO_API_KEY_{nobody} is set for an organization that does not exist." in told
    how = f"syncdesk source allow cliniko --org {other.slug}"
    assert f"{waiting} is not used until '{how}'." in told
    assert ask(*how.split()[1:]).exit_code == 0
    assert not any(waiting in line for line in ask("org", "list").stderr.splitlines())
    monkeypatch.undo()
    settings.current.cache_clear()


@pytest.mark.parametrize("several", [False, True])
def test_an_older_database_goes_on_with_what_is_set_in_it(servers: Urls, *, several: bool) -> None:
    slugs = ("a", "b") if several else ("a",)
    with database_of("0029", servers) as connection:
        for slug in slugs:  # both have set one sheet
            connection.execute(
                sa.text(
                    "with o as (insert into organizations (slug, name) values (:slug, :slug)"
                    " returning id) insert into sources"
                    " (organization_id, resource, entity, kind, location, set_at) select id, k, k,"
                    " k, k, clock_timestamp() from o, unnest(array['sheet', 'cliniko', 'csv']) k"
                ),
                {"slug": slug},
            )
        command.upgrade(revisions.config(connection), "0030")
        query = (
            "select slug, only_allowed, array_agg(kind order by kind) filter (where kind <> '')"
            " from organizations o left join allowed_sources on organization_id = o.id"
            " group by 1, 2 order by 1"
        )
        found = [tuple(line) for line in connection.execute(sa.text(query))]
    if several:  # the shell says whose the sheet is
        assert found == [("a", True, ["cliniko"]), ("b", True, ["cliniko"])]
    else:
        assert found == [("a", False, ["cliniko", "sheet"])]


def test_what_an_organization_is_allowed_is_its_own(
    organization: Organization, other: Organization
) -> None:
    administration.allow_source(organization, shell(), DEMO)
    with db.within(other.id) as connection:
        assert allowed_sources.of(connection, other) == []
        assert not allowed_sources.forbid(connection, other, Location("sheet", DEMO))
    with db.within(organization.id) as connection:
        assert [one.location for one in allowed_sources.of(connection, organization)] == [DEMO]
