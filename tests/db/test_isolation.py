"""Two organizations whose accounts hold the same ids: no query gives one what is the other's."""

import importlib
import inspect
import pkgutil
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from types import ModuleType

import pytest
from sqlalchemy import Connection

import sync_core
from sync_core import organizations, runs
from sync_core.analytics import patients
from sync_core.api.front_ends import patient_runs
from sync_core.audit import exports, hash_chain, heads, proofs
from sync_core.audit.exports import Export
from sync_core.catalogue import resources
from sync_core.catalogue.resources import ENTITIES
from sync_core.demo.cliniko import Account
from sync_core.foundation import db, settings
from sync_core.foundation.errors import SyncError
from sync_core.foundation.vocabulary import ChannelKind, NoticeKind, Role
from sync_core.notifications import (
    channels,
    conditions,
    digest,
    letters,
    notices,
    outbox,
    wishes,
    words,
)
from sync_core.notifications.wishes import Wish
from sync_core.operations import syncs
from sync_core.organizations import (
    Organization,
    actions,
    allowed_sources,
    people,
    policies,
    retentions,
    saved_views,
    schedules,
    source_settings,
    tokens,
)
from sync_core.organizations.people import Person
from sync_core.organizations.policies import Policy
from sync_core.organizations.saved_views import SavedView
from sync_core.organizations.schedules import Tick
from sync_core.records import history, lookup, names, outcomes, row_names, rows
from sync_core.records.outcomes import Wanted
from sync_core.records.rows import View
from sync_core.runs import Run, attempts, recovery
from sync_core.sources import Location
from tests.support.clinic import Clinic, open_clinic
from tests.support.desk import ANA, Desk
from tests.support.fakes.cliniko import Cliniko
from tests.support.locations import LOCATIONS
from tests.support.telling import tell

MARKS = ("Alphaville", "Bravotown")  # what stands in every row, run and setting of each
WATCHERS = [Person(mark, f"{mark.lower()}@x.org", Role.ADMIN, mark) for mark in MARKS]
PATIENTS = ENTITIES["patients"]
APPOINTMENTS = resources.ENTITIES["appointments"]
KINDS = ("created", "updated", "removed", "failed", "skipped")


@dataclass(frozen=True)
class Side:
    """One of the two organizations, with a run of it, and what only its things say."""

    clinic: Clinic
    run: Run
    mark: str

    @property
    def organization(self) -> Organization:
        return self.clinic.organization


def _file(export: Export) -> bytes:
    return b"".join(exports.write(export))


def history_keys(side: Side) -> list[tuple[str]]:
    return [(str(known.id),) for known in side.clinic.account.known("patients")[1:4]]


