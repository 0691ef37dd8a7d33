"""What is told of actions: one shape for each kind, also of those that are stored already."""

import json
import re
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest

from sync_core.audit import exports, hash_chain, trail
from sync_core.foundation import db
from sync_core.foundation.vocabulary import ActionKind
from sync_core.operations import administration
from sync_core.organizations import Organization, actions
from sync_core.organizations.actions import (
    DETAILS,
    Approved,
    BeganExport,
    Cancelled,
    ChangedPeople,
    ChangedSetting,
    Confirmed,
    Declined,
    Detail,
    DroppedValues,
    Exported,
    Head,
    PausedSchedule,
    Previewed,
    RemovedSchedule,
    ResumedSchedule,
    Retried,
    SentTest,
    SetNotifications,
    SetPreferences,
    SetSchedule,
    SignedIn,
    SignedOut,
    Started,
    StartedAll,
    Undone,
    Unknown,
)
from sync_core.runs.filters import Filter
from sync_core.ui.audit.audit_page import details
from tests.support.desk import ANA

AT = datetime(2026, 11, 25, 2, tzinfo=UTC)
STORED: list[tuple[str, dict[str, Any], Detail]] = [  # as databases hold it
    ("started", {}, Started()),
    ("previewed", {}, Previewed()),
    ("retried", {"failed_in": 7, "rows": 2}, Retried(7, 2)),
    ("cancelled", {}, Cancelled()),
    ("declined", {}, Declined()),
    ("declined", {"reason": "half is missing"}, Declined("half is missing")),
    (
        "approved",
        {"trigger": "page", "guards": [{"guard": "removals", "rows": 12}]},
        Approved("page", [{"guard": "removals", "rows": 12}]),
    ),
    ("confirmed", {"trigger": "page"}, Confirmed("page")),
    ("asked to undo", {"run": 7}, Undone(7)),
    ("signed in", {"at": "1764036000"}, SignedIn("1764036000")),
    ("signed out", {}, SignedOut()),
    ("changed a setting", {"what": "the people: a"}, ChangedSetting("the people: a")),
    (
        "changed the people",
        {"what": "removed Sarah Lim", "email": "sarah.lim@example.org"},
        ChangedPeople("removed Sarah Lim", "sarah.lim@example.org"),
    ),
    ("started", {"tick": AT.isoformat(), "late": True}, Started(tick=AT, late=True)),
    ("started all", {"batch": 3, "resources": ["admins"]}, StartedAll(3, ["admins"])),
    ("set a schedule", {"cron": "0 6 * * *", "what": "daily"}, SetSchedule("0 6 * * *", "daily")),
    ("removed a schedule", {}, RemovedSchedule()),
    ("set their notifications", {"what": "nothing"}, SetNotifications("nothing")),
    ("set their preferences", {"what": "theme dark"}, SetPreferences("theme dark")),
    ("sent a test message", {"what": "to ops"}, SentTest("to ops")),
    ("paused a schedule", {"why": "undo"}, PausedSchedule("undo")),
    (
        "paused a schedule",
        {"why": "failures", "error": "no_folder"},
        PausedSchedule("failures", "no_folder"),
    ),
    ("resumed a schedule", {}, ResumedSchedule()),
    ("dropped old values", {"before": AT.isoformat(), "outcomes": 7}, DroppedValues(AT, 7)),
    (
        "exported",
        {
            "what": "outcomes",
            "file": "locations-run-7-outcomes.csv",
            "run": 7,
            "masked": True,
            "rows": 3,
            "bytes": 120,
            "sha256": "ab" * 32,
            "complete": True,
            "seconds": 0.25,
            "head": {"link": 9, "hash": "cd" * 32},
            "began": 41,
        },
        Exported(
            what="outcomes",
            file="locations-run-7-outcomes.csv",
            run=7,
            masked=True,
            rows=3,
            bytes=120,
            sha256="ab" * 32,
            complete=True,
            seconds=0.25,
            head=Head(9, "cd" * 32),
            began=41,
        ),
    ),
    (
        "began an export",
        {"what": "log", "file": "locations-run-7.log", "head": {"link": 9, "hash": "cd" * 32}},
        BeganExport(what="log", file="locations-run-7.log", head=Head(9, "cd" * 32)),
    ),
    (  # of the analytics page, without a hash
        "exported",
        {"what": "figures: Waits", "rows": 2, "complete": True, "filters": {"search": "x"}},
        Exported(what="figures: Waits", rows=2, complete=True, filters={"search": "x"}),
    ),
]


