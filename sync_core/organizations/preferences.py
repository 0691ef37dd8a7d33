"""How each person wants the pages: the same in every organization to which they belong."""

from dataclasses import dataclass
from zoneinfo import available_timezones

import sqlalchemy as sa
from sqlalchemy import Connection

from sync_core.foundation import tables
from sync_core.foundation.errors import SyncError
from sync_core.foundation.vocabulary import Theme

TIME_ZONES = available_timezones() - {"Factory", "localtime"}  # which are no places


@dataclass(frozen=True)
class Preferences:
    """What somebody has chosen; who chose nothing has the defaults."""

    theme: Theme = Theme.SYSTEM
    time_zone: str = ""  # blank: that of the browser
    shortcuts: bool = True  # of the keyboard, which are single keys


def save(connection: Connection, email: str, wanted: Preferences) -> None:
    """Keep what somebody has chosen. Raises SyncError("unknown_time_zone")."""
    if wanted.time_zone and wanted.time_zone not in TIME_ZONES:
        raise SyncError("unknown_time_zone", time_zone=wanted.time_zone)
    kept = {
        "theme": wanted.theme,
        "time_zone": wanted.time_zone or None,
        "shortcuts": wanted.shortcuts,
        "set_at": sa.func.clock_timestamp(),
    }
    connection.execute(
        sa.dialects.postgresql.insert(tables.preferences)
        .values(email=email, **kept)
        .on_conflict_do_update(index_elements=["email"], set_=kept)
    )
