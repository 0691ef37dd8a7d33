import re

import psycopg
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from sync_core import runs
from sync_core.catalogue.resources import ENTITIES
from sync_core.execution import queue
from sync_core.foundation import db, settings
from sync_core.operations import syncs
from sync_core.ui.parts.words import BREAK, literal, ordinal
from tests.support import shell
from tests.support.desk import ANA, Desk
from tests.support.listed_worker import listed
from tests.support.locations import BROKEN, HEADER, LOCATIONS, row
from tests.support.pages import Visit, column, rows, strip

NASTY = "**x** [a](javascript:1) :red[y] $x$ <b> :material/home: a -> b www.evil.example"
NO_WORKER = "No worker is alive: syncs wait until one is started."
VERA, SARAH, MICHAEL = (
    f"{name}@example.org" for name in ("vera.olsen", "sarah.lim", "michael.tan")
)


def label(page: AppTest) -> str:
    return page.button(key="sync-locations").label


def keys(page: AppTest) -> set[str]:
    return {button.key for button in page.button if button.key}


def again(page: AppTest) -> AppTest:
    """Look again, as the page does by itself within 5 s."""
    st.cache_resource.clear()
    page.run()
    assert not page.exception
    return page


def test_a_resource_that_was_never_synced_offers_to_sync_data(visit: Visit) -> None:
    page = visit("locations")
    assert page.title[0].value == "Location Management"
    assert label(page) == "Sync data"
    assert any("There are no locations yet." in text.value for text in page.markdown)
    assert not rows(page)


def test_a_click_starts_a_sync_and_says_so_at_once(visit: Visit, desk: Desk) -> None:
    desk.set_source("locations")
    page = visit("locations")
    page.button(key="sync-locations").click().run()
    assert strip(page).word == "Sync started..."
    assert label(page) == "Syncing..."
    assert page.button(key="sync-locations").disabled


def test_a_run_that_waits_knows_its_position_and_that_no_worker_is_alive(
    visit: Visit, desk: Desk
) -> None:
    desk.start("admins")
    run = desk.start("locations")
    with db.everywhere() as connection:
        position = runs.queue_positions(connection, run.organization_id)[run.id]
    page = visit("locations", VERA)
    assert f"Waiting for a worker, {ordinal(position)} in the queue" in strip(page).text
    assert NO_WORKER in strip(page).text


def test_a_run_that_waits_knows_that_the_workers_are_of_another_version(
    visit: Visit, desk: Desk
) -> None:
    run = desk.start("locations")
    with listed("of_tomorrow"):
        assert queue.OTHER_WORKERS in strip(visit("locations", VERA)).text
        told = shell.ask("status", str(run.id), "--org", desk.organization.slug)
    assert queue.OTHER_WORKERS in told.stdout


def test_a_colleague_sees_the_same_run(visit: Visit, desk: Desk) -> None:
    desk.start("locations")
    for email in (VERA, SARAH, MICHAEL):
        assert strip(visit("locations", email)).word == "Sync started..."


def test_the_end_of_a_sync_brings_the_message_and_the_rows(visit: Visit, desk: Desk) -> None:
    run = desk.sync("locations", locations=LOCATIONS)
    page = visit("locations")
    assert (strip(page).kind, strip(page).percent) == ("green", 100)
    assert run.message in strip(page).text
    assert label(page) == "Sync again"
    assert column(page, "Name") == ["Harbour Clinic", "Mill Clinic"]
    assert "2 locations · Last successful sync " in strip(page).since


def test_an_open_page_notices_the_end_of_a_run(visit: Visit, desk: Desk) -> None:
    desk.write("locations", LOCATIONS)
    run = desk.start("locations")
    page = visit("locations")
    assert label(page) == "Syncing..."
    desk.work(run)
    assert label(again(page)) == "Sync again"
    assert len(rows(page)) == 2


def test_rows_that_failed_make_the_notice_amber(visit: Visit, desk: Desk) -> None:
    run = desk.sync("locations", locations=BROKEN)
    page = visit("locations")
    assert (strip(page).kind, strip(page).word) == ("orange", "Partly synced")
    assert run.message in strip(page).text


