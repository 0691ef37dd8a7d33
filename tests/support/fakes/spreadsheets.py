"""Made-up spreadsheets, and how Google prints them: as JSON by range, and as CSV."""

import csv
import io
import json
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import zip_longest
from json.encoder import encode_basestring
from typing import Any, NamedTuple, overload

DAY_0 = date(1899, 12, 30)


class Shown(NamedTuple):
    """A cell whose format shows another text than its value: a date, money, 01234.

    Without a `pattern` its format is what such a text has most likely been made by.
    """

    value: float | bool | str
    text: str
    is_date: bool = False
    pattern: str | None = None


Cell = str | int | float | bool | Shown | None
Row = Sequence[Cell]


@dataclass(frozen=True)
class Lazy(Sequence[Row]):
    """Rows that are made when they are asked for."""

    make: Callable[[int], Row]
    length: int

    def __len__(self) -> int:
        return self.length

    def __iter__(self) -> Iterator[Row]:
        return map(self.make, range(self.length))

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Row]: ...
    def __getitem__(self, index: int | slice) -> Row | Sequence[Row]:
        if isinstance(index, slice):
            return [self.make(number) for number in range(*index.indices(self.length))]
        return self.make(index)


@dataclass
class Tab:
    """One tab; its rows begin with the header."""

    title: str
    rows: Sequence[Row] = ()
    gid: int = 0
    hidden: bool = False
    chart: bool = False
    spare_rows: int = 0  # of the grid, below the last row
    columns: int = 26
    merges: Sequence[str] = ()  # such as A2:A4

    @property
    def height(self) -> int:
        """Rows of the grid."""
        return max(1, len(self.rows) + self.spare_rows)


@dataclass
class Spreadsheet:
    """One document of Google Drive."""

    id: str
    tabs: list[Tab]
    title: str = "Master data"
    locale: str = "en_US"
    shared: bool = True  # with the service account
    public: bool = False  # everyone who has the link may export it
    modified: str = "2026-11-20T08:47:44.720Z"
    kind: str = "application/vnd.google-apps.spreadsheet"  # its media type in Drive


LOCATION_HEADER = (
    "Location code,Name,Address,City,Postcode,Country,"
    "Phone,Email,Latitude,Longitude,Opened on,Active"
).split(",")


def location(number: int) -> Row:
    """Make the row of a location; number 0 is the header."""
    if number == 0:
        return LOCATION_HEADER
    place = [f"{number % 300 + 1} High Street", "Newtown", f"{number % 10_000:04d}", "Australia"]
    contact = [f"02 9{number % 1000:03d} {number % 10_000:04d}", f"clinic{number}@example.org"]
    where = [-33 - number % 100 / 100, 151 + number % 100 / 100]
    opened = 43_831 + number % 366
    shown = Shown(opened, (DAY_0 + timedelta(opened)).isoformat(), is_date=True)
    return [f"L{number:06d}", f"Clinic {number}", *place, *contact, *where, shown, True]


def metadata(spreadsheet: Spreadsheet, fields: str, ranges: Sequence[str] = ()) -> dict[str, Any]:
    """Describe a spreadsheet as spreadsheets.get does, with no more than the named fields.

    Where ranges are named, only their tabs, with the cells. Raises ValueError with Google's words.
    """
    found = [_found(spreadsheet, cells) for cells in ranges]
    tabs = [tab for tab in spreadsheet.tabs if not found or any(tab is f.tab for f in found)]
    everything = {
        "properties": {"title": spreadsheet.title, "locale": spreadsheet.locale},
        "sheets": [
            {
                "properties": _properties(tab),
                **({"merges": list(map(_merge, tab.merges))} if tab.merges else {}),
                **({"data": [_data(f) for f in found if f.tab is tab]} if found else {}),
            }
            for tab in tabs
        ],
    }
    named: dict[str, Any] = _named(everything, _mask(fields))
    return named


Mask = dict[str, "Mask"]  # names, each with those inside it; {} where all of it is meant


