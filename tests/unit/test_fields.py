"""Fields: what people type becomes one exact value or one code, and every way to read agrees."""

import unicodedata
from collections.abc import Iterator
from datetime import date, timedelta

import phonenumbers
import polars as pl
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sync_core.catalogue.cell_codes import CELL_CODES
from sync_core.catalogue.fields import (
    Cell,
    Choice,
    Convention,
    Currency,
    Date,
    Email,
    Field,
    Integer,
    Money,
    Number,
    Phone,
    Text,
    Time,
    Url,
    YesNo,
    clean,
    phones,
    placeholders,
    warm_up,
)
from sync_core.catalogue.fields.cells import UNSEEN, WHITE, Shortcut, protected
from sync_core.engine.validate import DELIMITER, QUOTE
from tests.support.cells import (
    CONVENTIONS,
    EMPLOYMENT,
    ERRORS,
    FIELDS,
    HERE,
    LATITUDE,
    SESSIONS,
    TYPED,
    answer,
    answers,
)


def shortcut(ways: tuple[Shortcut, ...], text: str) -> Iterator[str]:
    for way in ways:
        value = way(pl.Series([text], dtype=pl.String)).item()
        if value is not None:
            yield value


# Cleaning


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  Jane  ", "Jane"),
        ("\u00a0Jane\u202f", "Jane"),
        ("\ufeff\u200bJane\u2060", "Jane"),
        ("\u202a+61 412 345 678\u202c", "+61 412 345 678"),
        ("'0412", "0412"),
        ("' 0412", "0412"),
        ("'-5", "-5"),
        ("'=A1+B1", "=A1+B1"),
        ("'+61 412", "+61 412"),
        ("'03/04/2026", "03/04/2026"),
        ("'s-Hertogenbosch", "'s-Hertogenbosch"),
        ("'t Harde", "'t Harde"),
        ("'Ewa Beach", "'Ewa Beach"),
        ("'90s Gym", "'90s Gym"),
        ("'The Hub' Physio", "'The Hub' Physio"),
        ("'Rosebank', 12 Main St", "'Rosebank', 12 Main St"),
        ("'12'", "'12'"),
        ('="00123"', "00123"),
        ('=" 00123 "', "00123"),
        ('="2"" pipe"', '2" pipe'),
        ('=""', None),
        ('="a"&"b"', '="a"&"b"'),
        ("Cafe\u0301", "Caf\u00e9"),
        ("1 High Street\nFloor 2", "1 High Street\nFloor 2"),
        ("Zoe\u0308 Li", "Zo\u00eb Li"),
        ("", None),
        ("   ", None),
        ("\u3000\u200b\t", None),
        ("'", None),
        (None, None),
    ],
)
def test_cleaning_takes_away_what_nobody_meant_to_type(typed: str | None, kept: str | None) -> None:
    assert clean(pl.Series([typed, "x"], dtype=pl.String)).to_list() == [kept, "x"]


def test_cleaning_hands_back_a_tidy_column_as_it_is() -> None:
    tidy = pl.Series(["1 High Street", None, "0412 345 678"])
    assert clean(tidy) is tidy


def test_cleaning_leaves_the_given_column_alone() -> None:
    given_column = pl.Series([" a ", "b"])
    clean(given_column)
    assert given_column.to_list() == [" a ", "b"]


@given(st.lists(st.text()))
def test_cleaning_twice_changes_nothing_but_a_second_sign_of_text(texts: list[str]) -> None:
    once = clean(pl.Series(texts, dtype=pl.String))
    assume(not once.str.contains("^['=]").any())
    assert clean(once).to_list() == once.to_list()


@given(st.text() | st.text("'\"=+-@5a\u00b2\u0301 \u200b"))
def test_what_no_spreadsheet_has_written_is_protected_from_cleaning(text: str) -> None:
    kept = unicodedata.normalize("NFC", text.strip(WHITE + UNSEEN))
    assert clean(pl.Series([protected(text)])).item() == (kept or None)


# Text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0800", "0800"),
        ("12345678901234567890", "12345678901234567890"),
        ("#12 High Street", "#12 High Street"),
        ("Loading... dock", "Loading... dock"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("x" * 1000, "x" * 1000),
        ("\u00e9" * 1000, "\u00e9" * 1000),
        ("x" * 1001, "(too_long)"),
        ("a\x00b", "(control_character)"),
        ("a\x0bb", "(control_character)"),
        ("a\x7fb", "(control_character)"),
    ],
)
def test_a_text_stays_as_it_stands(text: str, expected: str) -> None:
    assert answer(Text("Notes"), text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("L 1", "L 1"),
        ("L\u00a01", "L 1"),
        ("L  1", "L 1"),
        ("L\t\n1", "L 1"),
        ("L\u200b1", "L1"),
        ("L\ufe0f1", "L1"),
        ("L\U000e00201", "L1"),
        ("cafe\u200b\u0301", "caf\u00e9"),
        ("\u3164", None),
        ("l1", "l1"),
        ("00123", "00123"),
        ("1E5", "1E5"),
        ("A=1", "A=1"),
        ("Caf\ufffd", "(damaged_text)"),
        ("=A1&B1", "(formula_shown)"),
        ('=HYPERLINK("x","y")', "(formula_shown)"),
        ("1.23457E+11", "(digits_lost)"),
        ("1,23457E+11", "(digits_lost)"),
        ("4.9157E10", "(digits_lost)"),
    ],
)
@pytest.mark.parametrize(
    "field",
    [Text("Code", unique=True), Text("Code", refers_to="locations")],
    ids=["unique", "reference"],
)
def test_what_identifies_is_what_people_see(field: Field, text: str, expected: str) -> None:
    assert answer(field, text) == expected