Ask = Callable[[Connection, Side], object]
VIEW = View(limit=1000)
PATIENT_OF_APPOINTMENT = next(f for f in APPOINTMENTS.fields if f.label == "Cliniko patient ID")
READS: dict[str, Ask] = {
    "rows.count": lambda c, s: [
        rows.count(c, s.organization.id, PATIENTS, View(m), ANA) for m in MARKS
    ],
    "rows.read": lambda c, s: rows.read(c, s.organization.id, PATIENTS, VIEW, ANA),
    "rows.values": lambda c, s: rows.values(c, s.organization.id, PATIENTS, "state", 99),
    "names.of_codes": lambda c, s: names.of_codes(
        c, s.organization.id, PATIENT_OF_APPOINTMENT, [key for (key,) in history_keys(s)], ANA
    ),
    "history.read": lambda c, s: [
        history.read(c, s.organization.id, PATIENTS, key, ANA).entries
        for key in sorted(history_keys(s))
    ],
    "lookup.find": lambda c, s: lookup.find(c, s.organization.id, ANA, "v", 99),
    "hash_chain.head": lambda c, s: hash_chain.head(c, s.organization.id),
    "hash_chain.verify": lambda c, s: hash_chain.verify(c, s.organization),
    "proofs.make": lambda c, s: [
        proofs.make(c, s.organization, s.run, keys=key, entity=PATIENTS.name)
        for key in sorted(history_keys(s))
    ],
    "run.get": lambda c, s: runs.get(c, s.organization.id, s.run.id),
    "run.latest": lambda c, s: runs.latest(c, s.organization.id),
    "run.fresh": lambda c, s: runs.fresh(c, s.organization.id),
    "run.history": lambda c, s: runs.history(c, s.organization.id),
    "run.usual_phases": lambda c, s: runs.usual_phases(c, s.organization.id, "patients"),
    "organization.by_id": lambda c, s: organizations.by_id(c, s.organization.id),
    "allowed_sources.of": lambda c, s: allowed_sources.of(c, s.organization),
    "source_settings.read": lambda c, s: source_settings.read(
        c, s.organization, resources.by_name("patients")
    ),
    "source_settings.read_all": lambda c, s: source_settings.read_all(c, s.organization),
    "policies.of": lambda c, s: policies.of(c, s.organization.id),
    "schedules.of": lambda c, s: schedules.of(c, s.organization.id),
    "schedules.get": lambda c, s: schedules.get(c, s.organization.id, "patients"),
    "schedules.ticks": lambda c, s: schedules.ticks(c, s.organization.id, "patients"),
    "retentions.of": lambda c, s: retentions.of(c, s.organization.id),
    "people.find": lambda c, s: [people.find(c, s.organization.id, f"{m}@x.org") for m in MARKS],
    "people.accounts": lambda c, s: (s.mark, people.accounts(c, s.organization.id)),
    "people.admins": lambda c, s: people.admins(c, s.organization.id),
    "people.members": lambda c, s: people.members(c, s.organization.id),
    "people.everyone": lambda c, s: people.everyone(c, s.organization.id),
    "tokens.everyone": lambda c, s: tokens.everyone(c, s.organization.id),
    "notices.of_person": lambda c, s: [
        notices.of_person(c, s.organization.id, who) for who in WATCHERS
    ],
    "notices.unread": lambda c, s: [notices.unread(c, s.organization.id, who) for who in WATCHERS],
    "channels.everyone": lambda c, s: channels.everyone(c, s.organization.id),
    "channels.get": lambda c, s: [
        channels.get(c, s.organization.id, one.id)
        for one in channels.everyone(c, s.organization.id)
    ],
    "outbox.latest": lambda c, s: outbox.latest(c, s.organization.id),
    "words.titles": lambda c, s: (
        s.mark,
        [
            title
            for who in WATCHERS
            for told in [notices.of_person(c, s.organization.id, who)]
            for _, title in words.titles(c, s.organization.id, told)
        ],
    ),
    "letters.of_news": lambda c, s: letters.of_news(
        c, s.organization, outbox.latest(c, s.organization.id)[0].content
    ),
    "digest.letter": lambda c, s: digest.letter(
        c, s.organization, outbox.latest(c, s.organization.id)[0], None
    ),
    "heads.latest": lambda c, s: heads.latest(c, s.organization.id),
    "conditions.of": lambda c, s: conditions.of(c, s.organization.id, "patients"),
    "wishes.everyones": lambda c, s: wishes.everyones(c, s.organization.id),
    "saved_views.of_person": lambda c, s: [
        saved_views.of_person(c, s.organization.id, who, "audit") for who in WATCHERS
    ],
    "wishes.of_person": lambda c, s: [
        wishes.of_person(c, s.organization.id, who) for who in WATCHERS
    ],
    "patients.figures": lambda c, s: patients.figures(c, s.organization.id),
    "patients.figures_for_page": lambda c, s: patients.figures_for_page(c, s.organization.id),
    "patients.active_among": lambda c, s: (
        s.mark,
        patients.active_among(
            c, s.organization.id, [str(one.id) for one in s.clinic.account.known("patients")]
        ),
    ),
    "patient_runs.recent": lambda c, s: patient_runs.recent(c, s.organization, 99),
    "patient_runs.seen": lambda c, s: patient_runs.seen(c, s.organization, [s.run]),
    "patient_runs.stats": lambda c, s: patient_runs.stats(c, s.organization),
}
OF_A_RUN: dict[str, Ask] = {  # these are asked with a run, which `runs.get` gives its own alone
    "outcomes.read": lambda c, s: outcomes.read(c, s.run, Wanted(KINDS, limit=1000), ANA),
    "row_names.call": lambda c, s: [
        row_names.call(c, s.organization.id, found, ANA)(one)
        for found in [outcomes.read(c, s.run, Wanted(KINDS, limit=1000), ANA)]
        for one in found
    ],
    "exports.rejects": lambda _, s: _file(exports.rejects(s.organization, ANA, s.run)),
    "exports.outcomes": lambda _, s: _file(exports.outcomes(s.organization, ANA, s.run)),
    "runs.tallies": lambda c, s: runs.tallies(c, [s.run.id]),
    "attempts.of_run": lambda c, s: attempts.of_run(c, s.run.id),
}
TRIED_ELSEWHERE = {  # as they need what no run of patients leaves
    "actions.decisions",
    "actions.whole_since",
    "hash_chain.holds",
    "hash_chain.latest",
    "kept_heads.gaps",
    "recovery.plans_that_wait",
    "retries.latest",
    "at_work.of",
    "at_work.of_others",
    "batches.latest",
    "run.queue_positions",
    "run.setbacks",
    "tab_titles.named",
    "undos.since_plan",
    "undos.taken_back",
    "uploads.settings_of_run",
    "allowed_sources.require",
}
WRITES = {  # they change what is the organization's, or ask on behalf of what does
    "actions.record",
    "allowed_sources.allow",
    "allowed_sources.forbid",
    "channels.add",
    "channels.remove",
    "conditions.forget",
    "conditions.put",
    "hash_chain.keep",
    "history.load",
    "recovery.close_dead",
    "recovery.revive",
    "news.paused",
    "notices.mark_read",
    "notices.mark_run_read",
    "once.earlier",
    "once.forget",
    "outbox.add",
    "outbox.tell",
    "people.add",
    "people.end_sign_ins",
    "people.forget_account",
    "people.offer",
    "memberships.accept",
    "memberships.again",
    "memberships.choose",
    "memberships.decline",
    "people.remove",
    "source_settings.save",
    "policies.put",
    "organization.set_four_eyes",
    "batches.add",
    "requests.refuse_while_plan_waits",
    "requests.request_cancel",
    "requests.start",
    "requests.to_cancel",
    "requests.to_decide",
    "retention.drop_values",
    "retentions.go_on",
    "retentions.put",
    "turns.take",
    "schedules.pause",
    "schedules.put",
    "schedules.remove",
    "sign_ins.record",
    "sign_ins.record_end",
    "tokens.add",
    "tokens.revoke",
    "tokens.revoke_of",
    "saved_views.put",
    "saved_views.remove",
    "saved_views.remove_all",
    "wishes.put",
}


