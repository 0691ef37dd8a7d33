"""A run whose plan waits for a person, on the page of its resource."""

import re

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Element

from sync_core import runs
from sync_core.audit import trail
from sync_core.catalogue import resources
from sync_core.catalogue.resources import ENTITIES
from sync_core.foundation import db
from sync_core.foundation.errors import SyncError
from sync_core.foundation.vocabulary import Removal
from sync_core.operations import administration, syncs
from sync_core.organizations.actions import Declined
from sync_core.organizations.policies import Policy
from sync_core.runs import Run
from sync_core.runs.filters import Filter
from sync_core.ui.frame import run_state
from tests.pages.test_resource_page import again, keys
from tests.pages.test_tabs import LABELS, row, texts
from tests.support.desk import ANA, Desk
from tests.support.pages import Visit, column, healthy, rows, strip

VERA, SARAH, MICHAEL = (
    f"{name}@example.org" for name in ("vera.olsen", "sarah.lim", "michael.tan")
)


@pytest.fixture
def waiting(desk: Desk) -> Run:
    """Return a preview that would create L4, update L1, remove L3, and in which L2 fails."""
    resource = resources.by_name("locations")
    policy = Policy(removal=Removal.DEACTIVATE)
    administration.set_policy(desk.organization, ANA, resource, policy)
    desk.sync("locations", locations=[LABELS, row("L1", city="Perth"), row("L2"), row("L3")])
    rows = [row("L1", city="Hobart"), row("L2", phone="no phone"), row("L4", "New Clinic")]
    return desk.preview("locations", locations=[LABELS, *rows])


def plan(page: AppTest) -> dict[str, str]:
    """Return what the page lists as planned: the key, and what would happen."""
    return dict(zip(column(page, "Key"), column(page, "Reason or change"), strict=True))


def select(page: AppTest, key: str, label: str) -> AppTest:
    """Choose an option whose words begin so."""
    box = page.selectbox(key=key)
    place = next(n for n, option in enumerate(box.options) if option.startswith(label))
    return box.select_index(place).run()


def leads_to(link: Element, run: Run) -> bool:
    return f"id={run.id}&" in f"{link.proto.query_string}&"


def metrics(page: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in page.metric}


def test_a_preview_is_one_click_for_those_who_may_sync(visit: Visit, desk: Desk) -> None:
    desk.set_source("locations")
    for email in (VERA, MICHAEL):
        assert "preview-locations" not in {b.key for b in visit("locations", email).button}
    page = visit("locations", SARAH)
    page.button(key="preview-locations").click().run()
    assert strip(page).word == "Preview started..."
    assert page.button(key="preview-locations").disabled
    assert page.button(key="sync-locations").disabled
    with db.everywhere() as connection:
        run = runs.latest(connection, desk.organization.id)["locations"]
    assert run.kind == "preview"


def test_the_plan_of_a_preview_opens_by_itself_where_it_was_started(
    visit: Visit, desk: Desk
) -> None:
    desk.sync("locations", locations=[LABELS, row("L1", city="Perth")])
    desk.write("locations", [LABELS, row("L1", city="Hobart")])
    page = visit("locations", SARAH)
    page.button(key="preview-locations").click().run()
    with db.everywhere() as connection:
        run = desk.work(runs.latest(connection, desk.organization.id)["locations"])
    assert titles(again(page)) == ["What this sync would do"]
    assert "City: Perth → Hobart" in column(page, "Reason or change")
    page.session_state["tab"] = "What changed"  # the row is in this table, too: one drawer opens
    page.query_params["planned"] = "locations:2:L1"
    assert column(again(page), "Reason or change")
    assert titles(visit("locations", SARAH)) == []  # elsewhere it is offered
    assert titles(visit("locations", SARAH, preview=run.id)) == ["What this sync would do"]
    decided = visit("locations", SARAH, preview=run.id)
    decline(decided, run)
    assert titles(again(decided)) == []


def titles(page: AppTest) -> list[str]:
    return [head.value for head in healthy(page).header]


def decline(page: AppTest, run: Run, reason: str = "") -> None:
    page.button(key=f"decline-plan-{run.id}").click().run()
    page.text_area(key=f"reason-{run.id}").set_value(reason)
    page.button(key=f"decline-{run.id}").click().run()


