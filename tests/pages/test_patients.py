"""The page of patients: figures, steps, and what is hidden from whom."""

import re
from collections.abc import Iterator

import pytest
from streamlit.testing.v1 import AppTest

from sync_core.catalogue.resources import CATALOGUE
from sync_core.demo.cliniko import Account
from sync_core.foundation import redis_clients, settings
from sync_core.operations import syncs
from sync_core.organizations import Organization
from sync_core.records.privacy import MASK
from sync_core.runs.progress import Amount, Reporter
from tests.support.clinic import Clinic, open_clinic
from tests.support.desk import ANA
from tests.support.fakes.cliniko import Cliniko
from tests.support.pages import Visit, column, rows, strip

STEPS = CATALOGUE["patients"].steps
VERA, SARAH = "vera.olsen@example.org", "sarah.lim@example.org"
MICHAEL = "michael.tan@example.org"


@pytest.fixture
def clinic(organization: Organization, monkeypatch: pytest.MonkeyPatch) -> Iterator[Clinic]:
    with Cliniko() as server:
        yield open_clinic(organization, server, Account(648, 120), monkeypatch)
    settings.current.cache_clear()


def metrics(page: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in page.metric}


def texts(page: AppTest) -> str:
    return "\n".join(text.value for text in page.markdown)


def test_an_organization_without_patients_has_no_figures(visit: Visit) -> None:
    assert metrics(visit("patients")) == {}


def test_the_figures_of_the_patients_are_shown(visit: Visit, clinic: Clinic) -> None:
    clinic.sync()
    shown = metrics(visit("patients"))
    assert list(shown) == ["Patients", "Active", "Recent", "Upcoming", "Both", "Archived"]
    assert (shown["Patients"], shown["Active"]) == ("648", "89")


@pytest.mark.parametrize("email", [VERA, MICHAEL])
def test_what_is_hidden_from_a_role_is_left_out_and_said_once(
    visit: Visit, clinic: Clinic, email: str
) -> None:
    clinic.sync()
    hidden = visit("patients", email)
    assert set(rows(hidden)[0]) == {"Cliniko patient ID", "Archived at"}
    assert MASK not in str([element.proto.body for element in hidden.get("html")])
    (told,) = (one.value for one in hidden.caption if "Hidden from your role" in one.value)
    assert "Date of birth" in told
    shown = visit("patients", SARAH)
    assert {"Name", "Date of birth", "Email"} <= set(rows(shown)[0])
    assert not any("Hidden from your role" in caption.value for caption in shown.caption)


def test_a_viewer_s_search_finds_no_name(visit: Visit, clinic: Clinic) -> None:
    clinic.sync()
    name = column(visit("patients", SARAH), "Name")[0]
    page = visit("patients", VERA)
    page.text_input(key="search-patients").set_value(name).run()
    assert not rows(page)
    assert any("Nothing matches the search." in text.value for text in page.markdown)


def test_the_step_and_the_live_counts_of_a_run_are_shown(visit: Visit, clinic: Clinic) -> None:
    run = syncs.start(clinic.organization, "patients", ANA, "test")
    reporter = Reporter(redis_clients.client(), run.id, 0)
    band = STEPS.reading["appointments"]
    reporter.tell(STEPS.reading["patients"], "Fetching", counts={"patients found": 641}, now=True)
    said = band.tell("Appointments", 600, 1247)
    counts = {band.statistic: 600}
    amount = Amount(600, 1247, "")
    reporter.tell(band, said, fraction=0.5, amount=amount, counts=counts, now=True)
    page = visit("patients", details="patients")
    panel = next(html.proto.body for html in page.get("html") if "steps" in html.proto.body)
    assert panel.count("<li") == 8
    assert panel.count('<li class="done"') == 4
    assert 'aria-current="step"' in panel.partition("Fetching appointments")[0]
    assert "<dt>Patients found</dt><dd>641</dd>" in panel
    assert "<dt>Appointments found</dt><dd>600</dd>" in panel
    assert "Patients stored" not in panel  # its step has not come
    assert "600 of 1,247" not in strip(page).text  # the sentence says it
    assert "600/1,247" in strip(page).text


def test_the_help_tells_the_steps_and_who_is_active(visit: Visit) -> None:
    told = texts(visit("help"))
    assert "Initializing (0 to 12%)" in told
    assert "within\nthe last 45 days" in told or "the last 45 days" in told


def test_the_source_is_called_cliniko(visit: Visit, clinic: Clinic) -> None:
    assert clinic.organization
    assert "from " in strip(visit("patients")).since
    assert "Cliniko" in texts(visit("sources"))


def patients(page: AppTest) -> int:
    """Count the rows of all pages."""
    (told,) = (one.value for one in page.caption if re.match(r"[\d,]+ to [\d,]+ of", one.value))
    return int(told.split(" of ")[1].split()[0].replace(",", ""))


def test_a_figure_leads_to_its_patients_and_they_can_be_left_again(
    visit: Visit, clinic: Clinic
) -> None:
    clinic.sync()
    for name in ("Active", "Upcoming", "Archived"):
        page = visit("patients", SARAH, group=name.lower())
        assert patients(page) == int(metrics(page)[name])
    page.button(key="leave-group").click().run()
    assert patients(page) == int(metrics(page)["Patients"])


def test_who_may_not_see_appointments_is_not_told_whose_they_are(
    visit: Visit, clinic: Clinic
) -> None:
    clinic.sync()
    page = visit("patients", VERA, group="upcoming")
    assert patients(page) == 648
    assert {"Show archived", "Show patients"} == {
        link.label for link in page.main.page_link if link.label.startswith("Show ")
    }
