"""Whose sign-in counts, for how long, and what ends it."""

import time
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from sync_core.foundation import db, settings
from sync_core.foundation.errors import SyncError
from sync_core.foundation.vocabulary import Role
from sync_core.operations import access, administration, syncs
from sync_core.organizations import Organization, people
from sync_core.organizations import sign_ins as kept
from sync_core.organizations.people import Person
from tests.support import sign_ins
from tests.support.desk import ANA, Desk
from tests.support.sign_ins import ISSUER, claims, sign_in
from tests.support.sources import refusal

NOW = time.time()
FALSE: dict[str, tuple[str, dict[str, Any]]] = {
    "nobody signed in": ("not_signed_in", {"is_logged_in": None}),
    "signed in, as a text": ("not_signed_in", {"is_logged_in": "true"}),
    "verified is missing": ("address_not_verified", {"email_verified": None}),
    "verified is false": ("address_not_verified", {"email_verified": False}),
    "verified is the text false": ("address_not_verified", {"email_verified": "false"}),
    "verified is the text true": ("address_not_verified", {"email_verified": "true"}),
    "verified is 0": ("address_not_verified", {"email_verified": 0}),
    "verified is 1": ("address_not_verified", {"email_verified": 1}),
    "no issuer": ("bad_sign_in", {"iss": None}),
    "an issuer that is no text": ("bad_sign_in", {"iss": 7}),
    "no subject": ("bad_sign_in", {"sub": None}),
    "a blank subject": ("bad_sign_in", {"sub": " "}),
    "no address": ("bad_sign_in", {"email": None}),
    "two addresses": ("bad_sign_in", {"email": ["a@example.org", "b@example.org"]}),
    "a subject with NUL": ("bad_sign_in", {"sub": "a\0b"}),
    "a subject that would be another's when trimmed": ("bad_sign_in", {"sub": "somebody "}),
    "a subject of half a character": ("bad_sign_in", {"sub": "a\ud800"}),
    "a subject with what nobody sees": ("bad_sign_in", {"sub": "a\u200bb"}),
    "a subject longer than any": ("bad_sign_in", {"sub": "a" * 5000}),
    "an issuer with a line break": ("bad_sign_in", {"iss": f"{ISSUER}\n"}),
    "an address that becomes another one in small letters": (
        "bad_sign_in",
        {"email": "mi\u212ae@example.org"},
    ),
    "an address that becomes another one when trimmed": (
        "bad_sign_in",
        {"email": "mike@example.org\u2003"},
    ),
    "an address with a line before it": ("bad_sign_in", {"email": "x\nmike@example.org"}),
    "an address in brackets": ("bad_sign_in", {"email": "<mike@example.org>"}),
    "an address in a list": ("bad_sign_in", {"email": "x@example.org,mike@example.org"}),
    "no moment": ("bad_sign_in", {"iat": None}),
    "a moment that is a text": ("bad_sign_in", {"iat": str(int(NOW))}),
    "a moment that is true": ("bad_sign_in", {"iat": True}),
    "a moment that is no number": ("bad_sign_in", {"iat": float("nan")}),
    "a moment without end": ("bad_sign_in", {"iat": float("inf")}),
    "a moment before all": ("bad_sign_in", {"iat": -1}),
    "a moment beyond all numbers": ("bad_sign_in", {"iat": 10**400}),
    "a moment before all numbers": ("bad_sign_in", {"iat": -(10**400)}),
    "shown who one is beyond all numbers": ("bad_sign_in", {"auth_time": 10**400}),
    "a moment to come": ("bad_sign_in", {"iat": NOW + 3600}),
    "shown who one is at a text": ("bad_sign_in", {"auth_time": "now"}),
    "shown who one is in the future": ("bad_sign_in", {"auth_time": NOW + 3600}),
    "long ago": ("sign_in_ended", {"iat": NOW - 90_000}),
    "shown who one is long ago": ("sign_in_ended", {"auth_time": NOW - 90_000}),
}


@pytest.fixture
def mia(organization: Organization) -> Person:
    """Return somebody of the organization whose address no other test knows."""
    email = f"mia.{uuid.uuid4().hex[:12]}@example.org"
    found = Person("Mia Sand", email, Role.ANALYST, "Front desk")
    with db.everywhere() as connection:
        people.add(connection, organization.id, ANA)
        people.add(connection, organization.id, found)
    return found


