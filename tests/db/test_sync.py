from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import psycopg
import pytest

from sync_core.engine import staging
from sync_core.execution import attempt
from sync_core.foundation import db
from sync_core.operations import syncs
from sync_core.organizations.people import Person
from sync_core.runs import Run, lease
from tests.support.desk import Desk
from tests.support.locations import HEADER, row

Outcomes = Callable[..., list[tuple[Any, ...]]]


def stored(database: psycopg.Connection, run: Run, columns: str) -> list[tuple[Any, ...]]:
    query = f"select {columns} from locations where organization_id = %s order by location_code"
    return database.execute(query, [run.organization_id]).fetchall()


def test_a_first_sync_creates_every_row(
    desk: Desk, database: psycopg.Connection, outcomes: Outcomes
) -> None:
    run = desk.sync("locations", locations=[HEADER, row("L1", Postcode="0800"), row("L2")])
    assert (run.status, run.message) == (
        "completed",
        "Processed 2 locations: 2 created, 0 updated.",
    )
    assert stored(database, run, "location_code, postcode, active") == [
        ("L1", "0800", True),
        ("L2", None, True),
    ]
    assert outcomes(run, "kind, row_number, key, name, changes") == [
        ("created", 2, "L1", "A clinic", None),
        ("created", 3, "L2", "A clinic", None),
    ]


def test_a_first_load_tells_of_each_row_what_a_later_run_tells_of_a_new_one(
    desk: Desk, database: psycopg.Connection, outcomes: Outcomes
) -> None:
    """The first is planned by a view and goes through staging, the other by a table."""
    told = "kind, key, name, rule, row_hash, changes, issues, raw"
    rows = [row(f"L{n}", Latitude="-31.950", City="" if n % 2 else "Perth") for n in range(9)]
    first = desk.sync("locations", locations=[HEADER, *rows])
    assert _plan_of(database, first) == ("v",)
    database.execute("delete from locations where organization_id = %s", [first.organization_id])
    desk.sync("locations", locations=[HEADER, row("L9")])
    later = desk.sync("locations", locations=[HEADER, *rows, row("L9")])
    assert _plan_of(database, later) == ("r",)
    assert outcomes(first, told) == outcomes(later, told)
    assert len(outcomes(first)) == 9


def _plan_of(database: psycopg.Connection, run: Run) -> tuple[Any, ...] | None:
    query = "select relkind from pg_class where relname = %s"
    return database.execute(query, [f"locations_plan_{run.id}"]).fetchone()


@pytest.mark.parametrize("more", ["", "two\nlines", "two\r\nlines", "an old\rMac"])
def test_a_text_arrives_as_it_stands(desk: Desk, database: psycopg.Connection, more: str) -> None:
    """Also beside a text with a line break, for which its page is written in another way."""
    odd = [
        '"A" clinic, "B"',
        "\\.",
        "\\Nord",
        "a\\tb",
        "a\tb",
        "'s-Hertogenbosch",
        "עברית",
        "🙂,;|",
    ]
    rows = [row(f"L{n}", text, Address=more) for n, text in enumerate(odd)]
    run = desk.sync("locations", locations=[HEADER, *rows])
    assert run.status == "completed"
    assert stored(database, run, "name, address") == [(text, more or None) for text in odd]
    assert desk.sync("locations").message.endswith(f"{len(odd)} unchanged.")


def test_the_same_sheet_again_changes_nothing(desk: Desk, outcomes: Outcomes) -> None:
    rows = [HEADER, *(row(f"L{n}", Latitude="-31.950") for n in range(50))]
    desk.sync("locations", locations=rows)
    again = desk.sync("locations")
    assert again.message == "Processed 50 locations: 0 created, 0 updated, 50 unchanged."
    assert outcomes(again) == []


def test_an_update_keeps_what_it_was_before(
    desk: Desk, database: psycopg.Connection, outcomes: Outcomes
) -> None:
    desk.sync("locations", locations=[HEADER, row("L1", City="Perth", Postcode="6000")])
    run = desk.sync("locations", locations=[HEADER, row("L1", City="Hobart")])
    assert run.message == "Processed 1 location: 0 created, 1 updated."
    assert outcomes(run, "kind, changes") == [
        ("updated", {"city": ["Perth", "Hobart"], "postcode": ["6000", None]})
    ]
    assert stored(database, run, "city, postcode, _updated_at is not null") == [
        ("Hobart", None, True)
    ]


