from pathlib import Path

import pytest

from sync_core.catalogue import resources
from sync_core.foundation import settings


def test_nothing_set_means_the_embedded_servers() -> None:
    read = settings.load({})
    assert (read.database_url, read.redis_url) == (None, None)
    assert read.data == settings.ROOT / ".data"


def test_an_empty_variable_counts_as_unset() -> None:
    assert settings.load({"DATABASE_URL": " ", "REDIS_URL": ""}).database_url is None


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_any_usual_address_of_postgres_is_understood(scheme: str) -> None:
    given = {"DATABASE_URL": f"{scheme}://u:p@127.0.0.1/x", "REDIS_URL": "redis://127.0.0.1"}
    assert settings.load(given).database_url == "postgresql+psycopg://u:p@127.0.0.1/x"


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (
            {"DATABASE_URL": "postgresql://127.0.0.1/x"},
            "DATABASE_URL is set and REDIS_URL is not: set both, or neither",
        ),
        (
            {"REDIS_URL": "redis://127.0.0.1"},
            "REDIS_URL is set and DATABASE_URL is not: set both, or neither",
        ),
        (
            {"DATABASE_URL": "mysql://x", "REDIS_URL": "redis://localhost"},
            "DATABASE_URL: it begins with none of postgresql://",
        ),
        (
            {"GOOGLE_SERVICE_ACCOUNT_FILE": "nowhere.json"},
            "GOOGLE_SERVICE_ACCOUNT_FILE: there is no file nowhere.json",
        ),
        (
            {"SYNCDESK_API_ORIGINS": "https://a.example.org https://b.example.org/page"},
            "SYNCDESK_API_ORIGINS: https://b.example.org/page names no site",
        ),
        ({"SYNCDESK_API_ORIGINS": "*"}, "SYNCDESK_API_ORIGINS: * names no site"),
        (
            {"SYNCDESK_MAIL_SERVER": "smtp://user:secret@mail.example.org"},
            "SYNCDESK_MAIL_SERVER: it holds more than a server, or none",
        ),
        (
            {"SYNCDESK_MAIL_SERVER": "smtps://mail.example.org"},
            "SYNCDESK_MAIL_FROM is missing: mails come from it.\nSYNCDESK_MAIL_KEY is missing",
        ),
        ({"SYNCDESK_MAIL_KEY": "short"}, "SYNCDESK_MAIL_KEY: it is too short"),
        ({"SYNCDESK_ADDRESS": "sync.example.org"}, "SYNCDESK_ADDRESS: it begins with none of"),
        (
            {"SYNCDESK_CHAT_URL_DEMO__OPS": "http://hooks.example.org/secret"},
            "SYNCDESK_CHAT_URL_DEMO__OPS: it must begin with https://",
        ),
        (
            {"GOOGLE_API_BASE_URL": "http://sheets.example.org"},
            "GOOGLE_API_BASE_URL: it must begin with https://",
        ),
        ({"SYNCDESK_PRIVATE_HOSTS": "http://a"}, "SYNCDESK_PRIVATE_HOSTS: http://a names no host"),
        ({"SYNCDESK_TIME_LIMIT": "-1"}, "SYNCDESK_TIME_LIMIT: '-1' is not a number of seconds"),
        ({"SYNCDESK_TIME_LIMIT": "a=0"}, "SYNCDESK_TIME_LIMIT: '0' is not a number of seconds"),
        ({"SYNCDESK_MONITOR_TOKEN": "short"}, "SYNCDESK_MONITOR_TOKEN: it has fewer than 20"),
        ({"SYNCDESK_MONITOR_NETWORKS": "10.0.0.0/8 x"}, "SYNCDESK_MONITOR_NETWORKS: 'x' does not"),
        ({"SYNCDESK_TIME_LIMIT": "nan"}, "SYNCDESK_TIME_LIMIT: 'nan' is not a number of seconds"),
    ],
)
def test_each_problem_is_one_sentence(given: dict[str, str], sentence: str) -> None:
    with pytest.raises(settings.SettingsError) as caught:
        settings.load(given)
    assert str(caught.value).startswith(sentence)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (
            {"CLINIKO_API_KEY_DEMO": "k", "CLINIKO_CONTACT": "somebody"},
            "CLINIKO_CONTACT: 'somebody' is not an e-mail address; write for example",
        ),
        ({"CLINIKO_API_KEY_DEMO": "k"}, "CLINIKO_CONTACT is missing: Cliniko may block programs"),
        (
            {
                "CLINIKO_API_KEY_A_B": "k",
                "CLINIKO_API_KEY_A_B_FILE": __file__,
                "CLINIKO_CONTACT": "it@example.org",
            },
            "CLINIKO_API_KEY_A_B and CLINIKO_API_KEY_A_B_FILE are both set: keep one.",
        ),
        ({"CLINIKO_API_KEY": "k"}, "CLINIKO_API_KEY: it names no organization; write its short"),
        ({"CLINIKO_API_KEY_demo": "k"}, "CLINIKO_API_KEY_demo: it names no organization; write"),
        ({"CLINIKO_API_KEY_FILE": "x"}, "CLINIKO_API_KEY_FILE: it names no organization; write"),
        (
            {"CLINIKO_API_KEY_DEMO_FILE": "nowhere"},
            "CLINIKO_API_KEY_DEMO_FILE: there is no file nowhere",
        ),
        (
            {"SYNCDESK_FOLDERS": "/srv/a:/srv/b"},
            "SYNCDESK_FOLDERS: it names several folders; give one, which holds a folder for each",
        ),
        (
            {"SYNCDESK_FOLDERS": "sheets"},
            "SYNCDESK_FOLDERS: sheets is no full path; write for example /srv/sheets",
        ),
        ({"SYNCDESK_FOLDERS": __file__}, f"SYNCDESK_FOLDERS: {__file__} is not a folder; give the"),
        ({"CLINIKO_BASE_URL": "ftp://x"}, "CLINIKO_BASE_URL: it begins with none of http://"),
        (
            {"CLINIKO_BASE_URL": "http://cliniko.example.org"},
            "CLINIKO_BASE_URL: it must begin with https://, unless it is on this machine.",
        ),
        ({"CLINIKO_BASE_URL": "https://x/v1"}, "CLINIKO_BASE_URL: it holds more than a server"),
        ({"CLINIKO_BASE_URL": "https://a@x"}, "CLINIKO_BASE_URL: it holds more than a server"),
        ({"CLINIKO_BASE_URL": "https://[x"}, "CLINIKO_BASE_URL: "),
        ({"CLINIKO_BASE_URL": "https://"}, "CLINIKO_BASE_URL: it names no server"),
        ({"CLINIKO_BASE_URL": "https://x y"}, "CLINIKO_BASE_URL: it names no server"),
        ({"CLINIKO_BASE_URL": "https://x:99999"}, "CLINIKO_BASE_URL: Port out of range"),
        ({"CLINIKO_CONTACT": "a b@x.org"}, "CLINIKO_CONTACT: 'a b@x.org' is not an e-mail"),
        ({"CLINIKO_CONTACT": "(a@x.org)"}, "CLINIKO_CONTACT: '(a@x.org)' is not an e-mail"),
    ],
)
def test_each_problem_with_cliniko_is_one_sentence(given: dict[str, str], sentence: str) -> None:
    with pytest.raises(settings.SettingsError) as caught:
        settings.load(given)
    [told] = str(caught.value).splitlines()
    assert told.startswith(sentence)


