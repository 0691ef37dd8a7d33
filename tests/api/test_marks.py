"""Every way by which a personal value may reach a reader, for each role and two organizations.

Each organization's patients and therapists hold values that stand nowhere else. Iris administers
the first and manages the second: she sees what is personal in the one, and not in the other.
"""

import json
import logging
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import httpx2
import psycopg
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Block, Element, Node

from sync_core import organizations
from sync_core.catalogue.resources import ENTITIES
from sync_core.demo.cliniko import Account
from sync_core.foundation import db, redis_clients, settings
from sync_core.foundation.settings import ROOT
from sync_core.foundation.vocabulary import NoticeKind, Role
from sync_core.notifications import wishes
from sync_core.notifications.wishes import Wish
from sync_core.operations import syncs
from sync_core.organizations import people
from sync_core.organizations.people import Person
from sync_core.records.privacy import MASK
from sync_core.runs import Run
from sync_core.ui import SCRIPT
from sync_core.ui.parts.words import literal
from tests.support import sign_ins
from tests.support.api_server import Program, Server
from tests.support.clinic import Clinic, open_clinic
from tests.support.desk import ANA, Desk
from tests.support.fakes.cliniko import Cliniko
from tests.support.post import PostOffice, deliver, forget, use
from tests.support.shell import ask
from tests.support.telling import tell

IRIS = "iris.marsh@example.org"
LABELS = [field.label for field in ENTITIES["therapists"].fields]
HOURS = [[field.label for field in ENTITIES["schedules"].fields]]
ITS_RUNS = "join runs on runs.id = run_id where organization_id = %s"
EVERY = Wish(frozenset(NoticeKind), by_mail=True, failed_rows=True)


@dataclass(frozen=True)
class Side:
    """An organization whose personal values are its own: names, a birth date, a pay."""

    clinic: Clinic
    desk: Desk
    mark: str
    born: str
    pay: str
    visit: str  # the id of a patient, of whom only appointments hold the id
    partial: Run
    waiting: Run
    headless: Run
    undoing: Run

    @property
    def slug(self) -> str:
        return self.desk.organization.slug

    def is_told(self, told: str) -> bool:
        """Return whether a text holds anything personal of this organization."""
        lower = told.lower()
        return any(one in lower for one in (self.mark, self.born, self.pay, self.visit))

    def email(self, role: Role) -> str:
        return f"{role}-{self.slug}@example.org"


@pytest.fixture(scope="module")
def office() -> Iterator[PostOffice]:
    found = PostOffice()
    yield found.open()
    found.close()


@pytest.fixture(scope="module")
def sides(servers: object, office: PostOffice) -> Iterator[tuple[Side, Side]]:
    assert servers
    tell()
    forget()
    with pytest.MonkeyPatch.context() as patch, Cliniko() as server:
        use(office, patch)
        make = partial(_side, server, patch)
        one = make("zyxalpha", "1943-02-01", "98765.43", "7770000000000000017", Role.ADMIN)
        other = make("zyxbravo", "1951-03-04", "87654.32", "8880000000000000019", Role.MANAGER)
        tell()
        deliver(datetime.now(UTC) + timedelta(hours=2))
        yield one, other
    settings.current.cache_clear()


def _side(
    server: Cliniko,
    patch: pytest.MonkeyPatch,
    mark: str,
    born: str,
    pay: str,
    visit: str,
    iris: Role,
) -> Side:
    with db.everywhere() as connection:
        slug = f"o-{uuid.uuid4().hex[:12]}"
        here = organizations.add(connection, slug, f"Care of {slug}")
        people.add(connection, here.id, Person("Iris Marsh", IRIS, iris))
        for role in Role:
            person = Person(f"A {role}", f"{role}-{here.slug}@example.org", role)
            people.add(connection, here.id, person)
            wishes.put(connection, here.id, person, EVERY)
    clinic = open_clinic(here, server, _account(mark, born, visit), patch)
    assert clinic.sync().status == "completed"
    first = clinic.account.known("patients")[0].id
    clinic.account.change("patients", first, at=_soon(), last_name=f"{mark} renamed")
    clinic.sync()
    desk = Desk(here)
    return Side(clinic, desk, mark, born, pay, visit, *_therapists(desk, mark, pay))


