"""Whatever stands in a workbook: it is read as openpyxl wrote it, or refused in a sentence."""

import io
import re
import tempfile
import zipfile
from contextlib import suppress
from datetime import date, datetime, time
from math import isclose

from hypothesis import example, given, settings
from hypothesis import strategies as st
from openpyxl.utils.datetime import to_excel

from sync_core.catalogue.fields import Convention
from sync_core.catalogue.source import Page
from sync_core.foundation.errors import SyncError
from sync_core.sources.files.workbook import WorkbookSheet, open_workbook
from sync_core.sources.files.xlsx.number_format import BUILT_IN, CellFormat
from sync_core.sources.files.xlsx.number_text import shown
from tests.support.cells import CONVENTIONS
from tests.support.sources import LOCATIONS
from tests.support.workbooks import SHEET, in_memory, only_page, parts, workbook

HEADERS = ["Name", "City", "Opened"]
WRITABLE = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=40)
CELLS = st.one_of(
    st.none(),
    st.booleans(),
    WRITABLE.filter(lambda text: not text.startswith("=") and not re.search("_x....", text)),
    st.integers(-(10**15) + 1, 10**15 - 1),
    st.floats(-1e300, 1e300),
    st.dates(date(1900, 3, 1), date(9999, 12, 31)),
    st.times().map(lambda moment: moment.replace(microsecond=0)),
    st.datetimes(datetime(1900, 3, 1), datetime(9999, 12, 31)),  # noqa: DTZ001 - it knows no zones
)
CODES = st.one_of(
    st.sampled_from(list(BUILT_IN.values())),
    st.text('0#?.,%E+-;@[]$\\"_*/ymdhs AP/€<>=()g', max_size=30),
    st.text(max_size=12),
)
NUMBERS = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False), st.integers(-100_000, 100_000).map(float)
)


def opened(content: bytes) -> WorkbookSheet:
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the sheet closes it
    file.write(content)
    file.flush()
    return open_workbook(file, LOCATIONS, name="It", title="It")


def read_all(content: bytes) -> None:
    """Read whatever is there: a damage may leave no row, and so no page."""
    sheet = opened(content)
    list(sheet.pages(frozenset(range(len(sheet.headers)))))


def agrees(value: object, page: Page, place: int, column: int) -> bool:
    """Return whether a cell is read as it was written."""
    text, number = page.texts[column][place], page.numbers[column][place]
    if isinstance(value, bool):
        return page.booleans[column][place] is value and text == str(value).upper()
    if isinstance(value, int | float):
        return isclose(number or 0, value, rel_tol=1e-14) and bool(text)
    if isinstance(value, date | time):
        return isclose(number or 0, to_excel(value), rel_tol=1e-12) and bool(text)
    return (text, number) == (value or None, None)


@settings(max_examples=50)
@given(st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1, max_size=8))
def test_what_openpyxl_writes_is_read(rows: list[tuple[object, ...]]) -> None:
    page = only_page(opened(in_memory(workbook(HEADERS, *rows))))
    found = dict(zip(page.rows, range(len(page.rows)), strict=True))
    for number, row in enumerate(rows, 2):
        if number not in found:  # openpyxl writes no rows without cells
            assert not any(value is not None for value in row)
            continue
        for column, value in enumerate(row):
            assert agrees(value, page, found[number], column), (value, number)


WHOLE = in_memory(workbook(HEADERS, ["Harbour", "Perth", date(2026, 3, 9)], ["Mill", None, 5.5]))


@given(st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.binary(max_size=6)), min_size=1))
def test_a_damaged_file_is_read_or_refused_in_a_sentence(damages: list[tuple[int, bytes]]) -> None:
    content = bytearray(WHOLE)
    for place, data in damages:
        content[place : place + len(data)] = data
    with suppress(SyncError):
        read_all(bytes(content))


XML = st.text("<>/=\" &;abcrvtsn0123456789\n'!-[]ABZ", max_size=12)
TEXTS = f'<sst xmlns="{SHEET}"><si><t>Name</t></si><si><r><t>Per</t></r><r><t>th</t></r></si></sst>'
MADE = parts(
    '<row r="1"><c r="A1" t="s"><v>0</v></c></row>'
    '<row r="2" hidden="1"><c r="A2" t="s"><v>1</v></c><c r="B2" s="1"><v>46090</v></c></row>',
    after='<mergeCells count="1"><mergeCell ref="A2:B2"/></mergeCells>',
    styles=f'<styleSheet xmlns="{SHEET}"><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs>'
    "</styleSheet>",
    sharedStrings=TEXTS,
)
PARTS = [name for name in MADE if name != "[Content_Types].xml"]


@given(st.sampled_from(PARTS), st.lists(st.tuples(st.floats(0, 1), XML), min_size=1, max_size=4))
def test_a_part_that_says_anything_is_read_or_refused_in_a_sentence(
    part: str, damages: list[tuple[float, str]]
) -> None:
    made = dict(MADE)
    for where, text in damages:
        place = int(where * len(made[part]))
        made[part] = made[part][:place] + text + made[part][place + len(text) :]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as package:
        for name, text in made.items():
            package.writestr(name, text)
    with suppress(SyncError):
        read_all(packed.getvalue())


@given(CODES, NUMBERS, st.sampled_from(CONVENTIONS))
@example("0." + "0" * 998, 1e308, Convention())
@example("0" + "%" * 999, 1e308, Convention())
@example("0" + "," * 999, 5e-324, Convention())
@example("[hhhhhhhh]:mm", 1e300, Convention())
@example("yyyy-mm-dd", float(10**17), Convention())
@example("E+", 5.0, Convention())
@example(".", 5.0, Convention())
def test_any_format_shows_any_number(code: str, number: float, convention: Convention) -> None:
    form = CellFormat(code)
    text = shown(number, form, convention)
    assert text.strip() == text != ""
    assert form.shows
