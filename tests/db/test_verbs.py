"""Every verb that changes something checks the permission and leaves an action, from any face.

The verbs are found by inspection: a new one that is not listed here fails, and so does a listed one
that forgets either.
"""

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import psycopg
import pytest

from sync_core import operations, organizations, runs
from sync_core.audit import hash_chain
from sync_core.catalogue.resources import CATALOGUE, ENTITIES
from sync_core.demo import organization as demo
from sync_core.foundation import db, settings
from sync_core.foundation.errors import SyncError
from sync_core.foundation.vocabulary import ChannelKind, PauseReason, Role, Theme
from sync_core.notifications import channels, unsubscribe
from sync_core.notifications.wishes import Wish
from sync_core.operations import (
    access,
    administration,
    chain_checks,
    notifications,
    schedules,
    source_probes,
    syncs,
    tokens,
    uploads,
    views,
)
from sync_core.operations.uploads import GivenFile
from sync_core.organizations import Organization, people
from sync_core.organizations import schedules as kept_schedules
from sync_core.organizations import tokens as kept_tokens
from sync_core.organizations.people import Permission, Person
from sync_core.organizations.policies import Policy
from sync_core.organizations.preferences import Preferences
from sync_core.organizations.sign_ins import SignIn
from sync_core.runs import Run
from tests.support import post, sign_ins, ways_in
from tests.support.commands import commands
from tests.support.desk import Desk
from tests.support.locations import HEADER, row
from tests.support.shell import ask

LOCATIONS = CATALOGUE["locations"]
NEWCOMER = Person("Nia Park", "nia.park@example.org", Role.VIEWER, "Reception")


@dataclass(frozen=True)
class Scene:
    """An organization with people of each role, a run with a failed row, and one that waits.

    Another one is `planned`: it waits for a decision; and one was `applied` before it.
    """

    desk: Desk
    ended: Run
    waiting: Run
    planned: Run
    applied: Run

    @property
    def channel(self) -> int:
        """Return its only channel."""
        with db.everywhere() as connection:
            (found,) = channels.everyone(connection, self.organization.id)
        return found.id

    @property
    def organization(self) -> Organization:
        return self.desk.organization


@pytest.fixture
def scene(desk: Desk) -> Scene:
    with db.everywhere() as connection:
        for person in demo.PEOPLE:
            people.add(connection, desk.organization.id, person)
        people.add(connection, desk.organization.id, NEWCOMER)
        kept_tokens.add(connection, desk.organization.id, NEWCOMER, "Front desk", Role.VIEWER)
    bad = row("L2", Email="nobody")
    ended = desk.sync("locations", locations=[HEADER, row("L1"), bad])
    headers = {name: [[f.label for f in ENTITIES[name].fields]] for name in ("brands", "packages")}
    applied = desk.sync("services", **headers)
    planned = desk.preview("services", **headers)
    desk.set_source("admins")
    with db.everywhere() as connection:
        kind, to = ChannelKind.EMAIL, "team@example.org"
        channels.add(connection, desk.organization, "team", kind, to, Wish())
        now = datetime.now(UTC)
        for name in ("locations", "services"):
            kept_schedules.put(connection, desk.organization, name, "0 0 1 1 *", NEWCOMER, now)
        why = PauseReason.BY_HAND
        kept_schedules.pause(connection, desk.organization.id, "services", NEWCOMER, why, now)
    return Scene(desk, ended, desk.start("therapists"), planned, applied)


@dataclass(frozen=True)
class Verb:
    """What somebody may ask for: with which permission, and how."""

    needs: Permission | None  # None: only who asks by the shell of the machine may do it
    ask: Callable[[Scene, Person], object]
    changes: bool = True

    def is_open_to(self, by: Person) -> bool:
        return by.is_operator if self.needs is None else by.may(self.needs)


Answer = Callable[[Organization, SignIn], object]


def _add_organization(scene: Scene, by: Person) -> object:
    slug = f"{scene.organization.slug[:30]}-new"
    return administration.add_organization(by, slug, "Harbor Clinics", "AU", "UTC")


