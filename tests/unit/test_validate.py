"""A page of rows: which are blank, which contradict themselves, and what is under their cells."""

import re
from string import Formatter

import pytest

from sync_core.catalogue import resources
from sync_core.catalogue.cell_codes import CELL_CODES, unquoted
from sync_core.catalogue.fields import Convention
from sync_core.engine.validate import ValidatedPage
from tests.support.pages_of_rows import Row, Under, page, records, sentences, validator

LOCATIONS = resources.ENTITIES["locations"]
PACKAGES = resources.ENTITIES["packages"]
THERAPISTS = resources.ENTITIES["therapists"]
SCHEDULES = resources.ENTITIES["schedules"]


def validated(entity: str, *rows: Row, locale: str | None = None) -> ValidatedPage:
    found = resources.ENTITIES[entity]
    return validator(found, Convention(locale=locale))(page(found, rows))


def package(price: str, currency: str = "") -> Row:
    names = {"Package code": "P", "Brand code": "B", "Name": "Ten"}
    return {**names, "Price": price, "Currency": currency}


def shift(start: str, end: str) -> Row:
    return {"Therapist ID": "T1", "Weekday": "Mon", "Start": start, "End": end}


# Currencies


@pytest.mark.parametrize(
    ("price", "currency", "sentence"),
    [
        ("\u20ac95.00", "AUD", "Price is '\u20ac95.00', but Currency is AUD"),
        ("95.00 USD", "AUD", "Price is '95.00 USD', but Currency is AUD"),
        ("\u00a59500", "AUD", "Price is '\u00a59500', but Currency is AUD"),
        ("$95", "EUR", "Price is '$95', but Currency is EUR"),
        ("US$95", "AUD", "Price is 'US$95', but Currency is AUD"),
        ("\u00a395", "", "Price is '\u00a395', but Currency is blank"),
        ("95 EUR", "", "Price is '95 EUR', but Currency is blank"),
    ],
)
def test_a_row_whose_amount_is_in_another_currency_fails(
    price: str, currency: str, sentence: str
) -> None:
    assert sentences(validated("packages", package(price, currency))) == {2: [sentence]}


@pytest.mark.parametrize(
    ("price", "currency", "locale"),
    [
        ("\u20ac95.00", "EUR", None),
        ("$95", "AUD", None),
        ("$95", "usd", None),
        ("$95", "MXN", None),
        ("$95", "", None),
        ("95 AUD", "", None),
        ("\u00a59500", "CNY", None),
        ("\u00a59500", "JPY", None),
        ("A$95", "AUD", None),
        ("95 kr", "NOK", "sv_SE"),
        ("95 \u20ac", "", "de_DE"),
        ("95", "EUR", None),
    ],
)
def test_a_currency_that_may_be_the_rows_is_none_of_another(
    price: str, currency: str, locale: str | None
) -> None:
    assert sentences(validated("packages", package(price, currency), locale=locale)) == {}


def test_a_currency_that_is_wrong_is_named_once() -> None:
    found = sentences(validated("packages", package("\u20ac95", "Euros")))
    assert found == {2: ["Currency must be a currency code such as AUD: 'Euros'"]}


def test_an_amount_without_a_column_for_its_currency_is_in_the_countrys() -> None:
    rates = ["$95", "95 AUD", "\u20ac95", "95 NZD"]
    rows = [{"Therapist ID": f"T{i}", "Name": "N", "Hourly rate": r} for i, r in enumerate(rates)]
    hidden = "Hourly rate: the currency beside the amount contradicts the row"
    assert sentences(validated("therapists", *rows)) == {4: [hidden], 5: [hidden]}


def test_a_sentence_about_a_hidden_value_reads_as_if_nothing_were_left_out() -> None:
    rates = ["on request", "1,23", "1.005", "9" * 50, "#REF!"]
    rows = [{"Therapist ID": f"T{i}", "Name": "N", "Hourly rate": r} for i, r in enumerate(rates)]
    found = sentences(validated("therapists", *rows))
    assert [told for (told,) in found.values()] == [
        "Hourly rate is not a number",
        "Hourly rate is not a number",
        "Hourly rate has more than two decimals",
        "Hourly rate must be between -999,999,999,999.99 and 999,999,999,999.99",
        "Hourly rate: the formula shows an error",
    ]