def test_a_failed_run_is_red_says_what_to_do_and_offers_to_retry(visit: Visit, desk: Desk) -> None:
    run = desk.sync("locations")  # there is no file
    page = visit("locations")
    assert run.advice
    assert strip(page).kind == "red"
    assert f"{run.message} {run.advice}" in strip(page).text
    assert "Not synced yet" in strip(page).since
    assert "last attempt failed" in strip(page).since
    assert label(page) == "Retry"


def test_a_closed_notice_stays_closed_for_that_person_only(visit: Visit, desk: Desk) -> None:
    run = desk.sync("locations", locations=LOCATIONS)
    page = visit("locations")
    page.button(key="close-notice-locations").click().run()
    for again_there in (page, visit("locations")):
        assert run.message not in strip(again_there).text
    assert strip(visit("locations", SARAH)).word == "Synced"


def test_a_new_run_shows_again_after_a_closed_notice(visit: Visit, desk: Desk) -> None:
    desk.sync("locations", locations=LOCATIONS)
    page = visit("locations")
    page.button(key="close-notice-locations").click().run()
    desk.sync("locations")
    assert strip(again(page)).word == "Synced"


def test_the_end_of_a_run_is_told_until_it_is_closed_however_old_it_is(
    visit: Visit, desk: Desk, database: psycopg.Connection
) -> None:
    run = desk.sync("locations", locations=LOCATIONS)
    database.execute("set session_replication_role = replica")  # else nothing changes what ended
    database.execute(
        "update runs set finished_at = finished_at - interval '40 days' where id = %s", [run.id]
    )
    database.execute("set session_replication_role = origin")
    assert strip(visit("locations")).word == "Synced"


def test_a_cancelled_run_is_grey(visit: Visit, desk: Desk) -> None:
    run = desk.start("locations")
    syncs.cancel(desk.organization, run.id, ANA)
    told = strip(visit("locations"))
    assert (told.kind, told.word, told.percent) == ("gray", "Cancelled", 100)


def test_a_cancel_that_comes_too_late_says_so_and_then_how_the_run_ended(
    visit: Visit, desk: Desk
) -> None:
    desk.write("locations", LOCATIONS)
    run = desk.start("locations")
    page = visit("locations")
    desk.work(run)
    page.button(key="cancel-locations").click().run()
    told = strip(page)
    assert (told.kind, told.word) == ("orange", "Not cancelled")
    assert f"The cancel came too late: run {run.id} was through before it (Synced)." in told.text
    page.button(key="close-refusal-locations").click().run()
    assert strip(page).word == "Synced"


