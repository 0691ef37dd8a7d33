"""Words that people write where there is nothing: a blank cell, where it may be blank."""

import re

PLACEHOLDERS = (
    "-,--,---,\N{EN DASH},\N{EM DASH},n/a,n.a.,na,nan,null,(null),none,(none),(blank)"
    ",not available,not applicable,k. A.,n.v.t."
).split(",")
NAMES = frozenset({"na", "nan"})  # Namibia, a grandmother: as a text they may be meant
_FOLDED = frozenset(word.casefold() for word in PLACEHOLDERS)
PATTERN = "(?i:{})".format("|".join(map(re.escape, PLACEHOLDERS)))
LONGEST = max(map(len, PLACEHOLDERS))


def is_placeholder(text: str) -> bool:
    """Return whether a cell says that there is nothing, whatever its capitals."""
    return len(text) <= LONGEST and text.casefold() in _FOLDED
