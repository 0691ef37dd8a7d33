"""CSV files of a folder: every row with its number, and a sentence where one cannot be read."""

import bz2
import csv
import gzip
import io
import lzma
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync_core import sources
from sync_core.catalogue.cell_codes import sentence
from sync_core.catalogue.fields import clean
from sync_core.catalogue.source import Page, RowFault, Sheet, Source
from sync_core.foundation.settings import Settings
from sync_core.sources import Opening
from sync_core.sources.files.csv_rows import CsvSheet, open_csv
from sync_core.sources.files.csv_text import LARGEST_ROW
from tests.support.sources import LOCATIONS, NONE, all_rows, refusal, rows_of, source_setting

CANNOT = "The file 'locations.csv' cannot be read:"
Opened = Callable[[str | bytes], Sheet]


@pytest.fixture
def opened(tmp_path: Path) -> Opened:
    def opened(content: str | bytes) -> Sheet:
        data = content.encode() if isinstance(content, str) else content
        (tmp_path / "locations.csv").write_bytes(data)
        return in_folder(tmp_path).open(LOCATIONS)

    return opened


def in_folder(folder: Path, locale: str | None = None) -> Source:
    setting = replace(source_setting("folder", ".", locale=locale), organization=folder.name)
    return sources.open_source(setting, Opening(settings=Settings(given_folders=folder.parent)))


def test_rows_carry_the_numbers_that_a_spreadsheet_shows(opened: Opened) -> None:
    sheet = opened('Code,Name\nL1,"North\nclinic"\n\nL2,South\n')
    assert sheet.headers == ["Code", "Name"]
    assert sheet.header_row == 1
    assert all_rows(sheet) == [(2, ["L1", "North\nclinic"]), (3, ["", ""]), (4, ["L2", "South"])]


@pytest.mark.parametrize(
    ("content", "cells"),
    [
        pytest.param("\ufeffA,B\n1,2\n", ["1", "2"], id="a mark of UTF-8"),
        pytest.param("A,B\r\n1,2\r\n", ["1", "2"], id="CRLF"),
        pytest.param("A,B\r1,2\r", ["1", "2"], id="CR"),
        pytest.param("A,B\n1,2", ["1", "2"], id="no last line end"),
        pytest.param("A,B\n1,2\r", ["1", "2"], id="a last CR alone"),
        pytest.param("A;B\n1,5;2\n", ["1,5", "2"], id="semicolons"),
        pytest.param('"A, a";B\n1;2\n', ["1", "2"], id="a comma inside a quoted header"),
        pytest.param("A\tB\n1\t2\n", ["1", "2"], id="tabs"),
        pytest.param('A,B\n"1\r\n2","x, y"\n', ["1\r\n2", "x, y"], id="a quoted line break"),
        pytest.param('A,B\n"say ""hi""",12" pipe\n', ['say "hi"', '12" pipe'], id="quotes inside"),
        pytest.param('A,B\n"",""""\n', ["", '"'], id="nothing but quotes"),
        pytest.param("A,B\n1\0,\0\n", ["1\0", "\0"], id="a NUL byte"),
        pytest.param("A,B\nœ,東京\n", ["œ", "東京"], id="any language"),
        pytest.param("A,B\n1\n", ["1", ""], id="a row shorter than the header"),
        pytest.param('A,B\n"1, 2" \t,"3" \n', ["1, 2 \t", "3 "], id="blanks after quotes"),
        pytest.param(f"A,B\n1,{'x' * 50_000}\n", ["1", "x" * 50_000], id="50,000 characters"),
        pytest.param('A,B\n1,"' + "x\n" * 2_500_000 + '"\n', ["1", "x\n" * 2_500_000], id="5 MB"),
        pytest.param(f"A,B\n1,{'x' * 200_000},\n", ["1", "x" * 200_000], id="large and ragged"),
    ],
)
def test_a_row_is_read_as_it_was_meant(opened: Opened, content: str, cells: list[str]) -> None:
    sheet = opened(content)
    assert len(sheet.headers) == 2
    assert all_rows(sheet) == [(2, cells)]


