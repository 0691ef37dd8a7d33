import re

import streamlit as st
from streamlit.testing.v1 import AppTest

from sync_core import runs
from sync_core.foundation import db
from sync_core.ui.parts.words import literal, ordinal
from tests.support.desk import Desk
from tests.support.locations import BROKEN, HEADER, LOCATIONS, row
from tests.support.pages import Visit

NASTY = "**x** [a](javascript:1) :red[y] $x$ <b> :material/home: a -> b www.evil.example"
NO_WORKER = "No worker is alive: syncs wait until one is started."
VERA, SARAH, MICHAEL = (
    f"{name}@example.org" for name in ("vera.olsen", "sarah.lim", "michael.tan")
)


def label(page: AppTest) -> str:
    return page.button(key="sync-locations").label


def summary(page: AppTest) -> str:
    """Return the line that tells how many records there are."""
    counted = re.compile(r"\d (locations|therapists) ·")
    return next(text.value for text in page.markdown if counted.search(text.value))


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
    assert not page.dataframe


def test_a_click_starts_a_sync_and_says_so_at_once(visit: Visit, desk: Desk) -> None:
    desk.set_source("locations")
    page = visit("locations")
    page.button(key="sync-locations").click().run()
    assert page.info[0].proto.title == "Sync started..."
    assert label(page) == "Syncing..."
    assert page.button(key="sync-locations").disabled


def test_a_run_that_waits_knows_its_position_and_that_no_worker_is_alive(
    visit: Visit, desk: Desk
) -> None:
    desk.start("admins")
    run = desk.start("locations")
    with db.begin() as connection:
        position = runs.queue_positions(connection, run.organization_id)[run.id]
    page = visit("locations", VERA)
    assert f"Waiting for a worker, {ordinal(position)} in the queue" in page.info[0].value
    assert [alert.value for alert in page.warning] == [NO_WORKER]


def test_a_colleague_sees_the_same_run(visit: Visit, desk: Desk) -> None:
    desk.start("locations")
    for email in (VERA, SARAH, MICHAEL):
        assert visit("locations", email).info[0].proto.title == "Sync started..."


def test_the_end_of_a_sync_brings_the_message_and_the_rows(visit: Visit, desk: Desk) -> None:
    run = desk.sync("locations", locations=LOCATIONS)
    page = visit("locations")
    assert literal(run.message) in page.success[0].value
    assert label(page) == "Sync again"
    assert list(page.dataframe[0].value["Name"]) == ["Harbour Clinic", "Mill Clinic"]
    assert "2 locations · synced just now by Ana Ruiz" in summary(page)


def test_an_open_page_notices_the_end_of_a_run(visit: Visit, desk: Desk) -> None:
    desk.write("locations", LOCATIONS)
    run = desk.start("locations")
    page = visit("locations")
    assert label(page) == "Syncing..."
    desk.work(run)
    assert label(again(page)) == "Sync again"
    assert page.dataframe[0].value.shape[0] == 2


def test_rows_that_failed_make_the_notice_amber(visit: Visit, desk: Desk) -> None:
    run = desk.sync("locations", locations=BROKEN)
    page = visit("locations")
    assert page.warning[0].proto.title == "Synced with failures"
    assert literal(run.message) in page.warning[0].value


def test_a_failed_run_is_red_says_what_to_do_and_offers_to_retry(visit: Visit, desk: Desk) -> None:
    run = desk.sync("locations")  # there is no file
    page = visit("locations")
    assert run.advice
    assert literal(run.message) in page.error[0].value
    assert literal(run.advice) in page.error[0].value
    assert label(page) == "Retry"


def test_a_closed_notice_stays_closed_for_that_person_only(visit: Visit, desk: Desk) -> None:
    desk.sync("locations", locations=LOCATIONS)
    page = visit("locations")
    page.button(key="close-notice-locations").click().run()
    assert not page.success
    assert not visit("locations").success
    assert visit("locations", SARAH).success


def test_a_new_run_shows_again_after_a_closed_notice(visit: Visit, desk: Desk) -> None:
    desk.sync("locations", locations=LOCATIONS)
    page = visit("locations")
    page.button(key="close-notice-locations").click().run()
    desk.sync("locations")
    assert again(page).success


def test_who_closes_the_notice_of_a_run_on_its_way_still_hears_its_end(
    visit: Visit, desk: Desk
) -> None:
    run = desk.start("locations")
    page = visit("locations")
    page.button(key="close-notice-locations").click().run()
    assert not page.info
    desk.write("locations", LOCATIONS)
    desk.work(run)
    assert again(page).success


def test_only_those_who_may_sync_see_the_button(visit: Visit) -> None:
    assert "sync-locations" in keys(visit("locations", SARAH))
    assert "sync-locations" not in keys(visit("locations", VERA))
    assert "sync-locations" not in keys(visit("locations", MICHAEL))


