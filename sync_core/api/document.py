"""The OpenAPI document, and a readable page of it that loads nothing from elsewhere."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from jinja2 import Environment, PackageLoader
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from sync_core.api import addresses
from sync_core.api.front_ends import admin_portal
from sync_core.api.problems import MEDIA_TYPE, Problem

ABOUT = (
    "Start and follow syncs, and read what they did. A program shows a token; people are those who"
    " are signed in to the pages. Moments are UTC, durations seconds. An error is problem+json, and"
    " its `code` is stable."
)
PAGE = f"{addresses.ROOT}/reference"
STYLE = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
_PROBLEM = {"$ref": "#/components/schemas/Problem"}


def make(api: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document of the app; every address may answer with a problem."""
    if api.openapi_schema is None:
        made = get_openapi(
            title=api.title,
            version=api.version,
            description=ABOUT,
            routes=api.routes,
            servers=[{"url": addresses.ROOT}],
        )
        shapes = made["components"]["schemas"]
        problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        shapes |= problem.pop("$defs", {})
        shapes["Problem"] = problem
        for name in ("HTTPValidationError", "ValidationError"):
            shapes.pop(name, None)
        for path, operations in made["paths"].items():
            if path.startswith(admin_portal.ROOT):
                operations["servers"] = [{"url": "/"}]
        for operation in _operations(made):
            _may_fail(operation)
        api.openapi_schema = made
    return api.openapi_schema


def _operations(made: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for path in made["paths"].values():
        yield from (operation for name, operation in path.items() if name != "servers")


def _may_fail(operation: dict[str, Any]) -> None:
    operation["responses"].pop("422", None)
    operation["responses"]["default"] = {
        "description": "It cannot be done: why, and what to do",
        "content": {MEDIA_TYPE: {"schema": _PROBLEM}},
    }


@cache
def _templates() -> Environment:
    return Environment(loader=PackageLoader("sync_core.api"), autoescape=True)


async def page(request: Request) -> Response:
    """Return the document for people."""
    found = make(request.app)
    text = _templates().get_template("reference.html").render(api=found, shape=_shape)
    return HTMLResponse(text, headers={"content-security-policy": STYLE})


def _shape(schema: Mapping[str, Any]) -> str:
    """Return what a schema is, in a few words: "integer or null", "list of RunShape"."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if some := schema.get("anyOf"):
        return " or ".join(_shape(one) for one in some)
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    if schema.get("type") == "array":
        return f"list of {_shape(schema['items'])}"
    return str(schema.get("format") or schema.get("type") or "anything")