def test_columns_of_nobodys_sheet_are_never_touched(
    desk: Desk, database: psycopg.Connection
) -> None:
    run = desk.sync("locations", locations=[HEADER, row("L1")])
    created = stored(database, run, "_created_at")
    run = desk.sync("locations", locations=[HEADER, row("L1", City="Hobart")])
    assert stored(database, run, "_created_at") == created


def test_a_bad_row_fails_alone_with_every_reason(
    desk: Desk, database: psycopg.Connection, outcomes: Outcomes
) -> None:
    bad = row("L2", name="", Email="nobody", Latitude="91")
    run = desk.sync("locations", locations=[HEADER, row("L1"), bad])
    assert run.status == "partial"
    assert run.message == "Processed 2 locations: 1 created, 0 updated, 1 failed."
    assert stored(database, run, "location_code") == [("L1",)]
    ((kind, number, key, issues, raw),) = outcomes(run, "kind, row_number, key, issues, raw")[1:]
    assert (kind, number, key) == ("failed", 3, "L2")
    assert [(i["field"], i["cell"]) for i in issues] == [
        ("Name", "Locations!B3"),
        ("Email", "Locations!H3"),
        ("Latitude", "Locations!I3"),
    ]
    assert issues[0]["sentence"] == "Name is required"
    assert raw["Email"] == "nobody"


def test_a_repeated_key_fails_the_later_row_and_names_the_first(
    desk: Desk, database: psycopg.Connection, outcomes: Outcomes
) -> None:
    run = desk.sync(
        "locations", locations=[HEADER, row("L1", "First"), row("L2"), row(" L1 ", "Last")]
    )
    assert run.message == "Processed 3 locations: 2 created, 0 updated, 1 failed."
    assert stored(database, run, "location_code, name") == [("L1", "First"), ("L2", "A clinic")]
    ((issues,),) = [o[1:] for o in outcomes(run, "kind, issues") if o[0] == "failed"]
    assert issues[0]["sentence"] == "Duplicate of row 2: Location code L1"


def test_blank_rows_are_counted_apart(desk: Desk) -> None:
    run = desk.sync("locations", locations=[HEADER, row("L1"), [""] * 12, ["  "] * 12, row("L2")])
    assert desk.counts(run, "locations") == {"read": 2, "created": 2, "blank": 2}


def test_a_source_that_became_empty_changes_nothing(
    desk: Desk, database: psycopg.Connection
) -> None:
    desk.sync("locations", locations=[HEADER, row("L1")])
    run = desk.sync("locations", locations=[HEADER])
    assert (run.status, run.message.partition(". ")[0]) == (
        "waiting",
        "Waiting for approval: 'Locations' has no rows, but 1 locations are known",
    )
    assert stored(database, run, "location_code") == [("L1",)]


def test_an_empty_source_of_an_empty_table_is_no_mistake(desk: Desk) -> None:
    run = desk.sync("locations", locations=[HEADER])
    assert run.message == "Processed 0 locations: 0 created, 0 updated."


@pytest.mark.parametrize(
    ("header", "code", "sentence"),
    [
        (HEADER[:-1], "missing_column", "Column 'Active' is missing."),
        ([*HEADER, "City"], "repeated_column", "Column 'City' is there twice: Locations!D1 and"),
    ],
)
def test_a_wrong_header_ends_the_run_before_any_row(
    desk: Desk, database: psycopg.Connection, header: list[str], code: str, sentence: str
) -> None:
    desk.sync("locations", locations=[HEADER, row("L1")])
    run = desk.sync("locations", locations=[header, row("L1", "Renamed")])
    assert (run.status, run.error_code) == ("failed", code)
    assert run.message.startswith(sentence)
    assert stored(database, run, "name") == [("A clinic",)]


