"""Workbooks: typed cells as people see them, which tab, what stands beside, and damage."""

import tracemalloc
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from sync_core.catalogue.fields import Convention, Date, NumberCell
from sync_core.catalogue.fields.cells import CellError
from sync_core.catalogue.resource import Entity
from sync_core.catalogue.resources.locations import LOCATIONS as RESOURCE
from sync_core.catalogue.source import NumberFormat
from sync_core.foundation.errors import SyncError
from sync_core.sources.files import workbook as workbooks
from sync_core.sources.files.file_types import OLE
from sync_core.sources.files.xlsx import package
from sync_core.sources.files.xlsx import parts as xlsx_parts
from tests.support import bombs
from tests.support.sources import NONE, all_rows, refusal
from tests.support.workbooks import (
    SHEET,
    first_column,
    in_memory,
    only_page,
    opened,
    packed,
    parts,
    saved,
    workbook,
)

HIDDEN = "are hidden or filtered out, but read all the same"
NOON = datetime(2026, 3, 9, 12)  # noqa: DTZ001 - a workbook knows no zones
HEADER = '<row r="1"><c r="A1" t="inlineStr"><is><t>Name</t></is></c></row>'
STYLES = (
    f'<styleSheet xmlns="{SHEET}"><numFmts><numFmt numFmtId="164" formatCode="00000"/></numFmts>'
    '<cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="164"/></cellXfs></styleSheet>'
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "locations.xlsx"


def cell(value: object, file: Path, number_format: str | None = None) -> dict[str, Any]:
    """Return what a page says of one cell."""
    book = workbook(["Name"], [value])
    if number_format:
        book.active["A2"].number_format = number_format
    page = only_page(opened(saved(book, file)))
    return {
        "text": page.texts[0][0],
        "number": page.numbers[0][0],
        "format": page.formats[0][0],
        "boolean": page.booleans[0][0] if 0 in page.booleans else None,
    }


@pytest.mark.parametrize(
    ("value", "number_format", "text", "number", "shows"),
    [
        ("Zoë", None, "Zoë", None, None),
        ("02139", None, "02139", None, None),
        (2139, "00000", "02139", 2139, NumberFormat.NUMBER),
        (12.5, None, "12.5", 12.5, NumberFormat.NUMBER),
        (0.125, "0.0%", "12.5%", 0.125, NumberFormat.PERCENT),
        (1234.5, '"$"#,##0.00', "$1,234.50", 1234.5, NumberFormat.CURRENCY),
        (date(2026, 3, 9), None, "2026-03-09", 46090, NumberFormat.DATE),
        (date(2026, 3, 9), "d/m/yyyy", "9/3/2026", 46090, NumberFormat.DATE),
        (date(1900, 1, 1), "d/m/yyyy", "1/1/1900", 2, NumberFormat.DATE),
        (NOON, None, "2026-03-09 12:00:00", 46090.5, NumberFormat.DATE_TIME),
        (time(6, 30), None, "6:30:00", 6.5 / 24, NumberFormat.TIME),
        (timedelta(hours=30), None, "30:00:00", 1.25, NumberFormat.DURATION),
        (0, "d/m/yyyy", "1900-01-00", None, NumberFormat.DATE),
        ("#REF!", None, "#REF!", None, None),
    ],
)
def test_a_cell_is_read_as_people_see_it_with_what_is_under_it(
    value: object,
    number_format: str | None,
    text: str,
    number: float | None,
    shows: NumberFormat | None,
    file: Path,
) -> None:
    found = cell(value, file, number_format)
    assert found["text"] == text
    assert found["number"] == pytest.approx(number)
    assert found["format"] == shows


@pytest.mark.parametrize("value", [True, False])
def test_a_truth_value_is_no_number(value: bool, file: Path) -> None:  # noqa: FBT001 - the cell
    found = cell(value, file)
    assert found == {
        "text": str(value).upper(),
        "number": None,
        "format": None,
        "boolean": value,
    }


def test_dates_of_a_1904_workbook_are_the_days_that_people_see(file: Path) -> None:
    book = workbook(["Name"])
    book.epoch = CALENDAR_MAC_1904
    book.active.append([datetime(2026, 3, 9)])  # noqa: DTZ001 - a workbook knows no zones
    page = only_page(opened(saved(book, file)))
    assert page.texts[0] == ["2026-03-09 0:00:00"]
    assert page.numbers[0] == [46090]


def test_the_number_0_of_a_1904_workbook_is_nobodys_day(file: Path) -> None:
    book = workbook(["Opened on"], [0])
    book.epoch = CALENDAR_MAC_1904
    book.active["A2"].number_format = "yyyy-mm-dd"
    page = only_page(opened(saved(book, file)))
    assert (page.texts[0], page.numbers[0]) == (["1904-01-01"], [0])
    cell = NumberCell(0, "1904-01-01", NumberFormat.DATE)
    with pytest.raises(CellError, match="out_of_range"):
        Date("Opened on").parse_number(cell, Convention())


def test_rich_texts_are_read_without_their_formats_and_reading_aids(file: Path) -> None:
    rich = CellRichText("Mel", TextBlock(InlineFont(b=True), "bourne"))
    assert first_column(saved(workbook(["Name"], [rich]), file)) == ["Melbourne"]
    texts = (
        f'<sst xmlns="{SHEET}"><si><r><t>東</t></r><r><t xml:space="preserve">京 </t></r>'
        "<rPh><t>トウキョウ</t></rPh></si></sst>"
    )
    made = parts(HEADER + '<row r="2"><c r="A2" t="s"><v>0</v></c></row>', sharedStrings=texts)
    assert first_column(packed(made, file)) == ["東京 "]


def test_escaped_characters_are_read_as_what_they_stand_for(file: Path) -> None:
    escaped = "a_x000D_b_x005F_x0041_ _xD83D__xDE00_"
    row = f'<row r="2"><c r="A2" t="inlineStr"><is><t>{escaped}</t></is></c></row>'
    assert first_column(packed(parts(HEADER + row), file)) == ["a\rb_x0041_ 😀"]


def test_a_formula_is_its_value_and_one_without_a_value_is_a_reason_not_a_blank(
    file: Path,
) -> None:
    rows = (
        '<row r="2"><c r="A2"><f>1+1</f><v>2</v></c></row>'
        '<row r="3"><c r="A3"><f>1+1</f></c></row>'
        '<row r="4"><c r="A4" t="str"><f>""</f><v></v></c></row>'
        '<row r="5"><c r="A5" t="e"><f>1/0</f><v>#DIV/0!</v></c></row>'
    )
    page = only_page(opened(packed(parts(HEADER + rows), file)))
    assert page.texts[0] == ["2", workbooks.SHOWN, None, "#DIV/0!"]
    assert page.uncalculated == {(3, 0)}


def test_a_workbook_that_no_spreadsheet_program_has_calculated_tells_of_each_formula(
    file: Path,
) -> None:
    page = only_page(opened(saved(workbook(["Name"], ["=1+1"], ["plain"]), file)))
    assert page.texts[0] == [workbooks.SHOWN, "plain"]
    assert page.uncalculated == {(2, 0)}


def test_rows_keep_their_numbers_and_cells_their_columns(file: Path) -> None:
    rows = (
        '<row r="1"><c r="B1" t="str"><v>Name</v></c><c r="D1" t="str"><v>City</v></c></row>'
        '<row r="4"><c r="D4" t="str"><v>Perth</v></c></row>'
        '<row><c t="str"><v>first</v></c><c t="str"><v>second</v></c></row>'
    )
    sheet = opened(packed(parts(rows), file))
    assert sheet.headers == ["", "Name", "", "City"]
    assert all_rows(sheet) == [(4, ["", "", "", "Perth"]), (5, ["first", "second", "", ""])]


def test_the_header_is_found_below_a_title(file: Path) -> None:
    [entity] = RESOURCE.entities
    labels = [field.label for field in entity.fields]
    book = workbook(["Our clinics"], [], labels, ["Perth"])
    sheet = opened(saved(book, file), entity)
    assert (sheet.header_row, list(sheet.headers)) == (3, labels)
    assert next(iter(sheet.pages(NONE))).rows == [4]


def test_the_header_row_can_be_told(file: Path) -> None:
    path = saved(workbook(["Title"], ["Name"], ["Perth"]), file)
    assert opened(path, header_row=2).headers == ["Name"]
    assert refusal(lambda: opened(path, header_row=9)).code == "no_header_row"


def test_elements_with_a_prefix_are_read_as_others(file: Path) -> None:
    made = parts("")
    made["xl/worksheets/sheet1.xml"] = (
        f'<x:worksheet xmlns:x="{SHEET}"><x:sheetData><x:row r="1"><x:c r="A1" t="str"><x:v>Name'
        "</x:v></x:c></x:row><x:row><x:c><x:v>5</x:v></x:c></x:row></x:sheetData></x:worksheet>"
    )
    assert first_column(packed(made, file)) == ["5"]


def test_dates_by_iso_8601_are_days(file: Path) -> None:
    rows = (
        '<row r="2"><c r="A2" s="1" t="d"><v>2026-03-09</v></c></row>'
        '<row r="3"><c r="A3" t="d"><v>2026-03-09T12:00:00</v></c></row>'
        '<row r="4"><c r="A4" t="d"><v>tomorrow</v></c></row>'
    )
    page = only_page(opened(packed(parts(HEADER + rows, styles=STYLES), file)))
    assert page.numbers[0] == [46090, 46090.5, None]
    assert page.texts[0] == ["2026-03-09", "2026-03-09 12:00", "tomorrow"]
    assert page.formats[0] == [NumberFormat.DATE, NumberFormat.DATE_TIME, None]


@pytest.mark.parametrize("value", ["abc", "1_000", "nan", "1e999", "9" * 50])
def test_what_is_no_number_stays_a_text(value: str, file: Path) -> None:
    rows = f'{HEADER}<row r="2"><c r="A2"><v>{value}</v></c></row>'
    page = only_page(opened(packed(parts(rows), file)))
    assert (page.texts[0], page.numbers[0]) == ([value], [None])


# Which tab


def tabs(*titles: str) -> Workbook:
    book = workbook(["Name"], [titles[0]], title=titles[0])
    for title in titles[1:]:
        sheet = book.create_sheet(title)
        sheet.append(["Name"])
        sheet.append([title])
    return book


@pytest.mark.parametrize(
    ("titles", "wanted", "found"),
    [
        (["Other"], None, "Other"),
        (["Other", "Locations"], None, "Locations"),
        (["LOCATIONS ", "Locations"], None, "Locations"),
        (["Other", " LOCATIONS"], None, " LOCATIONS"),
        (["Locations", "Clinics"], "clinics", "Clinics"),
    ],
)
def test_a_tab_is_found_by_its_title(
    titles: list[str], wanted: str | None, found: str, file: Path
) -> None:
    sheet = opened(saved(tabs(*titles), file), tab=wanted)
    assert sheet.title == found
    assert all_rows(sheet) == [(2, [found])]


def test_a_missing_tab_is_named_with_those_that_there_are(file: Path) -> None:
    path = saved(tabs("January", "February"), file)
    error = refusal(lambda: opened(path))
    assert error.sentence == (
        "'locations.xlsx' has no tab 'Locations'; it has 'January', 'February'."
    )


def test_several_tabs_that_may_be_meant_are_refused(file: Path) -> None:
    path = saved(tabs("LOCATIONS", "locations "), file)
    assert refusal(lambda: opened(path)).sentence == (
        "'locations.xlsx' has several tabs that may be 'Locations': 'LOCATIONS', 'locations '."
    )


def test_the_only_tab_that_people_see_is_read_and_a_hidden_one_is_noted(file: Path) -> None:
    book = tabs("Lists", "Clinics")
    book["Lists"].sheet_state = "hidden"
    assert opened(saved(book, file)).title == "Clinics"
    sheet = opened(file, tab="Lists")
    assert sheet.notes == ["Lists: the tab is hidden; it was read all the same."]


# What stands beside


def test_hidden_rows_merged_cells_and_cells_outside_are_noted(file: Path) -> None:
    book = workbook(["Title"], ["Name", "City"], *([f"Clinic {i}", "Perth"] for i in range(3, 42)))
    sheet = book.active
    sheet.merge_cells("A1:B1")
    sheet.merge_cells("B3:B4")
    for row in range(4, 30):
        sheet.row_dimensions[row].hidden = True
    sheet["D7"] = "a remark"
    found = opened(saved(book, file), header_row=2)
    assert list(found.pages(NONE))
    assert found.notes == [
        f"Locations: 26 rows {HIDDEN}: {', '.join(map(str, range(4, 24)))} and 6 more.",
        "Locations: 1 range is merged, and only the first cell of each holds a value: B3:B4.",
        "Locations: 1 cell is to the right of the last header, and ignored: D7.",
    ]


def test_notes_are_the_same_before_the_rows_are_read(file: Path) -> None:
    book = workbook(["Name"], ["Perth"])
    book.active.row_dimensions[2].hidden = True
    sheet = opened(saved(book, file))
    before = sheet.notes
    assert len(list(sheet.pages(NONE))) == 1
    assert sheet.notes == before != []


# Pages


def test_reading_goes_on_after_a_page(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbooks, "PAGE_ROWS", 2)
    path = saved(workbook(["Name"], *([f"Clinic {i}"] for i in range(2, 7))), file)
    first, *rest = opened(path, lasting=True).pages(NONE)
    again = list(opened(path, lasting=True).pages(NONE, first.cursor))
    assert [page.texts for page in again] == [page.texts for page in rest]
    assert [list(page.rows) for page in again] == [[4, 5], [6]]
    assert again[-1].done == opened(path).total


def test_a_file_that_is_saved_while_it_is_read_is_no_table(file: Path) -> None:
    sheet = opened(saved(workbook(["Name"], ["Perth"]), file))
    pages = sheet.pages(NONE)
    file.write_bytes(file.read_bytes() + b"more")
    assert refusal(lambda: list(pages)).code == "source_changed_while_reading"


def test_memory_stays_flat_over_many_rows(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbooks, "PAGE_ROWS", 500)
    rows = "".join(
        f'<row r="{i}"><c r="A{i}" t="str"><v>Clinic {i}</v></c><c r="B{i}"><v>5</v></c></row>'
        for i in range(2, 20_002)
    )
    sheet = opened(packed(parts(HEADER + rows), file))
    tracemalloc.start()
    count = sum(len(page.rows) for page in sheet.pages(NONE))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 20_000
    assert peak < 3 * 2**20


# What is no workbook, and what means harm


@pytest.mark.parametrize(
    ("made", "code", "words"),
    [
        ({"mimetype": "x", "content.xml": ""}, "not_a_workbook", "an OpenDocument sheet (.ods)"),
        ({"xl/workbook.bin": ""}, "not_a_workbook", "a binary Excel workbook (.xlsb)"),
        ({"word/document.xml": ""}, "not_a_workbook", "a Word document"),
        ({"a.txt": "a"}, "not_a_workbook", "a zip archive, but no workbook"),
        ({"[Content_Types].xml": ""}, "damaged_workbook", "its part _rels/.rels is missing"),
    ],
)
def test_another_kind_of_file_is_named(
    made: Mapping[str, str], code: str, words: str, file: Path
) -> None:
    error = refusal(lambda: opened(packed(made, file)))
    assert error.code == code
    assert words in error.sentence


def old_file(stream: str) -> bytes:
    """Return the beginning of a file of the form in which XLS was kept."""
    directory = stream.encode("utf-16-le").ljust(512, b"\0")
    header = OLE + bytes(22) + (9).to_bytes(2, "little") + bytes(16)
    return (header + (0).to_bytes(4, "little")).ljust(512, b"\0") + directory


def test_an_old_workbook_and_one_with_a_password_are_told_apart(file: Path) -> None:
    file.write_bytes(old_file("Workbook"))
    assert "(.xls)" in refusal(lambda: opened(file)).sentence
    file.write_bytes(old_file("EncryptedPackage"))
    assert refusal(lambda: opened(file)).code == "locked_workbook"


def test_a_cut_or_damaged_file_is_refused(file: Path) -> None:
    whole = in_memory(workbook(["Name"], *(["Perth"] for _ in range(100))))
    file.write_bytes(whole[: len(whole) // 2])
    assert refusal(lambda: opened(file)).code == "damaged_workbook"
    for place in range(30, len(whole) - 30, 197):
        file.write_bytes(whole[:place] + b"\xff\x00\xff" + whole[place + 3 :])
        with suppress(SyncError):  # anything else fails the test
            assert all_rows(opened(file)) == [(row, ["Perth"]) for row in range(2, 102)]


def test_an_encrypted_or_oddly_packed_part_is_refused(file: Path) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_LZMA) as made:
        for name, text in parts(HEADER).items():
            made.writestr(name, text)
    assert refusal(lambda: opened(file)).code == "damaged_workbook"


ENTITIES = '<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>'
XML_BOMBS = {
    "entities": (f"{ENTITIES}<worksheet><sheetData>&b;", "document type"),
    "depth": ("<a>" * 1000, "is damaged"),
    "names": ("<a>" + "".join(f"<a{i}/>" for i in range(20_000)), "kinds of elements"),
    "attributes": ("<a>" + "".join(f'<c a{i}=""/>' for i in range(20_000)), "kinds of elements"),
    "an endless tag": (f'<worksheet a="{"a" * 3_000_000}"/>', "a tag or comment"),
    "an endless comment": (f"<worksheet><!--{'a' * 3_000_000}--></worksheet>", "a tag or comment"),
    "no XML": ("Name,City", "is no XML"),
    "cut": ("<worksheet><sheetData><row>", "is no XML"),
    "cells in cells": ("<a><row><c><c/></c></row></a>", "inside another"),
    "rows backwards": ('<a><row r="5"/><row r="4"/></a>', "row 4 comes after row 5"),
    "too many rows": ('<a><row r="1048577"/></a>', "row 1048577"),
    "a cell too far": ('<a><row><c r="XFE1"><v>1</v></c></row></a>', "beyond the last column"),
    "more cells than columns": (
        "<a><row>" + '<c r="A1"><v>1</v></c>' * 16_385 + "</row></a>",
        "beyond the last column",
    ),
    "an unknown text": ('<a><row><c t="s"><v>7</v></c></row></a>', "a text that is not there"),
    "a long text": (f'<a><row><c t="str"><v>{"a" * 200_000}</v></c></row></a>', "characters"),
}


@pytest.mark.parametrize("name", XML_BOMBS)
def test_what_means_harm_is_refused_in_a_sentence(name: str, file: Path) -> None:
    text, words = XML_BOMBS[name]
    made = parts("") | {"xl/worksheets/sheet1.xml": text}
    error = refusal(lambda: opened(packed(made, file)))
    assert words in error.sentence
    assert error.code in {"damaged_workbook", "workbook_too_large"}


def test_a_cell_in_the_last_corner_costs_nothing(file: Path) -> None:
    book = workbook(["Name"], ["Perth"])
    book.active["XFD1048576"] = "far away"
    tracemalloc.start()
    sheet = opened(saved(book, file))
    rows = all_rows(sheet)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert rows == [(2, ["Perth"]), (1_048_576, [""])]
    assert "ignored: XFD1048576." in sheet.notes[0]
    assert peak < 30 * 2**20


@pytest.mark.parametrize(
    "part", ["xl/sharedStrings.xml", "xl/styles.xml", "xl/worksheets/sheet1.xml", "xl/workbook.xml"]
)
def test_a_zip_bomb_is_refused_before_it_is_unpacked(
    part: str, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for limit in ("LARGEST_SHEET", "LARGEST_STRINGS", "LARGEST_PART"):
        monkeypatch.setattr(package, limit, 2**20)
    made = parts(HEADER) | {part: b" " * 2**21}
    error = refusal(lambda: opened(packed(made, file)))
    assert error.code in {"workbook_too_large", "damaged_workbook"}
    assert part in error.sentence


def test_a_list_of_too_many_texts_is_refused(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx_parts, "MOST_TEXTS", 100_000)
    texts = f'<sst xmlns="{SHEET}">{"<si/>" * 100_001}</sst>'
    error = refusal(lambda: opened(packed(parts(HEADER, sharedStrings=texts), file)))
    assert error.sentence == (
        "The file 'locations.xlsx' is not read: its list of texts is larger than 100,000 texts."
    )


def test_millions_of_columns_are_refused_at_the_first_too_many(file: Path) -> None:
    row = "<row>" + "<c><v>1</v></c>" * 3_000_000 + "</row>"
    path = packed(parts(row), file)
    del row
    with bombs.at_most(30):
        error = refusal(lambda: opened(path))
    assert error.sentence.endswith("row 1 has a cell beyond the last column.")


def test_a_tab_keeps_no_more_of_its_title_than_a_sentence_bears(file: Path) -> None:
    made = parts(HEADER + '<row><c t="inlineStr"><is><t>Perth</t></is></c></row>')
    main = made["xl/workbook.xml"].replace('name="Locations"', f'name="{"x" * 500_000}"')
    sheet = opened(packed(made | {"xl/workbook.xml": main}, file))
    assert sheet.title == "x" * 255


def test_a_zip_with_a_huge_directory_is_refused(file: Path) -> None:
    made = {f"{i:0200}": "" for i in range(6000)}
    assert refusal(lambda: opened(packed(made, file))).code == "damaged_workbook"


def test_a_row_or_page_of_huge_texts_is_cut_or_refused(file: Path) -> None:
    texts = f'<sst xmlns="{SHEET}"><si><t>{"a" * 90_000}</t></si></sst>'
    cells = '<c t="s"><v>0</v></c>'
    rows = "".join(f"<row>{cells}</row>" for _ in range(200))
    sheet = opened(packed(parts(HEADER + rows, sharedStrings=texts), file))
    assert [len(page.rows) for page in sheet.pages(NONE)] == [94, 94, 12]
    wide = parts(f"<row>{cells * 300}</row>", sharedStrings=texts)
    assert refusal(lambda: opened(packed(wide, file))).sentence == (
        "The file 'locations.xlsx' cannot be read: row 1 is larger than 16 MB."
    )


def test_a_merge_bomb_is_refused(file: Path) -> None:
    merges = "<mergeCells>" + '<mergeCell ref="A2:A3"/>' * 100_001 + "</mergeCells>"
    path = packed(parts(HEADER, after=merges), file)
    assert refusal(lambda: list(opened(path).pages(NONE))).code == "workbook_too_large"


def test_an_empty_tab_is_said_to_be_empty(file: Path) -> None:
    entity = Entity(name="locations", title="Locations", fields=())
    error = refusal(lambda: opened(saved(Workbook(), file), entity))
    assert error.sentence == (
        "The tab 'Sheet' of the file 'locations.xlsx' is empty: it has no header row."
    )
