"""docs/plan_therapists.sql: what is written there is what the engine does."""

from collections.abc import Callable, Sequence

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection

from sync_core.catalogue import resources
from sync_core.cli import plan_page
from sync_core.engine import importer
from sync_core.engine.statements import Scope
from sync_core.engine.tally import Tally
from sync_core.engine.work import Work
from sync_core.foundation import db
from sync_core.foundation.vocabulary import Removal
from sync_core.organizations import policies
from sync_core.organizations.policies import Policy
from tests.support.desk import Desk, Rows

LABELS = {
    entity.name: [field.label for field in entity.fields]
    for entity in resources.by_name("therapists").entities
}
Plans = list[list[str]]


def therapist(
    code: str, name: str, email: str = "", kind: str = "", location: str = ""
) -> list[str]:
    return [code, name, email, "", kind, location, "", "", ""]


BEFORE = [
    therapist("T1", "Ada", "ada@x.org"),
    therapist("T2", "Ben", "ben@x.org"),
    therapist("T3", "Cleo", "cleo@x.org"),
]
AFTER = [
    therapist("T1", "Ada", "ada@x.org"),
    therapist("T2", "Benjamin", "ben@x.org"),  # T3 is gone
    therapist("T4", "Dora", "ada@x.org"),  # held
    therapist("T5", "Emil", "emil@x.org"),
    therapist("T6", "Fay", "emil@x.org"),  # an earlier row gets it
    therapist("T7", "Gus", kind="FLAT"),
    therapist("T8", "Hana", location="nowhere"),
    therapist("T5", "Emil again"),
    therapist("T9", "", "not an address"),
    *[therapist("", "", location="Perth")] * 3,  # prepared
]
HOURS = [
    ["T1", "Monday", "9:00", "17:00", ""],
    ["T1", "Monday", "9:00", "18:00", ""],
    ["T4", "Monday", "9:00", "17:00", ""],  # failed
    ["T7", "Monday", "9:00", "17:00", ""],  # skipped
    ["T3", "Monday", "9:00", "17:00", ""],  # gone
    ["T0", "Monday", "9:00", "17:00", "nowhere"],
]


def sync(desk: Desk, therapists: Sequence[Sequence[str]], schedules: Rows) -> None:
    desk.sync(
        "therapists",
        therapists=[LABELS["therapists"], *therapists],
        schedules=[LABELS["schedules"], *schedules],
    )


def test_the_page_is_what_the_engine_asks() -> None:
    """Where it is not: `make docs`."""
    assert plan_page.PAGE.read_text(encoding="utf-8") == plan_page.page()


def test_the_page_plans_as_the_engine_does(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    with db.everywhere() as connection:
        decided = Policy(removal=Removal.DEACTIVATE)
        policies.put(connection, desk.organization, "therapists", decided)
    sync(desk, BEFORE, [])
    seen: list[Plans] = []
    monkeypatch.setattr(importer, "make_plans", watched(importer.make_plans, seen))
    sync(desk, AFTER, HOURS)
    of_the_page, of_the_engine = seen
    assert of_the_page == of_the_engine
    assert [len(rows) for rows in of_the_engine] == [9, 6]


MakePlans = Callable[[Work, Sequence[Scope]], tuple[list[Scope], dict[str, Tally]]]


def watched(make_plans: MakePlans, seen: list[Plans]) -> MakePlans:
    """Ask what the page plans, leave nothing of it, and let the engine plan the same rows."""

    def make(work: Work, scopes: Sequence[Scope]) -> tuple[list[Scope], dict[str, Tally]]:
        text = plan_page.page(work.claim.run_id, work.claim.organization_id)
        planning = text.partition(plan_page.ROWS)[2].removesuffix(plan_page.END)
        with db.everywhere() as connection:
            db.cursor(connection).execute(planning)
            seen.append(plans(connection, scopes))
            connection.rollback()
        planned = make_plans(work, scopes)
        with db.everywhere() as connection:
            seen.append(plans(connection, scopes))
        return planned

    return make


def plans(connection: Connection, scopes: Sequence[Scope]) -> Plans:
    names = (f"staging.{scope.entity.name}_plan_{scope.run_id}" for scope in scopes)
    queries = (sa.text(f"select to_jsonb(p)::text from {name} p order by 1") for name in names)
    return [list(connection.execute(query).scalars()) for query in queries]
