"""The header is found by its labels."""

import pytest

from sync_core.catalogue import header_row
from sync_core.catalogue.resources.locations import LOCATIONS

(ENTITY,) = LOCATIONS.entities
LABELS = [field.label for field in ENTITY.fields]


@pytest.mark.parametrize(
    "above",
    [[], [[]], [["", ""]], [["Our clinics, 2026"]], [["# kept by Ana"], [], ["Name"]]],
    ids=["nothing", "a blank row", "blank cells", "a title", "a remark, a blank row, a heading"],
)
def test_what_stands_above_the_header_is_passed_over(above: list[list[str]]) -> None:
    rows = [*above, LABELS, ["L01", "Perth"]]
    assert header_row.find(rows, ENTITY) == len(above)


def test_a_first_row_that_names_half_of_the_fields_stays_the_header() -> None:
    assert header_row.find([LABELS[: len(LABELS) // 2 + 1], LABELS], ENTITY) == 0


def test_without_any_header_the_first_row_is_judged() -> None:
    assert header_row.find([["a", "b"], ["Name"], []], ENTITY) == 0
    assert header_row.find([], ENTITY) == 0
