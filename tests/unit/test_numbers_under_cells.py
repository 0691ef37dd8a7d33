"""A number under a cell counts with what people see of it, and what they do not see is named."""

from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync_core.catalogue.fields import (
    Convention,
    Date,
    Field,
    Integer,
    Money,
    Number,
    NumberCell,
    NumberFormat,
    Text,
    Time,
    YesNo,
)
from tests.support.cells import (
    CONVENTIONS,
    COUNTING,
    HERE,
    LATITUDE,
    SESSIONS,
    TYPED,
    answer,
    answers,
    checkboxes,
)

PRICE = Money("Price")
OPENED = Date("Opened on")
START, END = Time("Start"), Time("End", may_end_the_day=True)
CODE = Text("Code", key=True)
FORMATS = (None, *NumberFormat)


def told(field: Field, text: str, number: float, locale: str | None = "en_US") -> str | None:
    """Return what is said of a cell with this number; None where nothing is wrong."""
    convention = Convention(locale=locale)
    ((_, code),) = answers(field, [text], convention, [number])
    cell = NumberCell(number, text)
    return code and field.explain(code, text, convention, cell)


# Amounts


@pytest.mark.parametrize(
    ("field", "text", "number", "expected"),
    [
        (PRICE, "95.5", 95.5, "95.50"),
        (PRICE, "$95.00", 95.0, "95.00"),
        (PRICE, "-$1,250.00", -1250.0, "-1250.00"),
        (PRICE, "(45.00)", -45.0, "-45.00"),
        (PRICE, "95.5 kg", 95.5, "95.50"),
        (PRICE, "1.5K", 1500.0, "1500.00"),
        (PRICE, "$ -", 0.0, "0.00"),
        (PRICE, "-", 0.0, "0.00"),
        (PRICE, "1.005", 1.005, "(too_many_decimals)"),
        (PRICE, "0.0000001", 1e-7, "(too_many_decimals)"),
        (PRICE, "1,000,000,000,000,000", 1e15, "(out_of_range)"),
        (Number("Weight"), "0.1", 0.1, "0.1"),
        (Number("Weight"), "12.5%", 0.125, "0.125"),
        (Number("Weight"), "1.00E+20", 1e20, "100000000000000000000"),
        (Number("Weight"), "0.0000001", 1e-7, "0.0000001"),
        (Integer("Steps"), "60", 60.0, "60"),
        (Integer("Steps"), "60.00", 60.0, "60"),
        (Integer("Steps"), "9007199254740992", float(2**53), "9007199254740992"),
        (Integer("Steps"), "9007199254740994", float(2**53 + 2), "(digits_lost)"),
        (Integer("Steps"), "1.89744E+18", 1.89744e18, "(digits_lost)"),
        (Integer("Steps"), "-0", -0.0, "0"),
    ],
)
@pytest.mark.parametrize("locale", [None, "en_US", "en_AU"])
def test_an_amount_is_the_number_that_people_see(
    field: Field, text: str, number: float, expected: str, locale: str | None
) -> None:
    assert answer(field, text, locale, number) == expected


@pytest.mark.parametrize(
    ("locale", "text", "number", "expected"),
    [
        ("de_DE", "1.250,00 \u20ac", 1250.0, "1250.00"),
        ("de_DE", "1,250.00", 1250.0, "1250.00"),
        ("en_US", "1.250,00", 1250.0, "1250.00"),
        ("en_US", "1.250", 1250.0, "(hidden_part)"),
        ("ar_EG", "\u0661\u0662\u0665\u0660", 1250.0, "1250.00"),
        ("fr_FR", "1\u202f250,50", 1250.5, "1250.50"),
    ],
)
def test_a_number_is_read_whatever_marks_its_own_format_has(
    locale: str, text: str, number: float, expected: str
) -> None:
    assert answer(PRICE, text, locale, number) == expected


