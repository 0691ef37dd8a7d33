"""What an e-mail address is, for every cell, setting and person."""

import re

LONGEST = 254  # characters that mail servers carry

_ATOM = r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+"
_START = r"[a-z0-9!#$%&*+/=?^_`{|}~-]"  # an apostrophe there is one that makes a cell a text
_LABEL = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
# In small letters.
PATTERN = rf"^{_START}(?:{_ATOM})?(?:\.{_ATOM})*@(?:{_LABEL}\.)+[a-z](?:[a-z0-9-]*[a-z0-9])$"


def is_valid(text: str) -> bool:
    """Return whether a text is an e-mail address, in capitals or not."""
    return len(text) <= LONGEST and text.isascii() and bool(re.fullmatch(PATTERN, text.lower()))
