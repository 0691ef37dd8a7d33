"""Whether a resource is up to date: one rule for its figure, its card and what needs attention."""

import re

import pytest

from sync_core.catalogue import resources
from sync_core.catalogue.resources import CATALOGUE
from sync_core.foundation.vocabulary import Removal, Role
from sync_core.operations import administration, syncs
from sync_core.organizations.people import Person
from sync_core.organizations.policies import Policy
from sync_core.runs import Run
from tests.pages.test_overview import captions, told_of_now
from tests.pages.test_tabs import LABELS, row
from tests.support.desk import ANA, Desk
from tests.support.pages import Visit, links, strip

KNOWN = len(CATALOGUE)
SARAH = Person("Sarah Lim", "sarah.lim@example.org", Role.ANALYST, "Operations")


def up_to_date(visit: Visit) -> str:
    return re.sub("<[^>]*>", " ", told_of_now(visit()))


def attention(visit: Visit) -> str:
    """Read the links of the overview as people do."""
    return links(visit()).replace("\\", "")


@pytest.fixture
def synced(desk: Desk) -> Run:
    return desk.sync("locations", locations=[LABELS, row("L1")])


def test_a_sync_that_failed_leaves_its_resource_not_up_to_date_until_the_next_is_applied(
    visit: Visit, desk: Desk, synced: Run
) -> None:
    assert synced.status == "completed"
    assert f"1 of {KNOWN}" in up_to_date(visit)
    failed = desk.sync("locations", locations=[("A", "B"), ("x", "y")])
    assert failed.status == "failed"
    desk.start("locations")  # one on its way is no success yet, and neither is one that is stopped
    assert f"0 of {KNOWN}" in up_to_date(visit)
    assert f"Run {failed.id}, " in links(visit())
    syncs.cancel(desk.organization, failed.id + 1, ANA)
    assert f"0 of {KNOWN}" in up_to_date(visit)
    assert "**Locations**: " in links(visit())
    desk.sync("locations", locations=[LABELS, row("L1")])
    assert f"1 of {KNOWN}" in up_to_date(visit)
    assert f"Run {failed.id}, " not in links(visit())


def test_what_was_undone_needs_attention_and_no_card_says_that_it_is_within_its_max_age(
    visit: Visit, desk: Desk, synced: Run
) -> None:
    assert "within the max age" in captions(visit())
    undo = desk.work(syncs.undo(desk.organization, synced.id, ANA, "test"))
    desk.work(syncs.confirm(desk.organization, undo.id, ANA, "test"))
    page = visit()
    assert f"0 of {KNOWN}" in up_to_date(visit)
    assert f"**Locations**: Run {synced.id} undone just now by Ana Ruiz" in links(page)
    assert "within the max age" not in captions(page)
    assert "within the max age" not in strip(visit("locations")).since


def test_once_something_was_synced_what_never_was_needs_attention(
    visit: Visit, desk: Desk, synced: Run
) -> None:
    assert synced.status == "completed"
    desk.write("admins", [("Email", "Name", "Role", "Team", "Active")])
    desk.set_source("admins")
    assert "**Clinic admins**: Not synced yet" in links(visit())


def test_rows_to_fix_are_said_where_all_are_on_time(
    visit: Visit, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    only = {"locations": CATALOGUE["locations"]}
    monkeypatch.setattr(resources, "CATALOGUE", only)
    desk.sync("locations", locations=[LABELS, row("L1"), row("L2", phone="no phone")])
    assert "Last sync, partly: just now, within the max age" in captions(visit())
    assert "Last sync, partly: " in strip(visit("locations")).since
    assert "on time, 1 row to fix" in up_to_date(visit)
    desk.sync("locations", locations=[LABELS, row("L1"), row("L2")])
    assert "all on time" in up_to_date(visit)


def test_a_declined_plan_says_why_it_was_held_and_who_declined_it_until_the_next_sync(
    visit: Visit, desk: Desk
) -> None:
    policy = Policy(removal=Removal.DELETE)
    administration.set_policy(desk.organization, ANA, resources.by_name("locations"), policy)
    rows = [row(f"L{n:02}") for n in range(40)]
    desk.sync("locations", locations=[LABELS, *rows])
    held = desk.sync("locations", locations=[LABELS, *rows[:2]])
    assert held.status == "waiting"
    syncs.cancel(desk.organization, held.id, SARAH)
    told = attention(visit)
    assert "38 of 40 locations would be deleted. Only 2 rows" in told
    assert ". Declined by Sarah Lim, " in told
    desk.preview("locations")  # another run, which changes nothing of that
    assert "Declined by Sarah Lim, " in attention(visit)
    desk.sync("locations", locations=[LABELS, *rows])
    assert "Declined by Sarah Lim" not in attention(visit)
