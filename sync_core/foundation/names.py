"""Names of people and organizations: one line of text that can be seen, and that fits."""

import unicodedata

from sync_core.foundation.errors import SyncError

LONGEST = 80  # characters
UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})  # as Unicode sorts characters
BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0")  # letters and signs that show nothing


def plain(text: str) -> str:
    """Return a name as it is kept: composed, with single spaces.

    What is invisible, breaks a line or turns the direction of the text beside it is refused, for it
    would let a name pass for another one. Raises SyncError: blank_name, name_too_long,
    unseen_in_name.
    """
    name = " ".join(filter(None, unicodedata.normalize("NFC", text).split(" ")))
    if not name:
        raise SyncError("blank_name")
    if len(name) > LONGEST:
        raise SyncError("name_too_long", longest=LONGEST, length=f"{len(name):,}")
    for place, character in enumerate(name, 1):
        if unicodedata.category(character) in UNSEEN or character in BLANK:
            code = f"U+{ord(character):04X}"
            raise SyncError("unseen_in_name", place=place, character=code)
    return name
