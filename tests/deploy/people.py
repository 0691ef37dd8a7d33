"""People before a deployment: they start syncs over HTTP, look all the time, and open pages."""

import asyncio
import random
import ssl
import threading
import time
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from itertools import pairwise

import httpx2
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException
from websockets.typing import Origin, Subprotocol

from tests.chaos.actors import PEOPLE, Lane
from tests.deploy import machines
from tests.support import page_session, sign_ins

DESK = "https://desk"
PATIENCE = 8.0  # seconds that somebody waits for an answer
INSIST = 90.0  # seconds for which somebody repeats a request that was not answered
TOLD = {HTTPStatus.CONFLICT, HTTPStatus.TOO_MANY_REQUESTS}  # it runs already; just a moment


@dataclass
class Presser:
    """Somebody who changes sheets and starts syncs of an organization, again and again."""

    token: str
    lanes: Sequence[Lane]
    trust: ssl.SSLContext
    stop: threading.Event
    chance: random.Random
    accepted: list[int] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def press_on(self) -> None:
        """Press until it is time to stop."""
        headers = {"Authorization": f"Bearer {self.token}"}
        with httpx2.Client(base_url=DESK, headers=headers, verify=self.trust) as client:
            while not self.stop.wait(self.chance.uniform(0, 1.5)):
                lane = self.chance.choice(self.lanes)
                lane.sheets[0].publish()
                self._start(client, lane.resource)

    def _start(self, client: httpx2.Client, resource: str) -> None:
        """Start a sync; where no answer comes, or none that decides, the same is asked again."""
        key, until = {"Idempotency-Key": uuid.uuid4().hex}, time.monotonic() + INSIST
        while time.monotonic() < until:
            with suppress(httpx2.TransportError):
                asked = {"resource": resource}
                answer = client.post("/api/v1/runs", json=asked, headers=key, timeout=PATIENCE)
                if answer.status_code == HTTPStatus.ACCEPTED:
                    self.accepted.append(answer.json()["id"])
                    return
                if answer.status_code in TOLD:
                    return
                if answer.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
                    self.wrong.append(f"a start was answered {answer.status_code}: {answer.text}")
                    return
            time.sleep(0.5)
        self.wrong.append(f"nobody answered within {INSIST:.0f} s to who wanted to start a sync")


@dataclass(frozen=True)
class Look:
    """One look at the runs: when it began, how long it took, and how it was answered."""

    at: float  # seconds, monotonic
    took: float
    well: bool = False
    told: bool = False  # by us, be it in a sentence why not


@dataclass
class Onlooker:
    """Somebody who looks at the runs a few times a second, through the proxy."""

    token: str
    trust: ssl.SSLContext
    stop: threading.Event
    looks: list[Look] = field(default_factory=list)

    def look_on(self) -> None:
        """Look until it is time to stop."""
        headers = {"Authorization": f"Bearer {self.token}"}
        with httpx2.Client(base_url=DESK, headers=headers, verify=self.trust) as client:
            while not self.stop.wait(0.25):
                self._look(client)

    def _look(self, client: httpx2.Client) -> None:
        begun, well, told = time.monotonic(), False, False
        with suppress(httpx2.TransportError):
            answer = client.get("/api/v1/runs?limit=1", timeout=PATIENCE)
            well = answer.status_code == HTTPStatus.OK
            told = "json" in answer.headers.get("Content-Type", "")
        self.looks.append(Look(begun, time.monotonic() - begun, well, told))

    def blind(self, since: float) -> float:
        """Return for how many seconds since then, at most, no look was answered well."""
        looks = [look for look in [*self.looks] if look.at >= since]
        well = [look.at for look in looks if look.well]
        ends = [since, *well, time.monotonic()]
        return max(b - a for a, b in pairwise(ends))

    def slowest(self, since: float) -> float:
        """Return the seconds that the slowest look since then took, answered or not."""
        return max((look.took for look in [*self.looks] if look.at >= since), default=0.0)

    def unanswered(self, since: float) -> int:
        """Count the looks since then that got no answer, or one of the proxy alone."""
        return sum(not look.told for look in [*self.looks] if look.at >= since)


def guess_tokens(trust: ssl.SSLContext, token: str) -> list[str]:
    """Guess tokens until that is refused; names who is refused beside the stranger that did."""
    stranger = httpx2.HTTPTransport(verify=trust, local_address=machines.STRANGER)
    with httpx2.Client(base_url=DESK, transport=stranger, timeout=PATIENCE) as client:
        guesses = [_asked_with(client, f"made-up-{number}") for number in range(200)]
    with httpx2.Client(base_url=DESK, verify=trust, timeout=PATIENCE) as client:
        known = _asked_with(client, token)
    told = [] if guesses[-1] == HTTPStatus.TOO_MANY_REQUESTS else ["a stranger guesses for ever"]
    return told if known == HTTPStatus.OK else [*told, f"with a stranger's guesses we get {known}"]


def _asked_with(client: httpx2.Client, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    return client.get("/api/v1/runs?limit=1", headers=headers).status_code


def open_page(trust: ssl.SSLContext, cookie_secret: str, resource: str, words: str) -> bool:
    """Return whether the page of a resource is drawn whole for somebody who comes just now."""
    with suppress(OSError, TimeoutError, httpx2.HTTPError, WebSocketException):
        return asyncio.run(asyncio.wait_for(_open(trust, cookie_secret, resource, words), 30))
    return False


async def _open(trust: ssl.SSLContext, cookie_secret: str, resource: str, words: str) -> bool:
    with httpx2.Client(base_url=DESK, verify=trust, timeout=PATIENCE) as client:
        client.get("/_stcore/health").raise_for_status()
        given: Mapping[str, str] = dict(client.cookies)
    token = given["_streamlit_xsrf"]
    signed = sign_ins.cookie(DESK, PEOPLE[0].email, cookie_secret)
    cookies = "; ".join(f"{name}={value}" for name, value in {**given, **signed}.items())
    async with connect(
        "wss://desk/_stcore/stream",
        ssl=trust,
        additional_headers={"Cookie": cookies},
        origin=Origin(DESK),
        subprotocols=[Subprotocol("streamlit"), Subprotocol(token)],
        max_size=None,
    ) as socket:
        drawn = await page_session.open_page(socket, resource)
    return any(words in str(message) for message in drawn)
