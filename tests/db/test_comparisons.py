"""Two runs beside each other, and previews and confirms, from the shell."""

import json
from pathlib import Path

import pytest

from sync_core.demo import organization as demo
from sync_core.foundation import db
from sync_core.foundation.errors import SyncError
from sync_core.operations import syncs
from sync_core.organizations import people
from sync_core.records import comparisons
from sync_core.records.comparisons import Comparison
from sync_core.runs import Run
from tests.support.desk import ANA, Desk
from tests.support.locations import HEADER, row
from tests.support.shell import ask


def compared(first: Run, second: Run) -> Comparison:
    with db.everywhere() as connection:
        return comparisons.compare(connection, first, second, ANA)


@pytest.fixture
def both(desk: Desk) -> tuple[Run, Run]:
    first = desk.sync(
        "locations",
        locations=[HEADER, row("L1"), row("L2", Email="nobody"), row("L3", Phone="x")],
    )
    second = desk.sync(
        "locations",
        locations=[
            [*HEADER, "Region"],
            [*row("L1", City="Perth"), "West"],
            [*row("L2"), "West"],
            [*row("L3", Phone="x"), "East"],
            [*row("L4", Postcode="x" * 300, Email="nobody"), "East"],
        ],
    )
    return first, second


def test_two_runs_stand_beside_each_other(both: tuple[Run, Run]) -> None:
    (table,) = compared(*both).tables
    told = {kind: pair for kind, pair in table.counts.items() if any(pair)}
    assert told == {
        "read": (3, 4),
        "created": (1, 1),
        "updated": (0, 1),
        "failed": (2, 2),
    }
    assert (table.new_headers, table.lost_headers) == (["Region"], [])
    assert table.reasons[("Email", "bad_email")] == (1, 1)
    assert table.reasons[("Phone", "bad_phone")] == (1, 1)
    assert (table.only_first.rows, [one.key for one in table.only_first.first]) == (1, ["L2"])
    assert (table.only_second.rows, [one.key for one in table.only_second.first]) == (1, ["L4"])
    assert "Invalid email format" in table.only_first.first[0].reasons


def test_a_plan_that_waits_is_compared_as_well(desk: Desk, both: tuple[Run, Run]) -> None:
    planned = desk.preview("locations", locations=[HEADER, row("L1"), row("L2", Email="nobody")])
    (table,) = compared(both[1], planned).tables
    assert table.lost_headers == ["Region"]
    assert [one.key for one in table.only_first.first] == ["L3", "L4"]
    assert [one.key for one in table.only_second.first] == ["L2"]


def test_runs_of_two_resources_are_not_compared(desk: Desk, both: tuple[Run, Run]) -> None:
    labels = ["Email", "Name", "Role", "Team", "Active"]
    other = desk.sync("admins", admins=[labels])
    with pytest.raises(SyncError, match="are not of one resource"):
        compared(both[0], other)


def test_two_runs_are_compared_in_the_shell(desk: Desk, both: tuple[Run, Run]) -> None:
    words = ["compare", *(str(run.id) for run in both), "--org", desk.organization.slug]
    told = ask(*words)
    assert told.exit_code == 0
    assert told.output.splitlines()[:4] == [
        f"Runs {both[0].id} and {both[1].id}, locations",
        "Locations",
        "    read: 3 → 4",
        "    created: 1",
    ]
    assert f"    failed only in run {both[0].id}: 1 row\n" in told.output
    (table,) = json.loads(ask(*words, "--json").stdout)["tables"]
    assert table["counts"]["read"] == [3, 4]
    assert {"field": "Email", "code": "bad_email", "rows": [1, 1]} in table["reasons"]


def test_a_retry_beside_a_sync_is_told_as_such_in_the_shell(
    desk: Desk, both: tuple[Run, Run]
) -> None:
    retry = desk.work(syncs.retry(desk.organization, both[1].id, ANA, "test"))
    words = ["compare", f"{both[0].id}", f"{retry.id}", "--org", desk.organization.slug]
    note = f"Run {retry.id} took only the rows that had failed in run {both[1].id}: "
    assert ask(*words).output.splitlines()[1].startswith(note)
    assert json.loads(ask(*words, "--json").stdout)["notes"][0].startswith(note)
    assert not compared(*both).notes


# Previews from the shell


def test_a_preview_shows_its_plan_and_is_confirmed(desk: Desk, tmp_path: Path) -> None:
    desk.write("locations", [HEADER, row("L1", City="Perth"), row("L2", Email="nobody")])
    desk.set_source("locations")
    org, file = ["--org", desk.organization.slug], tmp_path / "plan.csv"
    shown = ask("sync", "locations", "--preview", "--json", "--csv", str(file), *org)
    assert shown.exit_code == 6
    told = json.loads(shown.stdout)
    assert (told["status"], told["guards"]) == ("waiting", [])
    failed, created = told["plan"]
    assert (failed["kind"], failed["issues"][0]["code"]) == ("failed", "bad_email")
    assert (created["key"], created["changes"]["city"]) == ("L1", "Perth")
    assert len(file.read_text().splitlines()) == 3
    done = ask("confirm", str(told["run_id"]), "--wait", *org)
    assert (done.exit_code, "1 created, 0 updated, 1 failed" in done.output) == (3, True)
    again = ask("confirm", str(told["run_id"]), *org)
    assert (again.exit_code, "does not wait for a decision" in again.output) == (5, True)


def test_the_plan_of_an_undo_is_shown_as_that_of_a_preview_is(desk: Desk, tmp_path: Path) -> None:
    run = desk.sync("locations", locations=[HEADER, row("L1", City="Perth"), row("L2")])
    org, file = ["--org", desk.organization.slug], tmp_path / "plan.csv"
    told = json.loads(ask("undo", str(run.id), "--json", "--csv", str(file), *org).stdout)
    assert told["status"] == "waiting"
    assert [(one["kind"], one["key"]) for one in told["plan"]] == [
        ("removed", "L1"),
        ("removed", "L2"),
    ]
    assert len(file.read_text().splitlines()) == 3
    done = ask("confirm", str(told["run_id"]), "--wait", *org)
    assert (done.exit_code, "2 undone" in done.output) == (0, True)


def test_a_file_of_a_plan_is_asked_for_with_a_preview_by_who_may_export(desk: Desk) -> None:
    with db.everywhere() as connection:
        for person in demo.PEOPLE:
            people.add(connection, desk.organization.id, person)
    org = ["--org", desk.organization.slug]
    assert ask("sync", "locations", "--csv", "x.csv", *org).exit_code == 2
    analyst = next(p for p in demo.PEOPLE if p.role == "analyst")
    refused = ask("sync", "locations", "--preview", "--csv", "x.csv", "--as", analyst.email, *org)
    assert (refused.exit_code, "As an analyst you may not" in refused.output) == (5, True)
