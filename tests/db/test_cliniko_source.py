"""Cliniko's lists as sheets: pages, cursors, what is asked for, and what cells become."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from sync_core.catalogue import resources
from sync_core.catalogue.resources import ENTITIES
from sync_core.catalogue.source import Counting, RowFault
from sync_core.demo.cliniko.known import Kind
from sync_core.foundation import settings
from sync_core.sources.cliniko.lists import STEP, ClinikoList, ClinikoSource
from tests.support.clinic import Clinic, source_setting
from tests.support.fakes import cliniko as fake
from tests.support.fakes.cliniko import Cliniko
from tests.support.sources import FAST_RETRIES, NONE

SINCE = datetime(2026, 11, 25, 6, 30, tzinfo=UTC)


def source(clinic: Clinic, since: datetime | None = None) -> ClinikoSource:
    return ClinikoSource(
        setting=source_setting(clinic.organization, "patients"),
        settings=settings.current(),
        since=since,
        retry_policy=FAST_RETRIES,
    )


def opened(clinic: Clinic, entity: str = "patients") -> ClinikoList:
    return source(clinic).open(ENTITIES[entity])


def cells(sheet: ClinikoList, label: str) -> list[str | None]:
    column = list(sheet.headers).index(label)
    return [cell for page in sheet.pages(NONE) for cell in page.texts[column]]


def test_pages_are_small_enough_to_see_the_counts_rise(clinic: Clinic) -> None:
    sheet = opened(clinic)
    pages = list(sheet.pages(NONE))
    assert max(len(page.rows) for page in pages) == STEP == 50
    assert [row for page in pages for row in page.rows] == list(range(1, 649))
    assert [page.done for page in pages][-1] == sheet.total == 648


def test_reading_goes_on_after_any_page(clinic: Clinic) -> None:
    sheet = opened(clinic)
    pages = list(sheet.pages(NONE))
    for stop in (0, 1, 5, len(pages) - 1):
        rest = list(sheet.pages(NONE, pages[stop].cursor))
        assert [r for page in rest for r in page.rows] == [
            r for page in pages[stop + 1 :] for r in page.rows
        ]
        assert [r for page in rest for r in page.texts[0]] == [
            r for page in pages[stop + 1 :] for r in page.texts[0]
        ]


def test_what_lists_leave_out_is_asked_for_too(small: Clinic, server: Cliniko) -> None:
    source(small, SINCE).open(ENTITIES["appointments"])
    assert server.requests[-1].query["q[]"] == [
        "archived_at:*",
        "cancelled_at:*",
        "updated_at:>=2026-11-25T06:30:00Z",
    ]


def test_the_number_of_patients_is_asked_without_regard_to_when_they_changed(
    small: Clinic,
) -> None:
    sheet = source(small, SINCE).open(ENTITIES["patients"])
    assert isinstance(sheet, Counting)
    assert sheet.count() == 120
    assert opened(small, "appointments").count() is None


def test_ids_come_from_links(small: Clinic) -> None:
    account = small.account
    visits = account.known("individual_appointments")
    account.change("individual_appointments", visits[0].id, patient=None)
    account.change("individual_appointments", visits[1].id, patient={"links": {"self": None}})
    account.change(
        "individual_appointments",
        visits[2].id,
        patient={"links": {"self": "https://api.au1.cliniko.com/v1/patients/1234567890123456789"}},
    )
    found = cells(opened(small, "appointments"), "Cliniko patient ID")
    assert found[:3] == [None, None, "1234567890123456789"]
    assert found[3] == str(visits[3].patient_id)


def test_values_of_json_become_cells(small: Clinic) -> None:
    first, second, third = (p.id for p in small.account.known("patients")[:3])
    change = small.account.change
    change("patients", first, first_name=" Ana ", last_name=None, city="", post_code=6000)
    change("patients", second, first_name="'Ofa", email="", post_code="'6000")
    change("patients", third, first_name=None, last_name=None, preferred_first_name="\ud800")
    sheet = opened(small)
    assert cells(sheet, "Name")[0] == "Ana"
    assert cells(sheet, "Name")[2] is None
    assert cells(sheet, "City")[0] is None
    assert cells(sheet, "Postcode")[0] == "6000"
    assert cells(sheet, "First name")[1] == "'Ofa"
    assert cells(sheet, "Postcode")[1] == "''6000"
    assert cells(sheet, "Email")[1] is None
    assert cells(sheet, "Preferred name")[2] == "\ufffd"


ODD = [
    ("Phones", {"patient_phone_numbers": ["0400 000 000"]}),
    ("Phones", {"patient_phone_numbers": "0400 000 000"}),
    ("Phones", {"patient_phone_numbers": [{"number": ["0400"]}, None]}),
    ("Email", {"email": {"odd": True}}),
    ("Address", {"address_1": ["1 High Street"]}),
    ("Date of birth", {"date_of_birth": "1990-02-31"}),
    ("Date of birth", {"date_of_birth": "0000-00-00"}),
    ("Date of birth", {"date_of_birth": 7}),
    ("Merged at", {"merged_at": "yesterday"}),
]


@pytest.mark.parametrize(("label", "values"), ODD)
def test_a_patient_loses_a_field_that_cannot_be_read_and_is_named_by_id(
    small: Clinic, label: str, values: dict[str, object]
) -> None:
    first, second = (p.id for p in small.account.known("patients")[3:5])
    _write(small, "patients", first, values)
    sheet = opened(small)
    pages = list(sheet.pages(NONE))
    column = list(sheet.headers).index(label)
    assert (pages[0].texts[column][3], pages[0].broken) == (None, {})
    assert pages[0].texts[0][3] == str(first)
    (note,) = sheet.notes
    assert note == (
        f"Patients: 1 record is kept without {label}, which cannot be read as Cliniko gives it:"
        f" {first}."
    )
    _write(small, "patients", second, values)
    assert len(list(sheet.pages(NONE))) == 3
    assert f"{first} and {second}." in opened_and_read(small).notes[0]


def _write(clinic: Clinic, kind: Kind, number: int, values: Mapping[str, object]) -> None:
    """Let a record hold what the account itself would not keep in a moment's column."""
    clinic.account.change(kind, number)
    clinic.account._changes[kind, number] |= values  # noqa: SLF001


