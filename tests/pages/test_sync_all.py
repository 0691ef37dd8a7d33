"""Sync all on the overview, and the queue in the settings."""

import pytest

from sync_core.catalogue.resources import ENTITIES
from sync_core.execution import queue
from sync_core.foundation import db
from sync_core.runs import batches, lease
from tests.pages.test_settings import open_tab
from tests.support.desk import Desk
from tests.support.locations import HEADER, LOCATIONS, row
from tests.support.pages import Visit, column

SARAH, MICHAEL = "sarah.lim@example.org", "michael.tan@example.org"


@pytest.fixture
def ready(desk: Desk) -> Desk:
    desk.write("locations", LOCATIONS)
    for name in ("therapists", "schedules"):
        desk.write(name, [[field.label for field in ENTITIES[name].fields]])
    for resource in ("locations", "therapists"):
        desk.set_source(resource)
    return desk


def work(desk: Desk, resource: str) -> None:
    with db.everywhere() as connection:
        batch = batches.latest(connection, desk.organization.id)
    assert batch is not None
    (run,) = [part.run for part in batch.parts if part.resource == resource]
    assert run is not None
    desk.work(run)
    queue.go_on_with_all()


def test_everything_is_synced_from_the_overview_with_a_line_of_its_own(
    visit: Visit, ready: Desk
) -> None:
    page = visit("overview", SARAH)
    page.button(key="sync-all").click().run()
    page = visit("overview", SARAH)
    assert (page.button(key="sync-all").label, page.button(key="sync-all").disabled) == (
        "Syncing all...",
        True,
    )
    lines = [bar.proto.text for bar in page.get("progress")]
    assert "Sync all by Sarah Lim: 0 of 2 done · Therapists after Locations" in lines
    work(ready, "locations")
    lines = [bar.proto.text for bar in visit("overview", SARAH).get("progress")]
    assert "Sync all by Sarah Lim: 1 of 2 done" in lines
    work(ready, "therapists")
    page = visit("overview", SARAH)
    assert page.button(key="sync-all").label == "Sync all"
    told = next(caption.value for caption in page.caption if "Sync all by" in caption.value)
    assert "of 2 resources, 2 synced; left out:" in told


def test_what_came_through_in_part_is_told_apart(visit: Visit, ready: Desk) -> None:
    ready.write("locations", [HEADER, row("L1"), row("L1")])
    visit("overview", SARAH).button(key="sync-all").click().run()
    work(ready, "locations")
    work(ready, "therapists")
    captions = visit("overview", SARAH).caption
    told = next(caption.value for caption in captions if "Sync all by" in caption.value)
    assert "of 2 resources, 1 synced, 1 partly synced; left out:" in told


def test_without_a_source_the_reason_is_told(visit: Visit) -> None:
    page = visit("overview", SARAH)
    page.button(key="sync-all").click().run()
    assert "No resource has a source yet" in page.error[0].proto.title.replace("\\", "")


def test_who_may_not_sync_has_no_such_button(visit: Visit) -> None:
    keys = [button.key for button in visit("overview", MICHAEL).button]
    assert "sync-all" not in keys


def test_administrators_see_what_waits_and_what_is_at_work(visit: Visit, ready: Desk) -> None:
    empty = open_tab(visit, "Queue")
    assert any("Nothing is waiting" in text.value for text in empty.markdown)
    first, second = ready.start("locations"), ready.start("therapists")
    with db.everywhere() as connection:
        assert lease.claim(connection, first.id, "north:abc:17")
    page = open_tab(visit, "Queue")
    assert column(page, "Run") == [f"{first.id}", f"{second.id}"]
    assert column(page, "Where") == ["north", ""]
    at_work, waits = column(page, "State")
    assert at_work == "Syncing"
    assert waits.startswith("Waits, number ")
