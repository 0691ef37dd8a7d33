"""Which tab of a spreadsheet holds an entity: the same rule whoever keeps the spreadsheet."""

from collections.abc import Sequence
from dataclasses import dataclass

from sync_core.catalogue import header_row
from sync_core.catalogue.resource import Entity
from sync_core.foundation.errors import SyncError

NAMED = 20  # tabs in an error


@dataclass(frozen=True)
class Tabs:
    """The tabs of a spreadsheet that hold cells."""

    spreadsheet: str  # its title
    titles: Sequence[str]
    hidden: Sequence[bool]

    def choose(self, wanted: str | None, entity: Entity) -> int:
        """Return the index of the tab that is wanted, or else named like the entity.

        An exact title wins over one with other capitals or blanks. Where nothing is wanted, the
        only tab that people see will do. Raises SyncError (tab_not_found, ambiguous_tab).
        """
        names = _names(wanted, entity)
        if exact := [self.titles.index(title) for title in names if title in self.titles]:
            return exact[0]
        fitting = [i for i, title in enumerate(self.titles) if _fits(title, names)]
        if len(fitting) > 1:
            several = quoted([self.titles[i] for i in fitting])
            raise SyncError(
                "ambiguous_tab", spreadsheet=self.spreadsheet, tab=names[0], tabs=several
            )
        if fitting:
            return fitting[0]
        seen = [i for i, is_hidden in enumerate(self.hidden) if not is_hidden]
        if not wanted and len(seen) == 1:
            return seen[0]
        raise self._not_found(names[0])

    def confirm(
        self, chosen: int, headers: Sequence[str], wanted: str | None, entity: Entity
    ) -> None:
        """Refuse a tab that only stood alone, if its header is another table's. Raises SyncError.

        Otherwise a tab that was deleted would be told as so many missing columns.
        """
        is_named = wanted or _fits(self.titles[chosen], _names(None, entity))
        if not is_named and header_row.known(headers, entity) < len(entity.fields) / 2:
            raise self._not_found(entity.title)

    def _not_found(self, name: str) -> SyncError:
        tabs = quoted(self.titles)
        return SyncError("tab_not_found", spreadsheet=self.spreadsheet, tab=name, tabs=tabs)


def quoted(titles: Sequence[str]) -> str:
    """Return titles in a row; of many the first, and how many more."""
    more = f" and {len(titles) - NAMED:,} more" if len(titles) > NAMED else ""
    return ", ".join(f"'{title}'" for title in titles[:NAMED]) + more


def _names(wanted: str | None, entity: Entity) -> list[str]:
    return [wanted] if wanted else [entity.title, entity.name]


def _fits(title: str, names: Sequence[str]) -> bool:
    return _folded(title) in map(_folded, names)


def _folded(title: str) -> str:
    return " ".join(title.split()).casefold()