def opened_and_read(clinic: Clinic) -> ClinikoList:
    sheet = opened(clinic)
    list(sheet.pages(NONE))
    return sheet


@pytest.mark.parametrize("odd", ["x", [1], {"links": "x"}, {"links": [1]}, {"links": {"self": []}}])
def test_an_appointment_whose_link_cannot_be_read_fails_alone(small: Clinic, odd: object) -> None:
    visit = small.account.known("individual_appointments")[3].id
    small.account.change("individual_appointments", visit, patient=odd)
    [first, *_] = opened(small, "appointments").pages(NONE)
    what = "Cliniko patient ID"
    assert first.broken == {4: RowFault("odd_record", {"what": what}, sure=1, field=what)}
    assert first.texts[0][3] == str(visit)


@pytest.mark.parametrize("nothing", [None, [], "x", {}, {"id": None}, {"id": "x"}, {"id": [1]}])
def test_what_has_no_id_is_a_row_without_a_key(
    small: Clinic, server: Cliniko, nothing: object
) -> None:
    def change(content: dict[str, list[object]]) -> None:
        content["patients"][3] = nothing

    sheet = opened(small)
    server.fault("patients", fake.altered(change))
    pages = list(sheet.pages(NONE))
    assert pages[0].broken == {4: RowFault("nameless_record", {"what": "patients"})}
    assert pages[0].texts[0][3] is None
    assert sum(len(page.rows) for page in pages) == 120


def test_the_steps_of_the_opening_are_told(small: Clinic) -> None:
    told: list[str] = []
    replace(source(small), on_step=told.append).open(ENTITIES["patients"])
    assert told == ["checking_config", "checking_credentials"]


def test_a_list_is_read_to_its_end(small: Clinic) -> None:
    entity = resources.by_name("patients").main
    assert sum(len(page.rows) for page in source(small).open(entity).pages(NONE)) == 120
