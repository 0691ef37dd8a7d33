"""Words that people write where there is nothing: a blank cell, where it may be blank."""

PLACEHOLDERS = (
    "-,--,---,\N{EN DASH},\N{EM DASH},n/a,n.a.,na,nan,null,(null),none,(none),(blank)"
    ",not available,not applicable,k. A.,n.v.t."
).split(",")
NAMES = frozenset({"na", "nan"})  # Namibia, a grandmother: as a text they may be meant
SPELLINGS = frozenset(
    spelt
    for word in PLACEHOLDERS
    for spelt in (word, word.lower(), word.upper(), word.capitalize(), word.title())
)


def is_placeholder(text: str) -> bool:
    """Return whether a cell says that there is nothing."""
    return text in SPELLINGS
