"""What the tests of sources share: a source setting, an entity, rows, refusals."""

from collections.abc import Callable
from pathlib import Path

import pytest

from sync_core.catalogue.resource import Entity
from sync_core.catalogue.source import Page, Sheet
from sync_core.foundation.errors import SyncError
from sync_core.sources import SourceSetting
from sync_core.sources.retry import RetryPolicy

LOCATIONS = Entity(name="locations", title="Locations", fields=())
FAST_RETRIES = RetryPolicy(
    attempts=2, outage_attempts=3, first_wait=0.01, longest_wait=0.02, unreported=0
)
SOON = 0.4  # seconds; a time limit that tests wait for
NONE: frozenset[int] = frozenset()

Row = tuple[int, list[str]]


def source_setting(
    kind: str,
    where: str | Path,
    *,
    tab: str | None = None,
    locale: str | None = None,
    header_row: int | None = None,
) -> SourceSetting:
    return SourceSetting(
        organization="demo",
        resource="locations",
        entity="locations",
        kind=kind,
        location=str(where),
        tab=tab,
        locale=locale,
        header_row=header_row,
    )


def rows_of(page: Page) -> list[Row]:
    columns = [[str(cell or "") for cell in column] for column in page.texts]
    cells = [list(row) for row in zip(*columns, strict=True)]
    return list(zip(page.rows, cells, strict=True))


def all_rows(sheet: Sheet) -> list[Row]:
    return [row for page in sheet.pages(NONE) for row in rows_of(page)]


def refusal(call: Callable[[], object]) -> SyncError:
    with pytest.raises(SyncError) as caught:
        call()
    assert caught.value.advice
    return caught.value
