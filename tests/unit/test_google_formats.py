"""What Google's number formats show, and when the text of a cell tells enough without them."""

import pytest

from sync_core.catalogue.fields import Convention
from sync_core.sources.google.evidence import contradicts, mismatch, tells
from sync_core.sources.google.number_formats import Format

ENGLISH, GERMAN = Convention(locale="en_US"), Convention(locale="de_DE")


@pytest.mark.parametrize(
    ("told", "shows"),
    [
        (Format(), "number"),
        (Format("NUMBER", "#,##0.00"), "number"),
        (Format("NUMBER", "General"), "number"),
        (Format("TEXT", "@"), "text"),
        (Format("PERCENT"), "percent"),
        (Format("NUMBER", "0.00%"), "percent"),
        (Format("CURRENCY", '"$"#,##0.00'), "currency"),
        (Format("NUMBER", "[$€-407]#,##0.00"), "currency"),
        (Format("CURRENCY", "#,##0.00"), "currency"),
        (Format("NUMBER", '#,##0.00" kr."'), "number"),
        (Format("SCIENTIFIC", "0.00E+00"), "scientific"),
        (Format("NUMBER", "##0.0E+0"), "scientific"),
        (Format("DATE"), "date"),
        (Format("DATE", "yyyy-mm-dd"), "date"),
        (Format("NUMBER", "ddd d. mmmm"), "date"),
        (Format("TIME", "h:mm am/pm"), "time"),
        (Format("DATE", "[h]:mm"), "duration"),
        (Format("NUMBER", "[hh]:mm:ss"), "duration"),
        (Format("TIME", "[mm]:ss"), "duration"),
        (Format("DATE_TIME", "d/m/yyyy h:mm:ss"), "date_time"),
        (Format("NUMBER", "[Red][<0]-0;0"), "number"),
        (Format("DATE", '"Q"0'), "number"),
    ],
)
def test_a_pattern_tells_more_than_its_type(told: Format, shows: str) -> None:
    assert told.shows == shows


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1001", 1001),
        ("1,001", 1001),
        ("1,001.50", 1001.5),
        ("95.65", 95.65217391304348),
        ("6", 5.5),
        ("$1,500.00", 1500),
        ("AUD 95.50", 95.5),
        ("12%", 0.12),
        ("38%", 0.375),
        ("1.23E+17", 123_456_789_012_345_678),
        ("-5", -5),
        ("(5.00)", -5),
        ("0", 0),
        ("007", 7),
        ("5/10/2024", 45_422),
        ("2024-05-10", 45_422),
        ("10-May", 45_422),
        ("Friday, May 10, 2024", 45_422.75),
        ("5/10/24", 45_422),
        ("12:00", 0.5),
        ("9:00 AM", 45_292.375),
        ("1/1/2024 9:00", 45_292.375),
        ("30:15:00", 1.2604166666666667),
        ("5/10/2024", 45_421.9999999),
    ],
)
def test_a_text_that_shows_its_own_number_needs_no_format(text: str, number: float) -> None:
    assert tells(ENGLISH, text, number)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("10.05", 45_422),  # a date without its year
        ("5", 45_417),  # the day of a date alone
        ("9.30", 0.395833),  # a time with a dot
        ("2024", 45_422),
        ("Fri", 45_422),
        ("1.5K", 1500),
        ("5 kg", 5),
        ("yes", 1),
        ("95", 95_000),
        ("", 0),
        ("5/10/2024", 45_423),  # of another day
        ("2024-05-01", 20_240_501),  # a number that looks like a date
        ("1/2", 0.5),
        ("7", float("inf")),
        ("1" * 50, 1e49),
    ],
)
def test_a_text_that_may_show_several_things_needs_the_format(text: str, number: float) -> None:
    assert not tells(ENGLISH, text, number)


def test_marks_and_months_of_other_languages_are_known() -> None:
    assert tells(GERMAN, "1.234,50 €", 1234.5)
    assert tells(GERMAN, "10. Mai 2024", 45_422)
    assert tells(GERMAN, "10.05.2024", 45_422)
    assert not tells(GERMAN, "10.05", 45_422)


@pytest.mark.parametrize(
    ("text", "number", "form"),
    [
        ("95.65", 45_422, Format()),
        ("96", 95, Format("NUMBER", "0")),
        ("L1", 7, Format("NUMBER", "0")),
        ("12%", 0.13, Format("PERCENT", "0%")),
        ("$5.00", 6, Format("CURRENCY", '"$"#,##0.00')),
        ("5/10/2024", 45_423, Format("DATE", "m/d/yyyy")),
        ("5/10/2024", 45_423, Format("DATE")),
        ("", 5, Format()),
    ],
)
def test_a_number_that_cannot_be_shown_so_is_of_another_cell(
    text: str, number: float, form: Format
) -> None:
    assert contradicts(text, number, form)


@pytest.mark.parametrize(
    ("text", "number", "form"),
    [
        ("95", 95_000, Format("NUMBER", "0,")),
        ("1.5M", 1_500_000, Format("NUMBER", '0.0,,"M"')),
        ("1 1/2", 1.5, Format("NUMBER", "# ?/?")),
        ("5 of 3", 3, Format("NUMBER", '"5 of "0')),
        ("555-0123", 5_550_123, Format("NUMBER", "000-0000")),
        ("yes", 1, Format("NUMBER", '"yes";"no";"none"')),
        ("-", 0, Format("NUMBER", '#,##0;-#,##0;"-"')),
        ("", 0, Format("NUMBER", "0;-0;;@")),
        ("", 5, Format("NUMBER", ";;;")),
        ("", 5, Format("NUMBER", '""')),
        ("May 2024", 45_422, Format("DATE", "mmm yyyy")),
        ("Fri", 45_422, Format("DATE", "ddd")),
        ("9:00", 45_292.375, Format("TIME", "h:mm")),
        ("12/25/1899", -5, Format("DATE", "m/d/yyyy")),
        ("๑๐/๕/๒๐๒๔", 45_422, Format("DATE", "d/m/yyyy")),
        ("10/5/2567", 45_422, Format("DATE", "d/m/bbbb")),
    ],
)
def test_a_format_may_show_a_number_in_many_ways(text: str, number: float, form: Format) -> None:
    assert not contradicts(text, number, form)


@pytest.mark.parametrize(
    ("texts", "values", "place"),
    [
        (["a", "b"], ["a", "b"], None),
        (["a", "5"], ["a", 5], None),
        (["a"], ["a", 5, True], None),  # hidden by their formats
        (["No 7"], ["7"], None),
        (["a", "b"], ["a"], 1),
        (["a", "b"], ["b", "c"], 0),
        (["a"], ["a", "b"], 1),
        (["a", ""], ["a", "b"], 1),
        (["a", "b"], ["a", ""], 1),
        ([], ["a"], 0),
    ],
)
def test_a_text_over_another_text_or_over_nothing_is_no_pair(
    texts: list[str], values: list[object], place: int | None
) -> None:
    assert mismatch(texts, values) == place