QUOTING = {"text", "shown", "value", "hidden", "readings"}  # facts that quote the cell


@pytest.mark.parametrize("code", CELL_CODES)
def test_no_code_quotes_a_hidden_value_or_leaves_its_place_open(code: str) -> None:
    known = {name for _, name, _, _ in Formatter().parse(CELL_CODES[code].sentence) if name}
    told = unquoted(code, **dict.fromkeys({*known, "label"} - QUOTING, "known"))
    assert re.search(r"\w$|\)$", told), told
    assert not re.search(r"''|: *:|\( *\)", told), told


# The end of a day


@pytest.mark.parametrize(
    ("start", "end", "kept"),
    [
        ("18:00", "24:00", "00:00:00"),
        ("18:00", "00:00", "00:00:00"),
        ("18:00", "12 am", "00:00:00"),
        ("00:00", "24:00", "00:00:00"),
        ("18:00", "23:59", "23:59:00"),
    ],
)
def test_a_shift_may_end_at_midnight(start: str, end: str, kept: str) -> None:
    found = validated("schedules", shift(start, end))
    assert sentences(found) == {}
    assert records(found)[0]["end"] == kept


@pytest.mark.parametrize(
    ("start", "end"), [("22:00", "06:00"), ("00:00", "00:00"), ("09:00", "09:00")]
)
def test_a_shift_ends_after_it_starts(start: str, end: str) -> None:
    assert sentences(validated("schedules", shift(start, end))) == {2: ["End must be after Start"]}


def test_no_shift_starts_at_the_end_of_a_day() -> None:
    found = sentences(validated("schedules", shift("24:00", "24:00")))
    assert found == {2: ["Start is not a time of day: '24:00'"]}


# Blank rows


def test_a_row_of_nothing_but_defaults_is_blank() -> None:
    box = Under("FALSE", truth=False)
    found = validated("locations", {"Location code": "L1", "Name": "N"}, {"Active": box}, {})
    assert found.blank == 2
    assert [row["location_code"] for row in records(found)] == ["L1"]
    assert validated("therapists", {"Employment type": "Full time", "Active": "yes"}).blank == 1
    assert validated("packages", {"Currency": "AUD", "Active": "no"}).blank == 1


def test_a_row_with_any_other_cell_is_none() -> None:
    found = validated("locations", {"Active": "no", "City": "Perth"})
    assert found.blank == 0
    assert sentences(found) == {2: ["Location code is required", "Name is required"]}


def test_a_choice_that_is_part_of_the_key_makes_a_row() -> None:
    assert validated("schedules", {"Weekday": "Mon"}).blank == 0


# What is under the cells


def test_numbers_formats_and_truth_values_are_read_with_their_texts() -> None:
    found = validated(
        "locations",
        {
            "Location code": Under("1,001", 1001.0, "number"),
            "Name": "North",
            "Latitude": Under("-33.87", -33.8688, "number"),
            "Opened on": Under("10/5/2024", 45422.0, "date"),
            "Active": Under("FALSCH", truth=False),
        },
        locale="en_US",
    )
    assert records(found) == [
        {
            "row_number": 2,
            "location_code": "1001",
            "name": "North",
            "latitude": "-33.8688",
            "opened_on": "2024-05-10",
            "active": "false",
        }
    ]


def test_an_issue_tells_what_is_under_the_cell() -> None:
    price = Under("$95.65", 95.65217391304348, "currency")
    found = sentences(validated("packages", {**package(""), "Price": price}))
    assert found == {
        2: ["Price: the cell shows $95.65, its value is 95.65217\N{HORIZONTAL ELLIPSIS}"]
    }


def test_words_for_nothing_are_missing_where_something_must_stand() -> None:
    found = validated("locations", {"Location code": "L1", "Name": "n/a", "City": "-"})
    assert sentences(found) == {2: ["Name is required"]}
    assert validated("locations", {"Location code": "-", "Name": "N"}).keyless == 1