def _files(header: str) -> Sequence[tuple[str, bytes, str]]:
    line = header.encode() + b"\n"
    return [
        ("an empty file", b"", "failed"),
        ("HTML", b"<!doctype html><html><body>Sign in</body></html>", "failed"),
        ("another encoding", line + "L1,Café,,,,,,,,,,\n".encode("latin-1"), "failed"),
        ("a text in UTF-16", (header + "\nL1,A,,,,,,,,,,\n").encode("utf-16"), "completed"),
        ("a quote that never ends", line + b'L1,"A clinic,,,,,,,,,,\nL2,B,,,,,,,,,,\n', "partial"),
        ("a short row", line + b"L1,A clinic\n", "completed"),
        ("a long row", line + b"L1,A,,,,,,,,,,,surplus\nL2,B,,,,,,,,,,\n", "partial"),
        ("a quoted line break", line + b'L1,"A\nclinic",,,,,,,,,,\n', "completed"),
        ("a NUL byte", line + b"L1,A\x00B,,,,,,,,,,\nL2,B,,,,,,,,,,\n", "partial"),
        (
            "50,000 characters",
            line + b"L1," + b"x" * 50_000 + b",,,,,,,,,,\nL2,B,,,,,,,,,,\n",
            "partial",
        ),
    ]


@pytest.mark.parametrize("case", _files(",".join(HEADER)), ids=lambda case: case[0])
def test_a_broken_file_ends_in_a_sentence_or_in_one_failed_row(
    desk: Desk, database: psycopg.Connection, case: tuple[str, bytes, str]
) -> None:
    desk.sync("locations", locations=[HEADER, row("L0", "Before")])
    Path(desk.folder, "locations.csv").write_bytes(case[1])
    run = desk.sync("locations")
    assert run.status == case[2]
    assert run.message.endswith(".")
    assert "Traceback" not in run.message + run.log_message
    assert ("L0", "Before") in stored(database, run, "location_code, name")


def test_a_failure_in_the_middle_of_the_apply_leaves_everything_as_it_was(
    desk: Desk, database: psycopg.Connection
) -> None:
    run = desk.sync("locations", locations=[HEADER, row("L1")])
    database.execute(
        "create function refuse() returns trigger language plpgsql as"
        " $$ begin if new.location_code = 'boom' then raise 'boom'; end if; return new; end $$;"
        " create trigger refuse before insert on locations for each row execute function refuse()"
    )
    try:
        rows = [HEADER, row("L1", "Renamed"), row("L2"), row("boom")]
        failed = desk.sync("locations", locations=rows)
    finally:
        database.execute("drop trigger refuse on locations; drop function refuse()")
    assert (failed.status, failed.error_code) == ("failed", "internal")
    assert stored(database, run, "location_code, name") == [("L1", "A clinic")]
    assert database.execute(
        "select count(*) from outcomes where run_id = %s", [failed.id]
    ).fetchone() == (0,)


def test_rows_of_another_organization_stay_as_they_are(
    desk: Desk, database: psycopg.Connection
) -> None:
    database.execute(
        "insert into locations (organization_id, location_code, name) values (-1, 'L1', 'Theirs')"
        " on conflict do nothing"
    )
    desk.sync("locations", locations=[HEADER, row("L1", "Ours")])
    theirs = "select name from locations where organization_id = -1"
    assert database.execute(theirs).fetchall() == [("Theirs",)]


def test_what_was_staged_is_dropped_when_the_run_has_ended(
    desk: Desk, database: psycopg.Connection
) -> None:
    run = desk.sync("locations", locations=[HEADER, row("L1")])
    left = "select count(*) from pg_class where relname like %s"
    assert database.execute(left, [f"%\\_{run.id}"]).fetchone() != (0,)
    with db.everywhere() as connection:
        staging.drop_ended(connection)
    assert database.execute(left, [f"%\\_{run.id}"]).fetchone() == (0,)


def test_a_cancelled_run_changes_nothing(
    desk: Desk, database: psycopg.Connection, ana: Person
) -> None:

    desk.write("locations", [HEADER, row("L1")])
    run = desk.start("locations")
    with db.everywhere() as connection:
        claimed = lease.claim(connection, run.id, "a worker")
    assert claimed is not None
    syncs.cancel(desk.organization, run.id, ana)
    assert attempt.attempt(claimed) == "cancelled"
    assert stored(database, run, "location_code") == []