@pytest.fixture(scope="module")
def server() -> Iterator[Cliniko]:
    with Cliniko() as running:
        yield running


@pytest.fixture(scope="module")
def sides(servers: object, server: Cliniko) -> Iterator[tuple[Side, Side]]:
    assert servers
    slug = f"o-{uuid.uuid4().hex[:12]}"
    with db.everywhere() as connection:
        one, other = (organizations.add(connection, f"{slug}-{n}", "A Care") for n in range(2))
    with pytest.MonkeyPatch.context() as patch:
        first = _side(one, server, patch, Account(20, 20), MARKS[0])
        second = _side(other, server, patch, Account(20, 30), MARKS[1])
        tell()
        yield first, second
    settings.current.cache_clear()


def _side(
    organization: Organization,
    server: Cliniko,
    patch: pytest.MonkeyPatch,
    account: Account,
    mark: str,
) -> Side:
    for place, known in enumerate(account.known("patients")):
        born = "0198-05-01" if place == 0 else "1980-05-01"
        account.change("patients", known.id, last_name=mark, state=mark, date_of_birth=born)
    clinic = open_clinic(organization, server, account, patch)
    person = Person(mark, f"{mark.lower()}@x.org", Role.ADMIN, mark)
    with db.everywhere() as connection:
        people.add(connection, organization.id, person)
        policies.put(connection, organization, "patients", Policy(len(mark)))
        tokens.add(connection, organization.id, person, mark, Role.VIEWER)
        to = f"{mark.lower()}@x.org"
        told = Wish(frozenset(NoticeKind))
        channels.add(connection, organization, mark.lower(), ChannelKind.EMAIL, to, told)
        wishes.put(connection, organization.id, person, Wish(resources=frozenset({mark})))
        view = SavedView(mark, {"search": [mark]})
        saved_views.put(connection, organization.id, person, "audit", view)
        cron, now = f"{len(mark)} 6 1 1 *", datetime.now(UTC)
        made = schedules.put(connection, organization, "patients", cron, person, now)
        schedules.note(connection, made, Tick(now, None, mark))
        allowed_sources.allow(connection, organization, [Location("sheet", mark)])
        retentions.put(connection, organization, 10_000 + len(mark), now)
    return Side(clinic, clinic.sync(person), mark)