def test_a_plan_is_declined_after_a_question_and_its_reason_and_counts_stay(
    visit: Visit, desk: Desk, waiting: Run
) -> None:
    page = visit("runs", SARAH, id=waiting.id)
    page.button(key=f"decline-plan-{waiting.id}").click().run()
    assert any("Nothing of this plan is applied" in one.value for one in page.markdown)
    with db.everywhere() as connection:
        assert runs.get(connection, waiting.organization_id, waiting.id).status == "waiting"
    decline(visit("runs", SARAH, id=waiting.id), waiting, " <b>Half</b> of\nit is missing ")
    page = visit("runs", VERA, id=waiting.id)
    assert titles(page) == ["What this sync would have done"]
    told = metrics(page)
    assert {told[k] for k in ("To create", "To update", "To remove", "Failed")} == {"1"}
    assert "The rows of this plan were deleted" in texts(page)
    about = next(h.proto.body for h in page.get("html") if 'class="about"' in h.proto.body)
    assert "<span>Reason: &lt;b&gt;Half&lt;/b&gt; of it is missing</span>" in about
    with db.everywhere() as connection:
        wanted = Filter(organizations=(desk.organization.id,), action=("declined",))
        (entry,) = trail.read(connection, wanted, 9)
    assert entry.detail == Declined("<b>Half</b> of it is missing")
    told_of = [one["Details"] for one in rows(visit("audit")) if one["Event"] == "Declined a plan"]
    assert told_of == [f"Run {waiting.id}: <b>Half</b> of it is missing"]


def test_a_plan_that_a_guard_held_back_keeps_what_it_had_found(visit: Visit, desk: Desk) -> None:
    many = [row(f"L{n:02}") for n in range(40)]
    desk.sync("locations", locations=[LABELS, *many])
    held = desk.sync("locations", locations=[LABELS, *many[:2]])
    assert held.status == "waiting"
    syncs.decline(desk.organization, held.id, ANA)
    page = visit("runs", id=held.id)
    assert [one.proto.title for one in page.warning] == ["Guards had held this plan back."]
    assert "38 of 40 locations" in page.warning[0].value
    with pytest.raises(SyncError, match="does not wait for a decision"):
        syncs.decline(desk.organization, held.id, ANA)
    with pytest.raises(SyncError, match="A reason has 200 characters at most"):
        syncs.decline(desk.organization, held.id, ANA, "x" * 201)


def test_a_plan_that_waits_is_counted_and_told_row_by_row(visit: Visit, waiting: Run) -> None:
    assert waiting.status == "waiting"
    assert strip(visit("locations")).word == "Needs a decision"
    page = visit("runs", id=waiting.id)
    told = metrics(page)
    assert {told[k] for k in ("To create", "To update", "To remove", "Failed")} == {"1"}
    assert plan(page) == {
        "L1": "City: Perth → Hobart",
        "L2": "G3: Invalid phone format",
        "L3": "It is no longer in the source",
        "L4": "New record",
    }
    assert "waits until " in texts(page)


def test_a_planned_row_is_seen_in_full_with_what_stands_in_it_before_and_after(
    visit: Visit, waiting: Run
) -> None:
    assert waiting.status == "waiting"
    page = visit("runs", id=waiting.id, row="locations:2:L1")
    (table,) = (t.value for t in page.table if "Before" in t.value)
    assert table.to_numpy().tolist() == [["City", "Perth", "Hobart"]]


@pytest.mark.parametrize(
    ("email", "offered"),
    [(VERA, None), (SARAH, "rejects.csv"), (MICHAEL, "outcomes.csv"), (ANA.email, "outcomes.csv")],
)
def test_the_plan_is_a_file_for_those_who_may_have_it(
    visit: Visit, waiting: Run, email: str, offered: str | None
) -> None:
    files = [html.proto.body for html in visit("runs", email, id=waiting.id).get("html")]
    found = [body for body in files if f"runs/{waiting.id}/" in body and ".csv" in body]
    assert len(found) == (offered is not None)
    assert not offered or offered in found[0]


def test_everybody_who_watches_sees_the_plan_and_who_may_sync_declines_it(
    visit: Visit, waiting: Run
) -> None:
    page = visit("runs", VERA, id=waiting.id)
    assert len(plan(page)) == 4
    assert not [key for key in keys(page) if "decline" in key or "confirm" in key]
    page = visit("runs", SARAH, id=waiting.id)
    decline(page, waiting)
    assert "What this sync would do" not in [head.value for head in page.header]
    with db.everywhere() as connection:
        assert runs.get(connection, waiting.organization_id, waiting.id).status == "cancelled"


def test_a_plan_is_confirmed_after_one_question_that_says_what_will_happen(
    visit: Visit, desk: Desk, waiting: Run
) -> None:
    page = visit("runs", SARAH, id=waiting.id)
    page.button(key=f"ask-confirm-plan-{waiting.id}").click().run()
    told = [text.value for text in page.markdown]
    assert "**Locations**: 1 to create, 1 to update, 1 to remove, 1 failed" in told
    page.button(key=f"confirm-{waiting.id}").click().run()
    assert strip(page).word == "Sync started..."
    run = desk.work(waiting)
    assert run.status == "partial"
    assert "What this sync would do" not in [head.value for head in again(page).header]


