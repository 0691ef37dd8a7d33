"""What the whole sheet, or the table, shows: how cells are meant, and what changed since."""

from collections.abc import Callable, Sequence
from typing import Any

import psycopg
import pytest

from sync_core.foundation import db
from sync_core.foundation.vocabulary import Removal
from sync_core.runs import Run, figures
from sync_core.runs.figures import Figures
from tests.support.desk import Desk
from tests.support.locations import HEADER, row

Outcomes = Callable[..., list[tuple[Any, ...]]]

BRANDS = [["Brand code", "Name", "Website", "Active"], ["B", "Care", "", ""]]
PACKAGES = [
    *("Package code", "Brand code", "Name", "Price", "Currency", "Sessions", "Duration"),
    *("Valid from", "Valid until", "Active"),
]
THERAPISTS = [
    *("Therapist ID", "Name", "Email", "Phone", "Employment type", "Location", "Hourly rate"),
    *("Start date", "Active"),
]
SCHEDULES = ["Therapist ID", "Weekday", "Start", "End", "Location"]


def sentences(outcomes: Outcomes, run: Run) -> dict[int, list[str]]:
    found = outcomes(run, "row_number, kind, issues")
    return {n: [issue["sentence"] for issue in i] for n, kind, i in found if kind == "failed"}


def packages(desk: Desk, *prices: str, sessions: Sequence[str] = ()) -> Run:
    cells = [*sessions, *[""] * len(prices)]
    rows = [
        [f"P{n}", "B", "Ten", price, "", cells[n], "", "", "", ""] for n, price in enumerate(prices)
    ]
    return desk.sync("services", brands=BRANDS, packages=[PACKAGES, *rows])


# One cell shows how the others are meant


@pytest.mark.parametrize(
    ("locale", "sign", "what", "doubtful", "readings"),
    [
        (None, "1.250,00", "numbers like 1.234,50", "1.250", "1.25 or 1250"),
        (None, "95,50", "numbers like 1.234,50", "1,250", "1250.00 or 1.25"),
        (None, "1.234", "numbers like 1.234,50", "-$2.500", "-2.50 or -2500"),
        ("de_DE", "1,250.00", "numbers like 1,234.50", "1.250", "1250.00 or 1.25"),
        ("de_DE", "95.50", "numbers like 1,234.50", "1,250", "1.25 or 1250"),
    ],
)
def test_an_amount_that_may_be_two_is_refused_where_another_shows_so(
    desk: Desk,
    outcomes: Outcomes,
    locale: str | None,
    sign: str,
    what: str,
    doubtful: str,
    readings: str,
) -> None:
    desk.locale = locale
    run = packages(desk, doubtful, "95", sign, doubtful)
    found = sentences(outcomes, run)
    assert sorted(found) == [2, 4, 5]
    for number in (2, 5):
        (sentence,) = found[number]
        assert sentence.startswith(f"Price is ambiguous ({readings}): Packages!D4 shows {what};")
        assert sentence.endswith("or set the source's locale")


def test_without_a_sign_every_amount_is_read_as_the_locale_says(desk: Desk) -> None:
    assert packages(desk, "1.250", "1,250", "95.50", "2,500.00").status == "completed"


def test_a_reading_that_the_field_would_refuse_makes_no_doubt(
    desk: Desk, outcomes: Outcomes
) -> None:
    run = packages(desk, "1,234", "1.250,00", "", sessions=["2,000", "3", "1.250"])
    assert sorted(sentences(outcomes, run)) == [2, 3, 4]  # 2,000 sessions, not 1,234 of money
    assert sentences(outcomes, run)[2] == [
        (
            "Sessions is ambiguous (2000 or 2): Packages!F4 shows numbers like 1.234,50; write them"
            " like 1,234.50, or set the source's locale"
        )
    ]


@pytest.mark.parametrize(
    ("locale", "sign", "first", "other"),
    [("en_US", "31/12/2024", "day", "month"), ("en_AU", "12/31/2024", "month", "day")],
)
def test_a_date_that_may_be_two_is_refused_where_another_shows_so(
    desk: Desk, outcomes: Outcomes, locale: str, sign: str, first: str, other: str
) -> None:
    desk.locale = locale
    dates = ["03/04/2024", "04/04/2024", "2024-04-03", "3 Apr 2024", sign]
    rows = [row(f"L{n}", Opened_on=text) for n, text in enumerate(dates)]
    found = sentences(outcomes, desk.sync("locations", locations=[HEADER, *rows]))
    readings = "2024-03-04 or 2024-04-03" if locale == "en_US" else "2024-04-03 or 2024-03-04"
    assert sorted(found) == [2, 6]
    assert found[2] == [
        (
            f"Opened on is ambiguous ({readings}): Locations!K6 shows the {first} first, where"
            f" {locale} writes the {other} first; write dates as in 2024-12-31, or set the"
            " source's locale"
        )
    ]


