"""Which tab of a spreadsheet holds an entity: the same rule whoever keeps the spreadsheet."""

from collections.abc import Sequence

from sync_core.catalogue.resource import Entity
from sync_core.foundation.errors import SyncError

NAMED = 20  # tabs in an error


def choose(
    titles: Sequence[str], hidden: Sequence[bool], wanted: str | None, entity: Entity, name: str
) -> int:
    """Return the index of the tab that is wanted, or else named like the entity.

    An exact title wins over one with other capitals or blanks at its ends. Where nothing is
    wanted, the only tab that people see will do. Raises SyncError (tab_not_found, ambiguous_tab);
    `name` is the spreadsheet's.
    """
    names = [wanted] if wanted else [entity.title, entity.name]
    if exact := [titles.index(title) for title in names if title in titles]:
        return exact[0]
    folded = set(map(_folded, names))
    fitting = [i for i, title in enumerate(titles) if _folded(title) in folded]
    if len(fitting) > 1:
        several = _quoted([titles[i] for i in fitting])
        raise SyncError("ambiguous_tab", spreadsheet=name, tab=names[0], tabs=several)
    if fitting:
        return fitting[0]
    seen = [i for i, is_hidden in enumerate(hidden) if not is_hidden]
    if not wanted and len(seen) == 1:
        return seen[0]
    raise SyncError("tab_not_found", spreadsheet=name, tab=names[0], tabs=_quoted(titles))


def _quoted(titles: Sequence[str]) -> str:
    more = f" and {len(titles) - NAMED:,} more" if len(titles) > NAMED else ""
    return ", ".join(f"'{title}'" for title in titles[:NAMED]) + more


def _folded(title: str) -> str:
    return title.strip().casefold()
