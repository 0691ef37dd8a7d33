"""The made-up Cliniko over HTTP: keys, roles, the limit of each minute, lists and records."""

import base64
import json
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar, NamedTuple, Self
from urllib.parse import parse_qs, urlsplit

from sync_core.demo.cliniko.account import Account
from sync_core.demo.cliniko.known import KINDS, Kind
from sync_core.demo.cliniko.lists import LEFT_OUT, Lists, RefusedError

LIMIT = 200  # requests
WINDOW = 60  # seconds
JSON = "application/json; charset=utf-8"


class Request(NamedTuple):
    """A request as it came in; the names of its headers are in lower case."""

    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Answer:
    """One HTTP answer."""

    status: int = 200
    body: bytes = b""
    content_type: str = JSON
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class User:
    """Whose key it is: an account's user with a role, and what that role may not read."""

    account: Account
    role: str = "administrator"
    forbidden: frozenset[Kind] = frozenset()


class Handler(BaseHTTPRequestHandler):
    """Speaks HTTP for a made-up Cliniko."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else every small answer waits 40 ms
    timeout = 30  # seconds for which a silent connection is kept
    server: "_Server"

    def do_GET(self) -> None:
        """Answer a question."""
        address = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(address.path, parse_qs(address.query), headers)
        self.deliver(self.server.cliniko.answer(request))

    def deliver(self, answer: Answer) -> None:
        """Send an answer."""
        self.send_response(answer.status)
        for name, value in (*answer.headers, ("Content-Type", answer.content_type)):
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def date_time_string(self, timestamp: float | None = None) -> str:
        """Write the time of the server's own clock."""
        return super().date_time_string(timestamp or self.server.cliniko.clock())

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@dataclass
class Cliniko:
    """The server: which keys open which account; use it as a context manager."""

    users: dict[str, User] = field(default_factory=dict)  # by key, without its ending
    limit: int | None = LIMIT
    clock: Callable[[], float] = time.time
    port: int = 0

    handler: ClassVar[type[Handler]] = Handler

    def __post_init__(self) -> None:
        self._lists: dict[int, Lists] = {}
        self._asked: dict[str, tuple[int, int]] = {}
        self._lock = threading.Lock()
        self._server = _Server(self)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """The address at which it listens."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def add(self, key: str, account: Account, **user: Any) -> User:  # noqa: ANN401 - a user's fields
        """Let a key open an account."""
        self.users[_body(key)] = User(account, **user)
        return self.users[_body(key)]

    def meanwhile(self, event: Callable[[], None]) -> None:
        """Let something happen to an account between two answers."""
        with self._lock:
            event()

    def answer(self, request: Request) -> Answer:
        """Answer a request."""
        with self._lock:
            return self._answer(request)

    def _answer(self, request: Request) -> Answer:
        key = _key(request)
        user = self.users.get(key)
        if user is None:
            return Answer(401, b"HTTP Basic: Access denied.\n", "text/plain; charset=utf-8")
        if (reset := self._over_the_limit(key)) is not None:
            headers = (("X-RateLimit-Reset", str(reset)),)
            return _json(429, {"message": "Rate limit exceeded"}, headers)
        parts = request.path.strip("/").split("/")
        if parts == ["v1", "user"]:
            return _json(200, {"id": "1", "role": user.role})
        if parts[0] != "v1" or len(parts) not in {2, 3} or parts[1] not in KINDS:
            return _json(404, {"message": "Not found"})
        return self._read(user, parts[1], parts[2:], request)

    def _read(self, user: User, kind: Kind, rest: list[str], request: Request) -> Answer:
        if kind in user.forbidden:
            return _json(403, {"message": "You are not authorized to perform this action"})
        lists = self._lists.setdefault(id(user.account), Lists(user.account))
        try:
            if rest == ["deleted"] and kind != "appointment_types":
                return _json(200, lists.deleted(kind, request.query, self.url))
            if rest:
                return self._one(user.account, kind, rest[0])
            return _json(200, lists.page(kind, request.query, self.url))
        except RefusedError as refusal:
            return _json(400, {"message": str(refusal)})

    def _one(self, account: Account, kind: Kind, text: str) -> Answer:
        known = account.find(kind, int(text)) if text.isdecimal() else None
        if known is None or any(getattr(known, name) is not None for name in LEFT_OUT[kind]):
            return _json(404, {"message": "Not found"})
        return _json(200, account.record(kind, known, self.url))

    def _over_the_limit(self, key: str) -> int | None:
        """Count a request; tell when the limit resets if it is one too many."""
        if self.limit is None:
            return None
        minute = int(self.clock() // WINDOW)
        before, count = self._asked.get(key, (minute, 0))
        count = count + 1 if before == minute else 1
        self._asked[key] = (minute, count)
        return (minute + 1) * WINDOW if count > self.limit else None


def _key(request: Request) -> str:
    kind, _, encoded = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "basic":
        return ""
    try:
        return _body(base64.b64decode(encoded).decode().partition(":")[0])
    except ValueError:
        return ""


def _body(key: str) -> str:
    """Cut the shard off a key: it may be sent with it or without."""
    return re.sub(r"-[a-z]{2}\d{1,2}$", "", key)


def _json(status: int, content: object, headers: tuple[tuple[str, str], ...] = ()) -> Answer:
    return Answer(status, json.dumps(content).encode(), headers=headers)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, cliniko: Cliniko) -> None:
        self.cliniko = cliniko
        super().__init__(("127.0.0.1", cliniko.port), cliniko.handler)

    def handle_error(self, *_: object) -> None:
        """Print nothing: a client may hang up whenever it likes."""