def refused(signed_in: kept.SignIn) -> str | None:
    """Return the code with which somebody who signed in is refused; None where they are let in."""
    try:
        access.arrive(signed_in).require(signed_in)
    except SyncError as error:
        return error.code
    return None


@pytest.mark.parametrize("name", FALSE)
def test_claims_that_vouch_for_nobody_let_nobody_in(name: str) -> None:
    code, others = FALSE[name]
    assert refusal(lambda: kept.read(claims("mia@example.org", **others))).code == code


def test_a_clock_that_is_a_little_ahead_is_no_lie() -> None:
    assert kept.read(claims("mia@example.org", iat=int(time.time()) + 5)).issued_at > time.time()


def test_the_first_account_that_signs_in_is_the_person_s_from_then_on(mia: Person) -> None:
    assert refused(sign_in(mia.email, sub="first")) is None
    assert refused(sign_in(mia.email, sub="second")) == "another_account"
    assert refused(sign_in(mia.email, iss="https://other.example.org", sub="first")) == (
        "another_account"
    )
    assert refused(sign_in(mia.email, sub="first")) is None


def test_an_administrator_lets_another_account_in_and_the_old_one_is_out(
    organization: Organization, mia: Person, database: psycopg.Connection
) -> None:
    old, new = sign_in(mia.email, sub="old"), sign_in(mia.email, iss="https://new.example.org")
    assert (refused(old), refused(new)) == (None, "another_account")
    administration.let_account_in(organization, ANA, mia.email)
    assert refused(old) == "sign_in_ended"
    tomorrow(database, new)
    assert (refused(new), refused(sign_in(mia.email, sub="old"))) == (None, "another_account")


def tomorrow(database: psycopg.Connection, signed_in: kept.SignIn) -> None:
    """Let a sign-in be one that begins now."""
    again = "update sign_ins set began_at = clock_timestamp() where mark = %s"
    assert database.execute(again, [signed_in.mark]).rowcount == 1


End = Callable[[Organization, Person, Person], object]
ENDS: dict[str, End] = {
    "signing out": lambda of, _, now: access.sign_out(of, now),
    "signing out everywhere": lambda of, _, now: access.sign_out(of, now, everywhere=True),
    "another role": lambda of, mia, _: administration.put_person(
        of, ANA, replace(mia, role=Role.MANAGER)
    ),
    "being removed": lambda of, mia, _: administration.remove_person(of, ANA, mia.email),
}


@pytest.mark.parametrize("how", ENDS)
def test_a_copied_cookie_works_no_more_after(
    organization: Organization, mia: Person, how: str
) -> None:
    copied = sign_in(mia.email, iat=int(time.time()) - 5)
    here = access.arrive(copied).taken[organization.slug][1]
    ENDS[how](organization, mia, here)
    ended = "unknown_person" if how == "being removed" else "sign_in_ended"
    assert refused(copied) == ended
    with db.everywhere() as connection:
        assert here.admission
        assert here.admission.look_again(connection) is None


def test_signing_out_ends_this_sign_in_and_signing_out_everywhere_those_that_nobody_has_seen(
    organization: Organization, mia: Person
) -> None:
    here, elsewhere, unseen = (sign_in(mia.email, iat=int(time.time()) - 5) for _ in range(3))
    access.sign_out(organization, access.arrive(here).taken[organization.slug][1])
    assert (refused(here), refused(elsewhere)) == ("sign_in_ended", None)
    of_elsewhere = access.arrive(elsewhere).taken[organization.slug][1]
    access.sign_out(organization, of_elsewhere, everywhere=True)
    assert (refused(elsewhere), refused(unseen)) == ("sign_in_ended", "sign_in_ended")
    assert refused(sign_in(mia.email, iat=int(time.time()) + 1)) is None


def test_a_new_name_or_team_ends_no_sign_in(organization: Organization, mia: Person) -> None:
    signed_in = sign_in(mia.email)
    assert refused(signed_in) is None
    administration.put_person(organization, ANA, replace(mia, name="Mia Rivers", team="Office"))
    assert access.arrive(signed_in).taken[organization.slug][1].name == "Mia Rivers"


