"""How many rows of an entity met which end."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Tally:
    """Outcomes of one entity, counted by kind; blank rows stand outside the sum."""

    read: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    removed: int = 0
    skipped: int = 0
    failed: int = 0
    blank: int = 0
    rules: Mapping[str, int] = field(default_factory=dict)  # skipped rows by the rule's name