def _end_mails(scene: Scene, by: Person) -> object:
    with pytest.MonkeyPatch.context() as patch:
        post.use(post.PostOffice(), patch)
        link = unsubscribe.address(scene.organization.id, by.email) or ""
        done = notifications.end_mails(link.partition("ticket=")[2])
    settings.current.cache_clear()
    return done


def _admins() -> GivenFile:
    return GivenFile("admins.csv", BytesIO(b"Email,Name,Role,Team,Active\na@x.org,Ada,,,\n"))


def _answer_offer(scene: Scene, by: Person, answer: Answer) -> object:
    """Let an organization that nobody else knows offer a place, and answer that."""
    with db.everywhere() as connection:
        there = organizations.add(connection, f"{scene.organization.slug[:30]}-of", "Offering")
        people.offer(connection, there.id, by)
    signed_in = sign_ins.sign_in(by.email)
    access.arrive(signed_in)
    return answer(there, signed_in)


OF_NO_ORGANIZATION = {"access.arrive", "access.leave"}  # before it is known who somebody is where
VERBS: dict[str, Verb] = {
    "access.accept": Verb("read", lambda s, by: _answer_offer(s, by, access.accept)),
    "access.decline": Verb("read", lambda s, by: _answer_offer(s, by, access.decline)),
    "access.prefer": Verb(
        "read", lambda s, by: access.prefer(s.organization, by, Preferences(Theme.DARK))
    ),
    "access.open_first": Verb("read", lambda s, by: access.open_first(s.organization, by)),
    "administration.let_account_in": Verb(
        "administer",
        lambda s, by: administration.let_account_in(s.organization, by, NEWCOMER.email),
    ),
    "access.sign_in": Verb("read", lambda s, by: access.sign_in(s.organization, by, 1)),
    "access.sign_out": Verb("read", lambda s, by: access.sign_out(s.organization, by)),
    "administration.add_organization": Verb(None, _add_organization),
    "administration.allow_source": Verb(
        None, lambda s, by: administration.allow_source(s.organization, by, "cliniko")
    ),
    "administration.forbid_source": Verb(
        None, lambda s, by: administration.forbid_source(s.organization, by, "cliniko")
    ),
    "administration.drop_values": Verb(
        "administer",
        lambda s, by: administration.drop_values(s.organization, by, datetime.now(UTC)),
    ),
    "administration.put_person": Verb(
        "administer", lambda s, by: administration.put_person(s.organization, by, NEWCOMER)
    ),
    "administration.remove_person": Verb(
        "administer",
        lambda s, by: administration.remove_person(s.organization, by, NEWCOMER.email),
    ),
    "administration.set_four_eyes": Verb(
        "administer",
        lambda s, by: administration.set_four_eyes(s.organization, by, required=True),
    ),
    "administration.set_policy": Verb(
        "administer",
        lambda s, by: administration.set_policy(s.organization, by, LOCATIONS, Policy(6)),
    ),
    "administration.set_source": Verb(
        "administer",
        lambda s, by: administration.set_source(s.organization, by, LOCATIONS, "folder:data"),
    ),
    "notifications.add_channel": Verb(
        "administer",
        lambda s, by: notifications.add_channel(
            s.organization, by, "ops", ChannelKind.SLACK, "", Wish()
        ),
    ),
    "notifications.end_mails": Verb("read", _end_mails),
    "notifications.remove_channel": Verb(
        "administer",
        lambda s, by: notifications.remove_channel(s.organization, by, s.channel),
    ),
    "notifications.try_channel": Verb(
        "administer",
        lambda s, by: notifications.try_channel(s.organization, by, s.channel),
    ),
    "notifications.try_mail": Verb(
        "read", lambda s, by: notifications.try_mail(s.organization, by)
    ),
    "views.save": Verb(
        "read", lambda s, by: views.save(s.organization, by, "audit", "Mine", {"days": ["7"]})
    ),
    "views.forget": Verb("read", lambda s, by: views.forget(s.organization, by, "audit", "Mine")),
    "notifications.wish": Verb(
        "read", lambda s, by: notifications.wish(s.organization, by, Wish())
    ),
    "administration.set_retention": Verb(
        "administer", lambda s, by: administration.set_retention(s.organization, by, 365)
    ),
    "schedules.pause": Verb("sync", lambda s, by: schedules.pause(s.organization, "locations", by)),
    "schedules.put": Verb(
        "administer", lambda s, by: schedules.put(s.organization, "admins", by, "0 0 1 1 *")
    ),
    "schedules.remove": Verb(
        "administer", lambda s, by: schedules.remove(s.organization, "locations", by)
    ),
    "schedules.resume": Verb(
        "sync", lambda s, by: schedules.resume(s.organization, "services", by)
    ),
    "schedules.run_now": Verb(
        "sync", lambda s, by: schedules.run_now(s.organization, "locations", by, "test")
    ),
    "source_probes.probe_sources": Verb(
        "sync",
        lambda s, by: source_probes.probe_sources(s.organization, by, "locations"),
        changes=False,
    ),
    "syncs.cancel": Verb("sync", lambda s, by: syncs.cancel(s.organization, s.waiting.id, by)),
    "syncs.confirm": Verb(
        "sync", lambda s, by: syncs.confirm(s.organization, s.planned.id, by, "test")
    ),
    "syncs.decline": Verb("sync", lambda s, by: syncs.decline(s.organization, s.planned.id, by)),
    "syncs.preview": Verb(
        "sync", lambda s, by: syncs.preview(s.organization, "admins", by, "test")
    ),
    "syncs.retry": Verb("sync", lambda s, by: syncs.retry(s.organization, s.ended.id, by, "test")),
    "syncs.start_all": Verb("sync", lambda s, by: syncs.start_all(s.organization, by, "test")),
    "syncs.start": Verb("sync", lambda s, by: syncs.start(s.organization, "admins", by, "test")),
    "syncs.undo": Verb("sync", lambda s, by: syncs.undo(s.organization, s.applied.id, by, "test")),
    "tokens.add": Verb(
        "administer", lambda s, by: tokens.add(s.organization, by, "Kiosk", Role.VIEWER, 30)
    ),
    "tokens.revoke": Verb(
        "administer", lambda s, by: tokens.revoke(s.organization, by, "Front desk")
    ),
    "chain_checks.verify": Verb(
        "audit", lambda s, by: chain_checks.verify(s.organization, by), changes=False
    ),
    "uploads.start": Verb(
        "sync", lambda s, by: uploads.start(s.organization, "admins", by, "test", [_admins()])
    ),
}


