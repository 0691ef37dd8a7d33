"""How many patients there are, and how many of them are active: counted when it is asked.

A patient is active who is neither archived, deleted nor merged, and has a valid appointment to
come, or kept one within so many days. Valid is an appointment that was neither cancelled, archived
nor deleted. Group classes are not counted: Cliniko does not list them among the appointments.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import LiteralString

import sqlalchemy as sa
from psycopg import sql
from sqlalchemy import Connection

from sync_core.analytics.resource_analysis import (
    Figure,
    Group,
    ResourceAnalysis,
    ResourceFigures,
)
from sync_core.catalogue.resources import ENTITIES
from sync_core.engine.statements import Scope
from sync_core.foundation import db, settings

PATIENTS, APPOINTMENTS = ENTITIES["patients"], ENTITIES["appointments"]


@dataclass(frozen=True)
class Figures:
    """Patients of an organization by how active they are, at a moment."""

    total: int  # archived and merged ones, too
    active: int
    recent: int  # of the active ones, and so on
    upcoming: int
    both: int
    archived: int  # or deleted, or merged
    days: int  # that count as recent
    at: datetime


def figures(connection: Connection, organization_id: int, at: datetime | None = None) -> Figures:
    """Count the organization's patients as they are at a moment, by default now."""
    return _count(connection, _standing(organization_id), at or datetime.now(UTC))


def active_after(connection: Connection, scopes: Sequence[Scope]) -> int:
    """Count the patients who will be active once the plans of these scopes are applied."""
    found = {scope.entity.name: _planned(scope) for scope in scopes}
    return _count(connection, found, datetime.now(UTC)).active


def active_among(
    connection: Connection, organization_id: int, ids: Sequence[str], at: datetime | None = None
) -> set[str]:
    """Return which of these patients, by their Cliniko ids, are active at a moment."""
    found = _standing(organization_id)
    only = sql.SQL("(select * from {} o where cliniko_patient_id = any({}))")
    few = {name: only.format(rows, sql.Literal(list(ids))) for name, rows in found.items()}
    cursor = db.cursor(connection)
    query = sql.SQL("select cliniko_patient_id from {} counted where live and (recent or upcoming)")
    cursor.execute(query.format(_activity(few, at or datetime.now(UTC))))
    return {patient for (patient,) in cursor}


def figures_for_page(connection: Connection, organization_id: int) -> ResourceFigures | None:
    """Return the figures with what they mean; None where there are no patients."""
    found = figures(connection, organization_id)
    if not found.total:
        return None
    recent = f"Came within the last {found.days} days, and is active"
    shown = (
        Figure("Patients", found.total, "All that Cliniko holds, archived and merged ones, too"),
        Figure(
            "Active", found.active, "Recent or upcoming; not archived, deleted or merged", "active"
        ),
        Figure("Recent", found.recent, recent, "recent"),
        Figure("Upcoming", found.upcoming, "Has an appointment to come, and is active", "upcoming"),
        Figure("Both", found.both, "Recent and upcoming: counted once among the active", "both"),
        Figure("Archived", found.archived, "Archived, deleted or merged in Cliniko", "archived"),
    )
    return ResourceFigures(shown, found.at, "Group classes are not counted.")


def _among(condition: str, organization_id: int) -> sa.TextualSelect:
    """Return the query of the ids of the patients of whom the condition holds now."""
    rows = _activity(_standing(organization_id), datetime.now(UTC))
    query = sql.SQL("select cliniko_patient_id from {} counted where ").format(rows)
    text = (query + sql.SQL(GROUPS[condition])).as_string(None).replace(":", "\\:")
    return sa.text(text).columns(sa.column("cliniko_patient_id", sa.Text))


GROUPS: dict[str, LiteralString] = {
    "active": "live and (recent or upcoming)",
    "recent": "live and recent",
    "upcoming": "live and upcoming",
    "both": "live and recent and upcoming",
    "archived": "not live",
}
ANALYSIS = ResourceAnalysis(
    active_after,
    figures_for_page,
    {name: Group(partial(_among, name), personal=name != "archived") for name in GROUPS},
)


def _count(connection: Connection, found: dict[str, sql.Composed], at: datetime) -> Figures:
    counts = sql.SQL(", ").join(
        sql.SQL("count(*) filter (where ") + sql.SQL(condition) + sql.SQL(")")
        for condition in GROUPS.values()
    )
    query = sql.SQL("select count(*), {} from {} counted").format(counts, _activity(found, at))
    with db.without_loops(connection):
        cursor = db.cursor(connection).execute(query)
        ((total, active, recent, upcoming, both, archived),) = cursor.fetchall()
    return Figures(total, active, recent, upcoming, both, archived, _days(), at)


def _activity(found: dict[str, sql.Composed], at: datetime) -> sql.Composed:
    """Return the SQL of these patients: whether each is live, recent, upcoming."""
    since = at - timedelta(days=_days())
    return sql.SQL(
        "(with valid as (select cliniko_patient_id, bool_or(starts_at >= {at}) as upcoming,"
        " bool_or(starts_at < {at} and did_not_arrive is not true) as recent"
        " from {appointments} a where starts_at >= {since} and cancelled_at is null"
        " and archived_at is null and deleted_at is null group by cliniko_patient_id)"
        " select cliniko_patient_id, recent, upcoming,"
        " archived_at is null and deleted_at is null and merged_at is null as live"
        " from {patients} p left join valid using (cliniko_patient_id))"
    ).format(at=sql.Literal(at), since=sql.Literal(since), **found)


def _days() -> int:
    return round(settings.current().active_days)


def _standing(organization_id: int) -> dict[str, sql.Composed]:
    """Return the SQL of the records that stand in the tables."""
    query = sql.SQL("(select * from {} where organization_id = {} and _removed_at is null)")
    return {
        entity.name: query.format(sql.Identifier(entity.name), sql.Literal(organization_id))
        for entity in (PATIENTS, APPOINTMENTS)
    }


def _planned(scope: Scope) -> sql.Composed:
    """Return the SQL of the records as they will be: those read, and those that stay."""
    columns = sql.SQL(", ").join(sql.Identifier(field.column) for field in scope.entity.fields)
    return sql.SQL(
        "(select {columns} from {rows} s where s._issues is null and s._rule is null"
        " union all select {columns} from {target} t where t.organization_id = {org}"
        " and t._removed_at is null and not exists (select from {rows} s where {s_is_t}"
        " and s._issues is null and s._rule is null)"
        " and not exists (select from {plan} p where p.kind = 'removed' and {p_is_t}))"
    ).format(columns=columns, **scope.names)
