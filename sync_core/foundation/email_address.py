"""What an e-mail address is, for every cell, setting and person."""

import re

LONGEST = 254  # characters that mail servers carry

_ATOM = r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
PATTERN = rf"^{_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}\.)+[a-z](?:[a-z0-9-]*[a-z0-9])$"  # small letters


def is_valid(text: str) -> bool:
    """Return whether a text is an e-mail address, in capitals or not."""
    return len(text) <= LONGEST and text.isascii() and bool(re.fullmatch(PATTERN, text.lower()))