def _modules() -> list[ModuleType]:
    found = pkgutil.walk_packages(sync_core.__path__, "sync_core.")
    names = [module.name for module in found if not module.name.endswith("__main__")]
    apart = ("sync_core.ui", "sync_core.migrations")
    return [importlib.import_module(name) for name in names if not name.startswith(apart)]


def _asks_for_an_organization(function: object, module: ModuleType) -> bool:
    if not inspect.isfunction(function) or function.__module__ != module.__name__:
        return False
    parameters = list(inspect.signature(function).parameters)
    named = {"organization", "organization_id"} & set(parameters)
    return bool(named) and parameters[0] == "connection" and not function.__name__.startswith("_")


def test_every_query_of_an_organization_is_tried_here() -> None:
    named = [
        f"{module.__name__.rpartition('.')[2]}.{name}"
        for module in _modules()
        for name, function in vars(module).items()
        if _asks_for_an_organization(function, module)
    ]
    found = set(named)
    assert len(found) == len(named)  # else one of two with the same name could hide
    assert found == set(READS) | set(OF_A_RUN) & found | WRITES | TRIED_ELSEWHERE, (
        "add a new query to READS, so that it is tried"
    )


@pytest.mark.parametrize("query", [*READS, *OF_A_RUN])
def test_a_query_gives_nothing_of_the_other(sides: tuple[Side, Side], query: str) -> None:
    ask = {**READS, **OF_A_RUN}[query]
    with db.everywhere() as connection:
        answers = [repr(ask(connection, side)) for side in sides]
    for answer, other in zip(answers, reversed(sides), strict=True):
        assert other.mark not in answer
        assert other.mark.lower() not in answer
    assert answers[0] != answers[1]


def test_the_same_ids_are_two_patients(sides: tuple[Side, Side]) -> None:
    with db.everywhere() as connection:
        found = [rows.read(connection, side.organization.id, PATIENTS, VIEW, ANA) for side in sides]
    ids, others = ({row[0] for row in table} for table in found)
    assert ids == others
    assert len(ids) == 19
    for side, table in zip(sides, found, strict=True):
        assert {row[4] for row in table} == {side.mark}


def test_a_run_of_the_other_is_unknown(sides: tuple[Side, Side]) -> None:
    first, second = sides
    with db.everywhere() as connection, pytest.raises(SyncError, match=str(second.run.id)):
        runs.get(connection, first.organization.id, second.run.id)
    with pytest.raises(SyncError, match=str(second.run.id)):
        syncs.cancel(first.organization, second.run.id, ANA)


def test_each_reads_with_its_own_key(sides: tuple[Side, Side], server: Cliniko) -> None:
    keys = {request.headers["authorization"] for request in server.requests}
    assert len(keys) == 2
    assert sides[0].clinic.organization != sides[1].clinic.organization


def test_both_sync_at_the_same_time(sides: tuple[Side, Side]) -> None:
    started = [syncs.start(s.organization, "patients", ANA, "test") for s in sides]
    ended = [side.clinic.work(run) for side, run in zip(sides, started, strict=True)]
    assert [run.status for run in ended] == ["partial", "partial"]


def test_what_waits_was_decided_or_failed_is_told_to_its_organization_alone(
    sides: tuple[Side, Side], desk: Desk
) -> None:
    waits = desk.preview("locations", locations=LOCATIONS)
    with db.everywhere() as connection:
        found = recovery.plans_that_wait(connection, desk.organization.id)
        assert [run.id for run in found] == [waits.id]
        for side in sides:
            assert recovery.plans_that_wait(connection, side.organization.id) == []
    syncs.cancel(desk.organization, waits.id, ANA)
    failed = desk.sync("admins", admins=[["no header of ours"]])
    with db.everywhere() as connection:
        (decision,) = actions.decisions(connection, desk.organization.id, waits.id)
        assert decision.name == ANA.name
        setbacks = runs.setbacks(connection, desk.organization.id)
        assert {name: run.id for name, run in setbacks.items()} == {"admins": failed.id}
        for side in sides:
            assert actions.decisions(connection, side.organization.id, waits.id) == []
            assert runs.setbacks(connection, side.organization.id) == {}
