"""Made-up spreadsheets, and how Google prints them: as JSON by range, and as CSV."""

import csv
import io
import json
import re
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


def metadata(spreadsheet: Spreadsheet, fields: str) -> dict[str, Any]:
    """Describe a spreadsheet as spreadsheets.get does, with no more than the named fields."""
    everything = {
        "properties": {"title": spreadsheet.title, "locale": spreadsheet.locale},
        "sheets": [{"properties": _properties(tab)} for tab in spreadsheet.tabs],
    }
    found: dict[str, Any] = _named(everything, set(re.findall(r"\w+", fields)))
    return found


def _named(node: Any, names: set[str]) -> Any:  # noqa: ANN401 - JSON
    if isinstance(node, list):
        return [_named(item, names) for item in node]
    if isinstance(node, dict):
        return {name: _named(node[name], names) for name in node if name in names}
    return node


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


def values(spreadsheet: Spreadsheet, cells: str, options: Options) -> bytes:
    """Print the values of a range. Raises ValueError with Google's words."""
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
    as_json = as_seen if options.render == "FORMATTED_VALUE" else _as_kept(options.dates)
    rows = [list(map(as_json, row[left - 1 : right])) for row in tab.rows[top - 1 : bottom]]
    if options.dimension == "COLUMNS":
        rows = [list(column) for column in zip_longest(*rows, fillvalue=BLANK)]
    cut = f"{cells.rpartition('!')[0]}!{found[3]}{top}:{_letters(right)}{bottom}"
    return _printed(cut, options.dimension, rows)


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
