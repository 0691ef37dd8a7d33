"""The undo of a run, as its page shows it before somebody confirms."""

import re
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from streamlit.testing.v1 import AppTest

from sync_core import runs
from sync_core.foundation import db
from sync_core.foundation.vocabulary import NoticeKind, Role
from sync_core.notifications.words import title
from sync_core.operations import syncs
from sync_core.organizations.people import Person
from sync_core.runs import Run
from sync_core.ui.parts.words import moment
from tests.pages.test_plan import plan
from tests.pages.test_tabs import LABELS, row, texts
from tests.support.desk import ANA, Desk
from tests.support.pages import Visit, column, links, rows, strip


@pytest.fixture
def run(desk: Desk) -> Run:
    """Return a run that changed two cities and created L3; somebody has edited one city since."""
    desk.sync("locations", locations=[LABELS, row("L1", city="Perth"), row("L2", city="Perth")])
    rows = [row("L1", city="Hobart"), row("L2", city="Hobart"), row("L3", "New Clinic")]
    done = desk.sync("locations", locations=[LABELS, *rows])
    with db.everywhere() as connection:
        edit = "update locations set city = 'Darwin' where location_code = 'L2' and organization_id"
        connection.execute(sa.text(f"{edit} = :org"), {"org": desk.organization.id})
    return done


def asked(visit: Visit, desk: Desk, run: Run) -> AppTest:
    """Press Undo where the run's changes are listed, and let a worker plan it."""
    page = visit("locations", "sarah.lim@example.org")
    page.session_state["tab"] = "What changed"
    page.run()
    page.button(key=f"undo-changes-{run.id}").click().run()
    assert strip(page).word == "Undo started..."
    with db.everywhere() as connection:
        undo = desk.work(runs.latest(connection, run.organization_id)["locations"])
    assert page.title[0].value == f"Run {undo.id}"
    page = visit("runs", "sarah.lim@example.org", id=undo.id)
    assert [head.value for head in page.header] == [f"What undoing run {run.id} would do"]
    return page


def test_an_undo_shows_what_goes_back_and_what_is_kept_and_why(
    visit: Visit, desk: Desk, run: Run
) -> None:
    page = asked(visit, desk, run)
    assert plan(page) == {
        "L1": "City: Hobart → Perth",
        "L2": "City was changed since",
        "L3": "It was created by that run",
    }
    told = {metric.label: metric.value for metric in page.metric}
    assert told == {"To remove": "1", "To put back": "1", "Kept": "1", "Impossible": "0"}
    listed = next(h.proto.body for h in page.get("html") if 'class="reasons"' in h.proto.body)
    assert "It was changed since" in listed


def test_an_undo_is_confirmed_after_it_is_told_that_the_next_sync_undoes_it(
    visit: Visit, desk: Desk, run: Run
) -> None:
    page = asked(visit, desk, run)
    with db.everywhere() as connection:
        undo = runs.latest(connection, run.organization_id)["locations"]
    page.button(key=f"ask-confirm-plan-{undo.id}").click().run()
    assert any("The next sync brings the values" in alert.value for alert in page.warning)
    page.button(key=f"confirm-{undo.id}").click().run()
    assert desk.work(undo).status in {"completed", "partial"}
    page = visit("locations")
    assert column(page, "City") == ["Perth", "Darwin"]
    assert page.button(key="sync-locations").label == "Sync data"


def test_what_was_taken_back_is_in_step_no_more(visit: Visit, desk: Desk, run: Run) -> None:
    undo = desk.work(syncs.undo(desk.organization, run.id, ANA, "test"))
    assert "1 of 5" in summary(visit)
    desk.work(syncs.confirm(desk.organization, undo.id, ANA, "test"))
    assert "0 of 5" in summary(visit)
    told = f"un {run.id} undone just now by Ana Ruiz"
    assert f"R{told}" in texts(visit())
    assert f"run {run.id} undone by Ana Ruiz" in strip(visit("locations")).since
    again = confirmed(desk, desk.work(syncs.undo(desk.organization, undo.id, ANA, "test")))
    assert "1 of 5" in summary(visit)
    assert "undone by" not in strip(visit("locations")).since
    confirmed(desk, desk.work(syncs.undo(desk.organization, again.id, ANA, "test")))
    assert "0 of 5" in summary(visit)
    desk.sync("locations")
    assert "1 of 5" in summary(visit)


