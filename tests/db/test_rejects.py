import csv
import io

import pytest

from sync_core import db, rejects
from tests.db.test_sync import HEADER, row
from tests.desk import Desk


def read(desk: Desk, run_id: int) -> list[dict[str, str]]:
    assert desk
    with db.begin() as connection:
        return list(csv.DictReader(io.StringIO("".join(rejects.as_csv(connection, run_id)))))


def test_rejected_rows_keep_their_columns_and_say_why(desk: Desk) -> None:
    header = [*HEADER, "Notes"]
    bad = [*row("L2", Email="nobody", Phone="+61 8 9123 4567"), "ring, then knock"]
    run = desk.sync("locations", locations=[header, [*row("L1"), ""], bad])
    (rejected,) = read(desk, run.id)
    assert rejected["Row"] == "3"
    assert rejected["Outcome"] == "failed"
    assert rejected["Reasons"] == "Locations!H3: Invalid email format"
    assert rejected["Phone"] == "'+61 8 9123 4567"
    assert rejected["Notes"] == "ring, then knock"


def test_a_run_without_rejects_gives_a_header_alone(desk: Desk) -> None:
    run = desk.sync("locations", locations=[HEADER, row("L1")])
    assert read(desk, run.id) == []


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("=1+1", "'=1+1"),
        ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
        ("-2+3", "'-2+3"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("-31.95", "-31.95"),
        ("plain", "plain"),
        (-5, -5),
        (None, None),
    ],
)
def test_no_text_can_run_as_a_formula(cell: object, written: object) -> None:
    assert rejects.harmless(cell) == written
