"""What those ask who operate the program: is it alive, is it ready, and its figures.

Whether it is alive or ready is told to everybody, by the status alone. What is missing is told on
this machine and to a monitor, the figures to a monitor alone: it shows its token, or a setting
names its network. The token of an organization opens the figures of that organization.
"""

import asyncio
import secrets
from collections.abc import Sequence
from http import HTTPStatus
from ipaddress import ip_address

from prometheus_client import CONTENT_TYPE_LATEST
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from sync_core.api import callers, gate, metrics, problems, rate
from sync_core.execution import readiness
from sync_core.execution.readiness import Check
from sync_core.foundation import settings
from sync_core.foundation.errors import SyncError
from sync_core.organizations import people

FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip", "via")  # by a proxy, for somebody else


async def alive(_request: Request) -> Response:
    """Answer, which is all that was asked."""
    return PlainTextResponse("alive\n", headers=gate.HEADERS)


async def ready(request: Request) -> Response:
    """Tell whether a sync would find all that it needs."""
    checks = await _checks(list(readiness.CHECKS))
    well = all(check.ok for check in checks)
    shown = _asks_from_here(request) or is_monitor(request)
    told = {"checks": [vars(check) for check in checks]} if shown else {}
    status = HTTPStatus.OK if well else HTTPStatus.SERVICE_UNAVAILABLE
    return JSONResponse({"ready": well, **told}, status, gate.HEADERS)


async def figures(request: Request) -> Response:
    """Tell the figures of all organizations, or of the one whose token is shown."""
    up = {check.name: check.ok for check in await _checks(("postgres", "redis"))}
    try:
        text = await run_in_threadpool(_figures, request, up)
    except SyncError as error:
        return problems.answer(request, error, headers=gate.HEADERS)
    except Exception as error:  # noqa: BLE001 - there is no handler around these addresses
        return await problems.unexpected(request, error)
    return Response(text, headers=gate.HEADERS, media_type=CONTENT_TYPE_LATEST)


ROUTES = (Route("/healthz", alive), Route("/readyz", ready), Route("/metrics", figures))


async def _checks(names: Sequence[str]) -> list[Check]:
    """Check these; what takes too long has failed, and is waited for no longer."""
    asked = {name: asyncio.wrap_future(readiness.ask(name)) for name in names}
    await asyncio.wait(asked.values(), timeout=readiness.PATIENCE)
    return [one.result() if one.done() else readiness.silent(name) for name, one in asked.items()]


def _figures(request: Request, up: dict[str, bool]) -> bytes:
    """Return the figures. Raises SyncError: not_a_monitor, bad_token, no_permission, ..."""
    only = None if is_monitor(request) else _organization(request, answers=up["postgres"])
    return metrics.text(only, **up)


def is_monitor(request: Request) -> bool:
    """Return whether it shows the monitor's token, or comes from where a setting says."""
    found = settings.current()
    token = found.monitor_token.value if found.monitor_token else ""
    shown = request.headers.get("authorization", "").removeprefix("Bearer ")
    if token and secrets.compare_digest(shown.encode(), token.encode()):
        return True
    if request.client is None or not found.monitor_networks:
        return False
    try:
        address = ip_address(request.client.host)
    except ValueError:
        return False
    return any(address in network for network in found.monitor_networks)


def _asks_from_here(request: Request) -> bool:
    """Return whether somebody on this machine asks, and no proxy of it for somebody else."""
    if request.client is None or any(name in request.headers for name in FORWARDED):
        return False
    return request.client.host in settings.LOOPBACK


def _organization(request: Request, *, answers: bool) -> int:
    """Return the organization whose token is shown.

    Raises SyncError: not_a_monitor, database_down, bad_token, too_many_requests, no_permission.
    """
    if "authorization" not in request.headers:
        raise SyncError("not_a_monitor")
    if not answers:
        raise SyncError("database_down")
    rate.require(request)
    of, person = callers.identify(request).seat(None)
    people.require(person, "analyze")
    return of.id