def test_a_run_that_was_taken_back_says_so_until_it_is_done_again(
    visit: Visit, desk: Desk, run: Run
) -> None:
    undo = desk.work(syncs.undo(desk.organization, run.id, ANA, "test"))
    assert told_and_offered(visit, run) == (["", ""], True)
    done = confirmed(desk, undo)
    assert done.finished_at
    zone = ZoneInfo(desk.organization.time_zone)
    told = f"Run {undo.id} undid it in part on {moment(done.finished_at, zone)}."
    assert told_and_offered(visit, run) == ([told, told], False)
    again = confirmed(desk, desk.work(syncs.undo(desk.organization, undo.id, ANA, "test")))
    assert told_and_offered(visit, run) == (["", ""], True)
    confirmed(desk, desk.work(syncs.undo(desk.organization, again.id, ANA, "test")))
    assert told_and_offered(visit, run) == ([told, told], False)


@pytest.mark.parametrize("edited", [False, True])
def test_only_an_undo_that_put_something_back_took_a_run_back(
    visit: Visit, desk: Desk, *, edited: bool
) -> None:
    desk.sync("locations", locations=[LABELS, row("L1", city="Perth")])
    moved = desk.sync("locations", locations=[LABELS, row("L1", city="Broome")])
    with db.everywhere() as connection:
        edit = "update locations set city = 'Derby' where :edited and organization_id = :org"
        connection.execute(sa.text(edit), {"edited": edited, "org": desk.organization.id})
    undo = desk.work(syncs.undo(desk.organization, moved.id, ANA, "test"))
    done = confirmed(desk, undo)
    assert done.status == "completed"
    assert ("nothing undone, 1 kept" in done.message) == edited
    called = "do_not_disturb_onNothing undone" if edited else "check_circleUndo done"
    for page, label in ((visit("runs"), "Result"), (visit("audit"), "Event")):
        assert called in [one[label] for one in rows(page) if one["Run"] == str(undo.id)]
    shown = texts(visit("runs", id=undo.id))
    assert (":gray-badge[:material/do_not_disturb_on: Nothing undone]" in shown) == edited
    assert column(visit("runs", id=undo.id), "How it ended")[-1] in called
    feed = "tried to undo run {} of locations, and nothing was undone"
    assert (feed.format(moved.id) in links(visit())) == edited
    titled = title(NoticeKind.SUCCEEDED, "locations", done)
    assert titled.endswith(f"nothing of run {moved.id} was undone" if edited else "undone")
    told, offered = told_and_offered(visit, moved)
    what = "" if edited else f"Run {undo.id} undid it"
    assert [one.partition(" on ")[0] for one in told] == [what] * 2
    assert offered == edited


def test_an_undo_is_called_so_wherever_runs_are_listed(visit: Visit, desk: Desk, run: Run) -> None:
    undo = confirmed(desk, desk.work(syncs.undo(desk.organization, run.id, ANA, "test")))
    for page, label in ((visit("runs"), "Result"), (visit("audit"), "Event")):
        words = [one[label] for one in rows(page) if one["Run"] == str(undo.id)]
        assert "check_circleUndo done" in words
        assert "check_circleSynced" not in words
    ended = column(visit("runs", id=undo.id), "How it ended")
    assert sorted(ended) == ["Needs a decision", "Undo done"]


