"""A CSV or a workbook that is published at an address: one table."""

import httpx2

from sync_core.catalogue.source import Source
from sync_core.sources import web_address
from sync_core.sources.files.published_csv import PublishedCsvSource
from sync_core.sources.kind import Location, Opening, SourceKind, SourceSetting
from sync_core.sources.patience import TRIES

CSV = "csv"


def _parse(text: str) -> Location | None:
    return Location(CSV, text) if web_address.parse(text) else None


def _label(setting: SourceSetting) -> str:
    path = httpx2.URL(setting.location).path.lower()
    what = "workbook" if path.endswith((".xlsx", ".xlsm")) else "CSV"
    return f"{what} at {_host(setting)}"


def _host(setting: SourceSetting) -> str:
    """Return the server: the path, or what follows it, often holds what lets one read the file."""
    return httpx2.URL(setting.location).host


def _open(setting: SourceSetting, opening: Opening) -> Source:
    retrier = opening.retrier("The server of the CSV")
    seconds = opening.settings.fetch_timeout / TRIES
    named = opening.settings.private_hosts
    return PublishedCsvSource(setting, seconds, retrier, opening.on_bytes, named)


PUBLISHED_CSV = SourceKind(
    name=CSV,
    title="Published file",
    icon=":material/csv:",
    typed="the address of a CSV or workbook",
    parse=_parse,
    label=_label,
    link=lambda setting: setting.location,
    host=_host,
    open=_open,
    one_table=True,
)
