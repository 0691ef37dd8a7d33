"""How sentences name the first of many things."""

from collections.abc import Sequence

NAMED = 20  # of many columns or cells, in one sentence


def first_of(names: Sequence[str], count: int | None = None) -> str:
    """Name the first of many, and say how many more there are; `count` is of all of them."""
    more = (len(names) if count is None else count) - min(len(names), NAMED)
    return ", ".join(names[:NAMED]) + (f" and {more:,} more" if more else "")
