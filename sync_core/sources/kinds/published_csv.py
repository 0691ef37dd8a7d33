"""A CSV that is published at an address: one table."""

from pathlib import Path

import httpx2

from sync_core.catalogue.source import Source
from sync_core.sources import web_address
from sync_core.sources.files.published_csv import PublishedCsvSource
from sync_core.sources.kind import Location, Opening, SourceKind, SourceSetting

CSV = "csv"


def _parse(text: str, _cwd: Path) -> Location | None:
    return Location(CSV, text) if web_address.parse(text) else None


def _label(setting: SourceSetting) -> str:
    return f"CSV at {httpx2.URL(setting.location).host}"


def _open(setting: SourceSetting, opening: Opening) -> Source:
    retrier = opening.retrier("The server of the CSV")
    return PublishedCsvSource(setting, opening.settings.fetch_timeout, retrier, opening.on_bytes)


PUBLISHED_CSV = SourceKind(
    name=CSV,
    title="Published CSV",
    icon=":material/csv:",
    typed="the address of a CSV",
    parse=_parse,
    label=_label,
    link=lambda setting: setting.location,
    open=_open,
    one_table=True,
)
