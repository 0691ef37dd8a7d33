"""The number of a run, where somebody outside names one."""

import re

LARGEST = 2**63 - 1  # that Postgres has


def read(text: str) -> int | None:
    """Return the number that a text names in plain digits; None where it can be that of no run."""
    found = re.fullmatch("[1-9][0-9]{0,18}", text)
    return number if found and (number := int(text)) <= LARGEST else None