@pytest.mark.parametrize("field", [PRICE, SESSIONS, Integer("Duration"), LATITUDE])
@pytest.mark.parametrize(
    ("text", "number", "form"),
    [
        ("5/10/2024", 45422.0, NumberFormat.DATE),
        ("5/10/2024", 45422.0, None),
        ("10-May", 45422.0, NumberFormat.DATE),
        ("10-May", 45422.0, None),
        ("10. Mai", 45422.0, None),
        ("2024\u5e745\u670810\u65e5", 45422.0, None),
        ("Friday", 45422.0, None),
        ("10", 45422.0, NumberFormat.DATE),
        ("2024-01-01 09:00", 45292.375, None),
        ("12:00", 0.5, NumberFormat.TIME),
        ("12:00", 0.5, None),
        ("6 PM", 0.75, None),
        ("900:00", 37.5, NumberFormat.DURATION),
    ],
)
def test_a_date_or_a_time_is_no_amount(
    field: Field, text: str, number: float, form: str | None
) -> None:
    assert answer(field, text, "en_US", number, form) == "(not_a_number)"


@pytest.mark.parametrize(
    ("field", "text", "number", "form"),
    [
        (PRICE, "12%", 0.12, NumberFormat.NUMBER),
        (PRICE, "12%", 0.12, None),
        (PRICE, "50", 0.5, NumberFormat.PERCENT),
        (SESSIONS, "1200%", 12.0, None),
        (SESSIONS, "$5.00", 5.0, NumberFormat.CURRENCY),
        (SESSIONS, "5 \u20ac", 5.0, None),
        (LATITUDE, "AUD 5", 5.0, None),
    ],
)
def test_a_percentage_or_money_is_no_amount_of_another_kind(
    field: Field, text: str, number: float, form: str | None
) -> None:
    assert answer(field, text, "en_US", number, form) in {"(not_a_number)", "(hidden_part)"}


def test_the_sentence_quotes_what_people_see() -> None:
    assert told(PRICE, "5/10/2024", 45422.0) == "Price is not a number: '5/10/2024'"


@pytest.mark.parametrize(
    ("field", "text", "number", "expected"),
    [
        (PRICE, "$0.30", 0.1 + 0.2, "0.30"),
        (PRICE, "3.30", 1.1 * 3, "3.30"),
        (PRICE, "95.65", 95.650009, "95.65"),
        (SESSIONS, "5", 5.000000000000001, "5"),
        (SESSIONS, "60", 59.99999999999999, "60"),
        (SESSIONS, "60", 59.9995, "60"),
        (LATITUDE, "0.3", 0.1 + 0.2, "0.3"),
        (LATITUDE, "-33.87", -33.8688197, "-33.8688197"),
        (LATITUDE, "-33.86881970", -33.8688197, "-33.8688197"),
    ],
)
def test_dust_is_not_seen_and_a_number_may_have_more_decimals_than_are_shown(
    field: Field, text: str, number: float, expected: str
) -> None:
    assert answer(field, text, "en_US", number) == expected


@pytest.mark.parametrize(
    ("field", "text", "number", "sentence"),
    [
        (PRICE, "$95.65", 2200 / 23, "Price: the cell shows $95.65, its value is 95.65217\u2026"),
        (PRICE, "$96", 95.65, "Price: the cell shows $96, its value is 95.65"),
        (SESSIONS, "6", 5.5, "Sessions: the cell shows 6, its value is 5.5"),
        (SESSIONS, "0", 0.4, "Sessions: the cell shows 0, its value is 0.4"),
        (SESSIONS, "33", 100 / 3, "Sessions: the cell shows 33, its value is 33.333\u2026"),
        (PRICE, "1.5", 1500.0, "Price: the cell shows 1.5, its value is 1500"),
    ],
)
def test_what_the_cell_hides_is_named(
    field: Field, text: str, number: float, sentence: str
) -> None:
    assert told(field, text, number) == sentence


