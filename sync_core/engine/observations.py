"""What the pages read so far show of a sheet as a whole: kept with the checkpoint of each page."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from sync_core.engine.listing import NAMED


@dataclass(frozen=True)
class Sign:
    """A cell that shows that people write otherwise in its column than is said of the sheet."""

    cell: str  # its address
    shows: str  # "the day first, ..."


@dataclass(frozen=True)
class Observations:
    """What was seen in some rows of a sheet."""

    rows: int = 0  # that are not blank
    filled: Mapping[str, int] = field(default_factory=dict)  # cells, by the label of their column
    signs: Mapping[str, Sign] = field(default_factory=dict)  # the first one, by label
    damaged: int = 0  # cells that have lost letters
    damaged_cells: Sequence[str] = ()  # the addresses of the first ones
    keys_beyond_ascii: bool = False  # whether letters of other alphabets may stand in a key
    keys_of_digits: bool = False  # whether a program may have taken a key for a number

    def plus(self, later: Self) -> Self:
        """Return what was seen in these rows and in later ones."""
        return type(self)(
            rows=self.rows + later.rows,
            filled=dict(Counter(self.filled) + Counter(later.filled)),
            signs={**later.signs, **self.signs},
            damaged=self.damaged + later.damaged,
            damaged_cells=[*self.damaged_cells, *later.damaged_cells][:NAMED],
            keys_beyond_ascii=self.keys_beyond_ascii or later.keys_beyond_ascii,
            keys_of_digits=self.keys_of_digits or later.keys_of_digits,
        )

    def as_json(self) -> dict[str, Any]:
        """Return it as a checkpoint keeps it."""
        return asdict(self)

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Self:
        """Return what was kept; nothing, where an earlier version kept nothing."""
        signs = {label: Sign(**sign) for label, sign in kept.get("signs", {}).items()}
        return cls(**{**kept, "signs": signs})
