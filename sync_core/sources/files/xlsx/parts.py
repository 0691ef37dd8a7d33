"""The small parts of a workbook: its tabs, its number formats and its shared texts."""

import posixpath
import re
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sync_core.sources.files.xlsx.number_format import BUILT_IN, CellFormat
from sync_core.sources.files.xlsx.package import (
    LARGEST_PART,
    LARGEST_STRINGS,
    MB,
    OnStart,
    Package,
    new_parser,
)

Attributes = Mapping[str, str]

MAIN = "xl/workbook.xml"
LARGEST_TEXT = 100_000  # characters of a cell; Excel allows 32,767
LONGEST_TITLE = 255  # characters of a tab's title that are kept; Excel allows 31
MOST_TEXTS = 20_000_000  # that are shared
_SHORT_NUMBER = re.compile("[0-9]{1,9}")
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")  # how a workbook writes control characters


@dataclass(frozen=True)
class Tab:
    """A tab of a workbook that has cells."""

    title: str
    part: str  # of the zip
    hidden: bool


@dataclass(frozen=True)
class Contents:
    """What a workbook says of itself."""

    tabs: Sequence[Tab]
    parts: Mapping[str, str]  # by their kind: "styles", "sharedStrings"
    days_from_1904: bool
    uncalculated: bool  # its formulas are to be calculated when it is opened


def read_contents(package: Package) -> Contents:
    """Read which tabs there are. Raises SyncError."""
    main = _main(package)
    kinds, targets = _relations(package, main)
    tabs: list[Tab] = []
    settings = {"date1904": "", "fullCalcOnLoad": ""}

    def element(name: str, attributes: Attributes) -> None:
        settings.update({key: attributes[key] for key in settings if key in attributes})
        if name == "sheet":
            link = next((v for k, v in attributes.items() if k.endswith(":id")), "")
            if kinds.get(link) == "worksheet":  # charts have no cells
                hidden = attributes.get("state", "visible") != "visible"
                title = attributes.get("name", "")[:LONGEST_TITLE]
                tabs.append(Tab(title, targets[link], hidden))

    _each_element(package, main, element)
    if not tabs:
        raise package.damaged("it has no tab with cells")
    parts = {kind: targets[link] for link, kind in kinds.items()}
    yes = {key: is_true(value) for key, value in settings.items()}
    return Contents(tabs, parts, yes["date1904"], yes["fullCalcOnLoad"])


def _main(package: Package) -> str:
    kinds, targets = _relations(package, "")
    return next((targets[link] for link, kind in kinds.items() if kind == "officeDocument"), MAIN)


def _relations(package: Package, part: str) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Return the kinds and the targets of the parts that a part names, by the names it uses."""
    folder, file = posixpath.split(part)
    kinds: dict[str, str] = {}
    targets: dict[str, str] = {}

    def element(name: str, attributes: Attributes) -> None:
        if name == "Relationship" and attributes.get("TargetMode") != "External":
            link, target = attributes.get("Id", ""), attributes.get("Target", "")
            kinds[link] = attributes.get("Type", "").rpartition("/")[2]
            targets[link] = posixpath.normpath(posixpath.join("/", folder, target))[1:]

    _each_element(package, posixpath.join(folder, "_rels", f"{file}.rels"), element, MB)
    return kinds, targets


def read_formats(package: Package, part: str | None) -> Sequence[CellFormat]:
    """Return the number format of each style of cells, in the order of their numbers."""
    general = CellFormat(BUILT_IN[0])
    if part is None or not package.has(part):
        return [general]
    codes = dict(BUILT_IN)
    styles: list[int] = []
    inside: list[str] = []

    def element(name: str, attributes: Attributes) -> None:
        if name == "numFmt":
            codes[whole_number(attributes.get("numFmtId"))] = attributes.get("formatCode", "")
        elif name in {"cellXfs", "cellStyleXfs"}:
            inside[:] = [name]
        elif name == "xf" and inside == ["cellXfs"]:
            styles.append(whole_number(attributes.get("numFmtId")))

    _each_element(package, part, element)
    formats = {number: CellFormat(codes[number]) for number in {*styles} & codes.keys()}
    return [formats.get(number, general) for number in styles] or [general]


@dataclass(frozen=True)
class SharedTexts:
    """The texts of cells, which name them by number: kept as bytes, for there may be millions."""

    content: bytearray = field(default_factory=bytearray)
    ends: "array[int]" = field(default_factory=lambda: array("Q", [0]))

    def add(self, text: str) -> None:
        """Keep a text under the next number."""
        self.content.extend(text.encode())
        self.ends.append(len(self.content))

    def __getitem__(self, number: int) -> str:
        """Return a text. Raises IndexError."""
        if number < 0:
            raise IndexError(number)
        start, end = self.ends[number], self.ends[number + 1]
        return self.content[start:end].decode()


def read_texts(package: Package, part: str | None) -> SharedTexts:
    """Return the shared texts; of a rich text the letters, without how they are pronounced."""
    texts = SharedTexts()
    if part is None or not package.has(part):
        return texts
    letters = Letters(package)

    def end(name: str) -> None:
        letters.end(name)
        if name == "si":
            texts.add(letters.take())
            if len(texts.ends) > MOST_TEXTS:
                raise package.too_large("its list of texts", f"{MOST_TEXTS:,} texts")

    parser = new_parser(letters.start, end, letters.pieces.append)
    for _ in package.feed(part, parser, LARGEST_STRINGS):
        letters.require_short()
    return texts


class Letters:
    """Collects the letters of a text, which may consist of several runs."""

    def __init__(self, package: Package) -> None:
        self.pieces: list[str] = []  # of the present run, as the parser hands them over
        self._runs: list[str] = []
        self._aside = False  # within a reading aid, as Japanese texts have them
        self._package = package

    def start(self, name: str, _attributes: Attributes) -> None:
        """Note that an element begins."""
        self.pieces.clear()
        if name == "rPh":
            self._aside = True

    def end(self, name: str) -> None:
        """Note that an element ends."""
        if name == "t" and not self._aside:
            self._runs += self.pieces
        elif name == "rPh":
            self._aside = False
        self.pieces.clear()

    def require_short(self) -> None:
        """Raise SyncError (workbook_too_large) where the text so far is longer than any."""
        if sum(map(len, self.pieces)) + sum(map(len, self._runs)) > LARGEST_TEXT:
            raise self._package.too_large("the text of a cell", f"{LARGEST_TEXT:,} characters")

    def take(self) -> str:
        """Return what was collected, and begin anew."""
        text = "".join(self._runs)
        self._runs.clear()
        return unescaped(text)


def unescaped(text: str) -> str:
    """Return a text with its control characters, which XML cannot write."""
    if "_x" not in text:
        return text
    halves = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)
    return halves.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def is_true(value: str | None) -> bool:
    """Return whether an attribute of a workbook says yes."""
    return value in {"1", "true", "on"}


def whole_number(text: str | None, otherwise: int = 0) -> int:
    """Return a number that an attribute says, if it is one of up to nine digits."""
    return int(text) if text and _SHORT_NUMBER.fullmatch(text) else otherwise


def _each_element(
    package: Package, part: str, element: OnStart, largest: int = LARGEST_PART
) -> None:
    for _ in package.feed(part, new_parser(element, lambda _name: None, None), largest):
        pass
