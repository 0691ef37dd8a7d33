"""The OpenAPI document against the real server: whatever it allows is answered as it says."""

import uuid
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import APIOperation, Case, CheckFunction
from schemathesis.core.errors import InvalidSchema
from schemathesis.core.result import Err, Ok
from schemathesis.specs.openapi.checks import positive_data_acceptance

from sync_core import organizations, runs
from sync_core.api import app, document, event_routes, rate
from sync_core.api.front_ends import sheet_sync
from sync_core.foundation import db
from sync_core.operations import syncs
from sync_core.runs import Run
from sync_core.runs.filters import Filter
from tests.support import api_server
from tests.support.api_server import Program
from tests.support.desk import ANA, Desk
from tests.support.locations import HEADER, row

Operation = APIOperation[Any, Any, Any, Any]


def readable(found: Ok[Operation] | Err[InvalidSchema]) -> Operation:
    assert isinstance(found, Ok), found.err()
    return found.ok()


EXAMPLES = 8  # of each address
SHORT = 0.2  # seconds of a stream, and of an answer that waits for the end of a sync
NO_NUL = schemathesis.Config.from_dict({"generation": {"allow-x00": False}})  # is in no text
DOCUMENT = schemathesis.openapi.from_dict(document.make(app.make()), config=NO_NUL)
OPERATIONS = {found.label: found for found in map(readable, DOCUMENT.get_all_operations())}


@pytest.fixture(scope="module")
def desk(servers: object) -> Iterator[Desk]:
    assert servers
    with db.everywhere() as connection:
        of = organizations.add(connection, "contract", "Northwind Care")
    there = Desk(of)
    yield there
    with db.everywhere() as connection:
        left = runs.found(connection, Filter(organizations=(of.id,)), 10_000)
    for run in left:
        if run.finished_at is None:  # that no other test's worker takes it
            syncs.cancel(of, run.id, ANA)


@pytest.fixture(scope="module")
def run(desk: Desk) -> Run:
    """Return a run that has ended, which is asked for beside those that are made up."""
    return desk.sync("locations", locations=[HEADER, row("L1"), row("L2", Email="nobody")])


@pytest.fixture(scope="module")
def program(desk: Desk) -> Iterator[Program]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(event_routes, "LONGEST", SHORT)
        patch.setattr(sheet_sync, "LONGEST", SHORT)
        patch.setattr(rate, "REFUSALS", 100_000)  # of wrong tokens, which are tried as well
        with api_server.running() as server:
            yield Program(server, desk.organization)


@pytest.mark.parametrize("label", OPERATIONS)
def test_an_address_keeps_what_the_document_says(label: str, program: Program, run: Run) -> None:
    @settings(
        max_examples=EXAMPLES,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
        derandomize=True,
    )
    @given(OPERATIONS[label].as_strategy())
    def ask(case: Case[Any]) -> None:
        validate(case, program)
        if "run" in case.path_parameters:
            case.path_parameters["run"] = run.id
            validate(case, program)

    ask()


def validate(case: Case[Any], program: Program) -> None:
    case.cookies.clear()  # the other way in: what is made up opens nothing
    if "Idempotency-Key" in case.headers:
        case.headers["Idempotency-Key"] = uuid.uuid4().hex  # one key is of one request alone
    mounted = "" if case.path.startswith("/admin-portal") else "/api"
    shown = {"Authorization": f"Bearer {program.token}"}
    answer = case.call(f"{program.root}{mounted}", headers=shown)
    by_a_rule = answer.status_code == HTTPStatus.BAD_REQUEST  # of ours: a text that is no schedule
    excluded: list[CheckFunction] = [positive_data_acceptance] if by_a_rule else []
    case.validate_response(answer, excluded_checks=excluded, headers=shown)
