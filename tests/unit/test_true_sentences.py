"""What people are told of trouble with a source is what happened, and nothing else."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import pytest

from sync_core import sources
from sync_core.demo.cliniko import Account
from sync_core.foundation.errors import CATALOGUE, SyncError
from sync_core.foundation.settings import Secret, Settings
from sync_core.sources import Opening, SourceSetting
from tests.support.cliniko_client import client, read
from tests.support.fakes import cliniko as fake_cliniko
from tests.support.fakes import google as fake
from tests.support.fakes.cliniko import KEY, Cliniko
from tests.support.fakes.google import DEMO, Google
from tests.support.fakes.spreadsheets import Tab
from tests.support.sources import FAST_RETRIES, LOCATIONS, source_setting

SHORT = 1.6  # seconds; a request takes a fraction

pytestmark = pytest.mark.usefixtures("servers")  # workers share Google's quota through Redis


@dataclass(frozen=True)
class Told:
    """All that a run says of a source that cannot be read."""

    waits: Sequence[str]
    error: SyncError

    @property
    def text(self) -> str:
        return "\n".join([*self.waits, self.error.sentence, self.error.advice])


def told(setting: SourceSetting, settings: Settings) -> Told:
    waits: list[str] = []
    opening = Opening(settings=settings, on_wait=waits.append, retry_policy=FAST_RETRIES)
    with pytest.raises(SyncError) as caught:
        sources.open_source(setting, opening).open(LOCATIONS)
    return Told(waits, caught.value)


@pytest.fixture
def google() -> Iterator[Google]:
    with Google() as google:
        google.add(Tab("Clinics", [["Code"], ["L1"]]), Tab("Other", [["x"]], gid=7)).public = True
        yield google


NO_WAIT, NO_SHARING, SET = "asks us to wait", "not shared", "et the source again, and test"
NO_SCOPES = fake.drive_error(403, "Insufficient Permission", "insufficientPermissions", "global")
OLDER_QUOTA = fake.drive_error(403, "Rate Limit Exceeded", "rateLimitExceeded", "global")
SUSPENDED = fake.error(403, "Consumer 'projects/1' has been suspended.", "PERMISSION_DENIED", [{}])
SUSPENDED["error"]["details"] = [{"reason": "CONSUMER_SUSPENDED", "domain": "googleapis.com"}]
OF_GOOGLE = [
    (
        "/values/",
        fake.status(fake.UNAVAILABLE),
        "answered with an error (503)",
        ["does not answer", NO_WAIT],
    ),
    ("/values/", fake.hang, "does not answer in time", ["answered with", NO_WAIT]),
    ("/values/", fake.html(403), "answered with an error (403)", [NO_SHARING]),
    ("/v4/", fake.status(fake.SCOPES_MISSING), "its token lacks the scopes", [NO_SHARING]),
    ("/v4/", fake.status(fake.API_DISABLED), "is switched off", [NO_SHARING]),
    ("/v4/", fake.status(fake.NOT_SHARED), NO_SHARING, ["scopes", "switched off"]),
    ("/v4/", fake.status(fake.NOT_FOUND), "There is no Google Sheet", [NO_SHARING]),
    ("/token", fake.html(), "it signs nobody in", ["refuses the key"]),
    ("/values/", fake.status(fake.TOO_MANY), "too many requests in a minute", [NO_WAIT]),
    ("/values/", fake.status(fake.TOO_MANY, Retry_After="7"), NO_WAIT, ["does not answer"]),
    ("/values/", fake.html(502), "answered with an error (502)", ["does not answer", NO_WAIT]),
    ("/values/", fake.drip, "does not answer in time", ["answered with", NO_WAIT]),
    ("/values/", fake.reset, "it cut its answer off", ["cannot be reached", NO_WAIT]),
    ("/v4/", fake.redirect("https://x.example.org/"), "sends us on", ["damaged", NO_SHARING]),
    ("/v4/", fake.html(401), "answered with an error (401)", ["refuses the key", NO_SHARING]),
    ("/v4/", fake.status(fake.error(410, "Gone", "NOT_FOUND")), "There is no Google Sheet", [SET]),
    ("/v4/", fake.status(NO_SCOPES), "its token lacks the scopes", [NO_SHARING, "refuses"]),
    ("/v4/", fake.status(fake.DRIVE_DISABLED), "is switched off", [NO_SHARING, "too many"]),
    ("/v4/", fake.status(SUSPENDED), "has been suspended", [NO_SHARING, "scopes", SET]),
    ("/token", fake.html(403), "it signs nobody in", ["refuses the key", "new key"]),
    ("/token", fake.reset, "it cut its answer off", ["cannot be reached", "new key"]),
    ("/values/", fake.status(OLDER_QUOTA), "too many requests in a minute", [NO_WAIT, "refuses"]),
    ("/values/", fake.status(fake.TOO_MANY, Retry_After="inf"), "too many requests", [NO_WAIT]),
]


@pytest.mark.parametrize(("path", "fault", "says", "never"), OF_GOOGLE)
def test_what_is_told_of_google_is_true(
    google: Google, path: str, fault: fake.Fault, says: str, never: list[str]
) -> None:
    google.fault(path, fault, times=99)
    found = told(source_setting("sheet", DEMO, tab="0"), google_settings(google))
    assert says in found.text
    assert [words for words in never if words in found.text] == []


def google_settings(google: Google) -> Settings:
    account = Secret(json.dumps(google.service_account()))
    return Settings(
        google_service_account_json=account, google_api_base_url=google.url, fetch_timeout=SHORT
    )


@pytest.mark.parametrize("tab", ["5", "99999999999"])
def test_a_tab_that_was_deleted_is_no_matter_of_columns(google: Google, tab: str) -> None:
    setting = replace(source_setting("sheet", DEMO, tab=tab), tab_title="Locations")
    found = told(setting, google_settings(google))
    assert "The tab 'Locations' is no longer in 'Master data'" in found.text
    assert "olumn" not in found.text


OF_CSV = [
    (fake.html(503), "the server answers 503", ["did not answer", NO_WAIT]),
    (fake.status(fake.UNAVAILABLE, Retry_After="7"), NO_WAIT, ["did not answer"]),
    (fake.hang, "did not answer within 0.4 s", ["answers", NO_WAIT]),
    (fake.html(429), "the server answers 429", ["did not answer", NO_WAIT]),
    (
        fake.status(fake.UNAVAILABLE, Retry_After="1e308"),
        "answers 503",
        ["did not answer", NO_WAIT],
    ),
    (fake.reset, "cut off", ["did not answer", "cannot be reached", NO_WAIT]),
    (fake.redirect("http://x:port/"), "redirected to what is no address", ["cut off", "answers"]),
]


@pytest.mark.parametrize(("fault", "says", "never"), OF_CSV)
def test_what_is_told_of_a_csv_is_true(
    google: Google, fault: fake.Fault, says: str, never: list[str]
) -> None:
    google.fault("/exported/", fault, times=99)
    setting = source_setting("csv", google.export_url())
    found = told(setting, Settings(fetch_timeout=SHORT, private_hosts=("127.0.0.1",)))
    assert says in found.text
    assert [words for words in never if words in found.text] == []


OF_CLINIKO = [
    (
        fake_cliniko.status(503),
        "answered with an error (503) about patients",
        ["does not answer", NO_WAIT],
    ),
    (fake_cliniko.html(503), "closed for maintenance", ["does not answer", NO_WAIT]),
    (fake_cliniko.hang, "does not answer in time", ["answered with", NO_WAIT]),
    (fake_cliniko.status(429), "too many requests in a minute", [NO_WAIT]),
    (fake_cliniko.status(429, Retry_After="7"), NO_WAIT, ["does not answer"]),
    (
        fake_cliniko.html(500),
        "answered with an error (500) about patients",
        ["maintenance", NO_WAIT],
    ),
    (fake_cliniko.cut, "its answer was cut off", ["does not answer", "reached", NO_WAIT]),
    (fake_cliniko.status(429, Retry_After="inf"), "too many requests in a minute", [NO_WAIT]),
    (fake_cliniko.status(429, X_RateLimit_Reset="inf"), "too many requests", [NO_WAIT]),
    (fake_cliniko.total(-1), "'total_entries' is no number", ["missing", NO_WAIT]),
    (fake_cliniko.redirect("/login", 302), "sends us on", ["refuses", "may not read", NO_WAIT]),
    (fake_cliniko.total(613), "became shorter while it was read", ["edit", NO_WAIT]),
]


@pytest.mark.parametrize(("fault", "says", "never"), OF_CLINIKO)
def test_what_is_told_of_cliniko_is_true(
    fault: fake_cliniko.Fault, says: str, never: list[str]
) -> None:
    waits: list[str] = []
    with Cliniko() as cliniko:
        cliniko.add(KEY, Account())
        cliniko.fault("patients", fault, times=99)
        patience = SHORT / 4 if fault == fake_cliniko.hang else 10  # for a busy machine
        reader = client(cliniko, timeout=patience, told=waits.append)
        with reader, pytest.raises(SyncError) as caught:
            read(reader, least=614)
    found = Told(waits, caught.value)
    assert says in found.text
    assert [words for words in [*never, "heet", "split"] if words in found.text] == []


def test_no_advice_about_cliniko_is_about_sheets() -> None:
    about = {code: entry for code, entry in CATALOGUE.items() if "cliniko" in code}
    texts = {code: f"{entry.sentence} {entry.advice}" for code, entry in about.items()}
    assert len(texts) > 10
    assert [code for code, text in texts.items() if "heet" in text or " tab" in text] == []
    assert "plit" not in CATALOGUE["timed_out"].advice