def test_what_is_ambiguous_in_a_hidden_column_is_not_quoted(desk: Desk, outcomes: Outcomes) -> None:
    rates = ["1.250", "1.250,00"]
    rows = [[f"T{n}", "N", "", "", "", "", rate, "", ""] for n, rate in enumerate(rates)]
    run = desk.sync("therapists", therapists=[THERAPISTS, *rows], schedules=[SCHEDULES])
    (sentence,) = sentences(outcomes, run)[2]
    assert sentence.startswith("Hourly rate is ambiguous: Therapists!G3 shows numbers like")


def test_a_row_that_a_rule_leaves_out_shows_nothing(desk: Desk) -> None:
    skipped = ["T1", "N", "", "", "FLAT", "", "1.250,00", "", ""]
    other = ["T2", "N", "", "", "", "", "1.250", "", ""]
    run = desk.sync("therapists", therapists=[THERAPISTS, skipped, other], schedules=[SCHEDULES])
    assert run.message.startswith("Therapists: 1 created, 0 updated, 1 FLAT skipped.")


# Rows that a sheet was prepared with


def test_rows_that_are_alike_but_for_nothing_are_blank(
    desk: Desk,
) -> None:
    prepared = [row("", "", Country="Australia", Active="no")] * 5
    run = desk.sync("locations", locations=[HEADER, row("L1"), *prepared])
    assert run.message == "Processed 1 location: 1 created, 0 updated."
    assert desk.counts(run, "locations") == {"read": 1, "created": 1, "blank": 5}
    again = desk.sync("locations", locations=[HEADER, row("L1"), *prepared[:2]])
    assert desk.counts(again, "locations")["failed"] == 2


def test_prepared_rows_do_not_keep_what_is_gone_from_being_removed(
    desk: Desk, database: psycopg.Connection
) -> None:
    _remove(database, desk, Removal.DEACTIVATE)
    desk.sync("locations", locations=[HEADER, row("L1"), row("L2")])
    prepared = [row("", "", Country="Australia")] * 3
    run = desk.sync("locations", locations=[HEADER, row("L1"), *prepared])
    assert desk.counts(run, "locations") == {"read": 1, "unchanged": 1, "removed": 1, "blank": 3}
    assert run.notes == []


def test_a_sheet_of_nothing_but_prepared_rows_is_empty(desk: Desk) -> None:
    desk.sync("locations", locations=[HEADER, row("L1")])
    run = desk.sync("locations", locations=[HEADER, *[row("", "", City="Perth")] * 3])
    assert run.message.startswith("Waiting for approval: 'Locations' has no rows, but 1 locations")


# Blank cells of what is known


def test_a_blank_cell_opens_no_clinic_that_is_closed(
    desk: Desk, database: psycopg.Connection
) -> None:
    closed = [row(f"L{n}", Active="no") for n in range(3)]
    desk.sync("locations", locations=[HEADER, *closed, row("L3", Active="yes")])
    blank = [row(f"L{n}") for n in range(5)]
    run = desk.sync("locations", locations=[HEADER, *blank])
    assert run.message == "Processed 5 locations: 1 created, 0 updated, 4 unchanged."
    assert run.notes == ["Locations: 3 records keep what Active was, for the cell is blank."]
    assert _active(database, desk) == [False, False, False, True, True]
    opened = desk.sync("locations", locations=[HEADER, row("L0", Active="yes"), *blank[1:]])
    assert desk.counts(opened, "locations")["updated"] == 1


def test_a_closed_clinic_that_was_removed_comes_back_closed(
    desk: Desk, database: psycopg.Connection
) -> None:
    _remove(database, desk, Removal.DEACTIVATE)
    desk.sync("locations", locations=[HEADER, row("L0", Active="no"), row("L1")])
    desk.sync("locations", locations=[HEADER, row("L1")])
    run = desk.sync("locations", locations=[HEADER, row("L0"), row("L1")])
    assert desk.counts(run, "locations")["updated"] == 1
    assert _active(database, desk) == [False, True]