@given(TYPED)
def test_what_identifies_has_nothing_that_nobody_sees(text: str) -> None:
    value = answer(Text("Code", unique=True), text)
    assert value is None or value == " ".join(value.split())
    assert value is None or not set(value) & set("\u200b\u200d\u00ad\ufe0f\u00a0\t\n")


def test_a_text_that_identifies_nothing_keeps_its_blanks_and_marks() -> None:
    assert answer(Text("Notes"), "two  blanks, \u2764\ufe0f") == "two  blanks, \u2764\ufe0f"
    assert answer(Text("Notes"), "1.23457E+11") == "1.23457E+11"


@pytest.mark.parametrize("field", [Text("Code", key=True), Text("Nickname", unique=True)])
def test_an_indexed_text_is_short(field: Text) -> None:
    assert answer(field, "x" * 200) == "x" * 200
    assert answer(field, "x" * 201) == "(too_long)"
    assert field.explain("too_long", "x" * 201, HERE).endswith("is longer than 200 characters")


# Numbers


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5", "5"),
        ("007", "7"),
        ("-3", "-3"),
        ("\u22123", "-3"),
        ("1,234", "1234"),
        ("1 234 567", "1234567"),
        ("1\u202f234", "1234"),
        ("12.0", "12"),
        ("9223372036854775807", "9223372036854775807"),
        ("-9223372036854775808", "-9223372036854775808"),
        ("9223372036854775808", "(out_of_range)"),
        ("9" * 5000, "(not_a_number)"),
        ("9" * 900, "(out_of_range)"),
        ("12.5", "(not_a_number)"),
        ("1,23", "(not_a_number)"),
        ("0,123", "(not_a_number)"),
        ("1e3", "(not_a_number)"),
        ("five", "(not_a_number)"),
        ("$5", "(not_a_number)"),
    ],
)
def test_an_integer(text: str, expected: str) -> None:
    assert answer(Integer("Steps"), text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("0", "0"), ("100", "100"), ("101", "(out_of_range)"), ("-1", "(out_of_range)")],
)
def test_an_integer_within_bounds(text: str, expected: str) -> None:
    assert answer(SESSIONS, text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("95.5", "95.5"),
        ("95.50", "95.5"),
        ("-0.0", "0"),
        (".5", "0.5"),
        ("5.", "5"),
        ("12.5%", "0.125"),
        ("12.5 %", "0.125"),
        ("(12.5%)", "-0.125"),
        ("1e-5", "0.00001"),
        ("1.5E+3", "1500"),
        ("0." + "1" * 60, "0." + "1" * 60),
        ("1e300", "(out_of_range)"),
        ("e5", "(not_a_number)"),
        (".e5", "(not_a_number)"),
        ("inf", "(not_a_number)"),
        ("--5", "(not_a_number)"),
        ("\u00bd", "(not_a_number)"),
        ("5\u00b2", "(not_a_number)"),
        ("$5", "(not_a_number)"),
        (".", "(not_a_number)"),
        ("%", "(not_a_number)"),
    ],
)
def test_a_number(text: str, expected: str) -> None:
    assert answer(Number("Weight"), text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90", "90"),
        ("-90.000", "-90"),
        ("90.00000000000000000001", "(out_of_range)"),
        ("-91", "(out_of_range)"),
        ("9100%", "(out_of_range)"),
    ],
)
def test_a_number_within_bounds(text: str, expected: str) -> None:
    assert answer(LATITUDE, text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("95.50", "95.50"),
        ("95", "95.00"),
        ("95.5", "95.50"),
        ("95.500", "95.50"),
        ("1,234.50", "1234.50"),
        ("1 234.50", "1234.50"),
        ("1'234.50", "1234.50"),
        ("1\u2019234.50", "1234.50"),
        ("$95.50", "95.50"),
        ("$1,234.50", "1234.50"),
        ("A$ 95.50", "95.50"),
        ("AU$95.50", "95.50"),
        ("95.50 AUD", "95.50"),
        ("aud 95.50", "95.50"),
        ("\u20ac95.50", "95.50"),
        ("(95.50)", "-95.50"),
        ("$(95.50)", "-95.50"),
        ("($95.50)", "-95.50"),
        ("$5", "5.00"),
        ("EUR5", "5.00"),
        ("$.5", "0.50"),
        ("-$5", "-5.00"),
        ("$-5", "-5.00"),
        ("5.00-", "-5.00"),
        ("1,234.5-", "-1234.50"),
        ("5-", "(not_a_number)"),
        ("5 -", "(not_a_number)"),
        ("95.-", "95.00"),
        ("95.\u2013", "95.00"),
        ("CHF 95.\u2014", "95.00"),
        ("95,-", "95.00"),
        ("-95,-", "-95.00"),
        ("1,250.--", "1250.00"),
        ("1.250,-", "(not_a_number)"),
        ("$ -", "0.00"),
        ("$-", "0.00"),
        ("- \u20ac", "0.00"),
        ("X -", "(not_a_number)"),
        ("\u22125", "-5.00"),
        ("-0", "0.00"),
        ("-0.50", "-0.50"),
        ("999999999999.99", "999999999999.99"),
        ("1000000000000", "(out_of_range)"),
        ("95.555", "(too_many_decimals)"),
        ("1,23", "(not_a_number)"),
        ("01,234", "(not_a_number)"),
        ("0,500", "(not_a_number)"),
        ("1,2345", "(not_a_number)"),
        ("1,234,56", "(not_a_number)"),
        ("12,34,567", "(not_a_number)"),
        ("1,234 567", "(not_a_number)"),
        ("1.234,50", "(not_a_number)"),
        ("12%", "(not_a_number)"),
        ("1e5", "(not_a_number)"),
        ("$5 AUD", "(not_a_number)"),
        ("$", "(not_a_number)"),
        ("95.50 an hour", "(not_a_number)"),
        ("-(5)", "(not_a_number)"),
    ],
)
def test_money(text: str, expected: str) -> None:
    assert answer(Money("Hourly rate"), text) == expected