def test_a_plan_that_holds_no_more_says_so(visit: Visit, desk: Desk, waiting: Run) -> None:
    page = visit("runs", SARAH, id=waiting.id)
    desk.write("locations", [LABELS, row("L9")])
    page.button(key=f"ask-confirm-plan-{waiting.id}").click().run()
    page.button(key=f"confirm-{waiting.id}").click().run()
    desk.work(waiting)
    assert "The plan is out of date" in texts(again(page))


@pytest.mark.parametrize("later", ["Hobart", "Perth"], ids=["another change", "no change"])
def test_a_plan_that_a_sync_got_ahead_of_asks_nobody_any_more(
    visit: Visit, desk: Desk, later: str
) -> None:
    desk.sync("locations", locations=[LABELS, row("L1", city="Perth")])
    plan_of = desk.preview("locations", locations=[LABELS, row("L1", city="Darwin")])
    assert "review-locations" in keys(visit("locations", SARAH))
    newer = desk.sync("locations", locations=[LABELS, row("L1", city=later)])
    page = visit("runs", SARAH, id=plan_of.id)
    assert f"run {newer.id} was applied since it was made" in texts(page)
    assert {f"ask-confirm-plan-{plan_of.id}", f"decline-plan-{plan_of.id}"}.isdisjoint(keys(page))
    assert "review-locations" not in keys(visit("locations", SARAH))
    assert not [one for one in visit().main.page_link if "Waiting for" in one.proto.label]


def test_an_older_plan_is_decided_on_where_its_run_is_opened(
    visit: Visit, desk: Desk, waiting: Run
) -> None:
    newer = desk.preview("locations")
    page = visit("runs", id=waiting.id)
    decline(page, waiting)
    with db.everywhere() as connection:
        status = {
            r: runs.get(connection, waiting.organization_id, r).status
            for r in (waiting.id, newer.id)
        }
    assert list(status.values()) == ["cancelled", "waiting"]


def test_a_plan_is_filtered_by_kind_field_and_reason_and_searched(
    visit: Visit, waiting: Run
) -> None:
    page = visit("runs", id=waiting.id)
    page.pills(key="kinds-plan").set_value(["created", "updated"]).run()
    assert set(plan(page)) == {"L1", "L4"}
    page.pills(key="kinds-plan").set_value([]).run()
    select(page, "by-field-plan", "City")
    assert set(plan(page)) == {"L1"}
    select(page, "by-field-plan", "Phone")
    assert set(plan(page)) == {"L2"}
    page.selectbox(key="by-field-plan").set_value(None).run()
    page.text_input(key="search-plan").set_value("new").run()
    assert set(plan(page)) == {"L4"}


def test_a_plan_of_two_tables_is_filtered_by_table_and_reason_and_names_causes_first(
    visit: Visit, desk: Desk
) -> None:
    therapists = [field.label for field in ENTITIES["therapists"].fields]
    schedules = [field.label for field in ENTITIES["schedules"].fields]
    blank = [""] * (len(therapists) - 2)
    run = desk.preview(
        "therapists",
        therapists=[therapists, ["T1", "Ann Lee", *blank], ["T2", "", *blank]],
        schedules=[
            schedules,
            ["T1", "Monday", "08:00", "09:00", ""],
            ["T2", "Monday", "08:00", "09:00", ""],
            ["T2", "Tuesday", "never", "09:00", ""],
        ],
    )
    page = visit("runs", id=run.id)
    listed = next(h.proto.body for h in page.get("html") if 'class="reasons"' in h.proto.body)
    one_above = r"of (\w+) failed(?:(?!</li>).)*?<ul.*?of (\w+) failed"
    assert re.findall(one_above, listed, re.DOTALL) == [("therapists", "schedules")]
    select(page, "by-table-plan", "Schedules")
    assert {key.count(" · ") for key in plan(page) if key} == {2}
    page.selectbox(key="by-table-plan").set_value(None).run()
    select(page, "by-reason-plan", "A required")
    assert list(plan(page)) == ["T2"]


def test_a_plan_that_changes_nothing_says_so(visit: Visit, desk: Desk) -> None:
    desk.sync("locations", locations=[LABELS, row("L1")])
    run = desk.preview("locations")
    page = visit("runs", id=run.id)
    assert "It would change nothing." in texts(page)


def test_a_colleague_who_watches_sees_that_a_plan_was_declined(desk: Desk, waiting: Run) -> None:
    before = run_state.read(waiting.organization_id).signature
    syncs.cancel(desk.organization, waiting.id, ANA)
    run_state.forget(waiting.organization_id)
    assert run_state.read(waiting.organization_id).signature != before


