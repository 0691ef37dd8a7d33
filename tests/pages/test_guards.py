"""A sync that a guard holds back, on the pages; its thresholds in the settings."""

import re
from html import unescape

import pytest

from sync_core import organizations
from sync_core.catalogue import resources
from sync_core.foundation import db
from sync_core.foundation.vocabulary import Removal, Role
from sync_core.operations import administration, syncs
from sync_core.organizations import policies
from sync_core.organizations.people import Person
from sync_core.organizations.policies import Policy, Threshold
from sync_core.runs import Run
from sync_core.ui.runs.missing_list import KEPT
from tests.pages.test_resource_page import keys
from tests.pages.test_tabs import LABELS, row
from tests.support.desk import ANA, Desk
from tests.support.pages import Visit, healthy

SARAH, VERA, ANA_S = (f"{name}@example.org" for name in ("sarah.lim", "vera.olsen", "ana.ruiz"))


@pytest.fixture
def held(desk: Desk) -> Run:
    """Return a sync that Ana asked for, in which 38 of 40 locations would be deleted."""
    policy = Policy(removal=Removal.DELETE)
    administration.set_policy(desk.organization, ANA, resources.by_name("locations"), policy)
    rows = [row(f"L{n:02}") for n in range(40)]
    desk.sync("locations", locations=[LABELS, *rows])
    return desk.sync("locations", locations=[LABELS, *rows[:2]])


def test_a_sync_that_is_held_back_says_why_and_what_is_usual_to_everybody(
    visit: Visit, held: Run
) -> None:
    assert held.status == "waiting"
    page = visit("runs", VERA, id=held.id)
    (told,) = (a.value for a in page.warning if "until somebody has approved it" in a.proto.title)
    assert "38 of 40 locations would be deleted" in told
    assert (
        'Guard "Records gone from the source, or removed by an undo": more than 10'
        in told.replace("\\", "")
    )
    assert "more than 10 rows and 10\\%" in told
    assert "usual in the last syncs" in told
    assert f"ask-confirm-plan-{held.id}" not in keys(page)
    overview = visit("overview", VERA)
    assert any("Waiting for approval" in link.proto.label for link in overview.get("page_link"))


def test_somebody_else_approves_it(visit: Visit, desk: Desk, held: Run) -> None:
    page = visit("runs", SARAH, id=held.id)
    assert page.button(key=f"ask-confirm-plan-{held.id}").label == "Approve"
    page.button(key=f"ask-confirm-plan-{held.id}").click().run()
    page.button(key=f"confirm-{held.id}").click().run()
    assert desk.work(held).status == "completed"


def test_with_four_eyes_nobody_approves_their_own(visit: Visit, desk: Desk, held: Run) -> None:
    assert f"ask-confirm-plan-{held.id}" in keys(visit("runs", ANA_S, id=held.id))
    page = visit("settings", ANA_S)
    page.session_state["settings-tab"] = "Resources"
    page.run()
    page.toggle(key="four-eyes").set_value(True).run()
    healthy(page)
    with db.everywhere() as connection:
        assert organizations.by_id(connection, desk.organization.id).four_eyes
    assert f"ask-confirm-plan-{held.id}" not in keys(visit("runs", ANA_S, id=held.id))
    assert f"ask-confirm-plan-{held.id}" in keys(visit("runs", SARAH, id=held.id))


def test_thresholds_are_seen_and_changed_in_the_settings(visit: Visit, desk: Desk) -> None:
    page = visit("settings", ANA_S)
    page.session_state["settings-tab"] = "Resources"
    page.run()
    assert page.number_input(key="guard-rows-removals-locations").value == 10
    chosen = page.selectbox(key="removal-locations")
    assert chosen.options[0] == "Default: stay in the table"
    assert page.selectbox(key="removal-patients").options[0] == "Default: are marked as removed"
    page.number_input(key="guard-rows-removals-locations").set_value(500)
    page.checkbox(key="guard-updates-locations").set_value(False)
    save = next(
        b for b in page.button if b.proto.form_id == "policy-locations" and b.label == "Save"
    )
    save.click().run()
    healthy(page)
    with db.everywhere() as connection:
        guards = policies.of(connection, desk.organization.id)["locations"].guards
    assert guards.removals == Threshold(500, 10)
    assert guards.updates is None
    assert guards.empty_source is True