def _mask(fields: str) -> Mask:
    """Read a field mask such as properties(title),sheets(data(rowData))."""
    outer: list[Mask] = [{}]
    for name, mark in re.findall(r"(\w+)|([(),])", fields):
        if name:
            outer[-1][name] = {}
        elif mark == "(":
            outer.append(outer[-1][list(outer[-1])[-1]])
        elif mark == ")":
            outer.pop()
    return outer[0]


def _named(node: Any, mask: Mask) -> Any:  # noqa: ANN401 - JSON
    if not mask:
        return node
    if isinstance(node, list):
        return [_named(item, mask) for item in node]
    return {name: _named(node[name], inner) for name, inner in mask.items() if name in node}


def _properties(tab: Tab) -> dict[str, Any]:
    properties: dict[str, Any] = {"sheetId": tab.gid, "title": tab.title, "sheetType": "GRID"}
    if tab.chart:
        return {**properties, "sheetType": "OBJECT"}
    properties["gridProperties"] = {"rowCount": tab.height, "columnCount": tab.columns}
    return {**properties, "hidden": True} if tab.hidden else properties


class Options(NamedTuple):
    """How values are asked for."""

    render: str = "FORMATTED_VALUE"
    dates: str = "SERIAL_NUMBER"
    dimension: str = "ROWS"


_RANGE = re.compile(r"(?:'((?:[^']|'')*)'|([^'!]+))!([A-Z]+)(\d+):([A-Z]+)(\d+)")


class Found(NamedTuple):
    """A range of a tab, cut at the end of its grid: rows and columns from 1."""

    tab: Tab
    top: int
    left: int
    bottom: int
    right: int
    a1: str

    @property
    def rows(self) -> list[Row]:
        """Its cells."""
        rows = self.tab.rows[self.top - 1 : self.bottom]
        return [row[self.left - 1 : self.right] for row in rows]


def _found(spreadsheet: Spreadsheet, cells: str) -> Found:
    """Find a range. Raises ValueError with Google's words."""
    found = _RANGE.fullmatch(cells)
    title = (found[1] or "").replace("''", "'") or found[2] if found else None
    tabs = [tab for tab in spreadsheet.tabs if tab.title == title]
    if not found or not tabs:
        raise ValueError(f"Unable to parse range: {cells}")
    tab, left, right = tabs[0], _column(found[3]), _column(found[5])
    top, bottom = int(found[4]), int(found[6])
    if top > tab.height or left > tab.columns:
        limits = f"Max rows: {tab.height}, max columns: {tab.columns}"
        raise ValueError(f"Range ({cells}) exceeds grid limits. {limits}")
    bottom, right = min(bottom, tab.height), min(right, tab.columns)
    a1 = f"{cells.rpartition('!')[0]}!{found[3]}{top}:{_letters(right)}{bottom}"
    return Found(tab, top, left, bottom, right, a1)


def values(spreadsheet: Spreadsheet, cells: str, options: Options) -> bytes:
    """Print the values of a range. Raises ValueError with Google's words."""
    found = _found(spreadsheet, cells)
    as_json = as_seen if options.render == "FORMATTED_VALUE" else _as_kept(options.dates)
    rows = [list(map(as_json, row)) for row in found.rows]
    if options.dimension == "COLUMNS":
        rows = [list(column) for column in zip_longest(*rows, fillvalue=BLANK)]
    return _printed(found.a1, options.dimension, rows)


def _data(found: Found) -> dict[str, Any]:
    """Describe the cells of a range as its grid data: what is zero or blank is left out."""
    rows = [{"values": list(map(_cell_data, row))} if row else {} for row in found.rows]
    corner = {"startRow": found.top - 1, "startColumn": found.left - 1}
    return {**{name: at for name, at in corner.items() if at}, "rowData": rows}


def _cell_data(cell: Cell) -> dict[str, Any]:
    """Describe a cell; one without a format of its own has none."""
    value = cell.value if isinstance(cell, Shown) else cell
    if value in {None, ""}:
        return {}
    kind = {str: "stringValue", bool: "boolValue"}.get(type(value), "numberValue")
    data: dict[str, Any] = {"effectiveValue": {kind: value}}
    if isinstance(cell, Shown) and (form := number_format(cell)):
        data["effectiveFormat"] = {"numberFormat": form}
    return data