@pytest.mark.parametrize(("kind", "stored", "detail"), STORED)
def test_what_is_stored_is_read_and_would_be_stored_alike(
    kind: str, stored: dict[str, Any], detail: Detail
) -> None:
    assert actions.read(kind, stored) == detail
    assert detail.kind == kind
    assert actions.facts(detail) == stored


def test_every_kind_has_its_own_shape() -> None:
    assert set(DETAILS) == set(ActionKind)
    assert {kind for kind, _, _ in STORED} == set(ActionKind)


@pytest.mark.parametrize(
    ("kind", "stored"),
    [
        ("danced", {"steps": 3}),
        ("dropped old values", {}),
        ("dropped old values", {"before": "long ago", "outcomes": 1}),
        ("exported", {"head": "none"}),
    ],
)
def test_what_cannot_be_read_keeps_its_facts(kind: str, stored: dict[str, Any]) -> None:
    assert actions.read(kind, stored) == Unknown(kind, stored)
    assert actions.facts(Unknown(kind, stored)) == stored


def test_a_fact_of_a_newer_version_is_passed_over() -> None:
    read = actions.read("dropped old values", {"before": AT.isoformat(), "outcomes": 1, "why": "x"})
    assert read == DroppedValues(AT, 1)


def _store(database: psycopg.Connection, organization: Organization) -> None:
    """Write the actions down as they were before there were shapes."""
    for kind, stored, _ in [*STORED, ("danced", {"steps": 3}, Started())]:
        database.execute(
            "insert into actions (organization_id, name, email, kind, detail)"
            " values (%s, 'Ana Ruiz', 'ana.ruiz@example.org', %s, %s)",
            [organization.id, kind, json.dumps(stored)],
        )


def test_actions_that_are_stored_already_stand_in_list_file_and_chain(
    organization: Organization, database: psycopg.Connection
) -> None:
    _store(database, organization)
    wanted = Filter(organizations=(organization.id,))
    with db.everywhere() as connection:
        actions.record(connection, organization.id, ANA, SignedOut())
    with db.everywhere() as connection:
        entries = trail.read(connection, wanted, 100)
        verdict = hash_chain.verify(connection, organization)
    expected = [Unknown("danced", {"steps": 3}), *(detail for _, _, detail in STORED[::-1])]
    assert [entry.detail for entry in entries] == [SignedOut(), *expected]
    assert verdict.links == len(STORED) + 2
    broken = str(verdict.broken)  # their heads are made up, and nothing else is wrong
    assert re.fullmatch(r"link \d+ has another hash than the manifest .* was rewritten", broken)
    told = [details(entry, ZoneInfo("UTC")) for entry in entries]
    assert {"Outcomes, 3 rows", "Figures: waits, 2 rows", "the people: a"} <= set(told)
    text = b"".join(exports.write(exports.trail([(organization, ANA)], wanted))).decode()
    assert '""sha256""' in text


def test_values_that_were_dropped_before_there_were_shapes_are_not_missed(
    organization: Organization, database: psycopg.Connection
) -> None:
    _store(database, organization)
    with db.everywhere() as connection:
        assert actions.whole_since(connection, organization.id) == AT
    administration.drop_values(organization, ANA, AT + timedelta(days=1))
    with db.everywhere() as connection:
        newest = trail.read(connection, Filter(organizations=(organization.id,)), 1)[0]
    assert newest.detail == DroppedValues(AT + timedelta(days=1), 0)


def test_the_facts_of_a_shape_are_the_keys_that_are_stored() -> None:
    names = {field.name for made in DETAILS.values() for field in fields(made)}
    assert names == set(
        "what file run filters organizations masked rows bytes sha256"
        " complete seconds head began before outcomes at files trigger guards failed_in"
        " tick late cron why reason error batch resources email".split()
    )
