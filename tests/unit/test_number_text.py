"""Number formats of workbooks: what people see of the number under a cell."""

import pytest

from sync_core.catalogue.fields import Convention
from sync_core.catalogue.source import NumberFormat
from sync_core.sources.files.xlsx.number_format import BUILT_IN, CellFormat
from sync_core.sources.files.xlsx.number_text import shown

HERE, GERMANY = Convention(), Convention(locale="de_DE")

SHOWN = [
    ("General", 95.5, "95.5"),
    ("General", 0.1 + 0.2, "0.3"),
    ("General", -3.0, "-3"),
    ("General", 0.00001, "0.00001"),
    ("General", 61412345678.0, "61412345678"),
    ("General", 1e20, "1E+20"),
    ("0", 2.5, "3"),
    ("00000", 2139, "02139"),
    ("#", 0, "0"),
    ("0.##", 5.5, "5.5"),
    (".00", 0.5, ".50"),
    ("#,##0", 0, "0"),
    ("#,##0.00", 1234567.895, "1,234,567.90"),
    ("0.00", -12.3, "-12.30"),
    ("+0;-0;zero", 0, "zero"),
    ("+0;-0", 5, "+5"),
    ("0,", 12345, "12"),
    ('0.0,,"M"', 12345678, "12.3M"),
    ("0%", 0.125, "13%"),
    ("0.0 %", 0.125, "12.5 %"),
    ("0.00E+00", 12345, "1.23E+04"),
    ("0.0E-0", 0.00012, "1.2E-4"),
    ("0000 000 000", 412345678, "0412 345 678"),
    ("[<=9999999]###-####;(###) ###-####", 5551234, "555-1234"),
    ("[<=9999999]###-####;(###) ###-####", 4155551234, "(415) 555-1234"),
    (BUILT_IN[7], -1234.5, "($1,234.50)"),
    (BUILT_IN[44], 0, "$-"),
    (BUILT_IN[44], 12, "$12.00"),
    ("[$€-407] #,##0.00", 5, "€ 5.00"),
    (r"#,##0.00\ [$€-1]", 5, "5.00 €"),
    ('"AUD" #,##0;[Red]-"AUD" #,##0', -5, "-AUD 5"),
    ("@", 5, "5"),
    ('"yes";"yes";"no"', 1, "yes"),
    ("yyyy-mm-dd", 46090, "2026-03-09"),
    ("d/m/yy", 46090, "9/3/26"),
    ("dd/mm/yyyy;@", 46090, "09/03/2026"),
    ("[$-F800]dddd, mmmm dd, yyyy", 46090, "Monday, March 09, 2026"),
    ("ddd d mmm yyyy", 46090, "Mon 9 Mar 2026"),
    ("h:mm", 0.2708333333333333, "6:30"),
    ("h:mm AM/PM", 0.75, "6:00 PM"),
    ("hh:mm:ss a/p", 0.0, "12:00:00 A"),
    ("h:mm", 0.39999999999999997, "9:36"),
    ("mm:ss.0", 61.25 / 86_400, "01:01.3"),
    ("[h]:mm:ss", 30.25 / 24, "30:15:00"),
    ("[mm]:ss", 2 / 24, "120:00"),
    ("yyyy-mm-dd h:mm", 46090.5, "2026-03-09 12:00"),
    (r"d\.m\.yyyy h\hmm", 46090.25, "9.3.2026 6h00"),
    ("yyyy-mm-dd", -5, "########"),
    ("yyyy-mm-dd", 3_000_000, "########"),
]


@pytest.mark.parametrize(("code", "number", "text"), SHOWN)
def test_a_number_is_written_as_people_see_it(code: str, number: float, text: str) -> None:
    assert shown(float(number), CellFormat(code), HERE) == text


@pytest.mark.parametrize(
    ("code", "number", "text"),
    [("# ?/?", 1.5, "1.5"), (";;;", 95, "95"), ("0;-0;", 0, "0"), ("", 12.5, "12.5")],
)
def test_what_a_format_hides_is_written_plainly(code: str, number: float, text: str) -> None:
    assert shown(float(number), CellFormat(code), HERE) == text


def test_marks_are_those_of_the_locale() -> None:
    assert shown(1234.5, CellFormat("#,##0.00"), GERMANY) == "1.234,50"
    assert shown(0.5, CellFormat("General"), GERMANY) == "0,5"


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("General", NumberFormat.NUMBER),
        ("#,##0.00_);[Red](#,##0.00)", NumberFormat.NUMBER),
        ("@", NumberFormat.TEXT),
        ("0.0%", NumberFormat.PERCENT),
        ("0.00E+00", NumberFormat.SCIENTIFIC),
        (BUILT_IN[44], NumberFormat.CURRENCY),
        ("[$€-407] #,##0.00", NumberFormat.CURRENCY),
        ('#,##0.00 "CHF"', NumberFormat.CURRENCY),
        ("dd/mm/yyyy;@", NumberFormat.DATE),
        ("mmm-yy", NumberFormat.DATE),
        ("h:mm", NumberFormat.TIME),
        ("mm:ss.0", NumberFormat.TIME),
        ("m/d/yy h:mm", NumberFormat.DATE_TIME),
        ("[h]:mm", NumberFormat.DURATION),
        ('0 "days"', NumberFormat.NUMBER),
        ("[Red]0", NumberFormat.NUMBER),
        ("[$-409]0.0", NumberFormat.NUMBER),
    ],
)
def test_a_format_tells_what_it_shows(code: str, kind: NumberFormat) -> None:
    assert CellFormat(code).shows == kind
