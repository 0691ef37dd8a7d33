import psycopg

from sync_core.catalogue.resources import ENTITIES
from tests.support.desk import Desk
from tests.support.locations import HEADER, row

Counts = dict[str, int]


def counted(database: psycopg.Connection, run_id: int) -> Counts:
    query = "select code, rows from issue_tallies where run_id = %s"
    return dict(database.execute(query, [run_id]).fetchall())


def test_a_run_counts_its_failed_rows_by_code(desk: Desk, database: psycopg.Connection) -> None:
    bad = [
        row("L2", Phone="unknown", Email="unknown"),
        row("L3", Phone="unknown"),
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
