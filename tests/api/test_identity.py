"""Who signs in at the real server of the pages, by a provider that also says what is not so."""

import base64
import hmac
import json
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from joserfc.jws import JWSRegistry

from sync_core.foundation import db
from sync_core.foundation.settings import ROOT
from sync_core.foundation.vocabulary import Role
from sync_core.operations import administration
from sync_core.organizations import Organization, people
from sync_core.organizations.people import Person
from tests.support import identity_provider, sign_ins
from tests.support.browser import free_port, wait_until_it_answers
from tests.support.desk import ANA
from tests.support.identity_provider import Provider

NOW = int(time.time())
FALSE: Mapping[str, dict[str, Any]] = {
    "it says nothing of the address": {"email_verified": None},
    "the address is not verified": {"email_verified": False},
    "verified is the text false": {"email_verified": "false"},
    "verified is 0": {"email_verified": 0},
    "no moment": {"iat": None},
    "a moment that is a text": {"iat": "today"},
    "a moment to come": {"iat": NOW + 90_000},
    "a moment long ago": {"iat": NOW - 90_000},
    "shown long ago who it is": {"auth_time": NOW - 90_000},
    "another issuer": {"iss": "https://id.example.org"},
    "no issuer": {"iss": None},
    "no subject": {"sub": None},
    "no address": {"email": None},
    "verified is the text TRUE": {"email_verified": "TRUE"},
    "verified is a list": {"email_verified": [True]},
    "a moment that is no number": {"iat": float("nan")},
    "a moment beyond all": {"iat": 1e308},
    "a moment before all numbers": {"iat": -(10**400)},
    "shown beyond all numbers who it is": {"auth_time": 10**400},
    "a moment that is true": {"iat": True},
    "it ends at no number": {"exp": float("nan")},
    "it has ended": {"exp": NOW - 90_000},
    "it does not end": {"exp": None},
    "a subject in an object": {"sub": {"id": "somebody"}},
    "a subject of half a character": {"sub": "a\ud800"},
    "an answer to another question": {"nonce": "another"},
    "an answer to no question": {"nonce": None},
}
FOR_OTHERS: Mapping[str, dict[str, Any]] = {
    "it is for another client": {"aud": "other"},
    "it is for another client, as our client says": {"aud": "other", "azp": "sync-desk"},
    "it is for others, as our client says": {"aud": ["other", "more"], "azp": "sync-desk"},
    "it is for nobody": {"aud": ""},
    "it is for none of nobody": {"aud": []},
    "it is for another client, too, which has asked": {"aud": ["sync-desk", "o"], "azp": "o"},
    "our client is a key of what it is for": {"aud": {"sync-desk": 1}},
    "asked by a list": {"azp": ["sync-desk"]},
}
ADDRESSES: Mapping[str, Callable[[str], object]] = {
    "a letter that becomes another one when it is small": lambda own: own.replace("k", "\u212a"),
    "a blank behind it": lambda own: f"{own}\u2003",
    "a blank before it": lambda own: f" {own}",
    "a separator behind it": lambda own: f"{own}\x1f",
    "NUL behind it": lambda own: f"{own}\0",
    "in a list": lambda own: [own],
    "in an object": lambda own: {"value": own},
    "behind another one": lambda own: f"x@example.org\n{own}",
}


@dataclass(frozen=True)
class Pages:
    """The server of the pages, whose people a provider knows."""

    url: str
    provider: Provider

    def sign_in(self, email: object, /, **says: Any) -> httpx2.Client:  # noqa: ANN401 - JSON
        """Return a browser that has signed in, as far as the provider and Streamlit have let it."""
        self.provider.says = {"email": email, **says}
        key = OctKey.import_key(sign_ins.SECRET)
        wanted = {"provider": "default", "exp": int(time.time()) + 60}
        browser = httpx2.Client(follow_redirects=True, timeout=30)
        token = jwt.encode({"alg": "HS256"}, wanted, key)
        browser.get(f"{self.url}/auth/login", params={"provider": token})
        return browser

    def told(self, browser: httpx2.Client) -> tuple[int, str]:
        """Return what the API answers to the cookie of a browser."""
        answer = browser.get(f"{self.url}/api/v1/organizations")
        return answer.status_code, "" if answer.is_success else answer.json()["code"]


@pytest.fixture(scope="module")
def pages(servers: object, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pages]:
    assert servers
    file, port = tmp_path_factory.mktemp("pages") / "secrets.toml", free_port()
    options = ["--server.port", str(port), "--server.address", "127.0.0.1"]
    options += ["--secrets.files", str(file)]
    command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "Home.py"), *options]
    url, quiet = f"http://127.0.0.1:{port}", subprocess.DEVNULL
    with identity_provider.running() as provider:
        file.write_text(sign_ins.secrets_of(port, provider.port), encoding="utf-8")
        process = subprocess.Popen(command, cwd=ROOT, stdout=quiet, stderr=quiet)
        try:
            wait_until_it_answers(f"{url}/_stcore/health", process)
            yield Pages(url, provider)
        finally:
            process.kill()
            process.wait()