def test_a_sensitive_number_is_not_quoted() -> None:
    rate = Money("Hourly rate", sensitive=True)
    sentence = "Hourly rate: the cell shows less than its value"
    assert told(rate, "$95.65", 95.652) == sentence


@pytest.mark.parametrize("field", COUNTING, ids=lambda field: field.label)
def test_a_number_that_shows_nothing_is_blank_if_it_is_zero(field: Field) -> None:
    assert answers(field, [None, None], HERE, [0.0, 7.0]) == [
        (None, "required" if field.key else None),
        (None, "hidden_part"),
    ]


def test_cells_without_a_number_are_read_by_their_text() -> None:
    texts, numbers = ["$9.25", "free", None, "8"], [9.25, None, None, None]
    assert answers(PRICE, texts, HERE, numbers) == [
        ("9.25", None),
        (None, "not_a_number"),
        (None, None),
        ("8.00", None),
    ]


# Dates and times


@pytest.mark.parametrize(
    ("text", "number", "form", "expected"),
    [
        ("3/4/2026", 46115.0, None, "2026-04-03"),
        ("3 Apr", 46115.0, None, "2026-04-03"),
        ("Friday", 46115.0, NumberFormat.DATE, "2026-04-03"),
        ("2026", 46115.0, NumberFormat.DATE, "2026-04-03"),
        ("3/4/2569", 46115.0, NumberFormat.DATE, "2026-04-03"),
        ("2026-04-03 00:00", 46115.0, None, "2026-04-03"),
        ("3/4/2026", 46115.00000001, None, "2026-04-03"),
        ("3/4/2026", 46114.99999999, None, "2026-04-03"),
        ("2/4/2026", 46114.99999999, None, "(hidden_moment)"),
        ("3/4/2026", 46115.5, None, "(hidden_moment)"),
        ("3/4/2026 12:00", 46115.5, None, "(not_a_date)"),
        ("12:00", 46115.5, NumberFormat.TIME, "(not_a_date)"),
        ("30/12/1899", 0.0, NumberFormat.DATE, "(out_of_range)"),
        ("31/12/1899", 1.0, None, "(out_of_range)"),
        ("1/1/1850", -18260.0, None, "(out_of_range)"),
        ("1/1/10000", 2958466.0, None, "(out_of_range)"),
        ("1/1/999", -328717.0, None, "(out_of_range)"),
        ("2026", 2026.0, None, "(not_a_date)"),
        ("46115", 46115.0, None, "(not_a_date)"),
        ("2,024", 2024.0, NumberFormat.NUMBER, "(not_a_date)"),
        ("2,024", 2024.0, None, "(not_a_date)"),
        ("$1,500.00", 1500.0, None, "(not_a_date)"),
        ("1200%", 12.0, NumberFormat.NUMBER, "(not_a_date)"),
        ("46115 kg", 46115.0, None, "(not_a_date)"),
        ("3/4", float("nan"), None, "(not_a_date)"),
        ("3/4", float("inf"), None, "(not_a_date)"),
    ],
)
def test_a_date_is_a_serial_number_that_is_shown_as_one(
    text: str, number: float, form: str | None, expected: str
) -> None:
    assert answer(OPENED, text, "en_AU", number, form) == expected