# Letters that an export has lost


def test_cells_that_have_lost_letters_are_noted_and_the_first_named(desk: Desk) -> None:
    names = ["Caf\ufffd", "CafÃ©", "MÃ¼ller", "Â£5", "Donâ€™t", "ÐœÐ¾Ñ\u0081ÐºÐ²Ð°"]
    fine = ["Café", "SÃO PAULO", "Ñandú", "Âge d'or", "ÐÑ", "Москва"]
    rows = [row(f"L{n}", name) for n, name in enumerate([*names, *fine])]
    (note,) = desk.sync("locations", locations=[HEADER, *rows]).notes
    cells = ", ".join(f"Locations!B{number}" for number in range(2, 8))
    assert note == f"Locations: 6 cells have lost letters, as in Caf\ufffd: {cells}."
    many = [row(f"L{n}", "Caf\ufffd") for n in range(30)]
    (note,) = desk.sync("locations", locations=[HEADER, *many]).notes
    assert note.startswith("Locations: 30 cells have lost letters, as in Caf\ufffd: Locations!B2,")
    assert note.endswith("Locations!B21 and 10 more.")


def test_a_key_that_has_lost_letters_is_not_stored(desk: Desk, outcomes: Outcomes) -> None:
    run = desk.sync("locations", locations=[HEADER, row("Caf\ufffd")])
    assert sentences(outcomes, run) == {2: ["Location code has lost letters: 'Caf\ufffd'"]}


# References


@pytest.mark.parametrize(
    ("reference", "hint"),
    [
        ("l-01", ", but L-01 does: only capitals differ"),
        ("L 01", ", but L-01 does: only capitals, blanks, marks or zeros in front differ"),
        ("l01", ", but L-01 does: only capitals, blanks, marks or zeros in front differ"),
        ("0l-01", ", but L-01 does: only capitals, blanks, marks or zeros in front differ"),
        ("L-1", ", but L-01 does: only capitals, blanks, marks or zeros in front differ"),
        ("L-001", ", but L-01 does: only capitals, blanks, marks or zeros in front differ"),
        ("L\u201101", ", but L-01 does: only capitals, blanks, marks or zeros in front differ"),
        ("\uff2c-01", ", but L-01 does: only letters that look alike differ"),
        ("L-\u041e1", ""),
        ("L-02", ""),
        ("L-10", ""),
    ],
)
def test_a_reference_that_nearly_exists_is_told_which_one_does(
    desk: Desk, outcomes: Outcomes, reference: str, hint: str
) -> None:
    desk.sync("locations", locations=[HEADER, row("L-01")])
    therapist = ["T1", "N", "", "", "", reference, "", "", ""]
    run = desk.sync("therapists", therapists=[THERAPISTS, therapist], schedules=[SCHEDULES])
    assert sentences(outcomes, run) == {2: [f"Location {reference} does not exist{hint}"]}


@pytest.mark.parametrize("reference", ["\u041c-\u0410", "\u039c-\u0391", "m-\u0430"])
def test_a_reference_in_letters_of_another_alphabet_is_told_which_one_exists(
    desk: Desk, outcomes: Outcomes, reference: str
) -> None:
    desk.sync("locations", locations=[HEADER, row("M-A")])
    therapist = ["T1", "N", "", "", "", reference, "", "", ""]
    run = desk.sync("therapists", therapists=[THERAPISTS, therapist], schedules=[SCHEDULES])
    hint = ", but M-A does: only letters that look alike differ"
    assert sentences(outcomes, run) == {2: [f"Location {reference} does not exist{hint}"]}


def test_a_reference_to_a_row_of_the_same_run_is_told_so(desk: Desk, outcomes: Outcomes) -> None:
    therapists = [THERAPISTS, ["T1", "N", "", "", "", "", "", "", ""]]
    schedules = [SCHEDULES, ["t1", "Mon", "9:00", "17:00", ""], ["T 1", "Tue", "9:00", "17:00", ""]]
    run = desk.sync("therapists", therapists=therapists, schedules=schedules)
    assert sentences(outcomes, run) == {
        2: ["Therapist ID t1 does not exist, but T1 does: only capitals differ"],
        3: [
            (
                "Therapist ID T 1 does not exist, but T1 does: only capitals, blanks, marks or"
                " zeros in front differ"
            )
        ],
    }


