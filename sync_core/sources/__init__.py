"""The sources outside: each returns pages of raw rows, or says in a sentence why it cannot."""

from collections.abc import Callable, Sequence
from datetime import datetime

from sync_core.catalogue.resource import Entity
from sync_core.catalogue.source import Source
from sync_core.foundation.settings import Settings
from sync_core.sources.cliniko.lists import ClinikoSource
from sync_core.sources.cliniko.probe import probe_account
from sync_core.sources.files.folder import FolderSource
from sync_core.sources.files.published_csv import OnBytes, PublishedCsvSource
from sync_core.sources.google.sheets import SheetsSource
from sync_core.sources.location import (
    CLINIKO,
    HELD_BY_CLINIKO,
    Location,
    SourceSetting,
    parse_location,
    source_link,
    source_name,
)
from sync_core.sources.probe import read_to_the_end
from sync_core.sources.retry import Retrier, RetryPolicy

INCREMENTAL = frozenset({"cliniko"})  # kinds of sources that can tell what changed

__all__ = [
    "CLINIKO",
    "HELD_BY_CLINIKO",
    "INCREMENTAL",
    "Location",
    "RetryPolicy",
    "SourceSetting",
    "open_source",
    "parse_location",
    "probe_source",
    "read_to_the_end",
    "settings_to_probe",
    "source_link",
    "source_name",
]


def open_source(
    setting: SourceSetting,
    settings: Settings,
    *,
    on_wait: Callable[[str], None] = lambda _sentence: None,
    on_bytes: OnBytes = lambda _read, _all: None,
    on_step: Callable[[str], None] = lambda _band: None,
    since: datetime | None = None,
    retry_policy: RetryPolicy = RetryPolicy(),  # noqa: B008 - frozen
) -> Source:
    """Return the source of a setting; no request is made yet.

    `on_wait` gets a sentence whenever a server keeps us waiting for more than 2 s, `on_bytes` how
    many bytes have arrived of a source that is fetched whole, and of how many if known, `on_step`
    the name of the phase that begins, where the opening has several. A source of the kinds in
    INCREMENTAL reads only what changed `since`.
    """
    match setting.kind:
        case "sheet":
            return SheetsSource(setting, settings, Retrier("Google", retry_policy, on_wait))
        case "csv":
            retrier = Retrier("The server of the CSV", retry_policy, on_wait)
            return PublishedCsvSource(setting, settings.fetch_timeout, retrier, on_bytes)
        case "folder":
            return FolderSource(setting)
        case "cliniko":
            return ClinikoSource(
                setting=setting, settings=settings, since=since, on_wait=on_wait, on_step=on_step
            )


def probe_source(setting: SourceSetting, entity: Entity, settings: Settings) -> str:
    """Return a sentence about what is there, after reading the source to its end.

    An account is only asked what may be read of it. Raises SyncError where it cannot be read.
    """
    if setting.kind == "cliniko":
        return probe_account(setting.organization, settings)
    return read_to_the_end(open_source(setting, settings), entity)


def settings_to_probe(found: Sequence[SourceSetting]) -> list[SourceSetting]:
    """Return the settings without those of an account that another one already stands for."""
    accounts = [setting for setting in found if setting.kind == "cliniko"]
    accounts.sort(key=lambda setting: setting.entity != "patients")  # whose probe says most
    return [setting for setting in found if setting not in accounts[1:]]