def test_a_row_with_surplus_cells_is_broken_but_its_key_can_be_read(opened: Opened) -> None:
    [page] = opened("Code,Name\nL1,North\nL2,South,5,\nL3\nL4,,\n").pages(NONE)
    assert page.broken == {
        row: RowFault("broken_row", {"cells": cells, "headers": 2}, sure=1)
        for row, cells in ((3, 4), (5, 3))
    }
    assert rows_of(page)[:2] == [(2, ["L1", "North"]), (3, ["L2", "South"])]


@pytest.mark.parametrize(
    ("content", "faults"),
    [
        ("A,B,C\n1,2", {2: "it has 2 cells"}),
        ("A,B,C\r\n1,2,3\r\n4", {3: "it has 1 cell,"}),
        ("A,B,C\r1,2,3\r4,5", {3: "it has 2 cells"}),
        ("A,B,C\n1\n4,5", {3: "it has 2 cells"}),
        ("A,B,C\n1,2\n", {}),
        ("A,B,C\n1,2\r", {}),
        ("A,B,C\n1,2,3\n ,", {}),
        ("A,B,C\n1,2,3", {}),
        ('A,B,C,D\n1,2,3,4\n5,"6', {}),
    ],
)
def test_a_last_line_that_is_short_and_has_no_end_is_cut_off(
    opened: Opened, content: str, faults: dict[int, str]
) -> None:
    if '"' in content:
        assert refusal(lambda: all_rows(opened(content))).code == "unclosed_quote"
        return
    found = {row: said for page in opened(content).pages(NONE) for row, said in told(page).items()}
    assert found.keys() == faults.keys()
    assert all(said in found[row] for row, said in faults.items())


def told(page: Page) -> dict[int, str]:
    """Return what is said of the rows that cannot be trusted."""
    return {row: sentence(fault.code, **fault.facts) for row, fault in page.broken.items()}


