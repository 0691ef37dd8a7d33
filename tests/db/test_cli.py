import json
import os
import subprocess
import sys
import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import Result

from sync_core import organizations
from sync_core.foundation import db, embedded
from sync_core.foundation.embedded import Urls
from sync_core.foundation.settings import ROOT
from sync_core.foundation.vocabulary import Role
from sync_core.operations import administration
from sync_core.organizations import Organization, people
from sync_core.organizations.people import Person
from tests.support import owner
from tests.support.desk import ANA, Desk
from tests.support.locations import HEADER, row
from tests.support.shell import ask

VERA = Person("Vera Olsen", "vera@example.org", Role.VIEWER)
SYNCDESK = Path(sys.executable).with_name("syncdesk")


def told(result: Result) -> Any:  # noqa: ANN401 - JSON
    return json.loads(result.stdout)


def shell(data: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "SYNCDESK_DATA": str(data)}
    return subprocess.run(
        [SYNCDESK, *words],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        cwd=data.parent,
    )


def test_a_fresh_machine_syncs_ten_thousand_rows_from_the_shell(desk: Desk, tmp_path: Path) -> None:
    desk.write("locations", [HEADER, *(row(f"L{n}", f"Clinic {n}") for n in range(10_000))])
    data = tmp_path / "the data"
    (data / "folders").mkdir(parents=True)
    desk.folder.rename(data / "folders" / "demo")
    assert shell(data, "source", "set", "locations", "folder:.").returncode == 0
    first = shell(data, "sync", "locations", "--wait", "--json")
    assert (first.returncode, first.stderr) == (0, "")
    answer = json.loads(first.stdout)
    counts = answer["counts"]["locations"]
    assert (counts["read"], counts["created"]) == (10_000, 10_000)
    assert {"run_id", "status", "resource", "organization", "message", "log_message"} <= set(answer)
    assert answer["duration_s"] > 0
    again = json.loads(shell(data, "sync", "locations", "--wait", "--json").stdout)
    assert again["counts"]["locations"]["unchanged"] == 10_000
    assert _rows(data) == 10_000


def _rows(data: Path) -> int:
    """Count the rows as another program would, at the address that `env` prints."""
    found = embedded.servers(data)
    addresses = dict(line.split("=", 1) for line in shell(data, "env").stdout.splitlines())
    assert addresses["DATABASE_URL"] == f"'{found.database.replace('+psycopg', '')}'"
    with psycopg.connect(addresses["DATABASE_URL"].strip("'")) as connection:
        connection.execute("set syncdesk.within = 'everywhere'")
        counted = connection.execute("select count(*) from locations").fetchone()
    return counted[0] if counted else 0


@pytest.mark.parametrize(
    ("words", "code", "status"),
    [
        (["sync", "nothing"], "unknown_resource", 5),
        (["sync", "locations", "--org", "nowhere"], "unknown_organization", 5),
        (["status", "999999"], "unknown_run", 5),
        (["source", "set", "locations", "what?"], "bad_location", 5),
        (["source", "set", "services", "https://example.org/x.csv"], "name_the_entity", 5),
        (["source", "set", "services", "shops=folder:."], "unknown_entity", 5),
        (["source", "set", "locations", "folder:.", "--locale", "xx_YY"], "bad_locale", 5),
        (["history", "nothing"], "unknown_resource", 5),
    ],
)
def test_a_refusal_is_json_with_a_sentence_and_a_code(
    organization: Organization, words: list[str], code: str, status: int
) -> None:
    if "--org" not in words:
        words = [*words, "--org", organization.slug]
    result = ask(*words, "--json")
    assert result.exit_code == status
    assert told(result)["error"]["code"] == code
    assert told(result)["error"]["message"].endswith(".")


def test_a_resource_without_a_source_is_refused(organization: Organization) -> None:
    result = ask("sync", "locations", "--org", organization.slug, "--json")
    assert (result.exit_code, told(result)["error"]["code"]) == (5, "no_source")


def test_wrong_words_end_with_the_usage(organization: Organization) -> None:
    assert organization
    assert ask("sync").exit_code == 2
    assert ask("sync", "locations", "--nonsense").exit_code == 2


def test_a_source_of_one_entity_keeps_the_others(organization: Organization) -> None:
    org = ["--org", organization.slug, "--json"]
    ask("source", "set", "services", "folder:services", *org)
    ask("source", "set", "services", "brands=folder:brands", *org)
    listed = told(ask("source", "list", *org))["sources"]
    assert [(place["entity"], place["location"]) for place in listed] == [
        ("brands", "brands"),
        ("packages", "services"),
    ]


