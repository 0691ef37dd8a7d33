"""The sources outside: each returns pages of raw rows, or says in a sentence why it cannot.

What differs from one kind of source to the other stands in its declaration; see `sources/kind.py`.
"""

from collections.abc import Sequence
from dataclasses import replace

from sync_core.catalogue import resources
from sync_core.catalogue.resource import Entity, Resource
from sync_core.catalogue.source import Source
from sync_core.foundation.errors import SyncError
from sync_core.foundation.settings import Settings
from sync_core.sources import certificates, web_address
from sync_core.sources.kind import AccountProbe, Location, Opening, SourceKind, SourceSetting
from sync_core.sources.kinds import KINDS
from sync_core.sources.retry import RetryPolicy

__all__ = [
    "AccountProbe",
    "Location",
    "Opening",
    "RetryPolicy",
    "SourceKind",
    "SourceSetting",
    "can_tell_changes",
    "expected",
    "kind_of",
    "location_name",
    "open_source",
    "parse_location",
    "parse_shared",
    "probe_source",
    "require_holds",
    "settings_to_probe",
    "source_file",
    "source_link",
    "source_location",
    "source_name",
    "source_words",
    "warm_up",
]


def warm_up() -> None:
    """Load what every process would else load anew before it can ask a server."""
    certificates.trusted()


def kind_of(setting: SourceSetting | Location) -> SourceKind:
    """Return the declaration of the kind of a source."""
    return KINDS[setting.kind]


def expected() -> str:
    """Return in words what a person may give as a source."""
    *others, last = (kind.typed for kind in KINDS.values() if kind.typed)
    return f"{', '.join(others)} or {last}"


def parse_location(text: str) -> Location:
    """Return the location that a person's words mean. Raises SyncError (bad_location)."""
    text = text.strip()
    if not text.isprintable():
        raise _bad(ascii(text)[1:-1], "it holds an unprintable character")
    try:
        for kind in KINDS.values():
            if found := kind.parse(text):
                return found
    except ValueError as error:
        raise _bad(text, str(error)) from None
    raise _bad(text, "it has the form of none")


def parse_shared(text: str) -> Location:
    """Return the location of a source that a key of this program reads, without its tab.

    Raises SyncError (bad_location).
    """
    location = parse_location(text)
    if not kind_of(location).shared:
        shared = " and ".join(kind.title for kind in KINDS.values() if kind.shared)
        raise _bad(text, f"only {shared} are allowed to each organization, others need not be")
    return replace(location, tab=None)


def location_name(location: Location) -> str:
    """Return the name of a location in sentences, as that of a source that is set."""
    return source_name(
        SourceSetting(
            organization="",
            resource="",
            entity="",
            kind=location.kind,
            location=location.location,
        )
    )


def require_holds(location: Location, resource: Resource, entities: Sequence[Entity]) -> None:
    """Refuse an account that does not hold the tables. Raises SyncError (bad_location)."""
    kind = kind_of(location)
    if kind.account and resource.held_by != kind.name:
        raise _bad(location.location, f"{kind.title} holds no {entities[0].title.lower()}")


def _bad(text: str, why: str) -> SyncError:
    shown = web_address.without_password(text)
    return SyncError("bad_location", text=shown, why=why, sources=expected())


def source_name(setting: SourceSetting) -> str:
    """Return the name of a source in sentences: "Google Sheet 1AbC…wxyz, tab Locations"."""
    return kind_of(setting).label(setting)


def source_file(setting: SourceSetting) -> str | None:
    """Return the name of the file in which the table is, where the source is a folder of files."""
    file = kind_of(setting).file
    return file(setting) if file else None


def source_words(setting: SourceSetting) -> str:
    """Return what a person writes for this source, for those who may set it."""
    return kind_of(setting).written(setting)


def source_link(setting: SourceSetting, *, may_set: bool) -> str | None:
    """Return the address at which a person sees the source, where there is one.

    A secret one is for those alone who may set it.
    """
    kind = kind_of(setting)
    return kind.link(setting) if may_set or kind.host is None else None


def source_location(setting: SourceSetting, *, may_set: bool) -> str:
    """Return where the source is; of a secret one only its host, unless a person may set it."""
    host = kind_of(setting).host
    return setting.location if may_set or host is None else host(setting)


def can_tell_changes(settings: Sequence[SourceSetting]) -> bool:
    """Return whether all of these sources can tell what changed since an earlier sync."""
    return all(kind_of(setting).incremental for setting in settings)


def open_source(setting: SourceSetting, opening: Opening) -> Source:
    """Return the source of a setting; no request is made yet."""
    return kind_of(setting).open(setting, opening)


def probe_source(setting: SourceSetting, settings: Settings) -> AccountProbe:
    """Return what the probe of its kind says of an account. Raises SyncError if it cannot be read.

    Kinds without a probe have rows that tell: see `engine/probe.py`.
    """
    probe = kind_of(setting).probe
    assert probe  # noqa: S101 - only of such a kind
    return probe(setting, settings)


def settings_to_probe(settings: Sequence[SourceSetting]) -> list[SourceSetting]:
    """Return the settings, of each account only one: that of the main table, if it is there."""
    chosen: dict[object, SourceSetting] = {}
    for setting in settings:
        key = setting.kind if kind_of(setting).account else setting
        is_main = setting.entity == resources.by_name(setting.resource).main.name
        if key not in chosen or is_main:
            chosen[key] = setting
    return list(chosen.values())