@pytest.mark.parametrize(
    ("lines", "row", "rows", "sure", "others"),
    [
        (['L2,"South,,,', "L3,East,,,", "L4,West,,,", 'L5,Wall 5",,,'], 3, "rows 4 to 6", 1, 3),
        (['"L2,South,,,', 'L3",East,,,'], 3, "row 4", 0, 1),
        (['L2,South,,,"yes', "L3,East,,,no", "", 'L4,,,,no"'], 3, "rows 4 to 6", 4, 3),
        (['L2,"South,,,', 'L3,East",,,,'], 3, "row 4", 1, 1),
        (['L2,"South,,,', 'L3,East",,'], 3, "row 4", 1, 1),
        (['L2,"12 Main St, Suite 4', 'Perth, WA, Australia",,,'], None, "", 0, 0),
        (['L2,South,"a, b, c,', 'd, e, f",,'], None, "", 0, 0),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_quote_that_swallows_rows_makes_its_row_untrustworthy(
    opened: Opened, lines: list[str], row: int | None, rows: str, sure: int, others: int, end: str
) -> None:
    lines = ["Code,Name,Address,City,Active", "L1,North,,,", *lines, "L9,Last,,,"]
    [page] = opened("".join(line + end for line in lines)).pages(NONE)
    fault = RowFault("swallowed_rows", {"rows": rows}, sure, others)
    assert page.broken == ({row: fault} if row else {})
    assert rows_of(page)[-1][1][:2] == ["L9", "Last"]


@pytest.mark.parametrize(
    ("torn", "place"),
    [
        ('L2,"North \\"A\\" East",,', 1),
        ('L2,"North" East,,', 1),
        ('L2,North,"12 Main St,', 2),
        ('L2,"North,"East",', 1),
        ('"L2","No"rth",,', 1),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("block", [7, 40, 4 * 2**20])
def test_a_quote_that_is_not_closed_properly_costs_its_row_alone(
    scratch: Path, torn: str, place: int, end: str, block: int
) -> None:
    lines = ["Code,Name,Address,City", "L1,North,,", torn, 'L3,"South, too",,']
    sheet = in_blocks(scratch, "".join(line + end for line in lines).encode(), block)
    pages = list(sheet.pages(NONE))
    assert {row: fault for page in pages for row, fault in page.broken.items()} == {
        3: RowFault("torn_quote", {}, sure=place)
    }
    rows = [row for page in pages for row in rows_of(page)]
    assert [number for number, _ in rows] == [2, 3, 4]
    assert rows[2][1] == ["L3", "South, too", "", ""]


def test_a_torn_quote_in_a_cell_of_several_lines_fails_the_file(opened: Opened) -> None:
    content = 'A,B,C,D\n1,"North \\"A\\"\nEast",3,4\n'
    assert refusal(lambda: all_rows(opened(content))).code == "unclosed_quote"
    content = 'A,B,C,D\n1,2,3,"North "A"\nEast"\n5,6,7,8\n'
    assert refusal(lambda: all_rows(opened(content))).code == "unclosed_quote"


def test_many_torn_quotes_are_read_in_few_pages(opened: Opened) -> None:
    content = "A,B,C,D\n" + "".join(f'{n},"5" pipe",,\n' for n in range(50_000))
    [page] = opened(content).pages(NONE)
    assert len(page.broken) == len(page.rows) == 50_000


@pytest.mark.parametrize("content", ["Code,Name", "Code,Name\r\n", "\ufeffCode,Name\n"])
def test_a_header_alone_gives_no_page(opened: Opened, content: str) -> None:
    sheet = opened(content)
    assert sheet.headers == ["Code", "Name"]
    assert list(sheet.pages(NONE)) == []


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "The file 'locations.csv' is empty: it has no header row."),
        ("\ufeff \r\n", "The file 'locations.csv' is empty: it has no header row."),
        ("A\n".encode("utf-16-le"), "The file 'locations.csv' is not in UTF-8: it is UTF-16."),
        (
            'A,B\n"1\n1",2\n3,Zoë\n'.encode("latin-1"),
            "The file 'locations.csv' is not in UTF-8: row 3 holds the byte 0xEB.",
        ),
        (
            "Straße\n".encode("cp1252"),
            "The file 'locations.csv' is not in UTF-8: row 1 holds the byte 0xDF.",
        ),
        (
            'A,B\n1,2\n"3\n4",5\n6,"7\n8,9\n',
            f"{CANNOT} a quote that opens in row 4 is not closed properly.",
        ),
        (
            'A,B\n1,"Smith\n2,"Jones"\n',
            f"{CANNOT} a quote that opens in row 2 is not closed properly.",
        ),
        (
            '"A,B\n1,2\n',
            f"{CANNOT} a quote that opens in row 1 is not closed properly.",
        ),
        (
            "A,B\n1,2\n3," + "x" * (LARGEST_ROW + 1) + "\n",
            f"{CANNOT} row 3 is larger than 16 MB.",
        ),
    ],
)
def test_what_is_no_csv_is_refused_in_a_sentence(
    opened: Opened, content: str | bytes, sentence: str
) -> None:
    assert refusal(lambda: all_rows(opened(content))).sentence == sentence


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("\n <!DOCTYPE HTML>\n<html>", "a web page"),
        ("\ufeff<table border=0><tr><td>Code</td></tr></table>", "a web page"),
        ("<!-- made by hand -->\n<body>", "a web page"),
        ('<?xml version="1.0"?>\n<html xmlns="http://www.w3.org/1999/xhtml">', "a web page"),
        ('<?xml version="1.0"?><rows><row/></rows>', "an XML document"),
        ("<feed><entry>L1</entry></feed>", "an XML document"),
        (
            (
                '<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?>'
                '<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet">'
            ),
            "an Excel workbook in XML",
        ),
        ('{"rows": []}', "JSON"),
        ('[\n  {"Code": "L1"}\n]', "JSON"),
        ('[["Code", "Name"]]', "JSON"),
        ('{"Code":"L1"}\n{"Code":"L2"}\n', "JSON"),
        (b"PK\x05\x06" + bytes(18), "an empty zip archive"),
        (gzip.compress(b"Code\nL1\n"), "a packed file (gzip)"),
        (lzma.compress(b"Code\nL1\n"), "a packed file (xz)"),
        (bz2.compress(b"Code\nL1\n"), "a packed file (bzip2)"),
        (b"%PDF-1.7\n", "a PDF document"),
        (b"\x89PNG\r\n\x1a\n", "a picture"),
    ],
)
def test_a_file_that_is_something_else_is_called_by_its_name(
    opened: Opened, content: str | bytes, what: str
) -> None:
    error = refusal(lambda: opened(content))
    assert error.sentence == f"The file 'locations.csv' is {what} instead of CSV."


