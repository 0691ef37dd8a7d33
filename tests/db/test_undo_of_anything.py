"""Random syncs, undos, undos of undos and edits past the program: an undo takes back what it may.

What is right is worked out here from snapshots, by the promise alone: what a run wrote goes back
where it still stands, and what anything changed since is kept.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from sync_core import organizations
from sync_core.foundation import db
from sync_core.foundation.embedded import Urls
from sync_core.foundation.vocabulary import Removal
from sync_core.operations import syncs
from sync_core.organizations import policies
from sync_core.organizations.policies import Policy
from sync_core.runs import Run
from tests.support.desk import ANA, Desk
from tests.support.locations import HEADER, row

CODES = ("L1", "L2", "L3")
CODE = st.sampled_from(CODES)
ROW = st.fixed_dictionaries(
    {
        "City": st.sampled_from(["", "Perth", "Hobart"]),
        "Latitude": st.sampled_from(["", "-31.95"]),
        "Opened_on": st.sampled_from(["", "2024-02-29"]),
        "Active": st.sampled_from(["yes", "no"]),
    }
)
SHEET = st.dictionaries(CODE, ROW, max_size=3)
EDITS = {
    "edit": "update locations set city = 'Broome'",
    "mark": "update locations set _removed_at = now()",
    "unmark": "update locations set _removed_at = null",
    "delete": "delete from locations",
}

Cells = Mapping[str, Any]
Table = Mapping[str, Cells]  # by code


@dataclass(frozen=True)
class Done:
    """A run that was applied, and what the table held before and after it."""

    run: Run
    before: Table
    after: Table


class Machine(RuleBasedStateMachine):
    """A desk at which people sync, undo, and change the table past the program."""

    database: psycopg.Connection

    def __init__(self) -> None:
        super().__init__()
        with db.everywhere() as connection:
            organization = organizations.add(connection, f"o-{uuid.uuid4().hex[:12]}", "Northwind")
        self.desk = Desk(organization)
        self.done: list[Done] = []

    @property
    def table(self) -> Table:
        found = self.database.execute(
            "select location_code, to_jsonb(l) - '{_created_at,_updated_at}'::text[]"
            " from locations l where organization_id = %s",
            [self.desk.organization.id],
        )
        return dict(found.fetchall())

    @rule(removal=st.sampled_from(list(Removal)))
    def decide_what_happens_to_absent_records(self, removal: Removal) -> None:
        with db.everywhere() as connection:
            policies.put(connection, self.desk.organization, "locations", Policy(removal=removal))

    @rule(sheet=SHEET)
    def sync(self, sheet: Mapping[str, Cells]) -> None:
        before = self.table
        self._apply(before, self.desk.sync("locations", locations=self._rows(sheet)))

    @rule(sheet=SHEET)
    def preview_and_confirm(self, sheet: Mapping[str, Cells]) -> None:
        before = self.table
        run = self.desk.preview("locations", locations=self._rows(sheet))
        assert self.table == before
        self._apply(before, run)

    @precondition(lambda self: self.done)
    @rule(data=st.data())
    def undo(self, data: st.DataObject) -> None:
        undone = data.draw(st.sampled_from(self.done[-4:]))
        before = self.table
        run = self.desk.work(syncs.undo(self.desk.organization, undone.run.id, ANA, "test"))
        assert (run.status, run.undoes) == ("waiting", undone.run.id)
        assert self.table == before
        self._apply(before, run)
        assert self.table == taken_back(undone, before)
        if before == undone.after:
            assert self.table == undone.before

    @rule(code=CODE, what=st.sampled_from(list(EDITS)))
    def change_past_the_program(self, code: str, what: str) -> None:
        where = " where organization_id = %s and location_code = %s"
        self.database.execute(EDITS[what] + where, [self.desk.organization.id, code])

    def _rows(self, sheet: Mapping[str, Cells]) -> list[list[str]]:
        return [HEADER, row("L0"), *(row(code, **cells) for code, cells in sheet.items())]

    def _apply(self, before: Table, run: Run) -> None:
        if run.status == "waiting":
            run = self.desk.work(syncs.confirm(self.desk.organization, run.id, ANA, "test"))
        assert run.status == "completed", run.message
        self.done.append(Done(run, before, self.table))


def taken_back(undone: Done, now: Table) -> Table:
    """Return what a table becomes where a run is taken back."""
    codes = undone.before.keys() | undone.after.keys() | now.keys()
    found = {
        code: _one(undone.before.get(code), undone.after.get(code), now.get(code)) for code in codes
    }
    return {code: cells for code, cells in found.items() if cells}


def _one(before: Cells | None, after: Cells | None, now: Cells | None) -> Cells | None:
    if after is None:
        return before if now is None else now
    if now is None or before is None:
        return None if now == after else now
    if now["_removed_at"] not in {None, after["_removed_at"]}:
        return now
    return {
        column: before[column] if value == after[column] else value for column, value in now.items()
    }


def test_an_undo_takes_back_what_nobody_changed_since(
    servers: Urls, database: psycopg.Connection
) -> None:
    assert servers
    Machine.database = database
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=12,
            stateful_step_count=12,
            deadline=None,
            # A failure of these few steps reads well enough as it was found, and to shrink it takes
            # so long that the test's own end would hide it.
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
