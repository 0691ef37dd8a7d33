"""What a kind of source declares, once for all rooms.

A new kind is one file in `sources/kinds/` that declares a `SourceKind`, and one line for it in
`sources/kinds/__init__.py`. The declaration says what a person writes for it (`typed`, `parse`),
how it is named and drawn (`label`, `icon`), where a person can look at it (`link`), which file of
it to edit (`file`), what was written for one that is set (`written`, so that it can be changed;
"" where nobody may see it), how it is
opened for reading (`open` returns a `Source` of `catalogue/source.py`, whose sheets return pages of
raw cells) and tried without a sync (`probe`; by default its first rows are judged as a sync would,
see `engine/probe.py`). Where a location is a secret, `host` is what everybody may know of it. Three
flags say
whether it can tell what changed since the last sync (`incremental`), whether one account stands for
all tables of the resources that name it in `held_by` (`account`), and whether it holds a single
table (`one_table`); `shared`, that a key of this installation reads it, so that the shell says
whose it is where there are several organizations; `quota` says whose runs share the limits of one
account, and `limit` how many requests it takes. `needs` names the settings that reading takes: the
process that tests a source is told no others, and no key but its own. The code that reads it may
live beside, as in `sources/google`; its keys and addresses are settings in
`foundation/settings.py`, and each error that it may meet is an entry of `foundation/errors`.
Nothing else has to change: the command line, the pages, the worker and the storage of settings ask
the declaration.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sync_core.catalogue.source import Source
from sync_core.foundation.settings import Settings
from sync_core.sources.patience import sleep_alive
from sync_core.sources.rate_limit import Quota
from sync_core.sources.retry import OnWait, Retrier, RetryPolicy

OnBytes = Callable[[int, int | None], None]  # how many arrived, and of how many if known
OnTraffic = Callable[[int, int, float], None]  # more requests, bytes of answers, seconds waited
OnStep = Callable[[str], None]  # the name of the phase that begins


@dataclass(frozen=True)
class Location:
    """What a person's words mean: a sheet's id, a CSV's address, a folder's path."""

    kind: str  # name of a SourceKind
    location: str
    tab: str | None = None  # the gid, where the address names one


@dataclass(frozen=True, kw_only=True)
class SourceSetting:
    """Where one entity of an organization is read: what the organization has set."""

    organization: str  # its slug
    resource: str
    entity: str
    kind: str  # name of a SourceKind
    location: str
    tab: str | None = None  # gid or title
    tab_title: str | None = None  # of a gid: what the tab was called when it was read last
    locale: str | None = None  # None: as the source says, else ISO
    header_row: int | None = None  # None: it is found by its labels


@dataclass(frozen=True, kw_only=True)
class Opening:
    """What a source gets when it is opened: settings, whom to report to, how much to read.

    `on_wait` gets a sentence whenever a server keeps us waiting for more than 2 s, `on_bytes` how
    much has arrived of a source that is fetched whole, `on_step` the name of the phase that begins,
    where the opening has several. An incremental source reads only what changed `since`.
    """

    settings: Settings
    on_wait: OnWait = lambda _sentence: None
    on_bytes: OnBytes = lambda _read, _total: None
    on_traffic: OnTraffic = lambda _requests, _bytes, _waited: None
    on_step: OnStep = lambda _name: None
    since: datetime | None = None  # None: read everything
    retry_policy: RetryPolicy | None = None  # None: the usual one of the kind

    def retrier(self, server: str, usual: RetryPolicy | None = None) -> Retrier:
        """Return what calls a server again; `server` begins sentences about it."""
        policy = self.retry_policy or usual or RetryPolicy()
        return Retrier(server, policy, self.on_wait, self._sleep)

    def _sleep(self, seconds: float) -> None:
        sleep_alive(seconds, lambda waited: self.on_traffic(0, 0, waited))


@dataclass(frozen=True)
class AccountProbe:
    """What an account that can be read says of itself."""

    sentence: str
    records: int  # of the main table


@dataclass(frozen=True, kw_only=True)
class SourceKind:
    """All that is known of a kind of source; see the module.

    `parse` gets a person's words. It returns None where they mean another kind, and raises
    ValueError, with the reason, where they can mean none.
    """

    name: str  # as it is kept: "sheet"
    title: str  # "Google Sheet"
    icon: str  # ":material/table:"
    typed: str  # what a person writes: "the address or id of a Google Sheet"; "": it is not set
    parse: Callable[[str], Location | None]
    label: Callable[[SourceSetting], str]  # in sentences: "Google Sheet 1AbC…wxyz, tab Locations"
    open: Callable[[SourceSetting, Opening], Source]
    link: Callable[[SourceSetting], str | None] = lambda _setting: None
    file: Callable[[SourceSetting], str] | None = None  # in it: "locations.csv (or .xlsx)"
    written: Callable[[SourceSetting], str] = lambda setting: setting.location
    host: Callable[[SourceSetting], str] | None = None  # None: the location is no secret
    probe: Callable[[SourceSetting, Settings], AccountProbe] | None = (
        None  # None: its first rows are tried
    )
    incremental: bool = False
    account: bool = False
    quota: Literal["program", "organization"] | None = None  # whose runs share an account's limits
    limit: Callable[[SourceSetting, Settings], Quota] | None = None  # of the account's requests
    needs: frozenset[str] = frozenset()  # fields of `Settings`: all that a reader is told
    one_table: bool = False
    shared: bool = False