@pytest.mark.parametrize(
    ("locale", "text", "expected"),
    [
        ("de_DE", "1.234,50", "1234.50"),
        ("de_DE", "\u20ac1.234,50", "1234.50"),
        ("de_DE", "1.234", "1234.00"),
        ("de_DE", "1 234,5", "1234.50"),
        ("de_DE", "95.50", "(not_a_number)"),
        ("de_DE", "95,-", "95.00"),
        ("de_DE", "95,\u2013", "95.00"),
        ("de_DE", "95,- \u20ac", "95.00"),
        ("de_DE", "\u20ac 95,-", "95.00"),
        ("de_DE", "1.250,-", "1250.00"),
        ("de_DE", "1.250,50-", "-1250.50"),
        ("de_DE", "1,250.-", "(not_a_number)"),
        ("de_CH", "95.\u2013", "95.00"),
        ("da_DK", "kr. 95,50", "95.50"),
        ("nl_NL", "\u20ac 1.250,--", "1250.00"),
        ("de_DE", "0.123", "(not_a_number)"),
        ("fr_FR", "1 234,50 \u20ac", "1234.50"),
        ("fr_FR", "1\u202f234,50", "1234.50"),
        ("fr_FR", "1\u00a0234,50", "1234.50"),
        ("fr_FR", "1.234,50", "(not_a_number)"),
        ("de_CH", "CHF 1\u2019234.50", "1234.50"),
        ("de_CH", "1'234.50", "1234.50"),
        ("en_IN", "12,34,567.50", "1234567.50"),
        ("en_IN", "1,234,567", "1234567.00"),
        ("sv_SE", "95,50 kr", "95.50"),
        ("pt_BR", "R$ 1.234,50", "1234.50"),
        ("pl_PL", "1 234,50 z\u0142", "1234.50"),
        ("en-AU", "$1,234.50", "1234.50"),
        ("no_NO", "1 234,50", "1234.50"),
    ],
)
def test_money_as_the_locale_writes_it(locale: str, text: str, expected: str) -> None:
    assert answer(Money("Price"), text, locale) == expected