def test_a_sync_that_is_held_back_and_keeps_what_is_missing_lists_it(
    visit: Visit, desk: Desk
) -> None:
    rows = [row(f"L{n:02}") for n in range(40)]
    desk.sync("locations", locations=[LABELS, *rows])
    held = desk.sync("locations", locations=[LABELS, *rows[:2]])
    assert held.status == "waiting"
    page = visit("runs", VERA, id=held.id)
    assert KEPT in [text.value for text in page.markdown]
    listed = [
        one.proto.body for one in page.get("html") if "Records that are missing" in one.proto.body
    ]
    found = re.findall(r">(L\d\d)<", " ".join(listed))
    assert found == [f"L{n:02}" for n in range(2, 40)]
    assert [one.label for one in page.expander if "more record" in one.label] == [
        "Show 28 more records."
    ]
    opens = re.findall(r'data-opens="(.*?)"', " ".join(listed))
    assert [unescape(one) for one in opens[:2]] == ['["L02"]', '["L03"]']
    file = f"runs/{held.id}/outcomes.csv?org={desk.organization.slug}&amp;missing=locations"
    for who, is_offered in ((ANA_S, True), (VERA, False)):
        bodies = [one.proto.body for one in visit("runs", who, id=held.id).get("html")]
        assert any(file in body for body in bodies) is is_offered
    ended = desk.work(syncs.confirm(desk.organization, held.id, ANA, "test"))
    assert ended.status == "completed"
    assert "Approved by a person: 38 of 40 locations are not in the source any more." in ended.notes
    assert f"undo-run-{held.id}" not in keys(visit("runs", ANA_S, id=held.id))


def waits_for(visit: Visit, email: str, run: Run) -> str:
    """Return what somebody is told of who decides on the plan; "" where they do themselves."""
    told = [one.value for one in visit("runs", email, id=run.id).info if "Copy link" in one.value]
    return "".join(told).replace("\\", "")


def test_who_cannot_decide_is_told_who_can(visit: Visit, desk: Desk, held: Run) -> None:
    others = "An administrator, or an analyst other than Ana Ruiz, approves this plan."
    assert others in waits_for(visit, VERA, held)
    assert not waits_for(visit, SARAH, held)
    assert not waits_for(visit, ANA_S, held)
    syncs.cancel(desk.organization, held.id, ANA)
    sarah = Person("Sarah Lim", SARAH, Role.ANALYST)
    own = desk.work(syncs.start(desk.organization, "locations", sarah, "page"))
    assert own.status == "waiting"
    told = waits_for(visit, SARAH, own)
    assert "You requested this, and a guard holds it back. Another analyst, or an admin" in told
    assert "You can decline it." in told
    syncs.cancel(desk.organization, own.id, ANA)
    preview = desk.preview("locations", locations=[LABELS, *[row(f"L{n:02}") for n in range(40)]])
    told = waits_for(visit, VERA, preview)
    assert "An analyst or an administrator confirms or declines this plan." in told


def test_who_decided_on_a_plan_and_when_is_a_fact_of_its_run(
    visit: Visit, desk: Desk, held: Run
) -> None:
    sarah = Person("Sarah Lim", SARAH, Role.ANALYST)
    assert "Approved by" not in shown(visit, held)
    desk.work(syncs.confirm(desk.organization, held.id, sarah, "page"))
    assert re.search(r"Approved by.*?Sarah Lim, \d+ \w+ \d{4}, \d\d:\d\d", shown(visit, held))
    preview = desk.preview("locations")
    assert re.search(r"How</dt><dd><span>Preview, ", shown(visit, preview))
    syncs.cancel(desk.organization, preview.id, sarah)
    assert re.search(r"Declined by.*?Sarah Lim, \d", shown(visit, preview))


def shown(visit: Visit, run: Run) -> str:
    """Return the facts of a run, as one line."""
    found = [html.proto.body for html in visit("runs", id=run.id).get("html")]
    return " ".join(next(body for body in found if "Requested by" in body).split())
