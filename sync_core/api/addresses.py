"""Where the files are, for whoever links to them."""

from collections.abc import Mapping
from urllib.parse import urlencode

PATH = "/api/v1"


def of_trail(parameters: Mapping[str, str]) -> str:
    """Return the address of the audit trail under a filter."""
    return f"{PATH}/audit.csv?{urlencode(parameters)}"
