"""JSON whose numbers stay as they are written: 95.50 does not become 95.5."""

import json
from decimal import Decimal
from typing import Any


def read(text: str | None) -> dict[str, Any] | None:
    """Return the object that is written there; None where nothing is."""
    found: dict[str, Any] | None = json.loads(text, parse_float=Decimal) if text else None
    return found