def _verbs() -> Iterator[str]:
    """Find every public function of the operations."""
    for found in pkgutil.walk_packages(operations.__path__, f"{operations.__name__}."):
        module = importlib.import_module(found.name)
        for name, function in vars(module).items():
            own = inspect.isfunction(function) and function.__module__ == module.__name__
            if own and not name.startswith("_"):
                yield f"{found.name.removeprefix(f'{operations.__name__}.')}.{name}"


def test_every_verb_is_tried_here() -> None:
    found = set(_verbs()) - OF_NO_ORGANIZATION
    assert found == set(VERBS), "add a new verb to VERBS, so that it is tried"
    assert {name: verb.needs and (verb.needs,) for name, verb in VERBS.items()} == ways_in.VERBS


def actions_of(database: psycopg.Connection, email: str) -> int:
    """Count the actions of somebody in all organizations, for a verb may add one."""
    query = "select count(*) from actions where email = %s"
    (count,) = database.execute(query, [email]).fetchone() or (0,)
    return int(count)


STATE = (
    "organizations people tokens sources allowed_sources policies runs leases actions outcomes"
    " wishes channels messages preferences sync_schedules retentions"
).split()


def state(database: psycopg.Connection) -> Mapping[str, object]:
    """Return what stands in the tables that verbs change."""
    query = "select md5(string_agg(t::text, ' ' order by t::text)) from {} t"
    return {table: database.execute(query.format(table)).fetchone() for table in STATE}


