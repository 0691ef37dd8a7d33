"""What the pages tell people of what happened: toasts, the bell, the inbox."""

from collections.abc import Callable

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from sync_core.foundation.settings import ROOT
from sync_core.operations import syncs
from sync_core.runs import Run
from tests.support.desk import ANA, Desk
from tests.support.locations import BROKEN, LOCATIONS
from tests.support.pages import Visit, column, links, rows
from tests.support.telling import tell

SARAH, VERA = "sarah.lim@example.org", "vera.olsen@example.org"


def toasts(page: AppTest) -> list[str]:
    return [toast.value.split("**")[1].replace("\\", "") for toast in page.toast]


def bell(page: AppTest) -> str:
    (found,) = [link.value for link in page.sidebar.page_link if link.value.startswith("Inbox")]
    return str(found)


def waits(page: AppTest) -> str:
    return "\n".join(text.value for text in page.main.markdown if "Waits for you" in text.value)


def inbox(page: AppTest) -> list[dict[str, str]]:
    page.switch_page(str(ROOT / "pages" / "inbox.py")).run()
    return rows(page, "What happened")


def look_again(page: AppTest) -> AppTest:
    st.cache_resource.clear()
    return page.run()


def test_who_started_a_sync_hears_its_end_once_on_another_page(visit: Visit, desk: Desk) -> None:
    desk.write("locations", LOCATIONS)
    run = desk.start("locations")
    page = visit("help")
    assert toasts(page) == []
    desk.work(run)
    assert toasts(look_again(page)) == ["Locations: synced"]
    tell()
    assert toasts(look_again(page)) == []
    assert bell(page) == "Inbox :blue-badge[1 new]"


def test_the_page_of_the_resource_shows_the_end_by_itself(visit: Visit, desk: Desk) -> None:
    desk.write("locations", LOCATIONS)
    run = desk.start("locations")
    page = visit("locations")
    desk.work(run)
    tell()
    assert toasts(look_again(page)) == []
    assert bell(page) == "Inbox :blue-badge[1 new]"


def test_who_watches_hears_of_trouble_and_a_viewer_does_not(visit: Visit, desk: Desk) -> None:
    page, other = visit("help", SARAH), visit("help", VERA)
    desk.sync("locations", locations=BROKEN)
    tell()
    assert toasts(look_again(page)) == ["Locations: synced only in part"]
    assert toasts(look_again(page)) == []
    assert toasts(look_again(other)) == []
    assert bell(other) == "Inbox"


def test_the_inbox_holds_what_happened_and_the_bell_counts_what_is_not_read(
    visit: Visit, desk: Desk
) -> None:
    desk.sync("locations", locations=LOCATIONS)
    desk.sync("locations", locations=BROKEN)
    tell()
    page = visit()
    assert bell(page) == "Inbox :blue-badge[2 new]"
    first, second = inbox(page)
    assert first["What happened"].endswith("Locations: synced only in part")
    assert second["What happened"].endswith("Locations: synced")
    assert first["Status"] == second["Status"] == "New"
    assert bell(look_again(page)) == "Inbox :blue-badge[2 new]"  # looking at it reads nothing
    page.button(key="read-all").click().run()
    assert [row["Status"] for row in inbox(page)] == ["", ""]
    assert bell(look_again(page)) == "Inbox"
    assert "read-all" not in [button.key for button in page.button]


def test_a_notice_is_read_once_its_run_is_opened(visit: Visit, desk: Desk) -> None:
    desk.sync("locations", locations=LOCATIONS)
    run = desk.sync("locations", locations=BROKEN)
    tell()
    visit("runs", id=run.id)
    page = visit("inbox")
    assert bell(page) == "Inbox :blue-badge[1 new]"
    assert [row["Status"] for row in inbox(page)] == ["", "New"]
    assert bell(visit("inbox", SARAH)) == "Inbox :blue-badge[1 new]"  # what she was told


def test_a_plan_that_waits_is_in_the_inbox_of_those_who_sync(visit: Visit, desk: Desk) -> None:
    desk.preview("locations", locations=LOCATIONS)
    page = visit("inbox", SARAH)
    assert "**Waits for you** :gray-badge[1]" in waits(page)
    desk.sync("locations", locations=[["Nonsense"]])  # after which the plan waits as before
    assert "**Waits for you** :gray-badge[1]" in waits(visit("inbox"))
    assert "**Locations**" in page.main.page_link[0].value
    assert waits(visit("inbox", VERA)) == ""


def test_what_came_before_the_tab_was_opened_is_no_news(visit: Visit, desk: Desk) -> None:
    desk.sync("locations", locations=BROKEN)
    tell()
    page = visit()
    assert toasts(page) == toasts(look_again(page)) == []


def test_what_a_sheet_says_is_no_markup_in_a_toast(visit: Visit, desk: Desk) -> None:
    run = desk.start("locations")
    (desk.folder / "locations.csv").write_text("**[x](http://evil.example.org)**\n1\n")
    page = visit("help")
    assert desk.work(run).status == "failed"
    (toast,) = look_again(page).toast
    assert "[x](" not in toast.value
    assert toast.value.count("](") == 1  # the link of ours


def test_an_undo_and_a_declined_plan_are_told_in_the_inbox_and_in_the_feed(
    visit: Visit, desk: Desk
) -> None:
    run = desk.sync("locations", locations=LOCATIONS)
    page = visit("inbox")  # opened before
    undo = desk.work(syncs.undo(desk.organization, run.id, ANA, "test"))
    syncs.cancel(desk.organization, undo.id, ANA)
    undo = desk.work(syncs.undo(desk.organization, run.id, ANA, "test"))
    desk.work(syncs.confirm(desk.organization, undo.id, ANA, "test"))
    tell()
    told = [
        f"Locations: run {run.id} undone",
        f"Locations: the plan to undo run {run.id} was declined",
    ]
    assert set(told) <= set(toasts(look_again(page)))
    listed = column(visit("inbox"), "What happened")
    assert [one[one.index("Loc") :] for one in listed[:2]] == told  # after the icon
    assert any("and the plan was declined" in link for link in links(visit()).splitlines())
    assert [one for one in column(visit("runs"), "Result") if one.endswith("Declined")]


@pytest.mark.parametrize("decide", [syncs.confirm, syncs.cancel])
def test_a_plan_that_was_decided_on_is_told_as_such(
    visit: Visit, desk: Desk, decide: Callable[..., Run]
) -> None:
    run = desk.preview("locations", locations=LOCATIONS)
    tell()
    (waiting,) = plans_told(visit)
    assert waiting.endswith("a plan waits for a decision")
    more = ("test",) if decide is syncs.confirm else ()
    decide(desk.organization, run.id, ANA, *more)
    (decided,) = plans_told(visit)
    assert decided.endswith("a plan waited for a decision")
    assert "Waiting for" not in "".join(column(visit("inbox"), "Result"))


def plans_told(visit: Visit) -> list[str]:
    told = column(visit("inbox"), "What happened")
    return [one for one in told if "for a decision" in one]
