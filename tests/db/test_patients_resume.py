"""A sync of patients whose worker is killed goes on after the last id that was staged."""

import os

import psycopg
import pytest

from sync_core.demo.cliniko import Request
from sync_core.foundation import settings
from sync_core.operations import syncs
from tests.support import processes, watching
from tests.support.clinic import Clinic
from tests.support.desk import ANA
from tests.support.fakes.cliniko import Cliniko
from tests.support.processes import Crew
from tests.support.waiting import eventually

pytestmark = pytest.mark.alone


def surroundings(clinic: Clinic) -> dict[str, str]:
    """Return a worker's environment what it needs to read the clinic's account."""
    names = (
        "CLINIKO_BASE_URL",
        "CLINIKO_CONTACT",
        settings.cliniko_variable(clinic.organization.slug),
    )
    return {name: os.environ[name] for name in names}


def starts(requests: list[Request]) -> list[str]:
    """Return the ids after which pages of patients were asked for; "" for the first page."""
    pages = [
        r.query for r in requests if r.path.endswith("/patients") and r.query["sort"] == ["id"]
    ]
    ids = [[f.partition("id:>")[2] for f in query["q[]"] if "id:>" in f] for query in pages]
    return [found[0] if found else "" for found in ids]


def test_a_killed_worker_s_run_goes_on_after_the_last_id(
    crew: Crew, clinic: Clinic, server: Cliniko, database: psycopg.Connection
) -> None:
    worker = crew(SLOW_PAGE="0.15", **surroundings(clinic))
    run = syncs.start(clinic.organization, "patients", ANA, "test")
    eventually(lambda: watching.staged(run) >= 200)
    processes.kill(processes.work_horse(worker))
    before = len(server.requests)
    ended = watching.ended(run)
    assert (ended.status, ended.attempt) == ("completed", 2)
    first, *_ = starts(server.requests[before:])
    known = [str(patient.id) for patient in clinic.account.known("patients")]
    assert known.index(first) + 1 >= 200
    stored = database.execute(
        "select cliniko_patient_id from patients where organization_id = %s"
        " order by cliniko_patient_id::numeric",
        [clinic.organization.id],
    )
    assert [patient for (patient,) in stored] == known