def test_each_organization_has_a_key_of_cliniko_of_its_own() -> None:
    given = {
        "CLINIKO_API_KEY_DEMO": "one-au1",
        "CLINIKO_API_KEY_NORTH_WEST_2": "two-uk1",
        "CLINIKO_API_KEY_SOUTH_FILE": __file__,
        "CLINIKO_API_KEY_EMPTY": "",
        "CLINIKO_CONTACT": "it@example.org",
    }
    read = settings.load(given)
    assert {slug: key.value for slug, key in read.cliniko_keys.items()} == {
        "demo": "one-au1",
        "north-west-2": "two-uk1",
    }
    assert read.cliniko_key_files == {"south": Path(__file__)}
    assert "one-au1" not in repr(read)
    assert [settings.cliniko_variable(slug) for slug in read.cliniko_keys] == list(given)[:2]


def test_another_server_of_cliniko_wants_no_contact() -> None:
    given = {"CLINIKO_API_KEY_DEMO": "k", "CLINIKO_BASE_URL": "http://127.0.0.1:9/"}
    assert settings.load(given).cliniko_base_url == "http://127.0.0.1:9"


def test_beside_the_demo_its_made_up_cliniko_is_read_unless_another_is_set(tmp_path: Path) -> None:
    data = {"SYNCDESK_DATA": str(tmp_path)}
    assert settings.beside_the_demo(data) == settings.load(data)
    path = tmp_path / settings.MADE_UP_CLINIKO
    path.parent.mkdir()
    path.write_text("CLINIKO_BASE_URL=http://127.0.0.1:9\nCLINIKO_API_KEY_DEMO=k-au1\n")
    read = settings.beside_the_demo(data)
    assert (read.cliniko_base_url, list(read.cliniko_keys)) == ("http://127.0.0.1:9", ["demo"])
    for others in (
        {"CLINIKO_API_KEY_NORTH": "k", "CLINIKO_CONTACT": "it@example.org"},
        {"DATABASE_URL": "postgresql://127.0.0.1/x", "REDIS_URL": "redis://127.0.0.1"},
    ):
        assert settings.beside_the_demo({**data, **others}) == settings.load({**data, **others})


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(settings.SettingsError) as caught:
        settings.load({"SYNCDESK_TIME_LIMIT": "soon", "REDIS_URL": "http://x"})
    assert len(str(caught.value).splitlines()) == 2