# Dates and times


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-04-03", "2026-04-03"),
        ("2026/04/03", "2026-04-03"),
        ("2026-4-3", "2026-04-03"),
        ("2026. 04. 03.", "2026-04-03"),
        ("3 Apr 2026", "2026-04-03"),
        ("3-Apr-2026", "2026-04-03"),
        ("03 APRIL 2026", "2026-04-03"),
        ("3rd of April, 2026", "2026-04-03"),
        ("Apr 3, 2026", "2026-04-03"),
        ("April 3rd 2026", "2026-04-03"),
        ("2026 Apr 3", "2026-04-03"),
        ("2026-04-03T00:00:00", "2026-04-03"),
        ("2026-04-03 00:00", "2026-04-03"),
        ("2026-04-03T00:00:00.000Z", "2026-04-03"),
        ("3 Apr 2026 12:00:00 AM", "2026-04-03"),
        ("1900-01-01", "1900-01-01"),
        ("2100-12-31", "2100-12-31"),
        ("1850-05-05", "(out_of_range)"),
        ("1899-12-30", "(out_of_range)"),
        ("2101-01-01", "(out_of_range)"),
        ("30 Dec 1899", "(out_of_range)"),
        ("2567-12-05", "(out_of_range)"),
        ("1403/09/15", "(out_of_range)"),
        ("2024-02-29", "2024-02-29"),
        ("2026-02-29", "(impossible_date)"),
        ("2026-13-01", "(impossible_date)"),
        ("31 Apr 2026", "(impossible_date)"),
        ("0999-12-31", "(out_of_range)"),
        ("03/04/2026", "(ambiguous_date)"),
        ("3.4.2026", "(ambiguous_date)"),
        ("25/12/2026", "(not_a_date)"),
        ("04/04/2026", "(not_a_date)"),
        ("31/31/2026", "(impossible_date)"),
        ("03/04/26", "(not_a_date)"),
        ("2026-04-03 09:30", "(not_a_date)"),
        ("Apr 32026", "(not_a_date)"),
        ("3 Floréal 2026", "(not_a_date)"),
        ("2026", "(not_a_date)"),
        ("soon", "(not_a_date)"),
    ],
)
def test_a_date_without_a_locale(text: str, expected: str) -> None:
    assert answer(Date("Opened on"), text) == expected


@pytest.mark.parametrize(
    ("locale", "text", "expected"),
    [
        ("en_AU", "03/04/2026", "2026-04-03"),
        ("en_AU", "3/4/2026", "2026-04-03"),
        ("en_AU", "03-04-2026", "2026-04-03"),
        ("en_AU", "29/02/2024", "2024-02-29"),
        ("en_AU", "29/02/2026", "(impossible_date)"),
        ("en_AU", "12/25/2026", "(other_order)"),
        ("en_AU", "31/31/2026", "(impossible_date)"),
        ("th_TH", "5/12/2567", "(out_of_range)"),
        ("en_AU", "03/04-2026", "(not_a_date)"),
        ("en_AU", "03/04/26", "(not_a_date)"),
        ("en_AU", "2026-04-03", "2026-04-03"),
        ("en_US", "04/03/2026", "2026-04-03"),
        ("en_US", "25/12/2026", "(other_order)"),
        ("en_US", "25.12.2026", "(other_order)"),
        ("en_US", "03.04.2026", "(ambiguous_date)"),
        ("en_US", "04.04.2026", "2026-04-04"),
        ("en_US", "04-03-2026", "2026-04-03"),
        ("de_DE", "03.04.2026", "2026-04-03"),
        ("de_DE", "3. M\u00e4rz 2026", "2026-03-03"),
        ("fr_FR", "3 avr. 2026", "2026-04-03"),
        ("fr_FR", "1er avril 2026", "2026-04-01"),
        ("es_ES", "3 de abril de 2026", "2026-04-03"),
        ("pt_BR", "3 de abr. de 2026", "2026-04-03"),
        ("sv_SE", "03/04/2026", "(ambiguous_date)"),
        ("ja_JP", "2026/04/03", "2026-04-03"),
        ("ko_KR", "2026. 4. 3.", "2026-04-03"),
    ],
)
def test_a_date_as_the_locale_writes_it(locale: str, text: str, expected: str) -> None:
    assert answer(Date("Opened on"), text, locale) == expected


@pytest.mark.parametrize("year", [1900, 2000, 2024, 2026])
def test_every_day_of_a_year_is_a_date_and_no_other_is(year: int) -> None:
    texts = [f"{year}-{month:02}-{day:02}" for month in range(14) for day in range(33)]
    days = {(date(year, 1, 1) + timedelta(days)).isoformat() for days in range(365)}
    days |= {f"{year}-12-31"}
    for text, (value, code) in zip(texts, answers(Date("Day"), texts), strict=True):
        assert (value, code) == ((text, None) if text in days else (None, "impossible_date"))


@pytest.mark.parametrize("locale", ["en_AU", "en_US"])
def test_every_day_of_a_year_is_a_date_in_the_locales_order(locale: str) -> None:
    days = [date(2024, 1, 1) + timedelta(days) for days in range(366)]
    order = "%d/%m/%Y" if locale == "en_AU" else "%m/%d/%Y"
    read = answers(Date("Day"), [f"{day:{order}}" for day in days], Convention(locale=locale))
    assert read == [(day.isoformat(), None) for day in days]


