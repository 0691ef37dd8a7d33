"""A check of the audit's chain that a person asks for: one at a time, in the time a page may take.

It is no action of the trail: that would add a link to what was measured.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy import Connection

from sync_core.audit import hash_chain
from sync_core.audit.hash_chain import Verdict
from sync_core.foundation import db
from sync_core.foundation.errors import SyncError
from sync_core.organizations import Organization, people
from sync_core.organizations.people import Person

WHOLE_MS, SINCE_MS = 5_000, 10_000  # that a statement of a check may take
REST = timedelta(seconds=30)  # between two checks of an organization


@dataclass(frozen=True)
class Checked:
    """What a check has found."""

    verdict: Verdict
    since: datetime | None  # only what was added since this check was looked at; None: all of it


def verify(organization: Organization, by: Person) -> Checked:
    """Check the whole chain; where that takes long, what was added since the last check.

    Raises SyncError: no_permission, check_is_running, checked_just_now, took_too_long.
    """
    people.require(by, "audit")
    try:
        return _check(organization, WHOLE_MS, since_last=False)
    except sa.exc.DBAPIError as error:
        if not db.is_too_long(error):
            raise
    return _check(organization, SINCE_MS, since_last=True)


def _check(organization: Organization, limit: int, *, since_last: bool) -> Checked:
    with db.within(organization.id) as connection:
        if not hash_chain.try_alone(connection):
            raise SyncError("check_is_running")
        before = hash_chain.latest(connection, organization.id)
        if before and datetime.now(UTC) - before.at < REST:
            raise SyncError("checked_just_now", seconds=round(REST.total_seconds()))
        connection.execute(sa.text(f"set local statement_timeout = {limit}"))
        verdict = hash_chain.verify(connection, organization, since_last=since_last)
        since = before.at if since_last and before else None
        _keep(connection, organization, verdict, is_whole=since is None)
    return Checked(verdict, since)


def _keep(
    connection: Connection, organization: Organization, verdict: Verdict, *, is_whole: bool
) -> None:
    """Keep what was found; but not that a part is whole, or the nightly check would be left out."""
    if is_whole or verdict.broken:
        hash_chain.keep(connection, organization, verdict)
