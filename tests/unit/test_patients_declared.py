import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync_core.catalogue.fields import Moment, Verbatim
from sync_core.catalogue.fields.cells import CONTROL
from sync_core.catalogue.phases import SHEETS, Band
from sync_core.catalogue.resource import Entity
from sync_core.catalogue.resources import CATALOGUE
from sync_core.sources.cliniko.lists import LISTS
from tests.support.cells import HERE, answers

PATIENTS = CATALOGUE["patients"]
STEPS = PATIENTS.steps
CLINICAL = "note medicare dva gender occupation concession alert referral emergency invoice".split()


@pytest.mark.parametrize("entity", PATIENTS.entities, ids=lambda entity: entity.name)
def test_every_field_is_read_from_cliniko_and_nothing_else(entity: Entity) -> None:
    assert {field.label for field in entity.fields} == set(LISTS[entity.name].cells)


def test_nothing_clinical_is_taken() -> None:
    taken = [f.label.lower() for entity in PATIENTS.entities for f in entity.fields]
    assert [label for label in taken for word in CLINICAL if word in label] == []


def test_the_eight_steps_fill_the_bar_without_a_gap() -> None:
    assert [(band.title, band.start, band.end) for band in STEPS.bands] == [
        ("Initializing", 0, 12),
        ("Checking config", 12, 25),
        ("Checking credentials", 25, 37),
        ("Fetching patients", 37, 50),
        ("Fetching appointments", 50, 62),
        ("Loading types", 62, 75),
        ("Analyzing", 75, 87),
        ("Storing", 87, 100),
    ]


def test_patients_are_read_first_and_types_last() -> None:
    names = [entity.name for entity in PATIENTS.entities]
    assert names == ["appointment_types", "patients", "appointments"]
    assert STEPS.order(names) == ["patients", "appointments", "appointment_types"]
    assert SHEETS.order(["brands", "packages"]) == ["brands", "packages"]


@pytest.mark.parametrize(
    ("band", "done", "total", "said"),
    [
        (STEPS.reading["patients"], 641, 648, "Processing 641/648 patients (98.9%)"),
        (STEPS.reading["patients"], 0, 0, "Processing 0/0 patients (100.0%)"),
        (STEPS.reading["patients"], 650, 648, "Processing 650/650 patients (100.0%)"),
        (STEPS.saving, 641, 648, "Storing patients in database (641/648)"),
        (STEPS.comparing, 0, None, "Analyzing data..."),
        (SHEETS.comparing, 0, None, "Comparing Patients"),
    ],
)
def test_a_step_says_how_far_it_has_come(
    band: Band, done: int, total: int | None, said: str
) -> None:
    assert band.tell("Patients", done, total) == said


@given(st.text(min_size=1))
def test_words_of_another_system_are_never_refused(text: str) -> None:
    ((value, code),) = answers(Verbatim("Email"), [text])
    assert code is None
    assert value is None or not re.search(f"[{CONTROL}]", value)


@pytest.mark.parametrize(
    ("text", "value", "code"),
    [
        ("2026-04-03T09:00:00Z", "2026-04-03T09:00:00Z", None),
        ("2026-04-03T09:00:00+08:00", "2026-04-03T01:00:00Z", None),
        ("2026-04-03 09:00:00.5Z", "2026-04-03T09:00:00Z", None),
        ("2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z", None),
        ("2025-02-29T00:00:00Z", None, "not_a_moment"),
        ("2026-04-03T09:00:00", None, "not_a_moment"),
        ("2026-04-03", None, "not_a_moment"),
        ("soon", None, "not_a_moment"),
        ("2026-04-03009:00-00:00", None, "not_a_moment"),
        ("20260403T090000Z", "2026-04-03T09:00:00Z", None),
    ],
)
def test_a_moment_has_its_offset_from_utc(text: str, value: str | None, code: str | None) -> None:
    assert answers(Moment("Starts at"), [text]) == [(value, code)]


def test_a_sentence_never_quotes_a_sensitive_cell() -> None:
    born = next(f for f in PATIENTS.main.fields if f.label == "Date of birth")
    ((_, code),) = answers(born, ["31/31/1980"])
    assert code
    sentence = born.explain(code, "31/31/1980", HERE)
    assert "1980" not in sentence
    assert sentence.startswith("Date of birth")
