"""Cliniko's lists as sheets: pages, cursors, what is asked for, and what cells become."""

from dataclasses import replace
from datetime import UTC, datetime

from sync_core.catalogue import resources
from sync_core.catalogue.resources import ENTITIES
from sync_core.catalogue.source import Counting
from sync_core.foundation import settings
from sync_core.sources.cliniko.lists import STEP, ClinikoList, ClinikoSource
from tests.support.clinic import Clinic, source_setting
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
    change("patients", second, first_name="'Ofa", email={"odd": True}, post_code="'6000")
    change("patients", third, first_name=None, last_name=None, preferred_first_name="\ud800")
    sheet = opened(small)
    assert cells(sheet, "Name")[0] == "Ana"
    assert cells(sheet, "Name")[2] is None
    assert cells(sheet, "City")[0] is None
    assert cells(sheet, "Postcode")[0] == "6000"
    assert cells(sheet, "First name")[1] == "'Ofa"
    assert cells(sheet, "Postcode")[1] == "''6000"
    assert cells(sheet, "Email")[1] == '{"odd": true}'
    assert cells(sheet, "Preferred name")[2] == "\ufffd"


def test_the_steps_of_the_opening_are_told(small: Clinic) -> None:
    told: list[str] = []
    replace(source(small), on_step=told.append).open(ENTITIES["patients"])
    assert told == ["checking_config", "checking_credentials"]


def test_a_list_is_read_to_its_end(small: Clinic) -> None:
    entity = resources.by_name("patients").main
    assert sum(len(page.rows) for page in source(small).open(entity).pages(NONE)) == 120