def test_a_run_that_was_undone_is_green_no_more_wherever_runs_are_listed(
    visit: Visit, desk: Desk, run: Run
) -> None:
    assert listings(visit, run) == ["check_circleSynced", "completed sync"]
    undo = confirmed(desk, desk.work(syncs.undo(desk.organization, run.id, ANA, "test")))
    assert listings(visit, run) == ["undoUndone in part", "undone"]
    assert ":material/undo: Undone in part]" in texts(visit("runs", id=run.id))
    (entry,) = (
        one
        for one in rows(visit("audit"))
        if one["Event"] == "check_circleSynced" and one["Run"] == str(run.id)
    )
    assert entry["Details"].endswith(f"Undone in part by run {undo.id}.")
    confirmed(desk, desk.work(syncs.undo(desk.organization, undo.id, ANA, "test")))
    assert listings(visit, run) == ["check_circleSynced", "completed sync"]
    assert listings(visit, undo) == ["undoUndone", "undone"]


def listings(visit: Visit, run: Run) -> list[str]:
    """Return how the list of runs shows a run, and the bars of the overview, by their CSS."""
    (listed,) = (one["Result"] for one in rows(visit("runs")) if one["Run"] == str(run.id))
    bars = (one.proto.body for one in visit().get("html"))
    kinds = [kind for html in bars for kind in re.findall(r'<i class="([^"]*)" title=', html)]
    with db.within(run.organization_id) as connection:
        ids = [one.id for one in runs.history(connection, run.organization_id, run.resource)]
    return [listed, kinds[sorted(ids).index(run.id)]]


def confirmed(desk: Desk, undo: Run) -> Run:
    return desk.work(syncs.confirm(desk.organization, undo.id, ANA, "test"))


def told_and_offered(visit: Visit, run: Run) -> tuple[list[str], bool]:
    """Return what the run's page and the tab of its changes say of its undo, and if it is offered.

    Both offer it, or neither.
    """
    tab = visit("locations", "sarah.lim@example.org")
    tab.session_state["tab"] = "What changed"
    tab.run()
    pages = [visit("runs", "sarah.lim@example.org", id=run.id), tab]
    told, offered = [], set()
    for page in pages:
        links = [link.value for link in page.main.page_link]
        told.append("".join(label for label in links if "undid it" in label))
        keys = {button.key for button in page.button}
        offered.add(bool(keys & {f"undo-run-{run.id}", f"undo-changes-{run.id}"}))
    (both,) = offered
    return told, both


def test_an_undo_that_would_empty_a_table_says_why_it_waits_and_who_approves_it(
    visit: Visit, desk: Desk
) -> None:
    sarah = Person("Sarah Lim", "sarah.lim@example.org", Role.ANALYST)
    run = desk.sync("locations", locations=[LABELS, *(row(f"L{n:02}") for n in range(20))])
    undo = desk.work(syncs.undo(desk.organization, run.id, sarah, "page"))
    page = visit("runs", sarah.email, id=undo.id)
    told = next(one for one in page.warning if "20 of 20 locations would be deleted" in one.value)
    assert told.proto.title == "Nothing is applied until somebody has approved it."
    assert "more than 10 rows and 10\\%" in told.value
    waits = [one.value.replace("\\", "") for one in page.info]
    assert any("Another analyst, or an administrator, approves it" in one for one in waits)
    key = f"ask-confirm-plan-{undo.id}"
    assert key not in {button.key for button in page.button}
    page = visit("runs", id=undo.id)
    assert page.button(key=key).label == "Approve"
    page.button(key=key).click().run()
    assert any("20 of 20 locations would be deleted" in one.value for one in page.markdown)
    page.button(key=f"confirm-{undo.id}").click().run()
    assert desk.work(undo).status == "completed"


def summary(visit: Visit) -> str:
    return "".join(element.proto.body for element in visit().get("html"))


def test_only_who_may_sync_may_undo_and_only_what_was_applied(
    visit: Visit, desk: Desk, run: Run
) -> None:
    page = visit("locations", "vera.olsen@example.org")
    page.session_state["tab"] = "What changed"
    page.run()
    assert not [button.key for button in page.button if "undo" in (button.key or "")]
    failed = desk.sync("locations", locations=[["nothing"], ["x"]])
    for opened, offered in ((run, True), (failed, False)):
        page = visit("runs", id=opened.id)
        keys = [button.key for button in page.button]
        assert (f"undo-run-{opened.id}" in keys) == offered