def test_a_field_may_declare_which_years_it_takes() -> None:
    founded = Date("Founded", years=(1600, 2100))
    assert answer(founded, "1850-05-05") == "1850-05-05"
    assert answer(founded, "1599-12-31") == "(out_of_range)"
    sentence = founded.explain("out_of_range", "1599-12-31", HERE)
    assert sentence == "Founded must be between the years 1600 and 2100: '1599-12-31'"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("09:00", "09:00:00"),
        ("9:00", "09:00:00"),
        ("21:30:15", "21:30:15"),
        ("9 AM", "09:00:00"),
        ("9am", "09:00:00"),
        ("9:30pm", "21:30:00"),
        ("9:30 p.m.", "21:30:00"),
        ("9.30 pm", "21:30:00"),
        ("9h30", "09:30:00"),
        ("12 am", "00:00:00"),
        ("12 pm", "12:00:00"),
        ("12:30\u202fPM", "12:30:00"),
        ("00:00", "00:00:00"),
        ("24:00", "(not_a_time)"),
        ("09:60", "(not_a_time)"),
        ("13 pm", "(not_a_time)"),
        ("0 am", "(not_a_time)"),
        ("9", "(not_a_time)"),
        ("9.30", "(not_a_time)"),
        ("9:5", "(not_a_time)"),
        ("noon", "(not_a_time)"),
    ],
)
def test_a_time_of_day(text: str, expected: str) -> None:
    assert answer(Time("Start"), text) == expected


def test_a_dotted_time_needs_a_locale_that_writes_it_so() -> None:
    assert answer(Time("Start"), "9.30", "fi_FI") == "09:30:00"
    assert answer(Time("Start"), "9.30", "de_DE") == "(not_a_time)"


@pytest.mark.parametrize("text", ["24:00", "24:00:00", "24.00", "00:00", "12 am"])
def test_a_time_that_may_end_the_day_can_be_midnight(text: str) -> None:
    assert answer(Time("End", may_end_the_day=True), text) == "00:00:00"
    assert answer(Time("End", may_end_the_day=True), "24:30") == "(not_a_time)"


# Contacts


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("jane@example.org", "jane@example.org"),
        ("Jane.Doe+Desk@Example.ORG", "jane.doe+desk@example.org"),
        ("o'neil@mail.example.co.uk", "o'neil@mail.example.co.uk"),
        ("jane\u200b@example.org", "jane@example.org"),
        ("jane@xn--mnchen-3ya.example", "jane@xn--mnchen-3ya.example"),
        ("jane@example", "(bad_email)"),
        ("jane.@example.org", "(bad_email)"),
        ("ja..ne@example.org", "(bad_email)"),
        ("jane@-example.org", "(bad_email)"),
        ("jane@@example.org", "(bad_email)"),
        ("jane doe@example.org", "(bad_email)"),
        ("jane@example.org, joe@example.org", "(bad_email)"),
        ("Jane <jane@example.org>", "(bad_email)"),
        ("j@" + "x" * 250 + ".org", "(bad_email)"),
        ("\u0430nna@example.org", "(bad_email)"),
    ],
)
def test_an_email(text: str, expected: str) -> None:
    assert answer(Email("Email"), text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0491570006", "+61491570006"),
        ("0491 570 006", "+61491570006"),
        ("(02) 5550 1234", "+61255501234"),
        ("+61 491 570 006", "+61491570006"),
        ("+61 (0)491 570 006", "+61491570006"),
        ("491570006", "+61491570006"),
        ("61491570006", "+61491570006"),
        ("0011 44 20 7946 0958", "+442079460958"),
        ("1800 160 401", "+611800160401"),
        ("+44 20 7946 0958", "+442079460958"),
        ("+1 202-555-0123", "+12025550123"),
        ("+39 06 1234 5678", "+390612345678"),
        ("0491 570 006 ext. 12", "+61491570006;ext=12"),
        ("0491 570 006 x12", "+61491570006;ext=12"),
        ("Tel: 0491 570 006", "+61491570006"),
        ("0491\u00a0570\u00a0006", "+61491570006"),
        ("12345", "(bad_phone)"),
        ("0491 570 00", "(bad_phone)"),
        ("+44 491 570 006", "(bad_phone)"),
        ("ask Jane, 0491 570 006", "(bad_phone)"),
        ("0491 570 006 Jane", "(bad_phone)"),
        ("0491 570 006 / 0491 570 156", "(bad_phone)"),
        ("unknown", "(bad_phone)"),
    ],
)
def test_a_phone_number(text: str, expected: str) -> None:
    assert answer(Phone("Phone"), text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("030 123456 / 57", None),
        ("030 123456/57", None),
        ("030 12345/67/89", None),
        ("+49 30 123456 / 57", None),
        ("030/123456", "+4930123456"),
        ("030 / 123 456", "+4930123456"),
        ("+49 (0)30 / 123456", "+4930123456"),
        ("030 123456-57", "+493012345657"),
    ],
)
def test_two_phone_numbers_in_one_cell_are_not_run_together(
    text: str, expected: str | None
) -> None:
    ((value, code),) = answers(Phone("Phone"), [text], Convention("DE"))
    assert (value, code) == (expected, None if expected else "bad_phone")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://www.example.org", "https://www.example.org"),
        ("http://example.org:8080/a?b=c#d", "http://example.org:8080/a?b=c#d"),
        ("HTTPS://Example.org", "HTTPS://Example.org"),
        ("https://m\u00fcnchen.example/stra\u00dfe", "https://m\u00fcnchen.example/stra\u00dfe"),
        ("www.example.org", "(bad_url)"),
        ("ftp://example.org", "(bad_url)"),
        ("https://", "(bad_url)"),
        ("https://a..b", "(bad_url)"),
        ("https://jane:secret@example.org", "(bad_url)"),
        ("https://example.org/a b", "(bad_url)"),
        ("https://example.org:99999", "(bad_url)"),
        ("https://example.org:0", "(bad_url)"),
        ("https://[", "(bad_url)"),
        ("javascript:alert(1)", "(bad_url)"),
        ("https://example.org/" + "x" * 2000, "(too_long)"),
    ],
)
def test_a_web_address(text: str, expected: str) -> None:
    assert answer(Url("Website"), text) == expected