def test_a_sign_in_that_nobody_has_used_for_long_is_let_in_no_more(mia: Person) -> None:
    late = time.time() - kept.UNSEEN_SECONDS - 5
    assert refused(sign_in(mia.email, iat=late)) == "sign_in_ended"


def test_a_sign_in_ends_by_its_age_and_is_forgotten_then(
    mia: Person, database: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = sign_in(mia.email)
    assert refused(old) is None
    database.execute("update sign_ins set at = at - interval '2 days' where mark = %s", [old.mark])
    assert refused(old) == "unknown_person"  # as the read of its claims is past here
    assert refused(sign_in(mia.email)) is None
    kept_ones = "select count(*) from sign_ins where mark = %s"
    assert database.execute(kept_ones, [old.mark]).fetchone() == (0,)
    monkeypatch.setenv("SYNCDESK_SIGN_IN_AGE", "60")
    settings.current.cache_clear()
    told = refusal(lambda: kept.read(claims(mia.email, iat=time.time() - 61)))
    monkeypatch.undo()
    settings.current.cache_clear()
    assert told.code == "sign_in_ended"


def test_whoever_is_removed_can_do_nothing_more_with_what_a_page_has_of_them(
    organization: Organization, mia: Person, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.set_source("locations")
    drawn = access.arrive(sign_in(mia.email)).taken[organization.slug][1]
    administration.remove_person(organization, ANA, mia.email)
    monkeypatch.setattr(people, "FRESH_SECONDS", 0)  # those two seconds are over
    start = refusal(lambda: syncs.start(organization, "locations", drawn, "test"))
    assert start.code == "sign_in_ended"


def test_what_a_page_was_drawn_for_counts_by_the_role_of_now(
    organization: Organization, mia: Person, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.set_source("locations")
    drawn = access.arrive(sign_in(mia.email)).taken[organization.slug][1]
    with db.everywhere() as connection:  # without a new epoch
        people.add(connection, organization.id, replace(mia, role=Role.VIEWER))
    assert people.require(drawn, "sync") == drawn  # as it was a moment ago
    monkeypatch.setattr(people, "FRESH_SECONDS", 0)
    start = refusal(lambda: syncs.start(organization, "locations", drawn, "test"))
    assert (start.code, start.facts["role"]) == ("no_permission", "a viewer")


def test_what_was_looked_up_about_somebody_is_believed_for_two_seconds_at_most() -> None:
    assert people.FRESH_SECONDS <= 2


def test_the_issuer_of_the_demo_keeps_no_account(mia: Person) -> None:
    assert refused(sign_in(mia.email, iss=kept.DEMO, sub=mia.email)) is None
    assert refused(sign_in(mia.email, iss=ISSUER)) is None
    assert refused(sign_in(mia.email, iss=kept.DEMO, sub=mia.email)) == "another_account"
    assert sign_ins.ISSUER != kept.DEMO


def test_who_was_removed_is_nobody_until_they_take_a_place_that_is_offered_anew(
    organization: Organization, mia: Person
) -> None:
    """Neither in an open page, which has the old place, nor by a place of a greater role."""
    signed_in = sign_in(mia.email)
    ((_, here),) = access.arrive(signed_in).require(signed_in).values()
    assert here.admission
    stale = replace(here, admission=replace(here.admission, looked_at=0.0))
    administration.remove_person(organization, ANA, mia.email)
    assert refusal(lambda: people.require(stale, "read")).code == "sign_in_ended"
    administration.put_person(organization, ANA, replace(mia, role=Role.ADMIN))
    assert refusal(lambda: people.require(stale, "read")).code == "sign_in_ended"
    assert refused(signed_in) == "unknown_person"
    assert access.accept(organization, signed_in).role == Role.ADMIN
    assert refusal(lambda: access.accept(organization, signed_in)).code == "no_offer"
    assert refusal(lambda: access.decline(organization, signed_in)).code == "no_offer"
    access.sign_out(organization, people.require(stale, "read"))
    administration.remove_person(organization, ANA, mia.email)
    administration.put_person(organization, ANA, mia)
    copied = signed_in
    assert refusal(lambda: access.accept(organization, copied)).code == "no_offer"
    assert refusal(lambda: access.decline(organization, copied)).code == "no_offer"
