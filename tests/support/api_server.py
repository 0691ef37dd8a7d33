"""The API behind a real server, and who asks it: with the cookie of the pages, or a token."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
import uvicorn
from starlette.applications import Starlette

from sync_core.api import app as api
from sync_core.api import stopping
from sync_core.foundation import db
from sync_core.foundation.vocabulary import Role
from sync_core.organizations import Organization, tokens
from sync_core.organizations.people import Person
from sync_core.ui.frame import cookie
from tests.support import sign_ins
from tests.support.desk import ANA

ANA_S, MICHAEL, SARAH, VERA = (
    f"{name}@example.org" for name in ("ana.ruiz", "michael.tan", "sarah.lim", "vera.olsen")
)


@dataclass
class Server:
    """The API behind a real server, in a thread."""

    url: str
    host: str

    def cookie(self, email: str, **claims: Any) -> dict[str, str]:  # noqa: ANN401 - JSON
        return sign_ins.cookie(self.url, email, **claims)

    def get(
        self,
        path: str,
        email: str | None = ANA_S,
        headers: dict[str, str] | None = None,
        method: str = "GET",
        **claims: Any,  # noqa: ANN401 - JSON
    ) -> httpx2.Response:
        cookies = self.cookie(email, **claims) if email else {}
        with httpx2.Client(base_url=self.url, cookies=cookies, timeout=30) as client:
            return client.request(method, f"/api/v1{path}", headers=headers)


@contextmanager
def running(alone: Starlette | None = None) -> Iterator[Server]:
    """Serve the API in a thread, as it stands beside the pages or alone."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()  # who asks before it serves is kept waiting, and not refused
        host = f"127.0.0.1:{listening.getsockname()[1]}"
        app = alone or Starlette(routes=api.routes(cookie.claims), lifespan=stopping.lifespan)
        serving = uvicorn.Server(uvicorn.Config(app, log_level="error"))
        thread = threading.Thread(target=serving.run, args=([listening],))
        thread.start()
        yield Server(f"http://{host}", host)
        serving.should_exit = True
        thread.join(20)
        assert not thread.is_alive()


class Program:
    """A program with a token of the organization."""

    def __init__(
        self,
        server: Server,
        organization: Organization,
        role: Role = Role.ADMIN,
        of: Person = ANA,  # who has made it
    ) -> None:
        with db.everywhere() as connection:
            secret = tokens.add(connection, organization.id, of, f"Program {role}", role)
        self.root, self.url = server.url, f"{server.url}/api/v1"
        self.token = secret
        self.headers = {"authorization": f"Bearer {secret}"}

    def __call__(
        self,
        method: str,
        path: str,
        body: object = None,
        once: str | None = None,
        since: str | None = None,
        **query: Any,  # noqa: ANN401 - JSON
    ) -> httpx2.Response:
        more = {"idempotency-key": once, "last-event-id": since}
        headers = {**self.headers, **{name: text for name, text in more.items() if text}}
        with httpx2.Client(base_url=self.url, headers=headers, timeout=30) as client:
            return client.request(method, path, json=body, params=query or None)

    def get(self, path: str, **query: Any) -> Any:  # noqa: ANN401 - JSON
        answer = self("GET", path, **query)
        assert answer.status_code == 200, answer.text
        return answer.json()