# Words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Full time", "Full time"),
        ("full-time", "Full time"),
        ("FULLTIME", "Full time"),
        ("Part\u00a0 time", "Part time"),
        ("flat", "FLAT"),
        ("ft", "Full time"),
        ("Casual", "(unknown_choice)"),
    ],
)
def test_a_choice(text: str, expected: str) -> None:
    assert answer(EMPLOYMENT, text) == expected


def test_a_synonym_must_stand_for_an_option() -> None:
    with pytest.raises(ValueError, match=r"Weekday: synonyms of \['Funday'\]"):
        Choice("Weekday", options=("Monday",), synonyms={"Fun": "Funday"})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        *((text, "true") for text in ["yes", "Y", "TRUE", "1", "\u2713", "\u2714\ufe0f", "yEs"]),
        *((text, "false") for text in ["no", "N", "False", "0", "\u2717", "off"]),
        *((text, "(not_yes_or_no)") for text in ["x", "maybe", "2", "active"]),
        (None, None),
    ],
)
def test_yes_or_no(text: str | None, expected: str | None) -> None:
    assert answer(YesNo("Active"), text) == expected


@pytest.mark.parametrize(("default", "value"), [(True, "true"), (False, "false"), (None, None)])
def test_a_blank_yes_or_no_means_its_default(*, default: bool | None, value: str | None) -> None:
    cells = answers(YesNo("Active", default=default), [None, "  ", "maybe", "no"])
    assert cells == [(value, None), (value, None), (None, "not_yes_or_no"), ("false", None)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("AUD", "AUD"),
        ("eur", "EUR"),
        ("DEM", "(unknown_currency)"),
        ("$", "(unknown_currency)"),
        ("Australian dollars", "(unknown_currency)"),
    ],
)
def test_a_currency(text: str, expected: str) -> None:
    assert answer(Currency("Currency"), text) == expected


# Every field


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.label)
def test_a_spreadsheets_error_is_named_in_every_field(field: Field) -> None:
    assert answers(field, ERRORS) == [(None, "formula_error")] * len(ERRORS)
    assert field.explain("formula_error", "#REF!", HERE) == "The formula shows #REF!"


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.label)
def test_a_column_that_is_too_narrow_is_named_in_every_field(field: Field) -> None:
    assert answers(field, ["##", "########"]) == [(None, "too_narrow")] * 2


@pytest.mark.parametrize("text", ["#1 Physio", "#", "#hashtag", "# Main St", "Err:404", "#12!"])
def test_a_text_that_only_looks_like_an_error_stays(text: str) -> None:
    assert answer(Text("Notes"), text) == text


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.label)
@pytest.mark.parametrize("text", placeholders.PLACEHOLDERS)
def test_a_word_for_nothing_is_a_blank_cell_where_it_can_mean_nothing_else(
    field: Field, text: str
) -> None:
    for typed in (text, text.upper(), f" {text.title()} "):
        ((value, code),) = answers(field, [typed])
        if isinstance(field, Text) and text in placeholders.NAMES:
            assert (value, code) == (typed.strip(), None)
        elif isinstance(field, YesNo):
            assert (value, code) == (None, "not_yes_or_no")
        else:
            assert (value, code) == (None, "required" if field.key else None)


