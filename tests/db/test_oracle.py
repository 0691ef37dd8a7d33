import csv
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sync_core import organizations, runs, sources
from sync_core.catalogue import resources
from sync_core.catalogue.resource import Resource
from sync_core.engine import importer
from sync_core.engine.read_ahead import Reading
from sync_core.engine.work import Work
from sync_core.foundation import db, redis_clients
from sync_core.foundation import settings as environment
from sync_core.foundation.embedded import Urls
from sync_core.foundation.vocabulary import Removal
from sync_core.organizations import Organization
from sync_core.runs import lease
from sync_core.runs.progress import Reporter
from sync_core.sources import SourceSetting
from tests.support import therapists_oracle as oracle
from tests.support.desk import ANA, own_folder
from tests.support.therapists_oracle import Key, Record, Result

THERAPISTS = resources.CATALOGUE["therapists"]


def one_of(label: str, *more: str) -> st.SearchStrategy[str]:
    return st.sampled_from(["", *oracle.READ.get(label, ()), *more])


CODES = ["T1", "T2", "T3", "T4", ""]
THERAPIST = st.fixed_dictionaries(
    {
        "Therapist ID": st.sampled_from(CODES),
        "Name": st.sampled_from(["Ada", "Ben O'Neil", 'Çelik, "Ö"', ""]),
        "Email": one_of("Email"),
        "Phone": one_of("Phone"),
        "Employment type": one_of("Employment type"),
        "Location": st.sampled_from(["", "L1", "L2", "L9"]),
        "Hourly rate": one_of("Hourly rate"),
        "Start date": one_of("Start date"),
        "Active": one_of("Active"),
    }
)
GOOD_THERAPIST = st.fixed_dictionaries(
    {
        "Therapist ID": st.sampled_from(CODES[:4]),
        "Name": st.sampled_from(["Ada", "Ben"]),
        "Email": st.sampled_from(["", "a@example.org", "B@Example.org", "c@example.org"]),
        "Employment type": st.sampled_from(["Full time", "flat", ""]),
    }
)
SCHEDULE = st.fixed_dictionaries(
    {
        "Therapist ID": st.sampled_from([*CODES, "T9"]),
        "Weekday": one_of("Weekday"),
        "Start": one_of("Start"),
        "End": one_of("End"),
        "Location": st.sampled_from(["", "L1", "L9"]),
    }
)
GOOD_SCHEDULE = st.fixed_dictionaries(
    {
        "Therapist ID": st.sampled_from(CODES[:4]),
        "Weekday": st.sampled_from(["Monday", "tue"]),
        "Start": st.sampled_from(["9:00", "1 pm"]),
        "End": st.just("17:00"),
    }
)
BLANK: st.SearchStrategy[dict[str, str]] = st.just({})
SHEETS = st.tuples(
    st.lists(st.one_of(GOOD_THERAPIST, THERAPIST, BLANK), max_size=7),
    st.one_of(
        st.lists(GOOD_SCHEDULE, max_size=3, unique_by=lambda row: str(sorted(row.items()))),
        st.lists(st.one_of(GOOD_SCHEDULE, SCHEDULE, BLANK), max_size=6),
    ),
)


@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    removal=st.sampled_from([Removal.KEEP, Removal.DEACTIVATE, Removal.DELETE]),
    locale=st.sampled_from([None, "en_AU"]),
    sheets=st.lists(SHEETS, min_size=1, max_size=3),
)
def test_every_count_and_every_row_is_what_the_oracle_says(
    servers: Urls,
    database: psycopg.Connection,
    removal: Removal,
    locale: str | None,
    sheets: list[tuple[list[dict[str, str]], list[dict[str, str]]]],
) -> None:
    assert servers
    organization = _organization(database)
    folder = own_folder(organization.slug)
    entities = tuple(replace(entity, removal=removal) for entity in THERAPISTS.entities)
    resource = replace(THERAPISTS, entities=entities)
    therapists, schedules = Result({}), Result({})
    for therapist_rows, schedule_rows in sheets:
        no_therapists = not oracle.read_therapists(therapist_rows, locale)
        no_schedules = not oracle.read_schedules(schedule_rows, locale)
        if (no_therapists and therapists.table) or (no_schedules and schedules.table):
            continue  # refused as a whole, which has a test of its own
        _write(folder / "therapists.csv", oracle.THERAPIST_LABELS, therapist_rows)
        _write(folder / "schedules.csv", oracle.SCHEDULE_LABELS, schedule_rows)
        therapists = oracle.sync_therapists(therapists.table, therapist_rows, removal, locale)
        schedules = oracle.sync_schedules(
            schedules.table, schedule_rows, removal, therapists, therapist_rows, locale
        )
        run_id = _sync(organization, resource, locale)
        for entity, expected in (("therapists", therapists), ("schedules", schedules)):
            assert _kinds(database, run_id, entity) == _told(expected)
            assert _tally(database, run_id, entity) == _counted(expected)
        assert _stored_therapists(database, organization) == therapists.table
        assert _stored_schedules(database, organization) == schedules.table


