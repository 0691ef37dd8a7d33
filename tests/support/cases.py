"""Cases: small inputs as people really keep them, each with what is expected of it as data.

A case is a folder of `tests/cases` with an `expected.json`, and inputs: CSV files, or a spreadsheet
of Google as `meta.json` (title and locale) and a file for each tab. A cell of a tab is a text, a
number, true or false, null, or an object: `v` the value under the cell, `f` the text that people
see, `t` the kind of its number format, `p` its pattern.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.fakes.spreadsheets import Cell, Shown, Tab

FOLDER = Path(__file__).parent.parent / "cases"
MOMENTS = {"date", "time", "date_time"}

Records = Mapping[str, Mapping[str, Mapping[str, Any]]]  # by entity and key, by column
Issues = Mapping[str, Mapping[str, Sequence[str]]]  # sentences by entity and row number


@dataclass(frozen=True)
class Sync:
    """One sync of a case, and what it must bring."""

    message: str
    source: str = "."  # the folder of its inputs, beside expected.json
    locale: str | None = None
    status: str = "completed"
    records: Records = field(default_factory=dict)
    issues: Issues = field(default_factory=dict)
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class Case:
    """A kind of thing that people do to their sheets."""

    name: str
    kind: str
    resource: str
    syncs: Sequence[Sync]
    country: str = "AU"
    removal: str | None = None

    def folder(self, sync: Sync) -> Path:
        """Return where the inputs of a sync are."""
        return FOLDER / self.name / sync.source


def everyone() -> list[Case]:
    return [_read(path) for path in sorted(FOLDER.glob("*/expected*.json"))]


def _read(path: Path) -> Case:
    facts = json.loads(path.read_text())
    syncs = [Sync(**sync) for sync in facts.pop("syncs")]
    return Case(name=path.parent.name, syncs=syncs, **facts)


def tabs(folder: Path) -> list[Tab]:
    """Return the tabs of a spreadsheet that lies in a folder."""
    found = [json.loads(path.read_text()) for path in sorted(folder.glob("[0-9]*.json"))]
    return [
        Tab(
            title=tab["title"],
            gid=tab["gid"],
            hidden=tab.get("hidden", False),
            rows=[[_cell(cell) for cell in row] for row in tab["rows"]],
        )
        for tab in found
    ]


def _cell(cell: Any) -> Cell:  # noqa: ANN401 - JSON
    if not isinstance(cell, dict):
        return cell  # type: ignore[no-any-return] # JSON
    return Shown(cell["v"], cell["f"], is_date=cell.get("t") in MOMENTS, pattern=cell.get("p"))
