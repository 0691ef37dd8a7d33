"""Random histories of runs, in Postgres and as plain values for a slow oracle."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import Random

import sqlalchemy as sa

from sync_core import organizations
from sync_core.catalogue import resources
from sync_core.foundation import db, tables
from sync_core.organizations import Organization, policies
from sync_core.organizations.policies import Policy

# Around the end of summer time in Berlin and New York, and its begin in Adelaide.
FIRST, LAST = datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 5, tzinfo=UTC)
RESOURCES = tuple(resources.CATALOGUE)
ENDED = ("completed", "completed", "completed", "partial", "failed", "timed_out", "cancelled")
TRIGGERS = ("page", "command line", "schedule")
PEOPLE = (("Ann", "ann@example.org", "North"), ("Bo", "bo@example.org", "South"))
STRANGER = ("Cy", "cy@example.org", "")
ERRORS = ("google_busy", "csv_unavailable", "missing_column")
CODES = ("bad_phone", "bad_email", "required")
KINDS = ("created", "updated", "unchanged", "removed", "skipped", "failed")


@dataclass(frozen=True)
class BadRow:
    """A row that failed."""

    entity: str
    row_number: int
    key: str | None
    name: str
    codes: tuple[str, ...]


@dataclass(frozen=True)
class Past:
    """A run as it was written down."""

    organization_id: int
    resource: str
    kind: str
    trigger: str
    status: str
    person: tuple[str, str, str]
    queued_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    error: str | None
    counts: dict[str, dict[str, int]]  # by entity, then by kind
    bad: tuple[BadRow, ...]
    headers: dict[str, list[str]]
    phases: dict[str, float]
    id: int = 0

    @property
    def origin(self) -> str:
        return self.kind if self.kind in {"retry", "undo"} else self.trigger

    @property
    def seconds(self) -> float:
        assert self.started_at
        assert self.finished_at
        return (self.finished_at - self.started_at).total_seconds()


@dataclass(frozen=True)
class Setting:
    """Somebody changed a setting."""

    organization_id: int
    resource: str | None
    at: datetime
    what: str


@dataclass(frozen=True)
class History:
    """Runs of two organizations, in the order of their numbers."""

    organizations: tuple[Organization, ...]
    runs: Sequence[Past]
    settings: Sequence[Setting]
    promises: dict[tuple[int, str], int] = field(default_factory=dict)  # hours


def make(seed: int, size: int = 160) -> History:
    """Make a history up, and write it down."""
    chance = Random(seed)  # noqa: S311 - made-up data
    with db.everywhere() as connection:
        name = f"h-{uuid.uuid4().hex[:12]}"
        ours = tuple(organizations.add(connection, f"{name}-{n}", "Northwind") for n in (1, 2))
        promises = {(ours[0].id, RESOURCES[0]): 5, (ours[1].id, RESOURCES[1]): 60}
        for organization in ours:
            for resource in RESOURCES:
                if hours := promises.get((organization.id, resource)):
                    policies.put(connection, organization, resource, Policy(hours))
        told = _runs(chance, ours, size)
        settings = [_setting(chance, ours) for _ in range(8)]
        return History(ours, _write(connection, told, settings), settings, promises)


def _runs(chance: Random, ours: Sequence[Organization], size: int) -> list[Past]:
    span = (LAST - FIRST).total_seconds()
    moments = sorted(FIRST + timedelta(seconds=round(chance.uniform(0, span))) for _ in range(size))
    told = [_past(chance, ours, at) for at in moments]
    active = replace(told[-1], status="running", finished_at=None, counts={}, bad=(), error=None)
    waiting = replace(active, resource=_other(active.resource), status="queued", started_at=None)
    return [*told[:-2], waiting, active]


def _other(resource: str) -> str:
    return RESOURCES[(RESOURCES.index(resource) + 1) % len(RESOURCES)]


def _past(chance: Random, ours: Sequence[Organization], at: datetime) -> Past:
    resource, status = chance.choice(RESOURCES), chance.choice(ENDED)
    started = at + timedelta(seconds=chance.randrange(90))
    ended = started + timedelta(seconds=chance.choice((1, 2, 2, 5, 30, 4000, 90_000)))
    never = status == "cancelled" and chance.random() < 0.5
    entities = [entity.name for entity in resources.CATALOGUE[resource].entities]
    counts = {name: _counts(chance) for name in entities} if status in IN_STEP else {}
    bad = tuple(_bad(chance, name, n) for name in counts for n in range(_failed(chance, status)))
    for name, counted in counts.items():
        counted["failed"] = sum(row.entity == name for row in bad)
    return Past(
        organization_id=chance.choice(ours).id,
        resource=resource,
        kind=chance.choice(("sync",) * 8 + ("preview", "retry")),
        trigger=chance.choice(TRIGGERS),
        status=status,
        person=chance.choice((*PEOPLE, STRANGER)),
        queued_at=at,
        started_at=None if never else started,
        finished_at=ended,
        error=chance.choice(ERRORS) if status in {"failed", "timed_out"} else None,
        counts=counts,
        bad=bad,
        headers={name: _headers(chance, at) for name in counts},
        phases={"downloading": round(chance.random(), 3), "saving": 1.5} if counts else {},
    )


IN_STEP = ("completed", "partial")


def _counts(chance: Random) -> dict[str, int]:
    return {kind: chance.randrange(40) for kind in KINDS}


def _failed(chance: Random, status: str) -> int:
    return chance.randrange(1, 4) if status == "partial" else 0


def _bad(chance: Random, entity: str, number: int) -> BadRow:
    key = f"K{chance.randrange(6)}" if chance.random() < 0.8 else None
    codes = tuple(chance.choices(CODES, k=chance.randrange(1, 4)))
    name = f"Row {chance.randrange(4)}"
    return BadRow(entity, 10 * number + chance.randrange(10), key, name, codes)


def _headers(chance: Random, at: datetime) -> list[str]:
    more = ["Notes"] if at > FIRST + timedelta(days=12) and chance.random() < 0.9 else []
    return ["Code", "Name", *more]


def _setting(chance: Random, ours: Sequence[Organization]) -> Setting:
    at = FIRST + timedelta(hours=chance.randrange(24 * 34))
    resource = chance.choice((*RESOURCES, None))
    return Setting(chance.choice(ours).id, resource, at, f"setting {chance.randrange(9)}")


def _write(
    connection: sa.Connection, told: Sequence[Past], settings: Sequence[Setting]
) -> list[Past]:
    first = FIRST.date().replace(day=1)
    query = sa.text("select make_outcome_partitions(:first, 2)")
    connection.execute(query, {"first": first})
    insert = sa.insert(tables.runs).returning(tables.runs.c.id, sort_by_parameter_order=True)
    ids = connection.execute(insert, [_row(past) for past in told]).scalars()
    written = [replace(past, id=number) for past, number in zip(told, ids, strict=True)]
    for table, rows in (
        (tables.tallies, _tallies),
        (tables.checkpoints, _checkpoints),
        (tables.outcomes, _outcomes),
        (tables.issue_tallies, _issue_tallies),
    ):
        connection.execute(sa.insert(table), [row for past in written for row in rows(past)])
    connection.execute(sa.insert(tables.actions), [_action(setting) for setting in settings])
    return written


Row = dict[str, object]


def _row(past: Past) -> Row:
    name, email, team = past.person
    return {
        "organization_id": past.organization_id,
        "resource": past.resource,
        "kind": past.kind,
        "trigger": past.trigger,
        "status": past.status,
        "requested_by": name,
        "requested_email": email,
        "requested_team": team,
        "queued_at": past.queued_at,
        "active_since": past.queued_at,
        "started_at": past.started_at,
        "finished_at": past.finished_at,
        "log_message": f"{past.resource} {past.status}",
        "error_code": past.error,
        "phases": past.phases,
    }


def _tallies(past: Past) -> list[Row]:
    return [
        {
            "run_id": past.id,
            "entity": entity,
            "read": sum(count for kind, count in counts.items() if kind != "removed"),
            **counts,
        }
        for entity, counts in past.counts.items()
    ]


def _checkpoints(past: Past) -> list[Row]:
    return [
        {"run_id": past.id, "entity": entity, "sheet": {"headers": headers}}
        for entity, headers in past.headers.items()
    ]


def _outcomes(past: Past) -> list[Row]:
    return [
        {
            "run_id": past.id,
            "entity": row.entity,
            "kind": "failed",
            "row_number": row.row_number,
            "key": row.key,
            "name": row.name,
            "issues": [_issue(row, code) for code in row.codes],
            "raw": {"Phone": f"cell of {row.name}"},
            "at": past.finished_at,
        }
        for row in past.bad
    ]


def _issue(row: BadRow, code: str) -> Row:
    cell = f"Sheet!D{row.row_number}"
    return {"field": "Phone", "code": code, "sentence": f"It is {code}", "cell": cell}


def _issue_tallies(past: Past) -> list[Row]:
    found: dict[tuple[str, str], int] = {}
    for row in past.bad:
        for code in set(row.codes):
            found[row.entity, code] = found.get((row.entity, code), 0) + 1
    return [
        {"run_id": past.id, "entity": entity, "code": code, "rows": rows}
        for (entity, code), rows in found.items()
    ]


def _action(setting: Setting) -> Row:
    return {
        "organization_id": setting.organization_id,
        "at": setting.at,
        "name": "Ann",
        "email": "ann@example.org",
        "kind": "changed a setting",
        "resource": setting.resource,
        "detail": {"what": setting.what},
    }