def test_a_click_during_the_cooldown_is_not_offered_and_the_button_says_how_long(
    visit: Visit, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.sync("locations")  # there is no file
    monkeypatch.setenv("SYNCDESK_COOLDOWN", "60")
    settings.current.cache_clear()
    page = visit("locations")
    assert re.fullmatch(r"Retry in \d+ s", label(page))
    assert page.button(key="sync-locations").disabled
    monkeypatch.undo()
    settings.current.cache_clear()


def test_the_details_open_below_the_strip_and_stay_open(visit: Visit, desk: Desk) -> None:
    run = desk.sync("locations", locations=BROKEN)
    page = visit("locations")
    assert f"Run {run.id}" not in [link.value for link in page.main.page_link]
    page.button(key="details-locations").click().run()
    assert page.query_params["details"] in ("locations", ["locations"])
    assert f"Run {run.id}" in [link.value for link in page.main.page_link]
    reloaded = visit("locations", details="locations")
    assert f"Run {run.id}" in [link.value for link in reloaded.main.page_link]


def test_only_those_who_may_sync_see_the_button(visit: Visit) -> None:
    assert "sync-locations" in keys(visit("locations", SARAH))
    assert "sync-locations" not in keys(visit("locations", VERA))
    assert "sync-locations" not in keys(visit("locations", MICHAEL))


def test_a_refused_click_is_answered_with_a_sentence(visit: Visit, desk: Desk) -> None:
    page = visit("locations", SARAH)
    desk.start("locations")
    page.button(key="sync-locations").click().run()
    assert not page.exception
    assert "Ana Ruiz started this" in strip(page).text
    page.button(key="close-refusal-locations").click().run()
    assert "Ana Ruiz started this" not in strip(page).text


def test_a_click_without_a_source_says_what_to_set(visit: Visit) -> None:
    page = visit("locations")
    page.button(key="sync-locations").click().run()
    assert "No source is set" in strip(page).text


def test_the_search_looks_for_every_word_in_any_column(visit: Visit, desk: Desk) -> None:
    desk.sync("locations", locations=LOCATIONS)
    page = visit("locations")
    page.text_input(key="search-locations").set_value("clinic hob").run()
    assert column(page, "Name") == ["Mill Clinic"]
    page.text_input(key="search-locations").set_value("100%").run()
    assert not rows(page)
    assert any("Nothing matches the search." in text.value for text in page.markdown)
    page.button(key="clear-locations").click().run()
    assert len(rows(page)) == len(LOCATIONS) - 1


def test_what_nothing_matches_is_cleared_by_one_button_the_address_too(
    visit: Visit, desk: Desk
) -> None:
    desk.sync("locations", locations=LOCATIONS)
    address = {"search-locations": "nobody", "only-locations-active": "false"}
    page = visit("locations", **address)
    assert not rows(page)
    page.button(key="clear-locations").click().run()
    assert len(rows(page)) == len(LOCATIONS) - 1
    assert not [name for name in page.query_params if name.startswith(("search-", "only-"))]


def test_rows_are_sorted_and_paged_in_sql(visit: Visit, desk: Desk) -> None:
    lines = [row(f"L{n:03}", f"Clinic {999 - n}") for n in range(120)]
    desk.sync("locations", locations=[HEADER, *lines])
    page = visit("locations")
    assert len(rows(page)) == 50
    page.query_params["sort"] = "name"
    page.run()
    page.pagination[0].set_value(3).run()
    assert column(page, "Name") == [f"Clinic {n}" for n in range(980, 1000)]
    page.query_params["sort"] = "-name"
    page.run()
    assert column(page, "Name") == [f"Clinic {n}" for n in range(999, 949, -1)]


def test_no_row_beyond_a_page_is_out_of_reach(visit: Visit, desk: Desk) -> None:
    desk.sync("locations", locations=[HEADER, *(row(f"L{n:02}", "Clinic") for n in range(70))])
    page = visit("locations")
    first = column(page, "Location code")
    page.pagination(key="page-locations").set_value(2).run()
    assert [*first, *column(page, "Location code")] == [f"L{n:02}" for n in range(70)]


def test_another_search_begins_at_the_first_page(visit: Visit, desk: Desk) -> None:
    desk.sync("locations", locations=[HEADER, *(row(f"L{n:03}", "Clinic") for n in range(180))])
    page = visit("locations")
    page.pagination(key="page-locations").set_value(4).run()
    page.text_input(key="search-locations").set_value("l0").run()
    assert column(page, "Location code")[0] == "L000"


def test_the_address_names_search_order_columns_and_page(visit: Visit, desk: Desk) -> None:
    lines = [row(f"L{n:03}", f"Clinic {n}", Postcode="6000") for n in range(120)]
    desk.sync("locations", locations=[HEADER, *lines, row("M", "Other")])
    address = {
        "search-locations": "clinic",
        "columns-locations": "Postcode",
        "sort": "-location_code",
    }
    page = visit("locations", **address)
    assert rows(page)[0] == {"Location code": "L119", "Postcode": "6000"}
    page = visit("locations", **address, **{str(page.pagination[0].key): 2})
    assert rows(page)[0] == {"Location code": "L069", "Postcode": "6000"}


def test_a_view_is_saved_for_oneself_opened_again_and_removed(visit: Visit, desk: Desk) -> None:
    lines = [row("L1", "Harbour Clinic"), row("L2", "Mill Clinic")]
    desk.sync("locations", locations=[HEADER, *lines])
    page = visit("locations", sort="-name")
    page.text_input(key="view-name-locations").set_value("From Z to A").run()
    page.button(key="save-locations").click().run()
    (link,) = views(page)
    assert 'href="/locations?' in link
    assert "sort=-name" in link
    assert ">From Z to A</a>" in link
    assert views(visit("locations", VERA)) == []  # another's are their own
    assert views(visit("therapists")) == []
    page.button(key="forget-locations-From Z to A").click().run()
    assert views(page) == []
    page.button(key="save-locations").click().run()
    assert "A view has a name" in page.error[0].proto.title


def views(page: AppTest) -> list[str]:
    bodies = [element.proto.body for element in page.get("html")]
    return [body for body in bodies if 'class="view"' in body]


def test_a_record_is_written_for_people(visit: Visit, desk: Desk) -> None:
    locations = [row("L1", "Harbour Clinic", Phone="08 9192 3402", Active="no")]
    desk.sync("locations", locations=[HEADER, *locations])
    labels = [field.label for field in ENTITIES["therapists"].fields]
    cells = {"Therapist ID": "T1", "Name": "Amy Fox", "Location": "L1", "Hourly rate": "1120.5"}
    desk.sync(
        "therapists",
        therapists=[labels, [cells.get(label, "") for label in labels]],
        schedules=[[field.label for field in ENTITIES["schedules"].fields]],
    )
    (location,), (therapist,) = rows(visit("locations")), rows(visit("therapists"))
    assert (location["Phone"], location["Active"]) == ("+61 8 9192 3402", "No")
    assert therapist["Location"] == "L1 · Harbour Clinic"
    assert therapist["Hourly rate"] == "A$1,120.50"
    (of_viewer,) = rows(visit("therapists", VERA))
    assert "Hourly rate" not in of_viewer


def test_the_search_survives_the_end_of_a_run(visit: Visit, desk: Desk) -> None:
    desk.sync("locations", locations=LOCATIONS)
    page = visit("locations")
    page.text_input(key="search-locations").set_value("mill").run()
    desk.sync("locations", locations=[*LOCATIONS, row("L3", "Old Mill Clinic")])
    assert column(again(page), "Name") == ["Mill Clinic", "Old Mill Clinic"]


def test_a_resource_of_two_tables_shows_both(visit: Visit) -> None:
    page = visit("therapists")
    assert "0 therapists · 0 schedules" in strip(page).since
    page.segmented_control(key="entity-rows-therapists").set_value("schedules").run()
    assert any("There are no schedules yet." in text.value for text in page.markdown)


def test_text_from_outside_is_shown_as_it_is(visit: Visit, desk: Desk) -> None:
    folder = desk.folder / "**x** :red[y] <b>"
    folder.mkdir()
    desk.folder = folder
    run = desk.sync("locations")  # the message names the folder
    page = visit("locations")
    assert "**x** :red[y] <b>" in run.message
    assert "**x** :red[y] <b>" in strip(page).text


def test_every_kind_of_markdown_is_made_harmless() -> None:
    shown = literal(NASTY).replace(BREAK, "")
    assert shown.replace("\\", "") == NASTY
    for mark in "*[]()$<>:|`":
        assert mark not in shown.replace(f"\\{mark}", "")


def test_rows_are_filtered_by_what_stands_in_them_again_and_again(visit: Visit, desk: Desk) -> None:
    cities = ("Perth", "Perth", "Hobart", "Hobart", "")
    lines = [row(f"L{n}", f"Clinic {n}", City=city) for n, city in enumerate(cities)]
    desk.sync("locations", locations=[HEADER, *lines])
    page = visit("locations")
    assert page.multiselect(key="only-locations-city").options == ["Hobart", "Perth"]
    offered = {one.key for one in page.multiselect}
    assert offered == {"only-locations-city", "only-locations-active"}  # each name stands once
    page.multiselect(key="only-locations-city").set_value(["Hobart"]).run()
    assert column(page, "Name") == ["Clinic 2", "Clinic 3"]
    page.text_input(key="search-locations").set_value("clinic 3").run()
    assert column(page, "Name") == ["Clinic 3"]
    page.multiselect(key="only-locations-active").set_value([False]).run()
    assert not rows(page)


def test_a_filter_survives_the_end_of_a_run(visit: Visit, desk: Desk) -> None:
    cities = ("Perth", "Perth", "Hobart", "Hobart")
    lines = [row(f"L{n}", f"Clinic {n}", City=city) for n, city in enumerate(cities)]
    desk.sync("locations", locations=[HEADER, *lines])
    page = visit("locations")
    page.multiselect(key="only-locations-city").set_value(["Perth"]).run()
    desk.sync("locations", locations=[HEADER, *lines, row("L9", "Clinic 9", City="Perth")])
    assert column(again(page), "Name") == ["Clinic 0", "Clinic 1", "Clinic 9"]