@pytest.mark.parametrize("header", ["[Code],[Name]", "<CODE>,<NAME>", "{Code},{Name}", "BZ,Name"])
def test_a_header_in_brackets_is_a_header(opened: Opened, header: str) -> None:
    assert opened(f"{header}\nL1,North\n").headers == header.split(",")


def test_a_large_file_comes_in_pages_and_says_how_far_it_is(opened: Opened) -> None:
    content = "Code,Name\n" + "".join(f'L{n},"Clinic, {n}"\n' for n in range(200_000))
    sheet = opened(content)
    pages = list(sheet.pages(NONE))
    assert len(pages) > 1
    assert [row for page in pages for row in page.rows] == list(range(2, 200_002))
    assert rows_of(pages[-1])[-1] == (200_001, ["L199999", "Clinic, 199999"])
    done = [page.done or 0 for page in pages]
    assert done == sorted(done)
    assert done[-1] == sheet.total == len(content)
    assert sheet.unit == "bytes"


def test_reading_goes_on_after_a_cursor(opened: Opened, tmp_path: Path) -> None:
    sheet = opened("Code,Name\n" + "".join(f"L{n},Clinic {n}\n" for n in range(150_000)))
    first, *rest = sheet.pages(NONE)
    again = in_folder(tmp_path).open(LOCATIONS).pages(NONE, first.cursor)
    assert [row for page in again for row in rows_of(page)] == [
        row for page in rest for row in rows_of(page)
    ]


def test_a_cursor_of_another_file_is_refused(opened: Opened) -> None:
    [page] = opened("Code,Name\nL1,North\n").pages(NONE)
    other = opened("Code,Name\nL1,North clinic\n")
    assert refusal(lambda: list(other.pages(NONE, page.cursor))).code == (
        "source_changed_while_reading"
    )


@pytest.mark.parametrize(
    "change", ["Code\nL1\nL2\nL3\n", "Code\n", "Code\nL", 'Code\n"L1\nL2\n', "Code\nL\xe91\n"]
)
def test_a_file_that_changes_while_it_is_read_is_refused(
    opened: Opened, tmp_path: Path, change: str
) -> None:
    sheet = opened("Code\nL1\nL2\n")
    (tmp_path / "locations.csv").write_text(change, encoding="latin-1")
    error = refusal(lambda: list(sheet.pages(NONE)))
    assert error.sentence == "The file 'locations.csv' was changed while it was being read."
    assert error.entry.retry


def test_a_file_is_found_whatever_the_case_of_its_name(tmp_path: Path) -> None:
    (tmp_path / "Locations.CSV").write_text("Code\nL1\n")
    sheet = in_folder(tmp_path, locale="de_DE").open(LOCATIONS)
    assert (sheet.name, sheet.title) == ("The file 'Locations.CSV'", "Locations")
    assert sheet.locale == "de_DE"
    assert sheet.link(2, 0) is None