@pytest.mark.parametrize(
    ("text", "number", "expected"),
    [
        ("9:00 AM", 0.375, "09:00:00"),
        ("9.00", 0.375, "09:00:00"),
        ("\u4e0a\u53489:00", 0.375, "09:00:00"),
        ("0:00", 0.0, "00:00:00"),
        ("23:59:59", 86399 / 86400, "23:59:59"),
        ("9:00", 0.375000001, "09:00:00"),
        ("9:00:00", 0.37500834, "09:00:00"),
        ("24:00", 1.0, "(not_a_time)"),
        ("26:00", 26 / 24, "(not_a_time)"),
        ("23:59:60", 0.999999, "(not_a_time)"),
        ("9", 9.0, "(not_a_time)"),
        ("0.5", 0.5, "(not_a_time)"),
        ("38%", 0.375, "(not_a_time)"),
        ("0.5 h", 0.5, "(not_a_time)"),
        ("$0.38", 0.375, "(not_a_time)"),
        ("-1:00", -1 / 24, "(not_a_time)"),
        ("1/1/2024 9:00", 45292.375, "(not_a_time)"),
        ("1/1/2024", 45292.0, "(not_a_time)"),
        ("9:00 AM", 45292.375, "(hidden_moment)"),
        ("9:00", 0.3753472, "(hidden_part)"),
        ("9:00", float("nan"), "(not_a_time)"),
    ],
)
def test_a_time_is_a_fraction_of_a_day_that_is_shown_as_one(
    text: str, number: float, expected: str
) -> None:
    assert answer(START, text, "en_US", number) == expected


@pytest.mark.parametrize("text", ["24:00", "0:00", "12:00 AM", "24:00:00"])
def test_the_end_of_a_day_is_the_number_one(text: str) -> None:
    assert answer(END, text, "en_US", 1.0) == "00:00:00"


@pytest.mark.parametrize(
    ("field", "text", "number", "sentence"),
    [
        (
            OPENED,
            "2024-01-01",
            45292.375,
            "Opened on: the cell also holds a time of day (9:00)",
        ),
        (START, "9:00 AM", 45292.375, "Start: the cell also holds a date (2024-01-01)"),
        (START, "9:00", 0.3753472, "Start: the cell shows 9:00, its value is 9:00:30"),
        (
            OPENED,
            "12/30/1899",
            0.0,
            (
                "Opened on must be between the years 1900 and 2100: '12/30/1899'"
                " (the number 0, as of a formula that points at a blank cell)"
            ),
        ),
    ],
)
def test_a_hidden_date_or_time_is_named(
    field: Field, text: str, number: float, sentence: str
) -> None:
    assert told(field, text, number) == sentence


# What identifies a record


@pytest.mark.parametrize("field", [CODE, Text("Code", refers_to="x"), Text("Code", unique=True)])
@pytest.mark.parametrize(
    ("locale", "text", "number", "expected"),
    [
        ("en_US", "1001", 1001.0, "1001"),
        ("en_US", "1,001", 1001.0, "1001"),
        ("en_US", "1001.0", 1001.0, "1001"),
        ("en_US", "1,001.00", 1001.0, "1001"),
        ("en_US", "1.001,00", 1001.0, "1001"),
        ("de_DE", "1.001,00", 1001.0, "1001"),
        ("fr_FR", "1\u202f001", 1001.0, "1001"),
        ("de_CH", "1\u2019001", 1001.0, "1001"),
        ("en_US", "1001", 1001.0000000000001, "1001"),
        ("en_US", "00123", 123.0, "00123"),
        ("en_US", "0412 345 678", 412345678.0, "0412 345 678"),
        ("en_US", "LOC-1001", 1001.0, "LOC-1001"),
        ("en_US", "1.50", 1.5, "1.5"),
        ("de_DE", "1,50", 1.5, "1,5"),
        ("en_US", "1002", 1001.6, "(hidden_part)"),
        ("en_US", "5-Jan", 45662.0, "(shown_as_another)"),
        ("en_US", "1/5/2025", 45662.0, "(shown_as_another)"),
        ("en_US", "12:30", 0.520833333333333, "(shown_as_another)"),
        ("en_US", "12%", 0.12, "(shown_as_another)"),
        ("en_US", "$1,001", 1001.0, "(shown_as_another)"),
        ("en_US", "1.23457E+11", 123456789012.0, "(shown_as_another)"),
        ("en_US", "12345678901234567000", 12345678901234567000.0, "(digits_lost)"),
    ],
)
def test_a_number_that_identifies_is_no_matter_of_its_format(
    field: Field, locale: str, text: str, number: float, expected: str
) -> None:
    assert answer(field, text, locale, number) == expected