@pytest.fixture
def mia(organization: Organization) -> Person:
    found = Person("Mia Sand", f"mia.{uuid.uuid4().hex[:12]}@example.org", Role.ANALYST)
    with db.everywhere() as connection:
        people.add(connection, organization.id, ANA)
        people.add(connection, organization.id, found)
    return found


def test_nobody_comes_in_by_an_address_that_is_nearly_somebody_s(
    pages: Pages, organization: Organization
) -> None:
    kim = Person("Kim Sand", f"kim.{uuid.uuid4().hex[:12]}@example.org", Role.ANALYST)
    with db.everywhere() as connection:
        people.add(connection, organization.id, kim)
    for name, written in ADDRESSES.items():
        with closing(pages.sign_in(written(kim.email))) as browser:
            status, code = pages.told(browser)
        assert (status, code) == (401, "bad_sign_in"), name
    with closing(pages.sign_in(kim.email.upper())) as browser:
        assert pages.told(browser) == (200, "")


def unsigned(claims: dict[str, Any]) -> str:
    parts = ({"alg": "none", "kid": "k"}, claims)
    coded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode() for part in parts]
    return ".".join(part.rstrip("=") for part in coded) + "."


def test_nobody_comes_in_by_what_the_provider_has_not_signed(pages: Pages, mia: Person) -> None:
    """Everything it says is right; only its signature is not."""
    own, stranger = pages.provider.key, RSAKey.generate_key(2048)
    public = own.as_pem(private=False)
    known = JWSRegistry(algorithms=["HS256"])
    signs: dict[str, Callable[[dict[str, Any]], str]] = {
        "nobody's": unsigned,
        "a stranger's": lambda c: jwt.encode({"alg": "RS256", "kid": "k"}, c, stranger),
        "an unknown key's": lambda c: jwt.encode({"alg": "RS256", "kid": "x"}, c, stranger),
        "our public secret's": lambda c: jwt.encode(
            {"alg": "HS256", "kid": "k"}, c, OctKey.import_key("made-up"), registry=known
        ),
        "of other claims": lambda c: ".".join(
            [
                *unsigned(c).split(".")[:2],
                jwt.encode({"alg": "RS256", "kid": "k"}, {}, own).split(".")[2],
            ]
        ),
        "its public key's": lambda c: by_hand(c, public),
    }
    for name, sign in signs.items():
        pages.provider.signs = sign
        with closing(pages.sign_in(mia.email)) as browser:
            status, code = pages.told(browser)
        assert (status, code) == (401, "not_signed_in"), name
    pages.provider.signs = None
    with closing(pages.sign_in(mia.email)) as browser:
        assert pages.told(browser) == (200, "")


def by_hand(claims: dict[str, Any], key: bytes) -> str:
    """Sign with a public key as if it were a secret: libraries refuse to."""
    head = unsigned(claims).split(".")[1]
    kind = base64.urlsafe_b64encode(b'{"alg":"HS256","kid":"k"}').decode().rstrip("=")
    mac = hmac.digest(key, f"{kind}.{head}".encode(), "sha256")
    return f"{kind}.{head}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"


def test_nobody_comes_in_by_what_a_false_provider_says(pages: Pages, mia: Person) -> None:
    for name, says in FALSE.items():
        with closing(pages.sign_in(mia.email, **says)) as browser:
            status, code = pages.told(browser)
        assert status == 401, (name, code)
    with closing(pages.sign_in(mia.email)) as browser:
        assert pages.told(browser) == (200, "")


def test_nobody_comes_in_by_what_a_provider_has_said_to_another_site(
    pages: Pages, mia: Person
) -> None:
    for name, says in FOR_OTHERS.items():
        with closing(pages.sign_in(mia.email, **says)) as browser:
            status, code = pages.told(browser)
        assert (status, code) == (401, "not_signed_in"), name
    ours_too = {"aud": ["other", "sync-desk"], "azp": "sync-desk"}
    with closing(pages.sign_in(mia.email, **ours_too)) as browser:
        assert pages.told(browser) == (200, "")


def test_a_person_is_the_account_that_came_first_until_an_administrator_lets_another_in(
    pages: Pages, organization: Organization, mia: Person
) -> None:
    def told(sub: str, **says: int) -> tuple[int, str]:
        with closing(pages.sign_in(mia.email, sub=sub, **says)) as browser:
            return pages.told(browser)

    with closing(pages.sign_in(mia.email, sub="first")) as first:
        assert pages.told(first) == (200, "")
        assert told("second") == (403, "another_account")
        administration.let_account_in(organization, ANA, mia.email)
        assert pages.told(first) == (401, "sign_in_ended")
    assert told("second", iat=int(time.time()) + 2) == (200, "")
    assert told("first") == (403, "another_account")


def test_a_cookie_that_was_copied_is_worth_nothing_once_its_person_is_removed(
    pages: Pages, organization: Organization, mia: Person
) -> None:
    with closing(pages.sign_in(mia.email)) as copied:
        assert pages.told(copied) == (200, "")
        administration.remove_person(organization, ANA, mia.email)
        assert pages.told(copied) == (403, "unknown_person")