@pytest.mark.parametrize("by", demo.PEOPLE, ids=lambda person: person.role)
@pytest.mark.parametrize("name", VERBS)
def test_a_verb_checks_the_permission_and_leaves_an_action(
    scene: Scene, database: psycopg.Connection, name: str, by: Person
) -> None:
    verb, before, there = VERBS[name], actions_of(database, by.email), state(database)
    if verb.is_open_to(by):
        verb.ask(scene, by)
        assert actions_of(database, by.email) == before + verb.changes
        assert verb.changes or state(database) == there
    else:
        with pytest.raises(SyncError) as refused:
            verb.ask(scene, by)
        assert refused.value.code == ("no_permission" if verb.needs else "not_operator")
        assert state(database) == there
    with db.everywhere() as connection:
        assert hash_chain.verify(connection, scene.organization).broken is None


# The same from a shell


Words = Callable[[Scene, Path], list[str]]
CHANGES: dict[str, Words] = {  # without --org and --as
    "cancel": lambda s, _: ["cancel", str(s.waiting.id)],
    "undo": lambda s, _: ["undo", str(s.applied.id)],
    "confirm": lambda s, _: ["confirm", str(s.planned.id)],
    "export": lambda _, folder: ["export", "--csv", str(folder / "a.csv")],
    "person let-in": lambda *_: ["person", "let-in", NEWCOMER.email],
    "person remove": lambda *_: ["person", "remove", NEWCOMER.email],
    "person set": lambda *_: ["person", "set", "x@example.org", "Xu Wei", "--role", "viewer"],
    "prove": lambda s, f: ["prove", str(s.ended.id), "L1", "--file", str(f / "p.json")],
    "rejects": lambda s, folder: ["rejects", str(s.ended.id), "--csv", str(folder / "r.csv")],
    "retry": lambda s, _: ["retry", str(s.ended.id)],
    "schedule pause": lambda *_: ["schedule", "pause", "locations"],
    "schedule remove": lambda *_: ["schedule", "remove", "locations"],
    "schedule resume": lambda *_: ["schedule", "resume", "services"],
    "schedule run": lambda *_: ["schedule", "run", "locations"],
    "schedule set": lambda *_: ["schedule", "set", "admins", "@yearly"],
    "source set": lambda *_: ["source", "set", "locations", "folder:data"],
    "sync": lambda *_: ["sync", "admins"],
    "token add": lambda *_: ["token", "add", "Kiosk", "--role", "viewer"],
    "token revoke": lambda *_: ["token", "revoke", "Front desk"],
}
READS: dict[str, Words] = {
    "compare": lambda s, _: ["compare", str(s.planned.id), str(s.applied.id)],
    "history": lambda *_: ["history"],
    "org list": lambda *_: ["org", "list"],
    "person list": lambda *_: ["person", "list"],
    "schedule list": lambda *_: ["schedule", "list"],
    "source allowed": lambda *_: ["source", "allowed"],
    "source list": lambda *_: ["source", "list"],
    "source test": lambda *_: ["source", "test", "locations"],
    "status": lambda s, _: ["status", str(s.waiting.id)],
    "token list": lambda *_: ["token", "list"],
    "verify": lambda *_: ["verify"],
    "env": lambda *_: ["env"],
}
ENDS = {"source test": 3}  # by which a read that found something wrong tells it
LEAVES = dict.fromkeys(("export", "prove", "rejects"), 2)  # actions: that it began, and its end
OF_THE_MACHINE = {
    "up",
    "maintain",
    "migrate",
    "org add",
    "source allow",
    "source forbid",
}  # they prepare the program, for nobody


COMMANDS = dict(commands())


def _options(name: str) -> set[str]:
    return {option for parameter in COMMANDS[name].params for option in parameter.opts}


def run(scene: Scene, folder: Path, name: str, words: Words, *more: str) -> tuple[int, str]:
    org = ["--org", scene.organization.slug] if "--org" in _options(name) else []
    done = ask(*words(scene, folder), *org, *more)
    return done.exit_code, done.output


def test_every_command_is_tried_here() -> None:
    assert set(COMMANDS) == set(CHANGES) | set(READS) | OF_THE_MACHINE
    assert set(CHANGES) == set(ways_in.COMMANDS) - OF_THE_MACHINE


