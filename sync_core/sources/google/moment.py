"""Whether a spreadsheet was of one moment while it was read: Google Drive tells, or its cells."""

from dataclasses import dataclass, field

from sync_core.foundation.errors import SyncError
from sync_core.sources.google.answers import Cells, Columns, Spreadsheet, Tab
from sync_core.sources.google.client import GoogleClient

LAST_ROWS = 20  # that are looked at again, and as many below them
NOT_ASKED = (
    "Google Drive could not be asked whether '{title}' was changed while it was read: its header,"
    " its size, and its first and last rows were compared instead."
)


@dataclass
class Moment:
    """What a tab was like when its reading began, and what its last rows were."""

    client: GoogleClient
    spreadsheet: Spreadsheet
    tab: Tab
    name: str  # of the tab in sentences
    modified: str | None  # when the spreadsheet was changed last; None where Drive was no help
    first: tuple[Cells, Columns]
    last: tuple[Cells, Columns] | None = field(default=None, init=False)

    def saw(self, cells: Cells, columns: Columns, height: int) -> None:
        """Keep the last rows of a range that show something."""
        start = max(0, height - LAST_ROWS)
        rows = Cells(cells.title, cells.rows[start:], cells.columns)
        self.last = rows, [column[start:] for column in columns]

    def must_be(self, modified: str | None) -> None:
        """Refuse a spreadsheet that was changed since. Raises SyncError."""
        if modified != self.modified:
            raise SyncError("source_changed_while_reading", name=self.name)

    def must_have_lasted(self) -> list[str]:
        """Refuse a spreadsheet that was changed meanwhile. Raises SyncError.

        Returns a note where Google Drive could not be asked.
        """
        if self.modified and (file := self.client.file()):
            self.must_be(file.modified)
            return []
        self._compare()
        return [NOT_ASKED.format(title=self.spreadsheet.title)]

    def _compare(self) -> None:
        looked_at = [self.first]
        if self.last:
            cells, columns = self.last
            looked_at.append((self._with_rows_below(cells), columns))
        shown = self.client.texts_of([cells for cells, _ in looked_at])
        same = [_cut(one) == _cut(other) for one, (_, other) in zip(shown, looked_at, strict=True)]
        tabs = [tab for tab in self.client.metadata().tabs if tab.gid == self.tab.gid]
        if not all(same) or tabs != [self.tab]:
            raise SyncError("source_changed_while_reading", name=self.name)

    def _with_rows_below(self, cells: Cells) -> Cells:
        """Return a range with some of the rows that were blank."""
        stop = min(cells.rows.start + 2 * LAST_ROWS, self.tab.rows + 1)
        return Cells(cells.title, range(cells.rows.start, stop), cells.columns)


def _cut(columns: Columns) -> Columns:
    """Return columns without the blanks at their ends, and at the end of them all."""
    cut = [list(column) for column in columns]
    for column in cut:
        while column and not column[-1]:
            column.pop()
    while cut and not cut[-1]:
        cut.pop()
    return cut