def test_a_viewer_may_not_start_a_sync(desk: Desk) -> None:
    desk.sync("locations", locations=[HEADER, row("L1")])
    with db.everywhere() as connection:
        people.add(connection, desk.organization.id, VERA)
    words = ["sync", "locations", "--org", desk.organization.slug, "--as", VERA.email]
    result = ask(*words, "--json")
    assert (result.exit_code, told(result)["error"]["code"]) == (5, "no_permission")


@pytest.mark.parametrize("who", ["elsewhere", "removed", "only asked", "nobody"])
def test_nobody_acts_as_who_does_not_belong_here(desk: Desk, who: str) -> None:
    desk.write("locations", [HEADER, row("L1")])
    here, rose = desk.organization, replace(VERA, email="rose@example.org", role=Role.ADMIN)
    with db.everywhere() as connection:
        slug = f"o-{uuid.uuid4().hex[:12]}"
        other = organizations.add(connection, slug, "Harbor Clinics")
        people.add(connection, here.id, ANA)
        if who != "nobody":
            people.add(connection, other.id if who == "elsewhere" else here.id, rose)
    if who in {"removed", "only asked"}:
        administration.remove_person(here, ANA, rose.email)
    if who == "only asked":
        administration.put_person(here, ANA, rose)
    for spelt in (rose.email, f" {rose.email.upper()} "):
        result = ask("sync", "locations", "--org", here.slug, "--as", spelt, "--json")
        assert (result.exit_code, told(result)["error"]["code"]) == (5, "unknown_person")
    assert told(ask("history", "--org", here.slug, "--json"))["runs"] == []


def test_a_second_sync_is_told_whose_run_it_is(desk: Desk) -> None:
    desk.write("locations", [HEADER, row("L1")])
    desk.start("locations")
    result = ask("sync", "locations", "--org", desk.organization.slug, "--json")
    assert result.exit_code == 5
    assert told(result)["error"]["message"].startswith("Ana Ruiz started this")


def test_status_tells_the_counts_and_the_exit_code(desk: Desk) -> None:
    run = desk.sync("locations", locations=[HEADER, row("L1"), row("L2", name="")])
    result = ask("status", str(run.id), "--org", desk.organization.slug, "--json")
    assert result.exit_code == 3
    assert told(result)["counts"]["locations"]["failed"] == 1
    told_as_text = ask("status", str(run.id), "--org", desk.organization.slug)
    assert told_as_text.stdout.startswith(f"Run {run.id}, locations, partly synced: Processed 2")
    assert "1 created, 0 updated, 1 failed." in told_as_text.stdout
    listed = ask("history", "--org", desk.organization.slug).stdout
    assert listed.split("\t")[2:4] == ["Locations", "Partly synced"]


def test_every_run_that_is_told_as_json_has_its_asker_its_start_and_its_end(desk: Desk) -> None:
    first = desk.sync("locations", locations=[HEADER, row("L2")])
    second = desk.sync("locations", locations=[HEADER, row("L1", name="")])
    ids, as_json = [str(first.id), str(second.id)], ["--org", desk.organization.slug, "--json"]
    ask("schedule", "set", "locations", "@yearly", *as_json)
    shown = [
        *told(ask("compare", *ids, *as_json))["runs"],
        *told(ask("history", *as_json))["runs"],
        told(ask("status", ids[0], *as_json)),
        told(ask("retry", ids[1], *as_json)),
        told(ask("cancel", str(second.id + 1), *as_json)),
        told(ask("sync", "locations", *as_json)),
        told(ask("cancel", str(second.id + 2), *as_json)),
        told(ask("schedule", "run", "locations", *as_json)),
    ]
    for one in shown:
        assert one["requested_by"], one
        assert {"started_at", "finished_at"} <= one.keys(), one
    entry = told(ask("history", "--record", "locations", "L2", *as_json))["entries"][0]
    assert (entry["by"], entry["run_id"]) == ("Ana Ruiz", first.id)
    assert entry["started_at"] < entry["finished_at"]
    ask("cancel", str(second.id + 3), *as_json)


def test_an_outside_database_is_refused_with_the_word_migrate(servers: Urls) -> None:
    with owner.connect() as connection:
        connection.execute("create database elsewhere")
    environment = {
        **os.environ,
        "DATABASE_URL": servers.owner.replace("/postgres?", "/elsewhere?"),
        "REDIS_URL": servers.redis,
    }

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [SYNCDESK, *words],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            cwd=ROOT,
        )

    refused = run("history")
    assert (refused.returncode, "syncdesk migrate" in refused.stderr) == (5, True)
    assert run("migrate").returncode == 0
    assert run("org", "list").returncode == 0
    with psycopg.connect(environment["DATABASE_URL"].replace("+psycopg", "")) as connection:
        connection.execute("update alembic_version set version_num = '9999_of_tomorrow'")
    for command in ("history", "migrate"):
        refused = run(command)
        assert (refused.returncode, "Traceback" in refused.stderr) == (5, False)
        assert "newer version than this program" in refused.stderr