def test_a_word_for_nothing_may_be_an_option() -> None:
    assert answer(Choice("Referral", options=("None", "Doctor")), "none") == "None"


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.label)
def test_a_nul_byte_is_refused_in_every_field(field: Field) -> None:
    assert answers(field, ["1\x002"]) == [(None, "control_character")]


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.label)
@pytest.mark.parametrize("start", ["9", "1 ", "a", "a@a.", "1,234", "https://a", "Apr 1", "\u00e9"])
def test_fifty_thousand_characters_are_soon_refused(field: Field, start: str) -> None:
    for text in (start * (50_000 // len(start)) + end for end in ("", "!", "x", " %")):
        ((value, code),) = answers(field, [text])
        assert value is None
        assert code is not None
        assert len(field.explain(code, text, HERE)) < 200


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.label)
def test_columns_without_any_text_can_be_read(field: Field) -> None:
    blank = field.read(Cell(pl.lit(None, pl.String)), HERE)
    nothing = pl.DataFrame({"text": []}, {"text": pl.String})
    assert nothing.select(pl.col("text"), blank.value.alias("value")).is_empty()
    assert answers(field, [None, None])[0][1] is None


@pytest.mark.parametrize(
    ("field", "text", "locale", "sentence"),
    [
        (Phone("Phone"), "12345", None, "Invalid phone format"),
        (Email("Email"), "jane", None, "Invalid email format"),
        (Money("Hourly rate"), "abc", None, "Hourly rate is not a number: 'abc'"),
        (
            Money("Rate"),
            "1,23",
            None,
            "Rate is not a number: '1,23' (write it like 1,234.50, or set the source's locale)",
        ),
        (
            Money("Hourly rate"),
            "95.50",
            "de_DE",
            "Hourly rate is not a number: '95.50' (write it like 1.234,50)",
        ),
        (Money("Price"), "1.005", None, "Price has more than two decimals: '1.005'"),
        (
            Money("Price"),
            "9" * 50,
            None,
            f"Price must be between -999,999,999,999.99 and 999,999,999,999.99: '{'9' * 39}…'",
        ),
        (Integer("Steps"), "5\nor 6", None, "Steps is not a whole number: '5 or 6'"),
        (SESSIONS, "101", None, "Sessions must be between 0 and 100: '101'"),
        (Integer("Steps", minimum=1), "0", None, "Steps must be at least 1: '0'"),
        (Number("Age", maximum=150), "151", None, "Age must be at most 150: '151'"),
        (
            EMPLOYMENT,
            "Casual",
            None,
            "Employment type must be one of Full time, Part time, Contract, FLAT",
        ),
        (YesNo("Active"), "maybe", None, "Active must be yes or no: 'maybe'"),
        (
            Date("Opened on"),
            "03/04/2026",
            None,
            "03/04/2026 is ambiguous: set the source's locale, or write 2026-04-03 or 2026-03-04",
        ),
        (
            Date("Opened on"),
            "25/12/2026",
            None,
            "Opened on is not a date: '25/12/2026' (set the source's locale, or write 2026-12-25)",
        ),
        (
            Date("Opened on"),
            "31/12/2024",
            "en_US",
            (
                "Opened on is not a date: '31/12/2024' (en_US writes the month first;"
                " write 2024-12-31, or set the source's locale)"
            ),
        ),
        (
            Date("Opened on"),
            "05.12.2024",
            "en_US",
            "05.12.2024 is ambiguous: write 2024-12-05 or 2024-05-12",
        ),
        (
            Date("Opened on"),
            "5/12/2567",
            "th_TH",
            (
                "Opened on must be between the years 1900 and 2100: '5/12/2567'"
                " (a year of the Buddhist calendar: write 2024-12-05)"
            ),
        ),
        (
            Date("Opened on"),
            "1403/09/15",
            None,
            (
                "Opened on must be between the years 1900 and 2100: '1403/09/15'"
                " (a year of the Iranian or Islamic calendar)"
            ),
        ),
        (
            Date("Opened on"),
            "1899-12-30",
            None,
            (
                "Opened on must be between the years 1900 and 2100: '1899-12-30'"
                " (the number 0, as of a formula that points at a blank cell)"
            ),
        ),
        (
            Date("Opened on"),
            "1/0/1900",
            None,
            (
                "Opened on is not in the calendar: '1/0/1900'"
                " (the number 0, as of a formula that points at a blank cell)"
            ),
        ),
        (Text("Name"), "#####", None, "The column of Name is too narrow: #####"),
        (
            Date("Opened on"),
            "03/04/26",
            "en_AU",
            "Opened on is not a date: '03/04/26' (write the year with four digits)",
        ),
        (
            Date("Opened on"),
            "2026-04-03 09:30",
            None,
            "Opened on is not a date: '2026-04-03 09:30' (write it without a time of day)",
        ),
        (Date("Opened on"), "2026-02-30", None, "Opened on is not in the calendar: '2026-02-30'"),
        (Time("Start"), "noon", None, "Start is not a time of day: 'noon'"),
        (
            Url("Website"),
            "www.example.org",
            None,
            "Website is not a web address: 'www.example.org' (put https:// in front)",
        ),
        (Currency("Currency"), "$", None, "Currency must be a currency code such as AUD: '$'"),
    ],
)
def test_a_sentence_says_what_is_wrong(
    field: Field, text: str, locale: str | None, sentence: str
) -> None:
    convention = Convention(locale=locale)
    ((_, code),) = answers(field, [text], convention)
    assert code is not None
    assert field.explain(code, text, convention) == sentence


def test_a_required_field_names_itself() -> None:
    assert Text("Name", required=True).explain("required", "", HERE) == "Name is required"


def test_a_lazy_query_reads_each_cell_once() -> None:
    seen: list[str] = []

    class Listening(Text):
        def shortcuts(self, _convention: Convention) -> tuple[Shortcut, ...]:
            return (self.listen,)

        def listen(self, texts: pl.Series) -> pl.Series:
            seen.extend(texts)
            return texts

    texts = ["one", "two", "three"] * 10
    assert answers(Listening("Name"), texts) == [(text, None) for text in texts]
    assert sorted(seen) == sorted(texts)


# A convention


@pytest.mark.parametrize("locale", ["", "xx", "klingon", "en_XX", "de DE", "C", "../en"])
def test_an_unknown_locale_is_refused_at_once(locale: str) -> None:
    with pytest.raises(ValueError, match="is not a locale: write it like en_AU or de_DE"):
        Convention(locale=locale)


def test_an_unknown_country_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="'Oz' is not a country"):
        Convention(country="Oz")


