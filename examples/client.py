"""Sync a resource, tell what happens; Ctrl-C cancels it: TOKEN=... python client.py locations."""

import json
import os
import sys
import time
import uuid
from collections.abc import Iterator
from http.client import HTTPException, HTTPResponse
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

API = os.environ.get("SYNCDESK", "http://127.0.0.1:8600") + "/api/v1"
TOKEN = {"Authorization": f"Bearer {os.environ['TOKEN']}"}


def ask(path: str, body: object = None, **headers: str) -> HTTPResponse:
    """Return the open answer; with a body it is a POST."""
    data = None if body is None else json.dumps(body).encode()
    known = {**TOKEN, "Content-Type": "application/json"}
    return urlopen(Request(API + path, data, known | headers), timeout=40)  # type: ignore[no-any-return]


def follow(run: int, last: str = "") -> Iterator[tuple[str, Any]]:
    """Tell each event of a run once, until its end, however often the line breaks."""
    while True:
        try:
            part: dict[str, str] = {}
            for line in ask(f"/runs/{run}/events", **{"Last-Event-ID": last}):
                name, _, part[name] = line.decode().strip().partition(": ")
                if line == b"\n" and "data" in part:
                    last = part.get("id", last)
                    yield part["event"], json.loads(part["data"])
                    if part["event"] == "end":
                        return
                    part = {}
        except HTTPError:  # refused
            raise
        except (OSError, HTTPException):
            pass  # the line broke
        time.sleep(1)


run = json.load(ask("/runs", {"resource": sys.argv[1]}, **{"Idempotency-Key": str(uuid.uuid4())}))
try:
    for event, told in follow(run["id"]):
        done = f", {told['progress']['percent']}%" if told.get("progress") else ""
        print(told["text"] if event == "log" else f"{told['status']}{done}", flush=True)
except KeyboardInterrupt:
    told = json.load(ask(f"/runs/{run['id']}/cancel", {}))
print(told["message"] or told["status"])
sys.exit(told["status"] != "completed")
