"""What one room keeps as JSON and another reads: it comes back as it was."""

import json
from dataclasses import fields
from datetime import UTC, datetime
from typing import get_args

import pytest

from sync_core.catalogue.issue import Issue, Part
from sync_core.engine.observations import Observations, Sign
from sync_core.runs.figures import Figures
from sync_core.runs.plans import EntityPlan, Plans
from sync_core.runs.progress import Amount, Download, Progress
from sync_core.runs.sheet_facts import ReadWindow
from sync_core.runs.traffic import Traffic

ISSUE = Issue("Email", "bad_email", "Invalid email format", "Locations!C418")
FOLLOWING = Issue("Therapist", "parent_failed", "The therapist failed", "Schedules!A7", cause=5)
TWICE = Issue("Email", "not_unique", "Email already exists", "Therapists!C7", beside="row 4")
BEGAN, SINCE = datetime(2026, 11, 3, 9, 30, tzinfo=UTC), datetime(2026, 11, 2, 9, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    "progress",
    [
        Progress(),
        Progress(
            phase="downloading",
            sentence="Reading Locations",
            amount=Amount(40, 100),
            percent=37,
            download=Download(2_100_000),
            traffic=Traffic(4, 12_345),
            counts={"a": 1},
        ),
    ],
)
def test_a_progress_comes_back_as_it_was(progress: Progress) -> None:
    assert Progress.from_text(progress.to_text()) == progress


def test_a_page_reads_the_progress_of_a_worker_of_another_version() -> None:
    newer = {**json.loads(Progress("saving", percent=90).to_text()), "weather": "fine"}
    older = {"phase": "saving", "percent": 90, "done": 40}
    for kept in (newer, older):
        found = Progress.from_text(json.dumps(kept))
        assert (found.phase, found.percent, found.amount) == ("saving", 90, Amount())


@pytest.mark.parametrize("issue", [ISSUE, FOLLOWING, TWICE])
def test_an_issue_comes_back_as_it_was(issue: Issue) -> None:
    assert Issue.from_json(json.loads(json.dumps(issue.as_json()))) == issue


def test_a_part_of_an_issue_is_asked_for_by_a_name_that_it_has() -> None:
    names = [field.name for field in fields(Issue)]
    assert list(get_args(Part)) == names
    assert {*names} == {*FOLLOWING.as_json(), *TWICE.as_json()}


def test_a_sentence_is_told_with_what_is_beside_it() -> None:
    assert ISSUE.told == ISSUE.sentence
    assert TWICE.told == "Email already exists (row 4)"


PLANS = Plans(
    entities={
        "locations": EntityPlan(tally={"read": 2, "rules": {}}, rows_digest="a", plan_digest="b")
    }
)


def test_plans_come_back_as_they_were() -> None:
    assert Plans.from_json(json.loads(json.dumps(PLANS.as_json()))) == PLANS


@pytest.mark.parametrize("window", [ReadWindow(BEGAN), ReadWindow(BEGAN, SINCE)])
def test_a_window_comes_back_as_it_was(window: ReadWindow) -> None:
    assert ReadWindow.from_json(json.loads(json.dumps(window.as_json()))) == window


@pytest.mark.parametrize(
    "figures", [Figures(), Figures(20, 15, 1, 6, read_before=20, emptied={"Phone": 5})]
)
def test_figures_come_back_as_they_were(figures: Figures) -> None:
    assert Figures.from_json(json.loads(json.dumps(figures.as_json()))) == figures


SEEN = Observations(2, {"Name": 2}, {"Opened on": Sign("Locations!K2", "the day first")}, 1, ["A1"])


@pytest.mark.parametrize("seen", [Observations(), SEEN])
def test_what_was_seen_of_a_sheet_comes_back_as_it_was(seen: Observations) -> None:
    assert Observations.from_json(json.loads(json.dumps(seen.as_json()))).plus(
        Observations()
    ) == Observations().plus(seen)


def test_what_was_seen_later_is_added_and_the_first_sign_stays() -> None:
    later = Observations(1, {"Name": 1, "City": 1}, {"Opened on": Sign("B9", "?")}, 30, ["C1"] * 20)
    both = SEEN.plus(later)
    assert both.rows == 3
    assert both.filled == {"Name": 3, "City": 1}
    assert both.signs == SEEN.signs
    assert (both.damaged, both.damaged_cells) == (31, ["A1", *["C1"] * 19])