def test_what_most_cells_are_read_with_is_loaded_ahead_of_them() -> None:
    warm_up()
    loaded = phones.plan.cache_info().misses
    Phone("Phone").shortcuts(Convention())
    assert phones.plan.cache_info().misses == loaded


# Properties


@given(
    field=st.sampled_from(FIELDS),
    texts=st.lists(TYPED, max_size=20),
    convention=st.sampled_from(CONVENTIONS),
)
def test_any_text_gives_a_value_or_a_code_with_its_sentence(
    field: Field, texts: list[str], convention: Convention
) -> None:
    cleaned = clean(pl.Series(texts, dtype=pl.String)).to_list()
    for text, (value, code) in zip(cleaned, answers(field, texts, convention), strict=True):
        nothing = text is None or field.may_say_nothing(text)
        assert (value is None) != (code is None) or nothing
        assert value is None or (value and not set(value) & {DELIMITER, QUOTE})
        if code is not None and text is not None:
            assert code in CELL_CODES
            assert field.explain(code, text, convention).isprintable()


@given(
    field=st.sampled_from(FIELDS),
    texts=st.lists(TYPED, max_size=20),
    convention=st.sampled_from(CONVENTIONS),
)
def test_a_value_is_read_as_itself(field: Field, texts: list[str], convention: Convention) -> None:
    neutral = Convention(convention.country)
    for value, code in answers(field, texts, convention):
        if code is None and value is not None:
            assert set(shortcut(field.shortcuts(neutral), value)) <= {value}
            assert field.parse(value, neutral) == value


@given(
    field=st.sampled_from(FIELDS),
    text=TYPED.filter(bool),
    convention=st.sampled_from(CONVENTIONS),
)
def test_a_shortcut_agrees_with_the_long_way(
    field: Field, text: str, convention: Convention
) -> None:
    for value in shortcut(field.shortcuts(convention), text):
        assert field.parse(text, convention) == value


PLANNED = "AU NZ GB IE US CA DE FR IT IN IL CO LT".split()


@given(country=st.sampled_from(PLANNED), data=st.data())
def test_plain_phone_numbers_are_read_as_the_library_reads_them(
    country: str, data: st.DataObject
) -> None:
    plan = phones.plan(country)
    assert plan is not None
    in_plan = st.from_regex(f"(?:{plan.numbers})", fullmatch=True)
    number = data.draw(in_plan | st.from_regex("[0-9]{4,12}", fullmatch=True))
    start = data.draw(st.sampled_from([plan.prefix, plan.code, "", plan.code + plan.prefix]))
    for value in shortcut(Phone("Phone").shortcuts(Convention(country)), start + number):
        assert phones.e164(start + number, country) == value


@pytest.mark.parametrize("country", PLANNED)
def test_the_shortcut_knows_the_countrys_example_numbers(country: str) -> None:
    plan, example = phones.plan(country), phonenumbers.example_number(country)
    assert plan is not None
    assert example is not None
    full = f"{plan.code}{phonenumbers.national_significant_number(example)}"
    for typed in (full, full.replace(plan.code, plan.prefix), f"({full[:-4]}) {full[-4:]}"):
        assert set(shortcut(Phone("Phone").shortcuts(Convention(country)), typed)) == {full}


@given(number=st.from_regex(r"\+[0-9]{7,14}", fullmatch=True))
def test_foreign_phone_numbers_are_read_as_the_library_reads_them(number: str) -> None:
    for value in shortcut(Phone("Phone").shortcuts(HERE), number):
        assert phones.e164(number, "AU") == value