def _soon() -> int:
    return int(datetime.now(UTC).timestamp()) + 60


def _account(mark: str, born: str, visit: str) -> Account:
    """Return an account whose patients say nothing else; one appointment is of nobody there."""
    account = Account(6, 4)
    for known in account.known("patients"):
        account.change(
            "patients",
            known.id,
            first_name=mark,
            preferred_first_name=mark,
            last_name=mark,
            email=f"{mark}@example.org",
            address_1=mark,
            city=mark,
            post_code=mark[:8],
            date_of_birth=born,
            patient_phone_numbers=[{"phone_type": "Mobile", "number": mark}],
        )
    account.change(
        "individual_appointments",
        account.known("individual_appointments")[0].id,
        patient_id=int(visit),
    )
    return account


def _therapists(desk: Desk, mark: str, pay: str) -> tuple[Run, Run, Run, Run]:
    """Sync one who is paid, then some who fail, thrice; plan a raise, an undo; lose the header."""

    def therapist(key: str, rate: str) -> list[str]:
        usual = {"Therapist ID": key, "Name": f"Therapist {key}", "Hourly rate": rate}
        return [usual.get(label, "") for label in LABELS]

    shifted = ["T3", "Lim", *therapist("T3", pay)[1:]]
    good = [therapist("T1", pay), therapist("T5", pay)]
    bad = [therapist("T2", f"{mark} a year"), shifted, therapist("T1", pay)]
    for _ in range(3):
        run = desk.sync("therapists", therapists=[LABELS, *good, *bad], schedules=HOURS)
    assert run.status == "partial"
    gone = [LABELS, therapist("T1", "")]
    last = desk.sync("therapists", therapists=gone, schedules=HOURS)
    headless = desk.sync("therapists", therapists=[[f"{mark} a row"] * 9], schedules=HOURS)
    assert headless.error_code == "no_label"
    raised = [LABELS, therapist("T1", pay), therapist("T2", f"{mark} a year")]
    waiting = desk.preview("therapists", therapists=raised, schedules=HOURS)
    undoing = desk.work(syncs.undo(desk.organization, last.id, ANA, "test"))
    assert (waiting.status, undoing.status) == ("waiting", "waiting")
    return run, waiting, headless, undoing


# Who reads


@dataclass(frozen=True)
class Reader:
    """Somebody who reads one of the organizations."""

    email: str
    sees: bool  # whether they may see what is personal there


def readers(sides: tuple[Side, Side], side: Side) -> Iterator[Reader]:
    yield Reader(IRIS, sees=side is sides[0])
    for role in (Role.VIEWER, Role.ANALYST):
        yield Reader(side.email(role), sees=role == Role.ANALYST)


def check(sides: tuple[Side, Side], side: Side, reader: Reader, told: str, where: object) -> None:
    """Nobody is told anything of the other organization, or what they may not see of this one."""
    (other,) = (one for one in sides if one is not side)
    assert not other.is_told(told), (where, reader)
    assert reader.sees or not side.is_told(told), (where, reader)


# Over HTTP


