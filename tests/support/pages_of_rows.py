"""Pages of a sheet as a source hands them over, made of rows of labelled cells."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sync_core.catalogue.fields import Convention
from sync_core.catalogue.resource import Entity
from sync_core.catalogue.source import Page
from sync_core.engine.headers import Columns
from sync_core.engine.validate import ValidatedPage, Validator


@dataclass(frozen=True)
class Under:
    """A cell with something under its text: a number of some format, or a truth value."""

    text: str
    number: float | None = None
    format: str | None = None
    truth: bool | None = None


Row = Mapping[str, str | Under]


def validator(entity: Entity, convention: Convention | None = None) -> Validator:
    fields = tuple((field, index) for index, field in enumerate(entity.fields))
    columns = Columns(fields, tuple(field.label for field in entity.fields), ())
    return Validator(entity, columns, convention or Convention(), entity.title)


def page(entity: Entity, rows: Sequence[Row], first: int = 2) -> Page:
    columns = [[row.get(field.label, "") for row in rows] for field in entity.fields]
    cells = [[c if isinstance(c, Under) else Under(c) for c in column] for column in columns]
    asked = [i for i, field in enumerate(entity.fields) if field.wants_more_than_texts]
    return Page(
        rows=range(first, first + len(rows)),
        texts=[[cell.text for cell in column] for column in cells],
        numbers={i: [cell.number for cell in cells[i]] for i in asked},
        formats={i: [cell.format for cell in cells[i]] for i in asked},
        booleans={i: [cell.truth for cell in cells[i]] for i in asked},
    )


def records(validated: ValidatedPage) -> list[dict[str, Any]]:
    """Return the rows that nothing is wrong with, with their filled columns."""
    rows = validated.frame.filter(validated.frame["_issues"].is_null()).to_dicts()
    return [{k: v for k, v in row.items() if v is not None and k[0] != "_"} for row in rows]


def sentences(validated: ValidatedPage) -> dict[int, list[str]]:
    """Return what is wrong, by row number."""
    rows = validated.frame.filter(validated.frame["_issues"].is_not_null()).to_dicts()
    return {
        row["row_number"]: [issue["sentence"] for issue in json.loads(row["_issues"])]
        for row in rows
    }
