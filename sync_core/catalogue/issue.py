"""An issue: one thing wrong with one cell, and the form in which it is kept in JSON."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

import sqlalchemy as sa

Part = Literal["field", "code", "sentence", "cell", "cause", "beside"]
OPTIONAL: tuple[Part, ...] = ("cause", "beside")


@dataclass(frozen=True)
class Issue:
    """One thing wrong with one cell of a row."""

    field: str  # its label; "" where the row as a whole is wrong
    code: str  # one of CELL_CODES
    sentence: str
    cell: str | None  # its address in the source: "Locations!C418"
    cause: int | None = None  # the row that it follows from, of what its field refers to
    beside: str | None = None  # where the other one is: "row 4", or what everybody may call it

    @property
    def told(self) -> str:
        """Return the sentence with what is beside it: "Email already exists (row 4)"."""
        return f"{self.sentence} ({self.beside})" if self.beside else self.sentence

    def as_json(self) -> dict[str, str | int | None]:
        """Return it as staging, plans and outcomes keep it: without the optional parts it lacks."""
        return {name: part for name, part in vars(self).items() if name not in OPTIONAL or part}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Self:
        """Return the issue that was kept."""
        optional = {name: kept.get(name) for name in OPTIONAL}
        return cls(kept["field"], kept["code"], kept["sentence"], kept["cell"], **optional)


def part(issue: sa.ColumnElement[Any], name: Part) -> sa.ColumnElement[str]:
    """Return the SQL of a part of a kept issue, as text."""
    text: sa.ColumnElement[str] = issue[name].as_string()
    return text


def told(issue: sa.ColumnElement[Any]) -> sa.ColumnElement[str]:
    """Return the SQL of a kept issue's sentence with what is beside it; null without one."""
    beside = part(issue, "beside")
    within = sa.literal(" (") + beside + sa.literal(")")
    return part(issue, "sentence") + sa.func.coalesce(within, "")