def addresses(side: Side) -> Iterator[str]:
    """List every address that tells of rows, runs or what happened."""
    org, whose = f"org={side.slug}", f"organization={side.slug}"
    for run in (side.partial, side.waiting, side.headless, side.undoing):
        yield f"/v1/runs/{run.id}?{whose}"
        yield f"/v1/runs/{run.id}/log.txt?{org}"
    for run in (side.partial, side.waiting, side.undoing):
        yield f"/v1/runs/{run.id}/outcomes?{whose}"
        yield f"/v1/runs/{run.id}/outcomes.csv?{org}"
    yield f"/v1/runs/{side.partial.id}/rejects.csv?{org}"
    yield f"/v1/runs/{side.partial.id}/events?{whose}"
    yield f"/admin-portal/therapists/sync-status?{whose}"
    for entity in ("patients", "appointments", "therapists"):
        yield f"/v1/records/{entity}?{whose}"
        yield f"/v1/records/{entity}/rows.csv?{org}"
    yield f"/v1/records/therapists/history?{whose}&key=T1"
    yield f"/v1/records/therapists/snapshot?{whose}&key=T5&at=2099-01-01T00:00:00Z"
    yield f"/v1/records/therapists/history.csv?{org}&key=T1"
    for known in side.clinic.account.known("patients")[:1]:
        yield f"/v1/records/patients/history?{whose}&key={known.id}"
    for known in side.clinic.account.known("individual_appointments")[:2]:
        yield f"/v1/records/appointments/history?{whose}&key={known.id}"
    yield f"/v1/audit.csv?organizations={side.slug}"
    yield f"/v1/runs?{whose}"
    yield f"/v1/sources?{whose}"
    yield f"/v1/resources?{whose}"
    for panel in ("status", "sync-logs", "active-patients"):
        yield f"/v1/cliniko/{panel}/{side.slug}"
    yield f"/v1/sync/dashboard/{side.slug}"
    yield f"/v1/sync/history/{side.slug}"


def test_no_address_tells_a_reader_what_they_may_not_see(
    server: Server, sides: tuple[Side, Side]
) -> None:
    seen = set()
    for side in sides:
        for reader in readers(sides, side):
            cookies = server.cookie(reader.email)
            with httpx2.Client(base_url=server.url, cookies=cookies, timeout=30) as client:
                for address in addresses(side):
                    answer = client.get(f"/api{address}")
                    assert answer.status_code in {200, 403}, (address, answer.text)
                    check(sides, side, reader, answer.text, address)
                    if side.is_told(answer.text):
                        seen.add(address.partition("?")[0].split("/")[-1])
    assert seen >= {"patients", "therapists", "appointments", "outcomes.csv", "rejects.csv"}
    assert seen >= {"history", "snapshot", "history.csv", "outcomes", sides[0].slug}


def test_a_search_over_http_finds_nothing_that_is_hidden(
    server: Server, sides: tuple[Side, Side]
) -> None:
    for side in sides:
        words = {"patients": side.mark, "therapists": side.pay, "appointments": side.visit}
        for reader in readers(sides, side):
            for table, word in words.items():
                asked = f"/records/{table}?organization={side.slug}&search={word}"
                total = server.get(asked, reader.email).json()["total"]
                assert bool(total) == reader.sees, (table, reader)


WRONG = "qqxnobody"  # a guess that is wrong


def guesses(side: Side) -> Iterator[tuple[str, str, str]]:
    """List addresses by which somebody guesses what is hidden: with the right word, and another."""
    org, whose = f"org={side.slug}", f"organization={side.slug}"
    hidden = (
        ("patients", "last_name", side.mark),
        ("appointments", "cliniko_patient_id", side.visit),
        ("therapists", "hourly_rate", side.pay),
    )
    for table, column, right in hidden:
        for address in (
            f"/records/{table}?{whose}&search={{0}}",
            f"/records/{table}/rows.csv?{org}&search={{0}}",
            f"/records/{table}/rows.csv?{org}&only={column}={{0}}",
        ):
            yield address, right, WRONG
        for sign in ("", "-"):
            yield f"/records/{table}/rows.csv?{org}&sort={sign}{{0}}", column, WRONG
    yield f"/cliniko/active-patients/{side.slug}?search={{0}}", side.mark, WRONG
    yield f"/runs/{side.partial.id}/outcomes?{whose}&search={{0}}", side.pay, WRONG
    yield f"/runs/{side.undoing.id}/outcomes?{whose}&search={{0}}", side.pay, WRONG
    yield f"/records/patients/rows.csv?{org}&group={{0}}", "active", WRONG
    yield f"/records/patients/rows.csv?{org}&group={{0}}", "upcoming", WRONG


