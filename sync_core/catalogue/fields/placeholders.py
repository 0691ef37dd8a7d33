"""Words that people write where there is nothing: a blank cell, where it may be blank."""

from collections.abc import Iterator
from itertools import product

PLACEHOLDERS = (
    "-,--,---,\N{EN DASH},\N{EM DASH},n/a,n.a.,n.a,na,nan,nil,null,(null),none,(none),(blank)"
    ",<na>,<null>,[null],\\N,-nan,nat,undefined"
    ",not available,not applicable,k. A.,k.A.,keine Angabe,n.v.t."
).split(",")
NAMES = frozenset(
    {"na", "nan", "nil", "nat"}
)  # Namibia, a grandmother, a girl, Nathan: as a text they may be meant
SHORT = 6  # characters of a word that is known in any mix of capitals: NaN, nULL


def _spellings(word: str) -> Iterator[str]:
    """Return a word in the ways in which people write it: a set of all is looked through fast."""
    yield from (word, word.lower(), word.upper(), word.capitalize(), word.title())
    if len(word) <= SHORT:
        yield from map("".join, product(*({c.lower(), c.upper()} for c in word)))


SPELLINGS = frozenset(spelt for word in PLACEHOLDERS for spelt in _spellings(word))


def is_placeholder(text: str) -> bool:
    """Return whether a cell says that there is nothing."""
    return text in SPELLINGS