def test_what_nobody_sees_makes_no_other_record_and_no_other_reference(desk: Desk) -> None:
    desk.sync("locations", locations=[HEADER, row("L 01")])
    again = desk.sync("locations", locations=[HEADER, row("\ufeffL\u00a0\u200b 01\u200d")])
    assert again.message == "Processed 1 location: 0 created, 0 updated, 1 unchanged."
    therapist = ["T1", "N", "", "", "", "L\t01", "", "", ""]
    run = desk.sync("therapists", therapists=[THERAPISTS, therapist], schedules=[SCHEDULES])
    assert run.message.startswith("Therapists: 1 created, 0 updated.")


# Figures


def _figures(run: Run, entity: str = "locations") -> Figures:
    with db.everywhere() as connection:
        return figures.of_run(connection, run.id)[entity]


def test_a_run_keeps_how_what_it_read_compares_with_what_was_known(desk: Desk) -> None:
    first = desk.sync("locations", locations=[HEADER, *[row(f"L{n}") for n in range(20)]])
    assert _figures(first) == Figures(new=20, read=20, removal=Removal.KEEP)
    cut = desk.sync("locations", locations=[HEADER, *[row(f"L{n}") for n in range(5)], row("L99")])
    assert _figures(cut) == Figures(20, 15, 1, 6, read_before=20, removal=Removal.KEEP)
    assert cut.notes == ["Locations: 15 known records are not in the source any more."]


@pytest.mark.parametrize("removal", [Removal.DEACTIVATE, Removal.DELETE])
def test_the_figures_of_a_run_that_removes_tell_of_what_was_known_before(
    desk: Desk, database: psycopg.Connection, removal: Removal
) -> None:
    _remove(database, desk, removal)
    desk.sync("locations", locations=[HEADER, *[row(f"L{n}") for n in range(4)]])
    cut = desk.sync("locations", locations=[HEADER, row("L0")])
    assert _figures(cut) == Figures(4, 3, read=1, read_before=4, removal=removal)
    assert cut.notes == []
    back = desk.sync("locations", locations=[HEADER, row("L0"), row("L1", "Renamed"), row("L9")])
    new = 1 if removal == Removal.DEACTIVATE else 2
    assert _figures(back) == Figures(1, new=new, read=3, read_before=1, removal=removal)


def test_a_row_that_failed_is_about_its_record_all_the_same(desk: Desk) -> None:
    desk.sync("locations", locations=[HEADER, row("L0"), row("L1"), row("L2")])
    run = desk.sync("locations", locations=[HEADER, row("L0", Phone="?"), row("L1"), row("L1")])
    assert _figures(run) == Figures(known=3, absent=1, read=3, read_before=3, removal=Removal.KEEP)


def test_a_column_that_was_filled_and_is_blank_now_is_noted(desk: Desk) -> None:
    filled = [row(f"L{n}", Phone="02 9123 4567", City="Perth") for n in range(3)]
    desk.sync("locations", locations=[HEADER, *filled])
    emptied = [row(f"L{n}", City="Perth") for n in range(2)]
    run = desk.sync("locations", locations=[HEADER, *emptied])
    assert _figures(run).emptied == {"Phone": 2}
    assert "Locations: Phone is blank in every row, and 2 records had a value." in run.notes
    again = desk.sync("locations", locations=[HEADER, *emptied])
    assert _figures(again).emptied == {}


def test_a_sheet_whose_keys_are_all_others_is_noted(desk: Desk) -> None:
    desk.sync("locations", locations=[HEADER, row("1001"), row("1002")])
    run = desk.sync("locations", locations=[HEADER, row("L-1001"), row("L-1002")])
    assert _figures(run).all_keys_changed
    assert run.notes == [
        "Locations: 2 known records are not in the source any more.",
        "Locations: all 2 keys are new, and none that was known is there.",
    ]


def _remove(database: psycopg.Connection, desk: Desk, removal: Removal) -> None:
    database.execute(
        "insert into policies (organization_id, resource, fresh_hours, removal)"
        " values (%s, 'locations', 24, %s)",
        [desk.organization.id, removal],
    )


def _active(database: psycopg.Connection, desk: Desk) -> list[bool]:
    query = "select active from locations where organization_id = %s order by location_code"
    return [active for (active,) in database.execute(query, [desk.organization.id])]
