"""Where the sheets of a chaos run stand: in files of a folder, or at the made-up Google."""

import csv
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from tests.support.fakes.google import Google
from tests.support.fakes.spreadsheets import Tab

Rows = Sequence[Sequence[str]]
SPARE_ROWS = 100
LINE_END = ord("\n")


class Place(Protocol):
    """Where a sheet stands."""

    def put(self, rows: Rows) -> None:
        """Put rows in the place of those that stand there, in one step."""

    def damage(self, chance: random.Random) -> None:
        """Damage what stands there; where that cannot be, do nothing."""


@dataclass(frozen=True)
class CsvFile:
    """A CSV file."""

    path: Path

    def put(self, rows: Rows) -> None:
        """Rename a new file over the old one: whoever reads that goes on with it."""
        new = self.path.with_suffix(".new")
        with new.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows(rows)
        new.replace(self.path)

    def damage(self, chance: random.Random) -> None:
        """Write into the file itself: cut it off in mid-row, or open a quote that nobody closes."""
        whole = self.path.read_bytes()
        lines = [place for place, byte in enumerate(whole) if byte == LINE_END]
        intact = chance.choice(lines[len(lines) // 3 : -5]) + 1
        with self.path.open("r+b", buffering=0) as file:
            if chance.random() < 0.5:
                file.truncate(intact + 3)
            else:
                cell = whole.index(b",", intact) + 1
                file.write(whole[:cell] + b'"' + whole[cell:])


@dataclass(frozen=True)
class GoogleSheet:
    """A spreadsheet of its own at the made-up Google."""

    google: Google
    id: str

    def put(self, rows: Rows) -> None:
        """Let the next request see these rows, and Drive that something was changed."""
        if self.id not in self.google.spreadsheets:
            self.google.add(Tab("Data", spare_rows=SPARE_ROWS), sheet=self.id)
        spreadsheet = self.google.spreadsheets[self.id]
        now = datetime.now(UTC).isoformat(timespec="microseconds")
        spreadsheet.tabs = [Tab("Data", rows, spare_rows=SPARE_ROWS)]
        spreadsheet.modified = now.replace("+00:00", "Z")

    def damage(self, chance: random.Random) -> None:
        """Do nothing: Google hands out no file."""
