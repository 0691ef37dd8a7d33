"""What the tabs of sources were called when runs read them: people know a tab by its title."""

from collections.abc import Sequence
from dataclasses import replace

import sqlalchemy as sa
from sqlalchemy import Connection

from sync_core.foundation import tables
from sync_core.organizations import Organization
from sync_core.runs.sheet_facts import LINK, TITLE
from sync_core.sources import SourceSetting, source_link

_RUNS, _KEPT = tables.runs.c, tables.checkpoints.c


def named(
    connection: Connection, organization: Organization, settings: Sequence[SourceSetting]
) -> list[SourceSetting]:
    """Return the settings, those of a tab by its number with the title that it had last."""
    return [
        replace(setting, tab_title=_title(connection, organization, setting, link))
        if (link := source_link(setting, may_set=True)) and (setting.tab or "").isdecimal()
        else setting
        for setting in settings
    ]


def _title(
    connection: Connection, organization: Organization, setting: SourceSetting, link: str
) -> str | None:
    query = (
        sa.select(TITLE)
        .join_from(tables.runs, tables.checkpoints, _KEPT.run_id == _RUNS.id)
        .where(
            _RUNS.organization_id == organization.id,
            _RUNS.resource == setting.resource,
            _KEPT.entity == setting.entity,
            sa.func.starts_with(LINK, f"{link}&"),
        )
        .order_by(_RUNS.id.desc())
        .limit(1)
    )
    return connection.execute(query).scalar()
