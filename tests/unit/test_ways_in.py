"""The table of who may what names each way in once, and the queue is no way for anybody."""

import inspect

import pytest

from sync_core.execution import attempt, run_jobs
from sync_core.foundation.vocabulary import Role
from sync_core.organizations import people
from tests.support import ways_in

WAYS = ("verbs", "routes", "commands", "pages", "buttons")


@pytest.mark.parametrize("way", WAYS)
def test_each_way_in_asks_for_one_action(way: str) -> None:
    named = [one for one, _ in ways_in.of_way(way)]
    assert len(named) == len(set(named)) > 0


def test_every_action_has_a_way_in_and_every_permission_an_action() -> None:
    ways = {name: [*(getattr(it, way) for way in WAYS)] for name, it in ways_in.ACTIONS.items()}
    assert [name for name, found in ways.items() if not any(found)] == []
    needed = {one for action in ways_in.ACTIONS.values() for one in action.needs or ()}
    assert needed == set(people.PERMISSIONS) - {"personal"}  # which shows more, and does nothing


def test_administrators_may_do_whatever_a_person_may() -> None:
    for action in ways_in.ACTIONS.values():
        assert action.is_open_to(Role.ADMIN) or action.needs is None


def test_the_queue_names_a_run_and_nobody_in_whose_name() -> None:
    module, _, name = run_jobs.WORK.rpartition(".")
    assert (module, name) == (attempt.__name__, attempt.work.__name__)
    assert list(inspect.signature(attempt.work).parameters) == ["run_id"]
