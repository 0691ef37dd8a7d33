"""Schedules over HTTP."""

from datetime import UTC, datetime, timedelta

import pytest

from sync_core.execution import scheduler
from sync_core.organizations import Organization
from tests.support.api_server import Program, Server
from tests.support.desk import Desk
from tests.support.locations import LOCATIONS

AT = "/schedules/locations"


@pytest.fixture
def program(server: Server, home: Organization) -> Program:
    return Program(server, home)


def test_a_schedule_is_set_told_paused_resumed_and_removed(program: Program) -> None:
    assert program("GET", AT).json()["code"] == "no_schedule"
    made = program("PUT", AT, {"schedule": "Every weekday at 6:30"})
    told = made.json()
    assert (made.status_code, told["cron"]) == (200, "30 6 * * 1-5")
    assert (told["words"], told["time_zone"]) == ("every weekday at 06:30", "UTC")
    assert len(told["next"]) == 3
    assert program.get("/schedules")["schedules"] == [told] == [program.get(AT)]
    paused = program("POST", f"{AT}/pause").json()
    assert (paused["pause_reason"], paused["next"]) == ("by hand", [])
    assert program("POST", f"{AT}/resume").json()["next"] == told["next"]
    assert program("DELETE", AT).status_code == 204
    assert program.get("/schedules")["schedules"] == []
    assert program("DELETE", AT).status_code == 404


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"schedule": "whenever"}, 400, "bad_schedule"),
        ({"schedule": "30 25 * * *"}, 400, "bad_schedule"),
        ({"schedule": "x" * 201}, 400, "bad_request"),
        ({"cron": "30 6 * * *"}, 400, "bad_request"),
        (None, 400, "bad_request"),
    ],
)
def test_what_is_no_schedule_is_told(
    program: Program, body: object, status: int, code: str
) -> None:
    answer = program("PUT", AT, body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert program.get("/schedules")["schedules"] == []


def test_runs_tell_how_they_came_about(program: Program, home: Organization, desk: Desk) -> None:
    desk.write("locations", LOCATIONS)
    desk.set_source("locations")
    program("PUT", AT, {"schedule": "every minute"})
    (run,) = [
        run
        for run in scheduler.fire(datetime.now(UTC) + timedelta(hours=2))
        if run.organization_id == home.id
    ]
    desk.work(run)
    told = program.get(f"/runs/{run.id}")
    assert (told["origin"], told["trigger"], told["late"]) == ("schedule", "schedule", True)
    (tick,) = program.get(AT)["ticks"]
    assert (tick["run_id"], tick["at"], tick["late"]) == (run.id, told["scheduled_for"], True)
    assert tick["missed"] > 100
    now = program("POST", f"{AT}/run", once="k").json()
    assert (now["origin"], now["scheduled_for"], now["late"]) == ("API", None, False)
    assert program("POST", f"{AT}/run", once="k").json()["id"] == now["id"]
    with_run = desk.work(run.__class__(**{**vars(run), "id": now["id"]}))
    undone = program("POST", f"/runs/{with_run.id}/undo?pause_schedule=true").json()
    assert (undone["origin"], undone["trigger"]) == ("undo", "API")
    assert program.get(AT)["pause_reason"] == "undo"
    listed = {one["id"] for one in program.get("/runs", trigger=["undo", "schedule"])["runs"]}
    assert listed == {run.id, undone["id"]}
    assert [one["id"] for one in program.get("/runs", trigger=["API"])["runs"]] == [now["id"]]
    program("DELETE", AT)
