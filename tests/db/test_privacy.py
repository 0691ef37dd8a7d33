"""Who may not see personal data finds them nowhere: rows, outcomes, files, messages, searches."""

import csv
import io
import uuid
from collections.abc import Iterator

import psycopg
import pytest

from sync_core import organizations
from sync_core.audit import exports
from sync_core.catalogue.resources import ENTITIES
from sync_core.demo import organization as demo
from sync_core.demo.cliniko import Account
from sync_core.foundation import db, settings
from sync_core.foundation.errors import SyncError
from sync_core.foundation.vocabulary import CHANGED, LEFT_OUT
from sync_core.organizations.people import Person
from sync_core.records import outcomes, rows
from sync_core.records.outcomes import Wanted
from sync_core.records.privacy import MASK
from sync_core.records.rows import View
from sync_core.runs import Run
from tests.support.clinic import Clinic, now, open_clinic
from tests.support.fakes.cliniko import Cliniko

VERA, SARAH, MICHAEL, ANA = demo.PEOPLE
PATIENTS = ENTITIES["patients"]
SENSITIVE = [field.column for field in PATIENTS.fields if field.sensitive]
KINDS = (*CHANGED, *LEFT_OUT)


@pytest.fixture(scope="module")
def small(servers: object) -> Iterator[Clinic]:
    assert servers
    with db.everywhere() as connection:
        organization = organizations.add(connection, f"o-{uuid.uuid4().hex[:12]}", "A Care")
    with pytest.MonkeyPatch.context() as patch, Cliniko() as server:
        yield open_clinic(organization, server, Account(60, 10), patch)
    settings.current.cache_clear()


@pytest.fixture(scope="module")
def run(small: Clinic) -> Run:
    """Sync one patient who is renamed, one who vanishes, and one who cannot be stored."""
    small.sync()
    first, second, third = (patient.id for patient in small.account.known("patients")[:3])
    small.account.change("patients", first, at=now(), last_name="Okonkwo-Zed")
    small.account.change("patients", third, at=now(), date_of_birth="0198-05-01")
    small.account.remove("patients", second)
    with db.everywhere() as connection:
        connection.exec_driver_sql("update checkpoints set sheet = sheet - 'window'")
    return small.sync()


def test_those_are_sensitive_by_whom_somebody_is_known() -> None:
    known = {"name", "first_name", "preferred_name", "last_name", "date_of_birth", "email"}
    assert set(SENSITIVE) == known | {"phones", "address", "city", "postcode"}


@pytest.mark.parametrize("person", [VERA, MICHAEL, None])
def test_rows_are_masked_for_viewers_and_managers(
    small: Clinic, run: Run, person: Person | None
) -> None:
    assert run.status == "partial"
    for view in (View(), View(order="last_name"), View(order="email", descending=True)):
        with db.everywhere() as connection:
            found = rows.read(connection, small.organization.id, PATIENTS, view, person)
        cells = [dict(zip([f.column for f in PATIENTS.fields], row, strict=True)) for row in found]
        assert len(cells) == 50
        assert {cell[column] for cell in cells for column in SENSITIVE} <= {MASK, None}
        assert all(cell["cliniko_patient_id"] for cell in cells)


@pytest.mark.parametrize("person", [SARAH, ANA])
def test_others_see_them(small: Clinic, run: Run, person: Person) -> None:
    assert run.id
    with db.everywhere() as connection:
        found = rows.read(connection, small.organization.id, PATIENTS, View("Okonkwo"), person)
    assert len(found) == 1
    assert MASK not in found[0]


def test_a_viewer_s_search_finds_nothing_that_is_hidden(small: Clinic, run: Run) -> None:
    with db.everywhere() as connection:
        asked = (connection, small.organization.id, PATIENTS, View("Okonkwo"))
        assert (rows.count(*asked, VERA), rows.count(*asked, SARAH)) == (0, 1)
        assert outcomes.count(connection, run, Wanted(KINDS, "Okonkwo"), VERA) == 0
        assert outcomes.count(connection, run, Wanted(KINDS, "Okonkwo"), SARAH) == 1


def test_no_filter_asks_or_offers_what_is_hidden(small: Clinic, run: Run) -> None:
    assert run.id
    only = View(only={"last_name": ["Okonkwo-Zed"]})
    with db.everywhere() as connection:
        asked = (connection, small.organization.id, PATIENTS)
        assert rows.count(*asked, only, SARAH) == 1
        assert rows.count(*asked, only, VERA) == rows.count(*asked, View(), VERA)
        assert rows.values(*asked, "city", 1000) == []
        assert rows.values(*asked, "country", 1000) == ["Australia"]


def test_a_hidden_column_does_not_decide_the_order(small: Clinic, run: Run) -> None:
    assert run.id
    with db.everywhere() as connection:
        found = [
            rows.read(connection, small.organization.id, PATIENTS, View(order=column), VERA)
            for column in ("last_name", "cliniko_patient_id")
        ]
    assert found[0] == found[1]


def test_changes_are_told_but_not_shown(run: Run) -> None:
    with db.everywhere() as connection:
        hidden = {o.kind: o for o in outcomes.read(connection, run, Wanted(KINDS), VERA)}
        shown = {o.kind: o for o in outcomes.read(connection, run, Wanted(KINDS), SARAH)}
    assert set(hidden) == {"updated", "removed", "failed"}
    assert {outcome.name for outcome in hidden.values()} == {MASK}
    assert hidden["updated"].identity == shown["updated"].identity  # a key that says nothing
    assert hidden["updated"].changes
    assert hidden["updated"].changes["last_name"] == [MASK, MASK]
    assert hidden["removed"].changes
    assert {hidden["removed"].changes[column] for column in SENSITIVE} <= {MASK, None}
    assert hidden["removed"].changes["cliniko_patient_id"] == hidden["removed"].key
    assert shown["updated"].changes
    assert shown["updated"].changes["last_name"][1] == "Okonkwo-Zed"


def test_a_file_of_rows_to_mend_is_masked_for_a_manager(small: Clinic, run: Run) -> None:
    def read(person: Person) -> dict[str, str]:
        text = b"".join(exports.write(exports.rejects(small.organization, person, run))).decode()
        (row,) = csv.DictReader(io.StringIO(text))
        return row

    with pytest.raises(SyncError):
        read(VERA)
    assert read(MICHAEL)["Date of birth"] == read(MICHAEL)["Last name"] == MASK
    assert read(SARAH)["Date of birth"] == "0198-05-01"


def test_no_message_note_or_reason_names_a_patient(
    small: Clinic, run: Run, database: psycopg.Connection
) -> None:
    everything = database.execute(
        "select runs.message, runs.log_message, runs.notes, runs.advice, attempts.log,"
        " (select jsonb_agg(issues) from outcomes where outcomes.run_id = runs.id)"
        " from runs join attempts on attempts.run_id = runs.id where organization_id = %s",
        [small.organization.id],
    ).fetchall()
    names = database.execute(
        "select last_name from patients where organization_id = %s", [small.organization.id]
    ).fetchall()
    text = repr(everything)
    assert "0198" not in text
    assert [name for (name,) in names if name in text] == []
    assert run.log_message in text
