"""Workbooks for tests: written by openpyxl, or part by part where no program would write so."""

import io
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from openpyxl import Workbook

from sync_core.catalogue.resource import Entity
from sync_core.catalogue.source import Page
from sync_core.sources.files.workbook import WorkbookSheet, open_workbook
from tests.support.sources import LOCATIONS

SHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_DOCUMENT = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
_TYPE = (
    '<Override PartName="{}" ContentType="application/vnd.openxmlformats-officedocument.'
    'spreadsheetml.{}+xml"/>'
)
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_RELATION = '<Relationship Id="{}" Type="{}/{}" Target="{}"/>'


def workbook(*rows: Sequence[Any], title: str = "Locations") -> Workbook:
    """Return a workbook of openpyxl with one tab."""
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = title
    for row in rows:
        sheet.append(row)
    return book


def saved(book: Workbook, path: Path) -> Path:
    book.save(path)
    return path


def parts(rows: str, *, before: str = "", after: str = "", **others: str) -> dict[str, str]:
    """Return the parts of a workbook with one tab, Locations; `rows` is XML.

    `others` are parts by their name without folder and ending: styles, sharedStrings, workbook.
    """
    relations = _RELATION.format("r1", _DOCUMENT, "worksheet", "worksheets/sheet1.xml")
    relations += _RELATION.format("r2", _DOCUMENT, "styles", "styles.xml")
    relations += _RELATION.format("r3", _DOCUMENT, "sharedStrings", "sharedStrings.xml")
    types = _TYPE.format("/xl/workbook.xml", "sheet.main")
    types += _TYPE.format("/xl/sharedStrings.xml", "sharedStrings")
    main = _RELATION.format("r1", _DOCUMENT, "officeDocument", "xl/workbook.xml")
    made = {
        "[Content_Types].xml": f'<Types xmlns="{_TYPES}">{types}</Types>',
        "_rels/.rels": f'<Relationships xmlns="{_RELATIONS}">{main}</Relationships>',
        "xl/_rels/workbook.xml.rels": (
            f'<Relationships xmlns="{_RELATIONS}">{relations}</Relationships>'
        ),
        "xl/workbook.xml": f'<workbook xmlns="{SHEET}" xmlns:r="{_DOCUMENT}"><sheets>'
        '<sheet name="Locations" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{SHEET}">{before}<sheetData>{rows}'
        f"</sheetData>{after}</worksheet>",
    }
    return made | {f"xl/{name}.xml": text for name, text in others.items()}


def packed(made: Mapping[str, str | bytes], path: Path) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        for name, text in made.items():
            package.writestr(name, text)
    return path


def opened(
    path: Path,
    entity: Entity = LOCATIONS,
    *,
    tab: str | None = None,
    header_row: int | None = None,
    lasting: bool = False,
) -> WorkbookSheet:
    return open_workbook(
        path.open("rb"),
        entity,
        name=f"The file '{path.name}'",
        title=path.name,
        tab=tab,
        header_row=header_row,
        lasting=lasting,
    )


def only_page(sheet: WorkbookSheet) -> Page:
    """Return the one page of a small sheet, with the numbers of all columns."""
    [page] = sheet.pages(frozenset(range(len(sheet.headers))))
    return page


def first_column(path: Path) -> list[Any]:
    """Return the texts of the first column below the header."""
    return list(only_page(opened(path)).texts[0])


def in_memory(book: Workbook) -> bytes:
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()
