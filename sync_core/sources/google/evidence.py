"""Whether the text of a cell and what is under it can be of one cell.

Google hands texts and values out by two requests, between which somebody may edit the sheet.
"""

from collections.abc import Sequence
from itertools import zip_longest
from typing import Any


def contradiction(texts: Sequence[str], values: Sequence[Any]) -> int | None:
    """Return the first place of a column at which text and value contradict each other.

    A number may be hidden by its format, which may also put words around a text; but nothing is
    shown where nothing is.
    """
    if texts == values:
        return None
    for place, (text, value) in enumerate(zip_longest(texts, values, fillvalue="")):
        if isinstance(value, str) and text != value and not (value and value in text):
            return place
    return None