def _organization(database: psycopg.Connection) -> Organization:
    with db.everywhere() as connection:
        organization = organizations.add(connection, f"o-{uuid.uuid4().hex[:12]}", "Oracle")
    for code in sorted(oracle.KNOWN_LOCATIONS):
        database.execute(
            "insert into locations (organization_id, location_code, name) values (%s, %s, 'x')",
            [organization.id, code],
        )
    return organization


def _write(path: Path, labels: Sequence[str], rows: Sequence[Mapping[str, str]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(labels)
        writer.writerows([[row.get(label, "") for label in labels] for row in rows])


def _sync(organization: Organization, resource: Resource, locale: str | None) -> int:
    with db.everywhere() as connection:
        run = runs.start(connection, organization.id, resource.name, ANA, trigger="test")
        claim = lease.claim(connection, run.id, "oracle")
    assert claim is not None
    known = {**resources.ENTITIES, **{entity.name: entity for entity in resource.entities}}
    work = Work(
        claim,
        resource,
        known,
        "AU",
        Reporter(redis_clients.client(), run.id, 1),
        Reading(lambda: None, 30),
        lambda: None,
    )
    opened = {
        entity.name: sources.open_source(
            SourceSetting(
                organization=organization.slug,
                resource=resource.name,
                entity=entity.name,
                kind="folder",
                location=".",
                locale=locale,
            ),
            sources.Opening(settings=environment.current()),
        )
        for entity in resource.entities
    }
    importer.sync(work, opened)
    return run.id


def _kinds(database: psycopg.Connection, run_id: int, entity: str) -> Counter[Any]:
    rows = database.execute(
        "select row_number, kind, key from outcomes where run_id = %s and entity = %s",
        [run_id, entity],
    )
    return Counter((key if kind == "removed" else number, kind) for number, kind, key in rows)


def _told(expected: Result) -> Counter[Any]:
    told = Counter((n, kind) for n, kind in expected.kinds.items() if kind != "unchanged")
    return told + Counter(("\x1f".join(key), "removed") for key in expected.removed)


def _tally(database: psycopg.Connection, run_id: int, entity: str) -> Counter[str]:
    names = ("read", "created", "updated", "unchanged", "removed", "skipped", "failed", "blank")
    row = database.execute(
        f"select {', '.join(names)} from tallies where run_id = %s and entity = %s",
        [run_id, entity],
    ).fetchone()
    assert row is not None
    return +Counter(dict(zip(names, row, strict=True)))


def _counted(expected: Result) -> Counter[str]:
    counted = Counter(expected.kinds.values())
    counted["read"] = len(expected.kinds)
    counted["blank"] = expected.blank
    counted["removed"] = len(expected.removed)
    return +counted


def _stored_therapists(
    database: psycopg.Connection, organization: Organization
) -> dict[Key, Record]:
    rows = database.execute(
        "select therapist_id, name, email, phone, employment_type, location, hourly_rate::text,"
        " start_date::text, active, _removed_at is not null from therapists"
        " where organization_id = %s",
        [organization.id],
    )
    labels = (*oracle.THERAPIST_LABELS, "removed")
    return {(row[0],): dict(zip(labels, row, strict=True)) for row in rows}


def _stored_schedules(
    database: psycopg.Connection, organization: Organization
) -> dict[Key, Record]:
    rows = database.execute(
        'select therapist_id, weekday, start::text, "end"::text, location,'
        " _removed_at is not null from schedules where organization_id = %s",
        [organization.id],
    )
    labels = (*oracle.SCHEDULE_LABELS, "removed")
    return {(row[0], row[1], row[2]): dict(zip(labels, row, strict=True)) for row in rows}