def test_a_right_guess_is_answered_like_a_wrong_one(
    server: Server, sides: tuple[Side, Side]
) -> None:
    told_apart = set()
    for side in sides:
        for reader in readers(sides, side):
            for address, *words in guesses(side):
                answers = [server.get(address.format(word), reader.email) for word in words]
                right, wrong = (
                    (answer.status_code, answer.text.replace(word, ""))
                    for answer, word in zip(answers, words, strict=True)
                )
                assert reader.sees or right == wrong, (address, reader)
                if right != wrong:
                    told_apart.add(address.partition("?")[0].rsplit("/", 1)[-1])
    assert told_apart >= {"patients", "appointments", "therapists", "rows.csv", sides[0].slug}


@pytest.mark.parametrize("role", Role)
def test_a_token_tells_no_more_than_its_role(
    server: Server, sides: tuple[Side, Side], role: Role
) -> None:
    side = sides[0]
    program = Program(server, side.desk.organization, role)
    found = program.get("/records/appointments")["rows"]
    shown = {row["cliniko_patient_id"] for row in found} - {None}
    assert (shown == {MASK}) == (role in {Role.VIEWER, Role.MANAGER})


# On the pages


FAILURES = {"view": "Failures", "code": "Not a number"}  # of the analytics


def opened(email: str, slug: str, name: str, **address: str | list[str]) -> str:
    """Return all that a page sends to a browser, read anew."""
    st.cache_resource.clear()
    return shown(email, slug, name, **address)


def shown(email: str, slug: str, name: str, **address: str | list[str]) -> str:
    """Return all that a page sends to a browser, with what its process has kept for others."""
    page = AppTest.from_file(SCRIPT, default_timeout=60)
    page.user = sign_ins.claims(email)
    page.query_params["org"] = slug
    page.run()
    for key, value in address.items():
        page.query_params[key] = value
    if name != "overview":
        page.switch_page(str(ROOT / "pages" / f"{name}.py"))
    page.run()
    assert not page.exception
    return "\n".join(_texts(page._tree))  # noqa: SLF001 - all of it, whatever kind of element it is


def _texts(node: Node) -> Iterator[str]:
    if isinstance(node, Element) and node.proto is not None:
        yield node.proto.SerializeToString().decode("utf-8", "replace")
    if isinstance(node, Block):
        for child in node.children.values():
            yield from _texts(child)


def views(side: Side, by: Callable[..., str] = opened) -> Iterator[Callable[[str], str]]:
    """List the pages that show rows, outcomes or what happened."""
    run = str(side.partial.id)
    for name, address in (
        ("overview", {}),
        ("patients", {"tab": "Rows"}),
        ("therapists", {"tab": "What changed"}),
        ("therapists", {"tab": "History", "run": run}),
        ("therapists", {"tab": "Rows", "record": "therapists", "key": "T5"}),
        ("audit", {"run": run}),
        ("audit", {"search": "zyx"}),
        ("analytics", FAILURES),
        ("inbox", {}),
    ):
        yield partial(by, slug=side.slug, name=name, **address)


@pytest.mark.parametrize("who", ["Iris", Role.VIEWER, Role.ADMIN])
def test_no_page_tells_a_reader_what_they_may_not_see(sides: tuple[Side, Side], who: str) -> None:
    side = sides[1]
    email = IRIS if who == "Iris" else side.email(Role(who))
    reader = Reader(email, sees=who == Role.ADMIN)
    told = [view(reader.email) for view in views(side)]
    assert "Rows that keep failing" in told[-2] or reader.email != IRIS
    for number, page in enumerate(told):
        check(sides, side, reader, page, number)
    seen = [side.is_told(page) for page in told]
    assert sum(seen) >= 5 if reader.sees else sum(seen) == 0, seen


def test_no_page_tells_a_reader_what_its_process_has_kept_for_others(
    sides: tuple[Side, Side],
) -> None:
    """Of both organizations, who sees most before who sees least, and then the other way round."""
    one, other = sides
    everyone = [
        (one, Reader(IRIS, sees=True)),
        (one, Reader(one.email(Role.VIEWER), sees=False)),
        (other, Reader(other.email(Role.ADMIN), sees=True)),
        (other, Reader(IRIS, sees=False)),
        (other, Reader(other.email(Role.VIEWER), sees=False)),
    ]
    st.cache_resource.clear()
    for number, seen in enumerate(zip(views(one, shown), views(other, shown), strict=True)):
        by_side = dict(zip((one.slug, other.slug), seen, strict=True))
        told = [
            by_side[side.slug](reader.email)
            for order in (everyone, everyone[::-1])
            for side, reader in order
        ]
        for (side, reader), page in zip([*everyone, *everyone[::-1]], told, strict=True):
            check(sides, side, reader, page, number)
        again = [side.is_told(page) for (side, _), page in zip(everyone, told, strict=False)]
        assert [s.is_told(p) for (s, _), p in zip(everyone, told[::-1], strict=False)] == again