def test_a_resource_may_have_a_time_limit_of_its_own() -> None:
    def seconds(given: str) -> list[float]:
        limits = resources.time_limits(settings.load({"SYNCDESK_TIME_LIMIT": given}).time_limits)
        return [limits.of(name) for name in ("admins", "locations", "patients")]

    assert seconds("600 locations=60") == [600, 60, 14_400]
    assert seconds("600 patients=60") == [600, 600, 60]
    assert settings.load({}).time_limits.of("admins") == 3600


def test_a_secret_does_not_show_itself(tmp_path: Path) -> None:
    read = settings.load({"GOOGLE_SERVICE_ACCOUNT_JSON": "hush", "SYNCDESK_DATA": str(tmp_path)})
    assert read.google_service_account_json is not None
    assert read.google_service_account_json.value == "hush"
    assert "hush" not in f"{read!r} {read.google_service_account_json}"


ELSEWHERE = "REDIS_URL: it is on another machine"


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("redis://localhost:6379/0", None),
        ("redis://127.0.0.5", None),
        ("redis://[::1]:6379", None),
        ("redis:///3", None),
        ("unix:///run/redis.sock?db=1", None),
        ("rediss://:secret@redis.example.org:6380/0", None),
        ("rediss://user:secret@10.0.0.5", None),
        ("rediss://redis.example.org?password=secret", None),
        ("redis://:secret@redis.example.org", f"{ELSEWHERE}: it must begin with rediss://"),
        ("redis://:secret@redis", f"{ELSEWHERE}: it must begin with rediss://"),
        ("redis://10.0.0.5", f"{ELSEWHERE}: it must begin with rediss://"),
        ("redis:///?host=10.0.0.5", f"{ELSEWHERE}: it must begin with rediss://"),
        ("redis://0.0.0.0", f"{ELSEWHERE}: it must begin with rediss://"),
        ("redis://127.0.0.1:1@redis.example.org", f"{ELSEWHERE}: it must begin with rediss://"),
        ("redis://localhost.example.org", f"{ELSEWHERE}: it must begin with rediss://"),
        ("rediss://:secret/word@redis.example.org", "REDIS_URL: it cannot be read"),
        ("rediss://redis.example.org", f"{ELSEWHERE} and holds no password"),
        ("rediss://user:@redis.example.org", f"{ELSEWHERE} and holds no password"),
        (
            "rediss://:secret@redis.example.org?ssl_cert_reqs=none",
            "REDIS_URL: it must not leave out who the server is",
        ),
        (
            "rediss://:secret@redis.example.org?ssl_check_hostname=no",
            "REDIS_URL: it must not leave out who the server is",
        ),
    ],
)
def test_redis_on_another_machine_needs_tls_and_a_password(
    address: str, problem: str | None
) -> None:
    given = {"DATABASE_URL": "postgresql://127.0.0.1/x", "REDIS_URL": address}
    if problem is None:
        assert settings.load(given).redis_url == address
        return
    with pytest.raises(settings.SettingsError) as caught:
        settings.load(given)
    assert str(caught.value).startswith(problem)
    assert "secret" not in str(caught.value)
