"""The API as an ASGI app: beside the pages in their process, or alone on a server of its own."""

import re
from collections.abc import AsyncIterator, Sequence
from functools import partial
from importlib import metadata

from fastapi import Depends, FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp

from sync_core.api import (
    addresses,
    data_routes,
    document,
    event_routes,
    files,
    mail_routes,
    operating,
    problems,
    run_routes,
    schedule_routes,
    stopping,
)
from sync_core.api.callers import Claims, no_claims
from sync_core.api.front_ends import admin_portal, cliniko_panel, sheet_sync, sync_dashboard
from sync_core.api.gate import Gate
from sync_core.foundation import db, settings
from sync_core.foundation.errors import SyncError

THREADS = 4  # of the 28 that also serve the pages' files, that requests may hold at once


async def _a_thread() -> AsyncIterator[None]:
    yield


def make(claims: Claims = no_claims) -> FastAPI:
    """Make the app; `claims` reads the cookie of the pages, where there are any."""
    waits = Depends(_a_thread, max_concurrency=THREADS, scope="function")
    api = FastAPI(
        title="Sync Desk",
        version=metadata.version("syncdesk"),
        openapi_url="/openapi.json",
        docs_url=None,  # these load their scripts from elsewhere
        redoc_url=None,
        max_body_size=problems.MAX_BODY,
        redirect_slashes=False,
        exception_handlers={
            SyncError: problems.refused,
            event_routes.OverError: event_routes.over,
            HTTPException: problems.of_http,
            RequestValidationError: problems.of_mistakes,
            # by name, for what only `Exception` covers is raised again for the server's log
            **dict.fromkeys(db.ERRORS, problems.unexpected),
            Exception: problems.unexpected,
        },
    )
    api.state.claims = claims
    api.openapi = partial(document.make, api)  # type: ignore[method-assign]
    api.add_route(document.PAGE.removeprefix(addresses.ROOT), document.page)
    ours = (run_routes, event_routes, data_routes, schedule_routes, files, mail_routes)
    for part in (*ours, admin_portal, sync_dashboard, sheet_sync, cliniko_panel):
        api.include_router(part.routes, dependencies=[waits])
    api.include_router(event_routes.sockets)  # they stay open, and would hold their threads
    return api


def _open_to(sites: Sequence[str], app: ASGIApp) -> ASGIApp:
    """Let browsers hand the answers to pages of these sites; they show a token, never a cookie."""
    if not sites:
        return app
    return CORSMiddleware(
        app,
        allow_origins=sites,
        allow_methods=["GET", "POST", "PUT", "DELETE"],
        allow_headers=["Authorization", "Content-Type", "Idempotency-Key", "Last-Event-ID"],
        expose_headers=["Location", "Retry-After"],
    )


def routes(claims: Claims = no_claims) -> list[BaseRoute]:
    """Return the routes of the API, for the app that they stand in."""
    gate = _open_to(settings.given().api_origins, Gate(make(claims)))
    below = Mount(addresses.ROOT, gate), Route(f"{admin_portal.ROOT}/{{rest:path}}", gate)
    for route in below:  # also what holds a line break, or it would be answered with a page
        route.path_regex = re.compile(route.path_regex.pattern, re.DOTALL)
    return [*below, Route(addresses.ROOT, gate), *operating.ROUTES]


def alone() -> Starlette:
    """Return the API without the pages: `uvicorn --factory sync_core.api.app:alone`."""
    db.be_brief()
    return Starlette(
        routes=routes(),
        lifespan=stopping.lifespan,
        exception_handlers={HTTPException: problems.of_http},
    )
