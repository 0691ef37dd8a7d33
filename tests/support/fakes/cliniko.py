"""The made-up Cliniko with faults on order, and things that happen while somebody reads."""

import json
import socket
import struct
import threading
from collections import defaultdict, deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from sync_core.demo import cliniko as demo_cliniko
from sync_core.demo.cliniko import Answer, Request
from sync_core.demo.cliniko.server import Handler

KEY = "MS0xLWl4U3o-YYYYdtR3V2HNOTAREALKEYwvNHI2d2xHHHH-au1"

Json = dict[str, Any]
Fault = Callable[[Answer], Answer]
Delivery = Literal["whole", "cut", "reset", "drip", "crawl", "hang"]


@dataclass(frozen=True)
class Delivered(Answer):
    """An answer, and how much of it arrives."""

    delivery: Delivery = "whole"


def status(code: int, content: Json | str = "", **headers: str) -> Fault:
    """Answer with an error; `Retry_After="3"` becomes a header."""
    body = content if isinstance(content, str) else json.dumps(content)
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return lambda _: Answer(code, body.encode(), headers=named)


def html(code: int = 200, text: str = "<!DOCTYPE html><html><body>Sorry</body></html>") -> Fault:
    """Answer with a web page."""
    return lambda _: Answer(code, text.encode(), "text/html; charset=utf-8")


def body(content: str | bytes, **headers: str) -> Fault:
    """Answer 200 with this body."""
    data = content.encode() if isinstance(content, str) else content
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return lambda _: Answer(200, data, headers=named)


def redirect(location: str, code: int = 301) -> Fault:
    """Send the client somewhere else."""
    return lambda _: Answer(code, headers=(("Location", location),))


def altered(change: Callable[[Json], object]) -> Fault:
    """Change the JSON of an answer in place."""

    def alter(answer: Answer) -> Answer:
        content = json.loads(answer.body)
        change(content)
        return replace(answer, body=json.dumps(content).encode())

    return alter


def total(number: int) -> Fault:
    """Tell another number of entries."""
    return altered(lambda content: content.update(total_entries=number))


def next_link(address: str) -> Fault:
    """Point the next page somewhere else."""
    return altered(lambda content: content["links"].update(next=address))


def _delivered(delivery: Delivery) -> Fault:
    return lambda answer: Delivered(
        answer.status, answer.body, answer.content_type, answer.headers, delivery
    )


cut = _delivered("cut")  # closes the connection in the middle of the body
reset = _delivered("reset")  # resets it instead of answering
drip = _delivered("drip")  # sends a byte now and then
crawl = _delivered("crawl")  # sends a tenth now and then
hang = _delivered("hang")  # sends nothing


class _Handler(Handler):
    def deliver(self, answer: Answer) -> None:
        cliniko = self.server.cliniko
        assert isinstance(cliniko, Cliniko)
        match answer.delivery if isinstance(answer, Delivered) else "whole":
            case "whole":
                super().deliver(answer)
            case "hang":
                cliniko.closing.wait(60)
                self._drop()
            case "reset":
                self._drop()
            case "cut":
                self._begin(answer)
                self.wfile.write(answer.body[: len(answer.body) // 2])
                self._drop()
            case "drip" | "crawl" as slowly:
                self._begin(answer)
                self._drip(answer.body, 1 if slowly == "drip" else len(answer.body) // 10, cliniko)

    def _begin(self, answer: Answer) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()

    def _drip(self, content: bytes, size: int, cliniko: "Cliniko") -> None:
        try:
            for start in range(0, len(content), size):
                self.wfile.write(content[start : start + size])
                cliniko.closing.wait(cliniko.pace)
        except OSError:
            self.close_connection = True  # the client had enough

    def _drop(self) -> None:
        self.close_connection = True
        self.wfile.flush()
        linger = struct.pack("ii", 1, 0)  # close at once, with a reset
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.connection.close()


@dataclass
class Cliniko(demo_cliniko.Cliniko):
    """The server; `limit` is None where a test does not ask for one."""

    limit: int | None = None
    requests: list[Request] = field(default_factory=list)
    pace: float = 0.05  # seconds between the bytes of a drip

    handler = _Handler

    def __post_init__(self) -> None:
        super().__post_init__()
        self.closing = threading.Event()
        self._faults: defaultdict[str, deque[Fault | None]] = defaultdict(deque)
        self._events: dict[tuple[str, int], Callable[[], object]] = {}

    def __exit__(self, *of_what: object) -> None:
        self.closing.set()
        super().__exit__(*of_what)

    def fault(self, path: str, *faults: Fault, times: int = 1, after: int = 0) -> None:
        """Let the next requests of a list go wrong, one fault each, once `after` went well."""
        self._faults[path].extend([None] * after + list(faults * times))

    def heal(self) -> None:
        """Forget the faults that no request has met."""
        for waiting in list(self._faults.values()):
            waiting.clear()

    def before(self, path: str, number: int, event: Callable[[], object]) -> None:
        """Let something happen just before a list is asked for the `number`th time."""
        self._events[path, number] = event

    def asked(self, path: str) -> int:
        """Count the requests of a list."""
        return sum(request.path == f"/v1/{path}" for request in self.requests)

    def answer(self, request: Request) -> Answer:
        """Answer a request, or let it go wrong."""
        self.requests.append(request)
        path = request.path.removeprefix("/v1/")
        if event := self._events.pop((path, self.asked(path)), None):
            event()
        answer = super().answer(request)
        fault = None
        with suppress(IndexError):  # none waits
            fault = self._faults[path].popleft()
        return fault(answer) if fault else answer