@pytest.mark.parametrize("cells", [100_000, 3_000_000])
@pytest.mark.parametrize("before", ["", "Code,Name\nL1,a\n", 'Code,Name\nL1,a\nL2,"b"c,'])
def test_a_row_of_endless_cells_is_refused_before_they_take_memory(
    tmp_path: Path, cells: int, before: str
) -> None:
    (tmp_path / "locations.csv").write_text(before + "a," * cells + "\n")
    tracemalloc.start()
    try:
        error = refusal(lambda: all_rows(in_folder(tmp_path).open(LOCATIONS)))
        assert tracemalloc.get_traced_memory()[1] < 150 * 2**20
    finally:
        tracemalloc.stop()
    assert error.sentence == (
        "The file 'locations.csv' is not read: a row has more than 16,384 cells."
    )


def in_blocks(folder: Path, data: bytes, block: int) -> CsvSheet:
    (folder / "any.csv").write_bytes(data)
    return open_csv((folder / "any.csv").open("rb"), LOCATIONS, name="It", block=block)


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("scratch")


CELLS = st.text(st.sampled_from('ab",;\n\r é') | st.characters(exclude_categories=["Cs"]))
TABLES = st.integers(1, 4).flatmap(
    lambda width: st.lists(st.lists(CELLS, min_size=width, max_size=width), max_size=8)
)


@given(TABLES, st.sampled_from(["excel", "unix"]), st.integers(1, 40))
def test_what_the_csv_module_writes_is_read_back(
    scratch: Path, table: list[list[str]], dialect: str, block: int
) -> None:
    width = len(table[0]) if table else 1
    header = [f"H{number}" for number in range(width)]
    text = io.StringIO()
    csv.writer(text, dialect=dialect).writerows([header, *table])
    sheet = in_blocks(scratch, text.getvalue().encode(), block)
    assert sheet.headers == header
    assert all_rows(sheet) == list(enumerate(table, 2))


@given(st.lists(st.text(st.sampled_from("a' \t\xa0\u200bé\x7f~")), min_size=1))
def test_a_column_that_is_said_to_be_tidy_is_left_as_it_is_by_cleaning(
    scratch: Path, cells: list[str]
) -> None:
    text = io.StringIO()
    csv.writer(text).writerows([["H", "plain"], *([cell, "an 'a'."] for cell in cells)])
    [page] = in_blocks(scratch, text.getvalue().encode(), LARGEST_ROW).pages(NONE)
    assert 1 in page.tidy
    for index in page.tidy:
        column = pl.Series(page.texts[index], dtype=pl.String)
        assert clean(column).equals(clean(column, tidy=True))


@given(st.text(st.sampled_from('a",\n\r'), max_size=40), st.integers(1, 40))
def test_any_text_is_read_as_the_csv_module_reads_it_or_refused_as_it_refuses(
    scratch: Path, text: str, block: int
) -> None:
    text = "h,h\n" + text
    try:
        _, *expected = csv.reader(io.StringIO(text, newline=""), strict=True)
    except csv.Error:
        refused = refusal(lambda: all_rows(in_blocks(scratch, text.encode(), block)))
        assert refused.code == "unclosed_quote"
        return
    sheet = in_blocks(scratch, text.encode(), block)
    padded = [[*cells, "", ""][:2] for cells in expected]
    broken = {row for row, cells in enumerate(expected, 2) if len(cells) > 2}
    if expected and text[-1] not in "\r\n" and len(expected[-1]) == 1 and expected[-1][0].strip():
        broken.add(len(expected) + 1)
    pages = list(sheet.pages(NONE))
    assert [row for page in pages for row in rows_of(page)] == list(enumerate(padded, 2))
    assert {row for page in pages for row in page.broken} == broken