def test_the_overview_leads_to_a_plan_that_waits(visit: Visit, waiting: Run) -> None:
    assert waiting.status == "waiting"
    page = visit()
    assert any("Waiting for a decision" in link.proto.label for link in page.get("page_link"))


def test_every_plan_that_waits_needs_attention_whatever_ran_after_it(
    visit: Visit, desk: Desk, waiting: Run
) -> None:
    second = desk.preview("locations")
    assert desk.sync("locations", locations=[["Nonsense"]]).status == "failed"
    page = visit()
    for plan_of in (waiting, second):
        told = [one.proto.label for one in page.main.page_link if leads_to(one, plan_of)]
        assert [one for one in told if f"Run {plan_of.id}, just now, before the last run." in one]
    syncs.cancel(desk.organization, waiting.id, ANA)
    assert not [one for one in visit().main.page_link if f"Run {waiting.id}," in one.proto.label]


def test_of_several_plans_that_wait_the_strip_leads_to_each(
    visit: Visit, desk: Desk, waiting: Run
) -> None:
    applied = waiting.id - 1
    undo = desk.work(syncs.undo(desk.organization, applied, ANA, "test"))
    page = visit("locations", SARAH)
    (several,) = [one for one in page.get("popover") if "plans" in one.proto.popover.label]
    assert several.proto.popover.label == "2 plans wait"
    told = {one.key: one.label for one in page.button if str(one.key).startswith("review-")}
    assert told == {
        f"review-locations-{undo.id}": f"Run {undo.id}: undo of run {applied}, just now",
        f"review-locations-{waiting.id}": f"Run {waiting.id}: preview, just now",
    }
    page.button(key=f"review-locations-{waiting.id}").click().run()
    assert f"ask-confirm-plan-{waiting.id}" in keys(page)


def test_a_sync_beside_a_plan_is_offered_alike_wherever_it_is_and_says_what_it_means(
    visit: Visit, desk: Desk, waiting: Run
) -> None:
    for name in ("overview", "locations", "sources"):
        button = visit(name).button(key="sync-locations")
        assert not button.disabled
        assert "A plan waits for a decision" in button.help
        assert "a plan that is out of date afterwards expires" in button.help
    visit().button(key="sync-locations").click().run()
    with db.everywhere() as connection:
        run = runs.latest(connection, desk.organization.id)["locations"]
    assert run.active
    assert desk.work(run).status == "partial"
    assert desk.now(waiting).error_code == "plan_outdated"


def test_a_sync_that_is_refused_on_a_card_says_why_there(visit: Visit, desk: Desk) -> None:
    page = visit()
    desk.start("locations")  # by somebody else, since the page was drawn
    page.button(key="sync-locations").click().run()
    assert "Ana Ruiz started this" in texts(page)


def test_a_preview_lists_the_records_that_are_missing_though_no_guard_holds_it_back(
    visit: Visit, desk: Desk
) -> None:
    many = [row(f"L{n:02}") for n in range(6)]
    desk.sync("locations", locations=[LABELS, *many])
    page = visit("runs", SARAH, id=desk.preview("locations", locations=[LABELS, *many[:2]]).id)
    told = texts(page)
    assert "It would change nothing." in told
    assert "as it should be" not in told
    assert "4 known locations are not in the source any more.** They stay in the table" in told
    assert missing_of(page) == ["L02", "L03", "L04", "L05"]


def missing_of(page: AppTest) -> list[str]:
    """Return the keys of the records that a page lists as missing."""
    bodies = [one.proto.body for one in page.get("html")]
    listed = [body for body in bodies if "Records that are missing" in body]
    return re.findall(r">(L\d\d)<", " ".join(listed))


@pytest.mark.parametrize(
    ("removal", "becomes"),
    [(Removal.DEACTIVATE, "They would be deactivated"), (Removal.DELETE, "They would be deleted")],
)
def test_a_preview_says_what_the_rule_does_with_records_that_are_missing(
    visit: Visit, desk: Desk, removal: Removal, becomes: str
) -> None:
    policy = Policy(removal=removal)
    administration.set_policy(desk.organization, ANA, resources.by_name("locations"), policy)
    many = [row(f"L{n:02}") for n in range(6)]
    desk.sync("locations", locations=[LABELS, *many])
    page = visit("runs", SARAH, id=desk.preview("locations", locations=[LABELS, *many[:5]]).id)
    told = f"1 known location is not in the source any more.** {becomes.replace('They', 'It')}"
    assert f"{told}: see *To remove* below." in texts(page)
    assert list(plan(page)) == ["L05"]
    unread = [LABELS, *many[:4], row("")]
    page = visit("runs", SARAH, id=desk.preview("locations", locations=unread).id)
    told = "2 known locations are not in the source any more.** They stay in the table this time"
    assert told in texts(page)
    assert missing_of(page) == ["L04", "L05"]