def test_a_refused_click_is_answered_with_a_sentence(visit: Visit, desk: Desk) -> None:
    page = visit("locations", SARAH)
    desk.start("locations")
    page.button(key="sync-locations").click().run()
    assert not page.exception
    assert "Ana Ruiz started this" in page.warning[0].proto.title
    page.button(key="close-refusal-locations").click().run()
    assert [alert.value for alert in page.warning] == [NO_WORKER]


def test_a_click_without_a_source_says_what_to_set(visit: Visit) -> None:
    page = visit("locations")
    page.button(key="sync-locations").click().run()
    assert "No source is set" in page.warning[0].proto.title


def test_the_search_looks_for_every_word_in_any_column(visit: Visit, desk: Desk) -> None:
    desk.sync("locations", locations=LOCATIONS)
    page = visit("locations")
    page.text_input(key="search-locations").set_value("clinic hob").run()
    assert list(page.dataframe[0].value["Name"]) == ["Mill Clinic"]
    page.text_input(key="search-locations").set_value("100%").run()
    assert not page.dataframe
    assert any("Nothing matches the search." in text.value for text in page.markdown)


def test_rows_are_sorted_and_paged_in_sql(visit: Visit, desk: Desk) -> None:
    rows = [row(f"L{n:03}", f"Clinic {999 - n}") for n in range(120)]
    desk.sync("locations", locations=[HEADER, *rows])
    page = visit("locations")
    assert page.dataframe[0].value.shape[0] == 50
    page.selectbox(key="order-locations").select("name").run()
    page.pagination(key="page-locations").set_value(3).run()
    assert list(page.dataframe[0].value["Name"]) == [f"Clinic {n}" for n in range(980, 1000)]
    page.segmented_control(key="descending-locations").set_value(True).run()
    assert page.dataframe[0].value["Name"].iloc[-1] == "Clinic 880"


def test_the_search_survives_the_end_of_a_run(visit: Visit, desk: Desk) -> None:
    desk.sync("locations", locations=LOCATIONS)
    page = visit("locations")
    page.text_input(key="search-locations").set_value("mill").run()
    desk.sync("locations", locations=[*LOCATIONS, row("L3", "Old Mill Clinic")])
    assert list(again(page).dataframe[0].value["Name"]) == ["Mill Clinic", "Old Mill Clinic"]


def test_a_resource_of_two_tables_shows_both(visit: Visit) -> None:
    page = visit("therapists")
    assert "0 therapists · 0 schedules" in summary(page)
    page.segmented_control(key="entity-rows-therapists").set_value("schedules").run()
    assert any("There are no schedules yet." in text.value for text in page.markdown)


def test_text_from_outside_is_shown_as_it_is(visit: Visit, desk: Desk) -> None:
    folder = desk.folder / "**x** :red[y] <b>"
    folder.mkdir()
    desk.folder = folder
    run = desk.sync("locations")  # the message names the folder
    page = visit("locations")
    assert "**x** :red[y] <b>" in run.message
    assert literal("**x** :red[y] <b>") in page.error[0].value


def test_every_kind_of_markdown_is_made_harmless() -> None:
    shown = literal(NASTY).replace("\N{WORD JOINER}", "")
    assert shown.replace("\\", "") == NASTY
    for mark in "*[]()$<>:|`":
        assert mark not in shown.replace(f"\\{mark}", "")


def test_rows_are_filtered_by_what_stands_in_them_again_and_again(visit: Visit, desk: Desk) -> None:
    cities = ("Perth", "Perth", "Hobart", "Hobart", "")
    rows = [row(f"L{n}", f"Clinic {n}", City=city) for n, city in enumerate(cities)]
    desk.sync("locations", locations=[HEADER, *rows])
    page = visit("locations")
    assert page.multiselect(key="only-locations-city").options == ["Hobart", "Perth"]
    offered = {one.key for one in page.multiselect}
    assert offered == {"only-locations-city", "only-locations-active"}  # each name stands once
    page.multiselect(key="only-locations-city").set_value(["Hobart"]).run()
    assert list(page.dataframe[0].value["Name"]) == ["Clinic 2", "Clinic 3"]
    page.text_input(key="search-locations").set_value("clinic 3").run()
    assert list(page.dataframe[0].value["Name"]) == ["Clinic 3"]
    page.multiselect(key="only-locations-active").set_value([False]).run()
    assert not page.dataframe


def test_a_filter_survives_the_end_of_a_run(visit: Visit, desk: Desk) -> None:
    cities = ("Perth", "Perth", "Hobart", "Hobart")
    rows = [row(f"L{n}", f"Clinic {n}", City=city) for n, city in enumerate(cities)]
    desk.sync("locations", locations=[HEADER, *rows])
    page = visit("locations")
    page.multiselect(key="only-locations-city").set_value(["Perth"]).run()
    desk.sync("locations", locations=[HEADER, *rows, row("L9", "Clinic 9", City="Perth")])
    assert list(again(page).dataframe[0].value["Name"]) == ["Clinic 0", "Clinic 1", "Clinic 9"]