def test_the_sentence_says_what_an_identifying_number_is_shown_as() -> None:
    assert told(CODE, "5-Jan", 45662.0) == "Code is shown as a date: '5-Jan'"
    assert told(CODE, "12%", 0.12) == "Code is shown as a percentage: '12%'"


def test_other_texts_stay_as_they_are_shown() -> None:
    assert answer(Text("Postcode"), "1,001", "en_US", 1001.0) == "1,001"


# Truth values


@pytest.mark.parametrize("locale", [None, "de_DE", "ja_JP"])
def test_a_truth_value_under_a_cell_counts_whatever_it_shows(locale: str | None) -> None:
    read = checkboxes(
        YesNo("Active", default=True),
        ["WAHR", "FALSCH", "no", None, "maybe"],
        [True, False, None, None, None],
        Convention(locale=locale),
    )
    assert read == [
        ("true", None),
        ("false", None),
        ("false", None),
        ("true", None),
        (None, "not_yes_or_no"),
    ]


# Properties


@given(
    field=st.sampled_from(COUNTING),
    cells=st.lists(
        st.tuples(
            st.none() | TYPED,
            st.floats() | st.integers(-9, 10**6),
            st.sampled_from(FORMATS),
        )
    ),
    convention=st.sampled_from(CONVENTIONS),
)
def test_any_number_gives_a_value_or_a_code_with_its_sentence(
    field: Field, cells: list[tuple[str | None, float, str | None]], convention: Convention
) -> None:
    texts, numbers, formats = ([cell[part] for cell in cells] for part in range(3))
    read = answers(field, texts, convention, list(map(float, numbers)), formats)  # type: ignore[arg-type] # three columns
    for (value, code), (text, number, form) in zip(read, cells, strict=True):
        assert not (value and code)
        assert value or code or not number
        if code is not None:
            cell = NumberCell(float(number), text, form)
            assert field.explain(code, text or "", convention, cell).isprintable()


@given(
    field=st.sampled_from(COUNTING),
    number=st.floats() | st.integers(-(10**6), 10**7).map(lambda cents: cents / 100),
    text=st.none() | TYPED.filter(bool) | st.integers(0, 10**6).map(str),
    form=st.sampled_from(FORMATS),
    convention=st.sampled_from(CONVENTIONS),
)
def test_numbers_are_read_alike_at_once_and_one_by_one(
    field: Field, number: float, text: str | None, form: str | None, convention: Convention
) -> None:
    columns = pl.Series([number]), pl.Series([text], dtype=pl.String)
    formats = pl.Series([form], dtype=pl.String)
    quick = field.read_numbers(*columns, formats, convention).item()
    if quick is not None:
        assert field.parse_number(NumberCell(number, text, form), convention) == quick


@given(
    cents=st.integers(-(10**14) + 1, 10**14 - 1),
    shown=st.sampled_from(["{:.2f}", "{:,.2f}", "${:,.2f}"]),
)
def test_money_from_a_spreadsheets_number_is_exact(cents: int, shown: str) -> None:
    exact = Decimal(cents).scaleb(-2)
    text = shown.format(exact)
    ((value, code),) = answers(PRICE, [text], HERE, [float(exact)])
    assert (value, code) == (f"{exact:.2f}".replace("-0.00", "0.00"), None)


@given(st.integers(0, 2**53), st.sampled_from(["{}", "{:,}", "{}.00", "{:,}.0"]))
def test_a_key_is_the_same_in_every_number_format(number: int, shown: str) -> None:
    assert answer(CODE, shown.format(number), "en_US", float(number)) == str(number)


@given(st.floats(0, 10**9), st.integers(0, 6))
def test_a_price_is_never_another_than_the_one_that_is_shown(number: float, places: int) -> None:
    text = f"{number:.{places}f}"
    ((value, _),) = answers(PRICE, [text], HERE, [number])
    assert value is None or Decimal(value) == Decimal(text)
