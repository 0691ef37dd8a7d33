"""What a process that reads one source, or works on one run, and no other, is told and may ask."""

import os
from collections.abc import Sequence

from sync_core.foundation import settings
from sync_core.foundation.processes import bare_environment
from sync_core.sources import rate_limit
from sync_core.sources.kind import SourceSetting
from sync_core.sources.kinds import KINDS
from sync_core.sources.kinds.folder import FOLDER

OF_ALL = frozenset(  # settings; none is a secret
    {"fetch_timeout", "memory_limit", "private_hosts", "statement_timeout"}
)
OF_RUN = OF_ALL | {  # settings of whoever works on a run; of servers it knows their addresses
    "account_runs",
    "active_days",
    "address",
    "cooldown",
    "data",
    "database_url",
    "redis_url",
    "sweep_hours",
    "time_limits",
}
PROXIES = frozenset({"http_proxy", "https_proxy", "all_proxy", "no_proxy"})  # of a company


def environment(setting: SourceSetting | None = None) -> dict[str, str]:
    """Return the variables with which a process reads this source: no key but its own.

    Without a source, it reads what it is handed.
    """
    told = {**bare_environment(), **settings.variables(OF_ALL)}
    if setting is None:
        return told
    of_kind = settings.variables(KINDS[setting.kind].needs, setting.organization)
    return {**told, **of_kind, **({} if setting.kind == FOLDER.name else _proxies())}


def environment_of_run(found: Sequence[SourceSetting]) -> dict[str, str]:
    """Return the variables with which a process syncs these sources: no keys but theirs."""
    told = {**bare_environment(), **settings.variables(OF_RUN)}
    for setting in found:
        told |= environment(setting)
    return told


def _proxies() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.lower() in PROXIES}


def may_send(setting: SourceSetting) -> float:
    """Let a request to a source's account through, or return how long to wait; see `Limiter`."""
    limit = KINDS[setting.kind].limit
    return rate_limit.shared(limit(setting, settings.current())).take() if limit else 0.0
