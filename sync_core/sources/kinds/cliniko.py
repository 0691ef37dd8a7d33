"""Cliniko: the account of an organization, which the organization's API key decides."""

from sync_core.catalogue.source import Source
from sync_core.sources.cliniko import key
from sync_core.sources.cliniko.client import RETRY_POLICY
from sync_core.sources.cliniko.lists import ClinikoSource
from sync_core.sources.cliniko.probe import probe_account
from sync_core.sources.cliniko.quota import quota
from sync_core.sources.kind import Location, Opening, SourceKind, SourceSetting

NAME = "cliniko"


def _parse(text: str) -> Location | None:
    return Location(NAME, NAME) if text.lower() == NAME else None


def _open(setting: SourceSetting, opening: Opening) -> Source:
    return ClinikoSource(
        setting=setting,
        settings=opening.settings,
        since=opening.since,
        on_wait=opening.on_wait,
        on_step=opening.on_step,
        on_traffic=opening.on_traffic,
        retry_policy=opening.retry_policy or RETRY_POLICY,
    )


CLINIKO = SourceKind(
    name=NAME,
    title="Cliniko",
    icon=":material/medical_services:",
    typed=NAME,
    parse=_parse,
    label=lambda _setting: "Cliniko",
    open=_open,
    probe=lambda setting, settings: probe_account(setting.organization, settings),
    incremental=True,
    account=True,
    quota="organization",
    limit=lambda setting, settings: quota(key.find(setting.organization, settings)),
    needs=frozenset({"cliniko_keys", "cliniko_key_files", "cliniko_contact", "cliniko_base_url"}),
    shared=True,
)
