import csv
import io

import psycopg

from sync_core.analytics import reasons
from sync_core.catalogue.resources import ENTITIES
from sync_core.foundation import db
from sync_core.organizations.people import Person
from sync_core.runs.filters import Filter
from tests.db.test_sync import HEADER, row
from tests.desk import ANA, Desk

Counts = dict[str, int]
MICHAEL = Person("Michael Tan", "michael.tan@example.org", "manager", "Marketing")


def counted(database: psycopg.Connection, run_id: int) -> Counts:
    query = "select code, rows from issue_tallies where run_id = %s"
    return dict(database.execute(query, [run_id]).fetchall())


def test_a_run_counts_its_failed_rows_by_code(desk: Desk, database: psycopg.Connection) -> None:
    bad = [
        row("L2", Phone="none", Email="none"),
        row("L3", Phone="none"),
        row("L4", Latitude="200", Longitude="999"),  # one code twice in a row
        row("L1"),  # a repeated key
    ]
    run = desk.sync("locations", locations=[HEADER, row("L1"), *bad])
    assert run.status == "partial"
    assert counted(database, run.id) == {
        "bad_phone": 2,
        "bad_email": 1,
        "out_of_range": 1,
        "repeated_key": 1,
    }


def test_each_table_of_a_run_is_counted_apart(desk: Desk, database: psycopg.Connection) -> None:
    run = desk.sync(
        "services",
        brands=[("Brand code", "Name", "Website", "Active"), ("B1", "", "", "")],
        packages=[
            [field.label for field in ENTITIES["packages"].fields],
            ("P1", "B1", "", "", "", "", "", "", "", ""),
        ],
    )
    found = database.execute(
        "select entity, code, rows from issue_tallies where run_id = %s order by 1, 2", [run.id]
    ).fetchall()
    assert ("brands", "required", 1) in found
    assert ("packages", "required", 1) in found
    assert sum(rows for _, code, rows in found if code == "parent_failed") <= 1


def test_a_run_without_failed_rows_counts_nothing(desk: Desk, database: psycopg.Connection) -> None:
    run = desk.sync("locations", locations=[HEADER, row("L1")])
    assert counted(database, run.id) == {}


def test_the_file_of_a_reason_hides_what_every_file_hides_from_those_who_mend_nothing(
    desk: Desk,
) -> None:
    desk.sync("locations", locations=[HEADER, row("L2", Phone="0491 57", Latitude="200")])

    def file(person: Person, code: str) -> dict[str, str]:
        wanted = Filter(organizations=(desk.organization.id,))
        with db.begin() as connection:
            text = "".join(reasons.as_csv(connection, person, wanted, code))
        (only,) = csv.DictReader(io.StringIO(text))
        return only

    assert file(ANA, "bad_phone")["Value"] == "0491 57"
    masked = file(MICHAEL, "bad_phone")
    assert (masked["Value"], masked["Key"]) == ("***", "L2")
    assert "0491" not in masked["Reason"]
    assert file(MICHAEL, "out_of_range")["Value"] == "200"
