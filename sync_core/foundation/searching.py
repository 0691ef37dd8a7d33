"""How much somebody may look for at once: each word is compared with every row."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from sync_core.foundation.errors import SyncError

MOST_WORDS = 12
LONGEST = 200  # characters of a search, or of one value of a filter
MOST_VALUES = 200  # of a filter
FIRST_YEAR, LAST_YEAR = 1900, 2200


def words(search: str) -> list[str]:
    """Return the words of a search. Raises SyncError("search_refused")."""
    _require_short(search)
    found = search.split()
    if len(found) > MOST_WORDS:
        raise SyncError("search_refused", what=f"more than {MOST_WORDS} words")
    return found


def looked_up(row: sa.ColumnElement[Any], search: str) -> list[sa.ColumnElement[bool]]:
    """Return the conditions that each word of a search occurs in the row's words.

    Raises SyncError("search_refused").
    """
    return [row.icontains(word, autoescape=True) for word in words(search)]


def require_few(values: Collection[object]) -> None:
    """Raise SyncError("search_refused") where a filter names too much."""
    if len(values) > MOST_VALUES:
        raise SyncError("search_refused", what=f"more than {MOST_VALUES} values at once")
    for value in values:
        _require_short(str(value))


def require_near(at: datetime | None) -> None:
    """Raise SyncError("search_refused") where a time is none of which a calendar of ours tells."""
    if at is not None and not FIRST_YEAR <= at.year <= LAST_YEAR:
        raise SyncError("search_refused", what=f"a time before {FIRST_YEAR} or after {LAST_YEAR}")


def _require_short(text: str) -> None:
    if len(text) > LONGEST:
        raise SyncError("search_refused", what=f"more than {LONGEST} characters")
    if "\x00" in text:
        raise SyncError("search_refused", what="the character NUL")