def test_the_analytics_of_both_organizations_tell_what_may_be_seen_in_each(
    sides: tuple[Side, Side],
) -> None:
    both = [side.slug for side in sides]
    names = [literal(side.desk.organization.name) for side in sides]
    told = opened(IRIS, both[0], "analytics", **FAILURES, organizations=names)
    asked = told.partition("&organizations=")[2].partition("&")[0]  # of a link to the list
    assert set(asked.split("%2C")) == set(both)
    assert "Rows that keep failing" in told
    assert not any(side.is_told(told) for side in sides)
    alone = opened(IRIS, both[0], "analytics", **FAILURES)
    assert sides[0].is_told(alone)
    assert not sides[1].is_told(opened(IRIS, both[1], "analytics", **FAILURES))


# From the shell, by mail, and where one text is kept for all


def test_the_shell_tells_somebody_what_they_may_see(
    sides: tuple[Side, Side], tmp_path: Path
) -> None:
    for side in sides:
        for reader in readers(sides, side):
            file = tmp_path / "file.csv"
            for words in _commands(side, file):
                file.write_text("", "utf-8")
                done = ask(*words, "--org", side.slug, "--as", reader.email)
                told = done.output + file.read_text("utf-8")
                check(sides, side, reader, told, words)


def _commands(side: Side, file: Path) -> Sequence[Sequence[str]]:
    csv = ("--csv", str(file))
    return [
        ("rejects", str(side.partial.id), *csv),
        ("export", *csv),
        ("history", "--record", "therapists", "T1", *csv),
        ("compare", str(side.headless.id), str(side.partial.id)),
        ("compare", str(side.partial.id), str(side.waiting.id), "--json"),
        ("prove", str(side.partial.id), "T5", "--file", str(file)),
    ]


def test_a_mail_tells_its_reader_what_they_may_see(
    sides: tuple[Side, Side], office: PostOffice
) -> None:
    told = set()
    for side in sides:
        for reader in readers(sides, side):
            for mail in office.to(reader.email):
                parts = [part.get_payload(decode=True) for part in mail.walk()]
                text = b"\n".join(part for part in parts if isinstance(part, bytes)).decode()
                check(sides, side, reader, text, mail["Subject"])
                told.add(side.is_told(text))
    assert told == {True, False}  # who may see the failed rows had them


def test_what_has_one_text_for_all_readers_quotes_nothing(
    sides: tuple[Side, Side],
    database: psycopg.Connection,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    side = sides[0]
    with caplog.at_level(logging.DEBUG, "syncdesk"):
        side.clinic.sync()
        ask(
            "prove",
            str(side.partial.id),
            "T5",
            "--file",
            str(tmp_path / "p.json"),
            "--org",
            side.slug,
        )
    kept = [caplog.text]
    for query in (
        "select to_jsonb(r) from runs r where organization_id = %s",
        "select to_jsonb(a) from actions a where organization_id = %s",
        "select to_jsonb(n) from notices n where organization_id = %s",
        "select to_jsonb(m) from messages m where organization_id = %s",
        f"select to_jsonb(t) from attempts t {ITS_RUNS}",
        f"select to_jsonb(c) from checkpoints c {ITS_RUNS}",
        f"select o.issues from outcomes o {ITS_RUNS}",
    ):
        kept += map(json.dumps, database.execute(query, [side.desk.organization.id]).fetchall())
    client = redis_clients.client()
    for key in client.scan_iter("*"):
        kind = client.type(key)
        kept.append(str(client.dump(key)) if kind else "")
    for text in kept:
        assert not any(one.is_told(text) for one in sides), text
