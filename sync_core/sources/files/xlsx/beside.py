"""What a tab holds beside the values of its table, which people should know of."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from sync_core.catalogue.cell_address import letters
from sync_core.sources.files.xlsx.parts import Tab
from sync_core.sources.files.xlsx.rows import Merge, RawRow
from sync_core.sources.some import Some


@dataclass
class Beside:
    """What was found beside a table of so many columns while its rows were read."""

    header_row: int
    width: int
    hidden: Some = field(default_factory=Some)
    outside: Some = field(default_factory=Some)
    merged: Some = field(default_factory=Some)

    def look_at(self, row: RawRow) -> None:
        """Note what a row holds beside its values."""
        if row.hidden:
            self.hidden.add(str(row.number))
        for cell in row.cells:
            if cell.column >= self.width:
                self.outside.add(f"{letters(cell.column)}{row.number}")

    def look_at_merges(self, merges: Sequence[Merge]) -> None:
        """Note which merged cells reach into the table."""
        for merge in merges:
            if merge.last_row >= self.header_row and merge.column < self.width:
                self.merged.add(merge.name)

    def notes(self, tab: Tab) -> Iterator[str]:
        """Return a sentence for each thing that was found."""
        if tab.hidden:
            yield f"{tab.title}: the tab is hidden; it was read all the same."
        if self.hidden.count:
            what = "hidden or filtered out, but read all the same"
            yield f"{tab.title}: {self.hidden.many('row')} {what}: {self.hidden}."
        if self.merged.count:
            what = "merged, and only the first cell of each holds a value"
            yield f"{tab.title}: {self.merged.many('range')} {what}: {self.merged}."
        if self.outside.count:
            what = "to the right of the last header, and ignored"
            yield f"{tab.title}: {self.outside.many('cell')} {what}: {self.outside}."