def number_format(cell: Shown) -> dict[str, str]:
    """Return the number format of a cell as Google tells it; {} where it has none."""
    pattern = cell.pattern if cell.pattern is not None else _likely_pattern(cell)
    return {"type": _type(pattern), "pattern": pattern} if pattern else {}


def _likely_pattern(cell: Shown) -> str:
    text = cell.text
    if cell.is_date:
        day = bool(re.search(r"\d.*[^\d: ].*\d", re.sub(r"\d+:[\d:]+( [AP]M)?", "", text)))
        clock = "h:mm" if ":" in text else ""
        return " ".join(filter(None, ["m/d/yyyy" if day or not clock else "", clock]))
    if not text:
        return "#;#;"
    if "%" in text:
        return "0%"
    symbol = next((c for c in text if unicodedata.category(c) == "Sc"), "")
    decimals = re.search(r"[.,](\d\d)$", text)
    digits = (
        "#,##0" if re.search(r"\d[.,]\d{3}", text) else "0" * (len(text) if text[0] == "0" else 1)
    )
    return (f'"{symbol}"' if symbol else "") + digits + (".00" if decimals else "")


def _type(pattern: str) -> str:
    day, clock = re.search("[yd]", pattern), "h" in pattern
    if day or clock:
        return "DATE_TIME" if day and clock else "DATE" if day else "TIME"
    if any(unicodedata.category(character) == "Sc" for character in pattern):
        return "CURRENCY"
    return "PERCENT" if "%" in pattern else "NUMBER"


def _merge(cells: str) -> dict[str, int]:
    first, _, last = cells.partition(":")
    (left, top), (right, bottom) = (re.findall(r"[A-Z]+|\d+", corner) for corner in (first, last))
    return {
        "startRowIndex": int(top) - 1,
        "endRowIndex": int(bottom),
        "startColumnIndex": _column(left) - 1,
        "endColumnIndex": _column(right),
    }


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


def _letters(column: int) -> str:
    letters = ""
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


BLANK = '""'


def shown(cell: Cell) -> str:
    """Return the text that people see."""
    match cell:
        case str():
            return cell
        case None:
            return ""
        case bool():
            return "TRUE" if cell else "FALSE"
        case Shown():
            return cell.text
        case _:
            return f"{cell:.10g}"


def as_seen(cell: Cell) -> str:
    """Print a cell under FORMATTED_VALUE."""
    return encode_basestring(shown(cell))


def _as_kept(dates: str) -> Callable[[Cell], str]:
    def as_kept(cell: Cell) -> str:
        match cell:
            case None | str():
                return encode_basestring(cell or "")
            case Shown() if cell.is_date and dates == "FORMATTED_STRING":
                return encode_basestring(cell.text)
            case Shown():
                return json.dumps(cell.value)
            case _:
                return json.dumps(cell)

    return as_kept


def _printed(cells: str, dimension: str, lines: list[list[str]]) -> bytes:
    """Print as Google does: cut after the last cell of a line, and after the last line."""
    for line in lines:
        while line and line[-1] == BLANK:
            line.pop()
    while lines and not lines[-1]:
        lines.pop()
    body = f'{{\n  "range": {json.dumps(cells)},\n  "majorDimension": "{dimension}"'
    if lines:
        body += ',\n  "values": [\n' + ",\n".join(map(_line, lines)) + "\n  ]"
    return (body + "\n}").encode()


def _line(cells: Sequence[str]) -> str:
    return "    [\n      " + ",\n      ".join(cells) + "\n    ]" if cells else "    []"


def as_csv(tab: Tab) -> bytes:
    """Print a tab as Google exports it: CRLF, no line end after the last row, rows padded."""
    width = max((len(row) for row in tab.rows), default=0)
    file = io.StringIO()
    csv.writer(file).writerows([*map(shown, row), *[""] * (width - len(row))] for row in tab.rows)
    return file.getvalue().removesuffix("\r\n").encode()
