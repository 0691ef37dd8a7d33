"""A CSV or a workbook that is published at an address: one table."""

from pathlib import Path

import httpx2

from sync_core.catalogue.source import Source
from sync_core.sources import web_address
from sync_core.sources.files.published_csv import PublishedCsvSource
from sync_core.sources.kind import Location, Opening, SourceKind, SourceSetting
from sync_core.sources.patience import TRIES

CSV = "csv"


def _parse(text: str, _cwd: Path) -> Location | None:
    return Location(CSV, text) if web_address.parse(text) else None


def _label(setting: SourceSetting) -> str:
    url = httpx2.URL(setting.location)
    what = "workbook" if url.path.lower().endswith((".xlsx", ".xlsm")) else "CSV"
    return f"{what} at {url.host}"


def _open(setting: SourceSetting, opening: Opening) -> Source:
    retrier = opening.retrier("The server of the CSV")
    seconds = opening.settings.fetch_timeout / TRIES
    return PublishedCsvSource(setting, seconds, retrier, opening.on_bytes)


PUBLISHED_CSV = SourceKind(
    name=CSV,
    title="Published file",
    icon=":material/csv:",
    typed="the address of a CSV or workbook",
    parse=_parse,
    label=_label,
    link=lambda setting: setting.location,
    open=_open,
    one_table=True,
)