@pytest.mark.parametrize("name", CHANGES)
def test_a_command_that_changes_something_acts_as_somebody(
    scene: Scene, database: psycopg.Connection, tmp_path: Path, name: str
) -> None:
    assert "--as" in _options(name)
    vera, ana = demo.PEOPLE[0].email, demo.PEOPLE[-1].email
    there = state(database)
    code, told = run(scene, tmp_path, name, CHANGES[name], "--as", vera)
    assert (code, "As a viewer you may not" in told) == (5, True)
    assert state(database) == there
    assert not list(tmp_path.glob("*.csv"))
    before = actions_of(database, ana)
    code, told = run(scene, tmp_path, name, CHANGES[name], "--as", ana)
    assert (code, actions_of(database, ana)) == (0, before + LEAVES.get(name, 1)), told


@pytest.mark.parametrize("by", demo.PEOPLE[:-1], ids=lambda person: person.role)
def test_no_command_does_for_a_role_what_it_may_not(
    scene: Scene, database: psycopg.Connection, tmp_path: Path, by: Person
) -> None:
    there = state(database)
    for name, words in CHANGES.items():
        if "--as" in _options(name) and not ways_in.COMMANDS[name].is_open_to(by.role):
            code, told = run(scene, tmp_path, name, words, "--as", by.email)
            assert (code, f"As {people.ONE[by.role]} you may not" in told) == (5, True), (
                name,
                told,
            )
    assert state(database) == there


@pytest.mark.parametrize("name", CHANGES)
def test_the_shell_of_the_machine_is_named_in_the_audit(
    scene: Scene, database: psycopg.Connection, tmp_path: Path, name: str
) -> None:
    code, told = run(scene, tmp_path, name, CHANGES[name])
    assert code == 0, told
    newest = "select team, email from actions order by id desc limit 1"
    team, email = database.execute(newest).fetchone() or ("", "")
    assert (team, email.endswith("@localhost")) == ("Command line", True)


@pytest.mark.parametrize("name", READS)
def test_a_command_that_reads_changes_nothing(
    scene: Scene, database: psycopg.Connection, tmp_path: Path, name: str
) -> None:
    there = state(database)
    code, told = run(scene, tmp_path, name, READS[name])
    assert (code, state(database)) == (ENDS.get(name, 0), there), told


def test_somebody_unknown_may_nothing(scene: Scene, tmp_path: Path) -> None:
    for name, words in CHANGES.items():
        code, told = run(scene, tmp_path, name, words, "--as", "nobody@example.org")
        assert (code, "nobody@example.org is not known in" in told) == (5, True)


def test_an_organization_is_added_by_the_machine_s_shell_and_in_nobody_s_name(
    scene: Scene,
) -> None:
    slug = f"{scene.organization.slug[:30]}-d"
    assert ask("org", "add", slug, "D").exit_code == 0
    assert ask("person", "list", "--org", slug).output == ""
    as_ana = ask("org", "add", f"{slug}e", "E", "--as", demo.PEOPLE[-1].email)
    assert (as_ana.exit_code, "No such option" in as_ana.output) == (2, True)


def test_a_cancel_from_the_shell_ends_a_run_that_waits_and_asks_a_worker_that_has_one(
    scene: Scene, database: psycopg.Connection
) -> None:
    slug, waiting = scene.organization.slug, scene.waiting
    done = ask("cancel", str(waiting.id), "--org", slug)
    assert (done.exit_code, f"Run {waiting.id}, therapists, cancelled" in done.output) == (0, True)
    again = ask("cancel", str(scene.ended.id), "--org", slug)
    assert (again.exit_code, "The cancel came too late" in again.output) == (5, True)
    taken = scene.desk.start("admins")
    database.execute("update runs set status = 'running' where id = %s", [taken.id])
    database.execute(
        "insert into leases (run_id, attempt, worker, lease_until)"
        " values (%s, 1, 'somewhere', now() + interval '10 seconds')",
        [taken.id],
    )
    asked = ask("cancel", str(taken.id), "--org", slug)
    assert (asked.exit_code, "its worker was asked to end it" in asked.output) == (0, True)
    with db.everywhere() as connection:
        assert runs.get(connection, scene.organization.id, taken.id).cancelling
    ended = "update runs set status = 'failed', finished_at = now() where id = %s"
    database.execute(ended, [taken.id])  # so that no other test's worker looks after it
