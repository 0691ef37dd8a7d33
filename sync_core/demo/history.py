"""The made-up runs in the demo's history, so that a newcomer sees analytics.

They are marked by their trigger, stand before every real run, and make nothing fresh or late.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy import Connection

from sync_core.catalogue import resources
from sync_core.catalogue.cell_codes import CELL_CODES
from sync_core.catalogue.issue import Issue
from sync_core.catalogue.resource import Entity
from sync_core.demo import files, story
from sync_core.demo.story import COLUMNS_ADDED, DAYS, Episode
from sync_core.engine.messages import message
from sync_core.engine.tally import Tally
from sync_core.foundation import tables
from sync_core.foundation.vocabulary import APPLIED, OutcomeKind
from sync_core.organizations import Organization
from sync_core.records import outcome_format
from sync_core.runs import MADE_UP
from sync_core.runs.progress import SHEET_BANDS
from sync_core.runs.sheet_facts import SheetFacts

FLAT = 4  # therapists whom the rule leaves out; in the files there are more
PARTS = (0.45, 0.2, 0.35)  # of the time, by phase
HELD = {  # rows of the demo's files
    "therapists": files.THERAPISTS,
    "schedules": 2 * files.THERAPISTS,
    "locations": files.CLINICS,
    "admins": files.ADMINS,
    "brands": len(files.BRANDS),
    "packages": len(files.BRANDS) * len(files.PACKAGES),
}
MADE_UP_OUTCOMES = "(select * from outcomes where run_id = any(:runs))"
Row = dict[str, Any]
Tallies = Mapping[str, Tally]

OUTCOME: Row = {
    column.name: sa.null() if column.name in {"changes", "issues", "raw"} else None
    for column in tables.outcomes.c
}
CHANGES: Mapping[str, Mapping[str, Sequence[str]]] = {
    "therapists": {"phone": ("+61891230456", "+61891230457")},
    "locations": {"city": ("Perth", "Fremantle")},
    "admins": {"team": ("Reception", "Operations")},
    "packages": {"price": ("450.00", "480.00")},
}
KEYS = {"therapists": "T-{:04d}", "locations": "LOC-{:04d}", "packages": "P{}-05"}


def load(connection: Connection, organization: Organization, now: datetime | None = None) -> int:
    """Make the history up where the organization has no run at all; returns how many there are now.

    A story that came after real runs would stand before them in time and after them by number.
    """
    runs = tables.runs
    known = sa.select(runs.c.id).where(runs.c.organization_id == organization.id).limit(1)
    if connection.execute(known).first():
        return 0
    chance = Random("the story of the demo")  # noqa: S311 - made-up data
    now = now or datetime.now(UTC)
    told = list(story.tell(now, ZoneInfo(organization.time_zone), chance))
    _write(connection, organization, told, now.date(), chance)
    return len(told)


def _write(
    connection: Connection,
    organization: Organization,
    told: Sequence[Episode],
    today: date,
    chance: Random,
) -> None:
    tallies = [_tallies(episode, chance) for episode in told]
    rows = [_run(organization, *pair) for pair in zip(told, tallies, strict=True)]
    made = sa.insert(tables.runs).returning(tables.runs.c.id, sort_by_parameter_order=True)
    ids = connection.execute(made, rows).scalars().all()
    connection.execute(
        sa.text("select make_outcome_partitions(:first, :months)"),
        {"first": today - timedelta(days=DAYS + 1), "months": DAYS // 28 + 1},
    )
    per_run = list(zip(ids, told, tallies, rows, strict=True))
    for table, make in (
        (tables.attempts, _attempts),
        (tables.checkpoints, _checkpoints),
        (tables.tallies, _counts),
        (tables.issue_tallies, _issue_tallies),
    ):
        connection.execute(sa.insert(table), [row for run in per_run for row in make(*run)])
    outcomes = [row for run in per_run for row in _outcomes(*run, chance)]
    connection.execute(sa.insert(tables.outcomes), outcomes)
    hashed = outcome_format.batches(MADE_UP_OUTCOMES)
    connection.execute(sa.text(f"insert into outcome_batches {hashed}"), {"runs": ids})


def _entities(episode: Episode) -> Sequence[Entity]:
    return resources.CATALOGUE[episode.resource].entities


def _tallies(episode: Episode, chance: Random) -> Tallies:
    if episode.status not in APPLIED:
        return {}
    return {entity.name: _tally(episode, entity, chance) for entity in _entities(episode)}


def _tally(episode: Episode, entity: Entity, chance: Random) -> Tally:
    """Make up what a run did: the tables grow a little, and some records change."""
    read = HELD[entity.name] - episode.days_back * HELD[entity.name] // 800
    moves = entity.name in CHANGES
    created = chance.choice((0, 0, 0, 1, 2)) if moves else 0
    updated = chance.choice((0, 1, 2, 3, 5, 8)) if moves else 0
    failed = sum(trouble.entity == entity.name for trouble in episode.troubles)
    rules = {skip.name: FLAT for skip in entity.skips}
    skipped = sum(rules.values())
    return Tally(
        read=read,
        created=created,
        updated=updated,
        unchanged=read - created - updated - failed - skipped,
        skipped=skipped,
        failed=failed,
        rules=rules,
    )


def _run(organization: Organization, episode: Episode, tallies: Tallies) -> Row:
    started = episode.at + timedelta(seconds=episode.wait)
    ended = started + timedelta(seconds=episode.seconds)
    told = message(tallies, _entities(episode)) if tallies else "Cancelled. Nothing was changed."
    return {
        "organization_id": organization.id,
        "resource": episode.resource,
        "trigger": MADE_UP,
        "status": episode.status,
        "attempt": 1,
        "requested_by": episode.person.name,
        "requested_email": episode.person.email,
        "requested_team": episode.person.team,
        "queued_at": episode.at,
        "active_since": episode.at,
        "pushed_at": episode.at,
        "started_at": started,
        "finished_at": ended,
        "message": episode.error.sentence if episode.error else told,
        "log_message": episode.error.sentence if episode.error else told,
        "error_code": episode.error.code if episode.error else None,
        "advice": episode.error.advice if episode.error else "",
        "notes": ["This run is made up: it belongs to the history of the demo."],
        "phases": _phases(episode) if tallies else {},
    }


def _phases(episode: Episode) -> Mapping[str, float]:
    return {
        band.name: round(part * episode.seconds, 3)
        for band, part in zip(SHEET_BANDS, PARTS, strict=True)
    }


def _attempts(run_id: int, episode: Episode, _tallies: Tallies, run: Row) -> list[Row]:
    times = {"started_at": run["started_at"], "ended_at": run["finished_at"]}
    return [{"run_id": run_id, "attempt": 1, "worker": MADE_UP, "ended": episode.status, **times}]


def _checkpoints(run_id: int, episode: Episode, tallies: Tallies, _run: Row) -> list[Row]:
    return [
        {
            "run_id": run_id,
            "entity": entity.name,
            "staged": tallies[entity.name].read,
            "complete": True,
            "sheet": _sheet(episode, entity).as_json(),
        }
        for entity in _entities(episode)
        if entity.name in tallies
    ]


def _sheet(episode: Episode, entity: Entity) -> SheetFacts:
    since, added = COLUMNS_ADDED.get(entity.name, (-1, ""))
    headers = [field.label for field in entity.fields]
    return SheetFacts(
        name=f"The file '{entity.name}.csv'",
        title=entity.title,
        headers=headers + ([added] if episode.days_back <= since else []),
    )


def _counts(run_id: int, _episode: Episode, tallies: Tallies, _run: Row) -> list[Row]:
    return [
        {"run_id": run_id, "entity": entity, **asdict(tally)} for entity, tally in tallies.items()
    ]


def _issue_tallies(run_id: int, episode: Episode, _tallies: Tallies, _run: Row) -> list[Row]:
    found: dict[tuple[str, str], int] = {}
    for trouble in episode.troubles:
        found[trouble.entity, trouble.code] = found.get((trouble.entity, trouble.code), 0) + 1
    return [
        {"run_id": run_id, "entity": entity, "code": code, "rows": rows}
        for (entity, code), rows in found.items()
    ]


def _outcomes(
    run_id: int, episode: Episode, tallies: Tallies, run: Row, chance: Random
) -> list[Row]:
    about = {**OUTCOME, "run_id": run_id, "at": run["finished_at"]}
    rows = [about | _failed(trouble) for trouble in episode.troubles]
    for entity, tally in tallies.items():
        for place in range(tally.created + tally.updated):
            kind = OutcomeKind.CREATED if place < tally.created else OutcomeKind.UPDATED
            rows.append(about | _changed(entity, kind, HELD[entity], chance))
        rows += [about | _skipped(entity, place) for place in range(tally.skipped)]
    return rows


def _failed(trouble: story.Trouble) -> Row:
    cell = f"{trouble.entity.title()}!{trouble.column}{trouble.row_number}"
    issue = Issue(trouble.field, trouble.code, CELL_CODES[trouble.code].summary, cell)
    return {
        "entity": trouble.entity,
        "kind": OutcomeKind.FAILED,
        "row_number": trouble.row_number,
        "key": trouble.key,
        "name": trouble.name,
        "issues": [issue.as_json()],
        "raw": {trouble.field: trouble.cell},
    }


def _changed(entity: str, kind: OutcomeKind, held: int, chance: Random) -> Row:
    number = chance.randrange(1, held)
    return {
        "entity": entity,
        "kind": kind,
        "row_number": number + 1,
        "key": KEYS.get(entity, "admin{}@example.org").format(number),
        "name": f"{resources.ENTITIES[entity].title.removesuffix('s')} {number}",
        "row_hash": number,
        "changes": CHANGES[entity] if kind == OutcomeKind.UPDATED else sa.null(),
    }


def _skipped(entity: str, place: int) -> Row:
    (skip,) = resources.ENTITIES[entity].skips
    number = 40 * (place + 1)
    issue = Issue(skip.label, "rule", skip.sentence, None)
    return {
        "entity": entity,
        "kind": OutcomeKind.SKIPPED,
        "row_number": number + 1,
        "key": KEYS[entity].format(number),
        "name": f"Therapist {number}",
        "rule": skip.name,
        "issues": [issue.as_json()],
        "raw": {skip.label: skip.value},
    }
