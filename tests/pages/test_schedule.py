"""The schedule of a resource on its page, and old values that are dropped each night."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from streamlit.testing.v1 import AppTest

from sync_core.execution import scheduler
from sync_core.foundation import db
from sync_core.operations import access, schedules, syncs
from sync_core.organizations import Organization, retentions
from sync_core.organizations import schedules as kept
from sync_core.organizations.preferences import Preferences
from tests.pages.test_settings import open_tab, press
from tests.support.desk import ANA, Desk
from tests.support.locations import LOCATIONS, row
from tests.support.pages import Visit, column

SARAH, VERA = "sarah.lim@example.org", "vera.olsen@example.org"


@pytest.fixture
def ready(desk: Desk, database: psycopg.Connection) -> Iterator[Desk]:
    desk.write("locations", LOCATIONS)
    desk.set_source("locations")
    yield desk
    database.execute("truncate sync_schedules")  # none shall tick in another test


def line(page: AppTest) -> str:
    told = (text.value for text in page.markdown if "event_repeat" in text.value)
    return next(told, "")


def next_times(page: AppTest) -> list[str]:
    return [caption.value for caption in page.caption if "next times" in caption.value]


def opened(page: AppTest) -> AppTest:
    page.session_state["schedule-locations"] = True
    page.run()
    assert not page.exception
    return page


def test_a_schedule_is_set_in_words_and_shown_with_its_next_times(
    visit: Visit, ready: Desk
) -> None:
    page = opened(visit("locations"))
    assert line(page) == ":small[:gray[:material/event_repeat: Not synced automatically]]"
    page.text_input(key="schedule-text-locations").set_value("whenever").run()
    assert page.button(key="schedule-save").disabled
    assert "is not a schedule" in page.error[0].proto.title.replace("\\", "")
    page = opened(visit("locations"))
    page.text_input(key="schedule-text-locations").set_value("every weekday at 6:30").run()
    (told,) = next_times(page)
    assert told.count("06:30") == 3
    page.button(key="schedule-save").click().run()
    assert page.session_state["schedule-locations"] is False  # it has closed
    assert "Synced every weekday at 06:30 · next" in line(page)
    assert line(page).count("06:30") == 2
    page = opened(page)
    assert next_times(page) == []  # the line tells them already
    assert page.button(key="schedule-save").disabled
    with db.everywhere() as connection:
        assert kept.get(connection, ready.organization.id, "locations").cron == "30 6 * * 1-5"


def test_the_next_time_is_on_the_clock_of_the_reader(visit: Visit, ready: Desk) -> None:
    schedules.put(ready.organization, "locations", ANA, "every day at 12:00")
    assert " in UTC" not in line(visit("locations"))
    access.prefer(ready.organization, ANA, Preferences(time_zone="Asia/Tokyo"))
    page = visit("locations")
    assert "Synced every day at 12:00 in UTC · next" in line(page)
    assert ", 21:00" in line(page)
    assert len([told for told in page.caption if "Asia/Tokyo" in told.value]) == 1


def test_a_schedule_that_is_refused_leaves_its_panel_open(visit: Visit, ready: Desk) -> None:
    schedules.put(ready.organization, "locations", ANA, "hourly")
    page = opened(visit("locations"))
    schedules.remove(ready.organization, "locations", ANA)
    page.button(key="schedule-pause").click().run()
    assert page.session_state["schedule-locations"] is True


def test_a_schedule_is_paused_resumed_run_and_removed(visit: Visit, ready: Desk) -> None:
    schedules.put(ready.organization, "locations", ANA, "hourly")
    opened(visit("locations", SARAH)).button(key="schedule-pause").click().run()
    page = visit("locations", SARAH)
    told = next(t.value for t in page.markdown if "pause_circle" in t.value)
    assert "(every hour) was paused just now by Sarah Lim" in told.replace("\\", "")
    page = opened(page)
    assert "schedule-remove" not in [button.key for button in page.button]
    page.button(key="schedule-resume").click().run()
    opened(visit("locations", SARAH)).button(key="schedule-run").click().run()
    page = visit("locations")
    assert page.button(key="sync-locations").label == "Syncing..."
    opened(page).button(key="schedule-remove").click().run()
    page.button(key="make-change").click().run()
    assert "Not synced automatically" in line(visit("locations"))
    page = visit("locations", SARAH)
    assert "Not synced automatically. Ask an administrator to set a schedule." in line(page)
    assert "schedule-locations" not in page.session_state


def test_who_may_not_sync_sees_the_schedule_and_no_button(visit: Visit, ready: Desk) -> None:
    schedules.put(ready.organization, "locations", ANA, "hourly")
    page = visit("locations", VERA)
    assert "Synced every hour" in line(page)
    assert "schedule-save" not in [button.key for button in opened(page).button]


def test_what_became_of_the_last_times_is_listed(visit: Visit, ready: Desk) -> None:
    schedules.put(ready.organization, "locations", ANA, "every minute")
    scheduler.fire(datetime.now(UTC) + timedelta(minutes=30))
    scheduler.fire(datetime.now(UTC) + timedelta(minutes=31))
    page = opened(visit("locations"))
    skipped, started = column(page, "Result")
    assert skipped.startswith("Skipped: a sync was running")
    assert ", late, also for " in started
    schedules.remove(ready.organization, "locations", ANA)


def test_an_undo_offers_to_pause_the_schedule(visit: Visit, ready: Desk) -> None:
    run = ready.sync("locations", locations=[*LOCATIONS, row("L3")])
    page = visit("locations", SARAH)
    page.session_state["tab"] = "What changed"
    page.run()
    assert f"undo-pause-changes-{run.id}" not in [button.key for button in page.button]
    schedules.put(ready.organization, "locations", ANA, "hourly")
    page = visit("locations", SARAH)
    page.session_state["tab"] = "What changed"
    page.run()
    button = page.button(key=f"undo-pause-changes-{run.id}")
    assert button.label == "Undo and pause this resource's schedule"
    button.click().run()
    with db.everywhere() as connection:
        paused = kept.get(connection, ready.organization.id, "locations")
    assert (paused.pause_reason, paused.paused_by) == ("undo", "Sarah Lim")


def test_how_a_run_came_about_is_told_in_its_history_and_in_the_audit(
    visit: Visit, ready: Desk
) -> None:
    schedules.put(ready.organization, "locations", ANA, "every minute")
    now = datetime.now(UTC) + timedelta(minutes=30)
    (run,) = [run for run in scheduler.fire(now) if run.organization_id == ready.organization.id]
    ready.work(run)
    ready.work(syncs.start(ready.organization, "locations", ANA, "page"))
    schedules.remove(ready.organization, "locations", ANA)
    page = visit("locations")
    page.session_state["tab"] = "History"
    page.run()
    assert [by.partition(" · ")[2] for by in column(page, "By")] == ["by hand", "scheduled, late"]
    audit = visit("audit")
    origins = [who.rpartition(" · ")[2] for who in column(audit, "Person") if " · " in who]
    assert origins == ["by hand", "scheduled"]
    assert "every minute (UTC)" in column(audit, "Details")


def test_old_values_are_dropped_each_night_where_it_is_decided(
    visit: Visit, organization: Organization
) -> None:
    page = open_tab(visit, "Old values")
    page.number_input(key="retention-each-night").set_value(400)
    press(page, "Save")
    with db.everywhere() as connection:
        decided = retentions.of(connection, organization.id)
    assert decided is not None
    assert decided.days == 400
    page = open_tab(visit, "Old values")
    assert page.number_input(key="retention-each-night").value == 400
    assert any(caption.value.startswith("Next at") for caption in page.caption)
