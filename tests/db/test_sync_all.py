"""Sync all: every resource that has a source, each after those to which its rows refer."""

import json

import psycopg
import pytest

from sync_core import runs
from sync_core.catalogue import resources
from sync_core.catalogue.resources import ENTITIES
from sync_core.execution import queue
from sync_core.foundation import db
from sync_core.foundation.errors import SyncError
from sync_core.foundation.vocabulary import RunStatus
from sync_core.operations import syncs
from sync_core.organizations import Organization
from sync_core.runs import Run, at_work, batches, lease
from sync_core.runs.batches import Batch, Part
from tests.support.desk import ANA, Desk
from tests.support.locations import LOCATIONS
from tests.support.shell import ask


@pytest.fixture
def ready(desk: Desk) -> Desk:
    """Give the therapists, their locations and the administrators a source."""
    desk.write("locations", LOCATIONS)
    for name in ("therapists", "schedules", "admins"):
        desk.write(name, [[field.label for field in ENTITIES[name].fields]])
    for resource in ("locations", "therapists", "admins"):
        desk.set_source(resource)
    return desk


def read(desk: Desk) -> Batch:
    with db.everywhere() as connection:
        found = batches.latest(connection, desk.organization.id)
    assert found is not None
    return found


def part(desk: Desk, resource: str) -> Part:
    return next(one for one in read(desk).parts if one.resource == resource)


def run_of(desk: Desk, resource: str) -> Run:
    found = part(desk, resource).run
    assert found is not None, resource
    return found


def test_each_resource_comes_after_those_to_which_it_refers() -> None:
    order = resources.in_order()
    assert sorted(order) == sorted(resources.CATALOGUE)
    for name in order:
        assert all(order.index(one) < order.index(name) for one in resources.references(name))
    assert resources.references("therapists") == {"locations"}


def test_locations_are_synced_before_therapists_by_one_action(
    ready: Desk, database: psycopg.Connection
) -> None:
    syncs.start_all(ready.organization, ANA, "page")
    assert part(ready, "therapists").run is None
    assert read(ready).awaits(part(ready, "therapists")) == ["locations"]
    queue.go_on_with_all()
    assert part(ready, "therapists").run is None
    assert {p.resource: p.skipped for p in read(ready).parts if p.skipped} == {
        "services": "no_source",
        "patients": "no_source",
    }
    ready.work(run_of(ready, "locations"))
    queue.go_on_with_all()
    ready.work(run_of(ready, "therapists"))
    assert read(ready).finished_at is None
    ready.work(run_of(ready, "admins"))
    queue.go_on_with_all()
    done = read(ready)
    assert done.finished_at is not None
    assert {one.run.requested_by for one in done.parts if one.run} == {"Ana Ruiz"}
    kinds = database.execute(
        "select kind, detail->'resources' from actions where organization_id = %s",
        [ready.organization.id],
    ).fetchall()
    ours = [name for name in resources.in_order() if name in {"locations", "therapists", "admins"}]
    assert kinds == [("started all", ours)]


def test_a_run_on_its_way_is_taken_for_its_part_and_a_plan_is_left_alone(ready: Desk) -> None:
    planned = ready.preview("locations")
    assert planned.status == RunStatus.WAITING
    active = ready.start("admins")
    syncs.start_all(ready.organization, ANA, "page")
    assert run_of(ready, "admins").id == active.id
    assert part(ready, "locations").skipped == "plan_waits"
    assert part(ready, "therapists").run is None
    queue.go_on_with_all()
    run_of(ready, "therapists")  # nothing that it waits for is on its way


def test_what_fails_holds_up_nothing(ready: Desk) -> None:
    ready.write("locations", [["Nothing of ours"]])
    syncs.start_all(ready.organization, ANA, "page")
    assert ready.work(run_of(ready, "locations")).status == RunStatus.FAILED
    queue.go_on_with_all()
    assert ready.work(run_of(ready, "therapists")).status == RunStatus.COMPLETED


def test_there_is_one_at_a_time_and_none_without_a_source(
    ready: Desk, organization: Organization
) -> None:
    syncs.start_all(ready.organization, ANA, "page")
    with pytest.raises(SyncError, match="already"):
        syncs.start_all(ready.organization, ANA, "page")
    for resource in ("locations", "admins"):
        ready.work(run_of(ready, resource))
    queue.go_on_with_all()
    ready.work(run_of(ready, "therapists"))
    queue.go_on_with_all()
    assert syncs.start_all(organization, ANA, "page").id == read(ready).id


def test_without_any_source_there_is_nothing_to_sync(organization: Organization) -> None:
    with pytest.raises(SyncError, match="No resource has a source"):
        syncs.start_all(organization, ANA, "page")


def test_the_shell_syncs_all(ready: Desk) -> None:
    slug = ready.organization.slug
    done = ask("sync", "--all", "--org", slug, "--json")
    told = json.loads(done.output)
    assert done.exit_code == 0
    by_name = {one["resource"]: one for one in told["parts"]}
    assert by_name["locations"]["status"] == "queued"
    assert by_name["therapists"]["run_id"] is None
    assert by_name["patients"]["left_out"] == "no_source"
    again = ask("sync", "--all", "--org", slug)
    assert (again.exit_code, "already" in again.output) == (5, True)
    assert ask("sync", "locations", "--all").exit_code == 2
    assert ask("sync", "--org", slug).exit_code == 2


def test_the_queue_tells_what_waits_and_what_is_at_work_and_where(ready: Desk) -> None:
    of = ready.organization
    syncs.start_all(of, ANA, "page")
    first = run_of(ready, "locations")
    with db.everywhere() as connection:
        assert lease.claim(connection, first.id, "north:abc:17")
    with db.everywhere() as connection:
        listed = at_work.of(connection, of.id)
        waiting, running = at_work.of_others(connection, of.id)
        every = runs.latest(connection, of.id)
    assert [(one.run.resource, one.machine) for one in listed] == [
        ("locations", "north"),
        ("admins", None),
    ]
    assert listed[0].place is None
    assert listed[1].place is not None
    assert listed[0].since == every["locations"].started_at
    assert waiting >= 0
    assert running >= 0
