"""The only reader of the environment: every setting, its meaning, and all problems at once."""

import os
import re
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields
from functools import cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sync_core.foundation import email_address, embedded
from sync_core.foundation.later import Later

redis_connection = Later("redis.connection")  # where an address of Redis is set

ROOT = Path(__file__).resolve().parents[2]
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
UP = "SYNCDESK_UP"  # in the environment of what `syncdesk up` starts: its own process
MADE_UP_CLINIKO = Path("demo", "cliniko.env")  # in the data folder, while the demo runs
MONITOR_TOKEN = 20  # characters, at least
MEMORY_LIMIT = 3072  # megabytes; a million rows take 1350, most of it only reserved by Arrow
KEY_LENGTH = 32  # characters at least, of what signs
SLUG = "<SLUG>"  # stands in a name for each organization's, in capitals and with _ for -


class SettingsError(Exception):
    """The settings cannot be used; the message names each problem with its hint, one a line."""


@dataclass(frozen=True)
class Secret:
    """A value that never shows itself in a log or a trace."""

    value: str = field(repr=False)

    def __str__(self) -> str:
        return "***"


@dataclass(frozen=True)
class Limits:
    """Seconds after which a run is timed out: the usual ones, and those of single resources."""

    usual: float
    special: Mapping[str, float]

    def of(self, resource: str) -> float:
        """Return the limit of a resource's runs."""
        return self.special.get(resource, self.usual)


LIMITS = Limits(3600.0, {})  # resources declare theirs; see `catalogue.resources.time_limits`


def _text(value: str) -> str:
    return value


def _secret(value: str) -> Secret:
    return Secret(value)


def _file(value: str) -> Path:
    path = Path(value).expanduser()
    if not path.is_file():
        raise ValueError(f"there is no file {value}; give the path of an existing file")
    return path


def _new_file(value: str) -> Path:
    """Read the path of a file that will be made; its folder may be away at the moment."""
    path = Path(value).expanduser().absolute()
    if path.is_dir():
        raise ValueError(f"{value} is a folder; give the path of a file, it will be made")
    return path


def _folder(value: str) -> Path:
    path = Path(value).expanduser().absolute()
    if path.exists() and not path.is_dir():
        raise ValueError(f"{value} is not a folder; give the path of a folder, it will be made")
    return path


def _folder_of_folders(value: str) -> Path:
    """Read `/srv/sheets`; it may come into being later."""
    if os.pathsep in value:
        raise ValueError(
            "it names several folders; give one, which holds a folder for each organization"
        )
    if not Path(value).is_absolute():
        raise ValueError(f"{value} is no full path; write for example /srv/sheets")
    return _folder(value)


def _seconds(value: str) -> float:
    return _amount("seconds", 120)(value)


def _megabytes(value: str) -> int:
    """Read a limit of uploads; Streamlit's server takes no more than 200 MB."""
    amount = _amount("megabytes", 100)(value)
    if not amount.is_integer() or amount > 200:  # noqa: PLR2004 - see above
        raise ValueError(f"{value!r} is not a whole number of megabytes up to 200")
    return int(amount)


def _whole(unit: str, usual: int) -> Callable[[str], int]:
    def parse(value: str) -> int:
        amount = _amount(unit, usual)(value)
        if not amount.is_integer():
            raise ValueError(
                f"{value!r} is not a whole number of {unit}; write for example {usual}"
            )
        return int(amount)

    return parse


def _amount(unit: str, usual: int) -> Callable[[str], float]:
    def parse(value: str) -> float:
        try:
            amount = float(value)
        except ValueError:
            amount = 0
        if not 0 < amount < float("inf"):
            raise ValueError(
                f"{value!r} is not a number of {unit} above 0; write for example {usual}"
            )
        return amount

    return parse


def _contact(value: str) -> str:
    if not email_address.is_valid(value):
        raise ValueError(f"{value!r} is not an e-mail address; write for example it@example.org")
    return value


def _long_secret(value: str) -> Secret:
    if len(value) < MONITOR_TOKEN:
        raise ValueError(f"it has fewer than {MONITOR_TOKEN} characters; make a longer one up")
    return Secret(value)


def _networks(value: str) -> tuple[IPv4Network | IPv6Network, ...]:
    """Read `10.0.0.0/8 ::1`."""
    try:
        return tuple(ip_network(word, strict=False) for word in value.split())
    except ValueError as error:
        raise ValueError(f"{error}; write for example 10.0.0.0/8") from error


def _server(value: str) -> str:
    """Read the address of a server that is sent a key: over the network only encrypted."""
    _address("http", "https")(value)
    url = urlsplit(value)
    if not re.fullmatch(r"[a-z0-9.:-]+", url.hostname or "") or url.port == 0:
        raise ValueError("it names no server; write for example https://cliniko.example.org")
    if url.path.strip("/") or url.query or url.fragment or url.username is not None:
        raise ValueError(
            "it holds more than a server; write for example https://cliniko.example.org"
        )
    if url.scheme == "http" and url.hostname not in LOOPBACK:
        raise ValueError("it must begin with https://, unless it is on this machine")
    return value.rstrip("/")


def _origins(value: str) -> tuple[str, ...]:
    """Read `https://a.example.org https://b.example.org`, as browsers name the sites of pages."""
    found = tuple(value.split())
    for site in found:
        if not re.fullmatch(r"https?://[a-z0-9.-]+(:[1-9]\d*)?", site):
            raise ValueError(f"{site} names no site; write for example https://portal.example.org")
    return found


def _page_address(value: str) -> str:
    """Read the address of the pages; it may have a path, as behind a proxy."""
    _address("http", "https")(value)
    url = urlsplit(value)
    if not url.hostname or url.query or url.fragment or url.username is not None:
        raise ValueError("it is no address of a page; write for example https://sync.example.org")
    return value.rstrip("/")


def _mail_server(value: str) -> str:
    """Read `smtp://mail.example.org:587`, which changes to TLS, or `smtps://` with TLS at once."""
    _address("smtp", "smtps")(value)
    url = urlsplit(value)
    rest = url.path.strip("/") or url.query or url.fragment
    if not url.hostname or rest or url.username is not None:
        raise ValueError(
            "it holds more than a server, or none; write for example smtp://mail.example.org:587,"
            " and the user and password into SYNCDESK_MAIL_USER and SYNCDESK_MAIL_PASSWORD"
        )
    return value


def _key(value: str) -> Secret:
    if len(value) < KEY_LENGTH:
        raise ValueError(f"it is too short: give at least {KEY_LENGTH} characters by chance")
    return Secret(value)


def _secret_address(value: str) -> Secret:
    """Read an address that is a secret; no sentence about it repeats it."""
    url = urlsplit(value)
    if not url.hostname or url.scheme not in {"http", "https"}:
        raise ValueError("it is no address that begins with https://")
    if url.scheme == "http" and url.hostname not in LOOPBACK:
        raise ValueError("it must begin with https://, unless it is on this machine")
    return Secret(value)


def _hosts(value: str) -> tuple[str, ...]:
    """Read `sheets.intern 127.0.0.1:8000 [::1]:80`; an IPv6 address is kept without brackets."""
    return tuple(map(_host, value.lower().split()))


def _host(word: str) -> str:
    url = urlsplit(f"//{word}")
    try:
        host, port = url.hostname, url.port
    except ValueError:
        host, port = None, None
    if not host or not re.fullmatch(r"[a-z0-9.:-]+", host) or url.netloc != word:
        raise ValueError(f"{word} names no host; write for example sheets.intern 127.0.0.1:8000")
    return f"{host}:{port}" if port else host


def _limits(value: str) -> Limits:
    """Read `3600 locations=600`; what is not named stays as it is."""
    usual, special = LIMITS.usual, dict(LIMITS.special)
    for word in value.split():
        resource, named, seconds = word.rpartition("=")
        if named:
            special[resource] = _seconds(seconds)
        else:
            usual = _seconds(word)
    return Limits(usual, special)


def _address(*schemes: str) -> Callable[[str], str]:
    def parse(value: str) -> str:
        if value.split("://", maxsplit=1)[0] not in schemes:
            raise ValueError(f"it begins with none of {', '.join(f'{s}://' for s in schemes)}")
        return value

    return parse


def _database(value: str) -> str:
    _address("postgresql", "postgres", "postgresql+psycopg")(value)
    return "postgresql+psycopg://" + value.split("://", 1)[1]


def _redis(value: str) -> str:
    """Read the address of Redis as its client will; whoever reaches it starts and stops runs."""
    _address("redis", "rediss", "unix")(value)
    try:
        asked = redis_connection.parse_url(value)
    except ValueError:  # its words may repeat a password
        raise ValueError("it cannot be read; write for example redis://127.0.0.1:6379") from None
    if asked.get("connection_class") is redis_connection.UnixDomainSocketConnection:
        return value
    if not _is_here(str(asked.get("host", "localhost"))):
        if asked.get("connection_class") is not redis_connection.SSLConnection:
            raise ValueError("it is on another machine: it must begin with rediss://, for TLS")
        if not asked.get("password"):
            raise ValueError(
                "it is on another machine and holds no password;"
                " write for example rediss://:PASSWORD@redis.example.org:6380"
            )
        if asked.get("ssl_cert_reqs", "required") != "required" or not asked.get(
            "ssl_check_hostname", True
        ):
            raise ValueError("it must not leave out who the server is: drop ssl_cert_reqs and such")
    return value


def _is_here(host: str) -> bool:
    """Return whether a host is this machine, by its name or its address."""
    with suppress(ValueError):
        return ip_address(host).is_loopback
    return host in LOOPBACK


def _setting(name: str, parse: Callable[[str], Any], meaning: str, default: Any = None) -> Any:  # noqa: ANN401 - a field of any type
    return field(default=default, metadata={"name": name, "parse": parse, "meaning": meaning})


def _settings(name: str, parse: Callable[[str], Any], meaning: str) -> Any:  # noqa: ANN401 - a field of any type
    """Build a field that maps the slugs of organizations to what is set for each."""
    metadata = {"name": name, "parse": parse, "meaning": meaning}
    return field(default_factory=dict, hash=False, metadata=metadata)


@dataclass(frozen=True)
class Settings:
    """All that the environment decides."""

    database_url: str | None = _setting(
        "DATABASE_URL", _database, "Postgres 15 or newer; unset: an embedded one in the data folder"
    )
    migration_database_url: str | None = _setting(
        "SYNCDESK_MIGRATION_DATABASE_URL",
        _database,
        "the same database as the role that owns its tables, for `syncdesk migrate` alone; unset:"
        " that of `DATABASE_URL`, which no wall between organizations binds then",
    )
    redis_url: str | None = _setting(
        "REDIS_URL",
        _redis,
        "Redis 6.2 or Valkey 7.2 or newer; set with `DATABASE_URL`, or not at all; on another"
        " machine `rediss://`, with a password",
    )
    data: Path = _setting(
        "SYNCDESK_DATA",
        _folder,
        "folder of the embedded servers (default: `.data` in the project)",
        ROOT / ".data",
    )
    google_service_account_file: Path | None = _setting(
        "GOOGLE_SERVICE_ACCOUNT_FILE", _file, "key file of the account that reads Google Sheets"
    )
    google_service_account_json: Secret | None = _setting(
        "GOOGLE_SERVICE_ACCOUNT_JSON", _secret, "the same key as text, instead of the file"
    )
    google_api_base_url: str | None = _setting(
        "GOOGLE_API_BASE_URL",
        _server,
        "another server of Google's API, for tests",
    )
    google_reads: float = _setting(
        "GOOGLE_READS_PER_MINUTE",
        _amount("reads", 60),
        "reads that Google lets the account do in a minute (60)",
        60.0,
    )
    cliniko_keys: Mapping[str, Secret] = _settings(
        f"CLINIKO_API_KEY_{SLUG}",
        _secret,
        "API key of Cliniko of one organization: its short name in capitals, `_` for `-`",
    )
    cliniko_key_files: Mapping[str, Path] = _settings(
        f"CLINIKO_API_KEY_{SLUG}_FILE", _file, "file that holds this key, instead of the key"
    )
    cliniko_contact: str | None = _setting(
        "CLINIKO_CONTACT",
        _contact,
        "e-mail address that Cliniko is told with each request; needed where a key is set",
    )
    cliniko_base_url: str | None = _setting(
        "CLINIKO_BASE_URL", _server, "another server of Cliniko's API, for tests"
    )
    sweep_hours: float = _setting(
        "SYNCDESK_SWEEP_HOURS",
        _amount("hours", 24),
        "hours after which Cliniko is read in full again, not only what changed (24)",
        24.0,
    )
    active_days: float = _setting(
        "SYNCDESK_ACTIVE_DAYS",
        _amount("days", 45),
        "days since an appointment for which it makes a patient active (45)",
        45.0,
    )
    given_folders: Path | None = _setting(
        "SYNCDESK_FOLDERS",
        _folder_of_folders,
        "folder that holds a folder for each organization, under its short name: sources that are"
        " folders are there (`folders` in the folder of `SYNCDESK_DATA`)",
    )
    fetch_timeout: float = _setting(
        "SYNCDESK_FETCH_TIMEOUT", _seconds, "seconds that a source may stay silent (120)", 120.0
    )
    upload_limit: int = _setting(
        "SYNCDESK_UPLOAD_LIMIT",
        _megabytes,
        "megabytes that an uploaded file may have, 200 at most (100)",
        100,
    )
    memory_limit: int = _setting(
        "SYNCDESK_MEMORY_LIMIT",
        _whole("megabytes", MEMORY_LIMIT),
        f"megabytes that the process of a sync, or of a test of a source, may have"
        f" ({MEMORY_LIMIT})",
        MEMORY_LIMIT,
    )
    heads_file: Path | None = _setting(
        "SYNCDESK_HEADS_FILE",
        _new_file,
        "file, best on another machine, to which the heads of the audit's chains are appended",
    )
    time_limits: Limits = _setting(
        "SYNCDESK_TIME_LIMIT",
        _limits,
        "seconds after which a run is timed out (3600), and those of single resources, such as"
        " `3600 locations=600`; an organization may decide otherwise",
        LIMITS,
    )
    cooldown: float = _setting(
        "SYNCDESK_COOLDOWN", _seconds, "seconds between the end of a run and the next (3)", 3.0
    )
    account_runs: int = _setting(
        "SYNCDESK_ACCOUNT_RUNS",
        _whole("syncs", 4),
        "syncs that read with one account of Google, or of Cliniko, at once (4)",
        4,
    )
    statement_timeout: float = _setting(
        "SYNCDESK_STATEMENT_TIMEOUT",
        _amount("seconds", 30),
        "seconds that a page, or the API, lets Postgres work on one statement (30)",
        30.0,
    )
    api_rate: int = _setting(
        "SYNCDESK_API_RATE",
        _whole("requests", 600),
        "requests that a token, or an address without one, may make of the API in a minute (600)",
        600,
    )
    api_origins: tuple[str, ...] = _setting(
        "SYNCDESK_API_ORIGINS",
        _origins,
        "other sites whose pages may call the API with a token, such as"
        " `https://portal.example.org`, with spaces between (none)",
        (),
    )
    monitor_token: Secret | None = _setting(
        "SYNCDESK_MONITOR_TOKEN",
        _long_secret,
        f"token by which a monitor asks for `/metrics`, of {MONITOR_TOKEN} characters or more",
    )
    monitor_networks: tuple[IPv4Network | IPv6Network, ...] = _setting(
        "SYNCDESK_MONITOR_NETWORKS",
        _networks,
        "networks, such as `10.0.0.0/8`, from which a monitor asks for it without one (none)",
        (),
    )
    sign_in_age: float = _setting(
        "SYNCDESK_SIGN_IN_AGE",
        _seconds,
        "seconds after which people sign in again (43200)",
        43_200.0,
    )

    address: str | None = _setting(
        "SYNCDESK_ADDRESS",
        _page_address,
        "address at which people open the pages, for the links in messages",
    )
    mail_server: str | None = _setting(
        "SYNCDESK_MAIL_SERVER",
        _mail_server,
        "server that takes mails, such as `smtp://mail.example.org:587` or `smtps://`; unset: no"
        " mail is sent",
    )
    mail_user: str | None = _setting(
        "SYNCDESK_MAIL_USER", _text, "who signs in to that server, if it wants that"
    )
    mail_password: Secret | None = _setting("SYNCDESK_MAIL_PASSWORD", _secret, "with this password")
    mail_from: str | None = _setting(
        "SYNCDESK_MAIL_FROM", _contact, "e-mail address from which mails come"
    )
    mail_key: Secret | None = _setting(
        "SYNCDESK_MAIL_KEY",
        _key,
        "at least 32 characters by chance, which sign the links in mails that end them",
    )
    chat_addresses: Mapping[str, Secret] = _settings(
        f"SYNCDESK_CHAT_URL_{SLUG}",
        _secret_address,
        "address of a channel of Slack, Teams or Google Chat: short name of the organization, `__`,"
        " name of the channel, in capitals, `_` for `-`",
    )
    webhook_keys: Mapping[str, Secret] = _settings(
        f"SYNCDESK_WEBHOOK_KEY_{SLUG}",
        _key,
        "at least 32 characters by chance, which sign what a webhook is sent; named likewise",
    )
    private_hosts: tuple[str, ...] = _setting(
        "SYNCDESK_PRIVATE_HOSTS",
        _hosts,
        "hosts of the own network, or of this machine, that sources and webhooks may call, such as"
        " `sheets.intern 127.0.0.1:8000` (none)",
        (),
    )

    @property
    def folders(self) -> Path:
        """The folder that holds a folder for each organization, under its short name."""
        return self.given_folders or self.data / "folders"

    @property
    def reads_cliniko(self) -> bool:
        """Whether anything is set about Cliniko, the real one or another."""
        return bool(self.cliniko_keys or self.cliniko_key_files or self.cliniko_base_url)


def load(environ: Mapping[str, str]) -> Settings:
    """Read the settings; an empty variable counts as unset. Raises SettingsError."""
    values: dict[str, Any] = {}
    problems = []
    for spec in fields(Settings):
        names = _names(spec.metadata["name"], environ)
        for name, slug in names.items():
            if given := environ.get(name, "").strip():
                try:
                    value = spec.metadata["parse"](given)
                except ValueError as problem:
                    problems.append(f"{name}: {problem}.")
                else:
                    _keep(values, spec.name, slug, value)
    problems += _contradictions(values) + _problems_of_cliniko(values, environ)
    problems += _problems_of_mail(values)
    if problems:
        raise SettingsError("\n".join(problems))
    return Settings(**values)


def _names(pattern: str, environ: Mapping[str, str]) -> dict[str, str | None]:
    """Find the variables of a setting; those that are one organization's with its slug."""
    if SLUG not in pattern:
        return {pattern: None}
    before, _, after = pattern.partition(SLUG)
    slugs = re.compile(f"{before}([A-Z0-9][A-Z0-9_]*){after}")
    matches = [match for name in sorted(environ) if (match := slugs.fullmatch(name))]
    if not after:  # what ends in _FILE is a file's
        matches = [match for match in matches if not f"_{match[1]}".endswith("_FILE")]
    return {match[0]: match[1].lower().replace("_", "-") for match in matches}


def _keep(values: dict[str, Any], name: str, slug: str | None, value: object) -> None:
    if slug is None:
        values[name] = value
    else:
        values.setdefault(name, {})[slug] = value


def cliniko_variable(slug: str) -> str:
    """Name the variable that holds an organization's key of Cliniko."""
    return f"CLINIKO_API_KEY_{slug.upper().replace('-', '_')}"


def channel_variable(prefix: str, slug: str, name: str) -> str:
    """Name the variable of an organization's channel: `SYNCDESK_CHAT_URL_DEMO__OPS`."""
    return f"{prefix}_{slug}__{name}".upper().replace("-", "_")


def _strays(environ: Mapping[str, str]) -> list[str]:
    """Find keys of Cliniko that are set for no organization; nobody would miss them at the door."""
    return [
        f"{name}: it names no organization; write its short name in capitals and with _ for -,"
        f" for example {cliniko_variable('demo')}."
        for name in sorted(environ)
        if name.startswith("CLINIKO_API_KEY") and environ[name].strip()
        if not re.fullmatch(r"CLINIKO_API_KEY_(?!FILE$)[A-Z0-9][A-Z0-9_]*", name)
    ]


def _contradictions(values: Mapping[str, Any]) -> list[str]:
    problems = []
    if ("database_url" in values) != ("redis_url" in values):
        given, missing = "DATABASE_URL", "REDIS_URL"
        if "redis_url" in values:
            given, missing = missing, given
        problems.append(
            f"{given} is set and {missing} is not: set both, or neither for the embedded servers."
        )
    if "migration_database_url" in values and "database_url" not in values:
        problems.append(
            "SYNCDESK_MIGRATION_DATABASE_URL is set and DATABASE_URL is not: set both, or neither."
        )
    if {"google_service_account_file", "google_service_account_json"} <= values.keys():
        problems.append(
            "GOOGLE_SERVICE_ACCOUNT_FILE and GOOGLE_SERVICE_ACCOUNT_JSON are both set: keep one."
        )
    return problems


def _problems_of_mail(values: Mapping[str, Any]) -> list[str]:
    """Name what a mail needs beside its server: who sends it, and where its links lead."""
    if "mail_server" not in values:
        return []
    needed = {
        "mail_from": "SYNCDESK_MAIL_FROM is missing: mails come from it.",
        "mail_key": "SYNCDESK_MAIL_KEY is missing: it signs the links that end mails.",
        "address": "SYNCDESK_ADDRESS is missing: mails link to the pages.",
    }
    return [problem for name, problem in needed.items() if name not in values]


def _problems_of_cliniko(values: Mapping[str, Any], environ: Mapping[str, str]) -> list[str]:
    texts, files = values.get("cliniko_keys", {}), values.get("cliniko_key_files", {})
    twice = sorted(texts.keys() & files.keys())
    names = [cliniko_variable(slug) for slug in twice]
    problems = [f"{name} and {name}_FILE are both set: keep one." for name in names]
    named = any(environ.get(name, "").strip() for name in ("CLINIKO_CONTACT", "CLINIKO_BASE_URL"))
    if (texts or files) and not named:
        problems.append(
            "CLINIKO_CONTACT is missing: Cliniko may block programs that name no e-mail address;"
            " write for example it@example.org."
        )
    return problems + _strays(environ)


@cache
def given() -> Settings:
    """Return what the environment says."""
    return load(os.environ)


@cache
def current() -> Settings:
    """Return the settings of this process."""
    return given() if _knows_no_more else beside_the_demo(os.environ)


def beside_the_demo(environ: Mapping[str, str]) -> Settings:
    """Read the settings; while the demo runs they lead to its made-up Cliniko, if to none else."""
    return load(_with_the_demo(environ))


def _with_the_demo(environ: Mapping[str, str]) -> Mapping[str, str]:
    found = load(environ)
    if found.database_url or found.reads_cliniko:
        return environ
    try:
        lines = (found.data / MADE_UP_CLINIKO).read_text(encoding="utf-8").splitlines()
    except OSError:
        return environ
    return {**environ, **dict(line.split("=", 1) for line in lines)}


def variables(names: Collection[str], slug: str | None = None) -> dict[str, str]:
    """Return the variables of these settings (fields of `Settings`), for a process of ours.

    Of a setting that each organization has, only that of the one with this slug.
    """
    environ = _with_the_demo(os.environ)
    wanted = [spec.metadata["name"] for spec in fields(Settings) if spec.name in names]
    return {
        name: environ[name]
        for pattern in wanted
        for name, whose in _names(pattern, environ).items()
        if name in environ and whose in {None, slug}
    }


_knows_no_more = False


def know_only(environ: Mapping[str, str]) -> None:
    """Let this process know no other variables than these, and no settings but theirs."""
    global _knows_no_more  # noqa: PLW0603 - of the process, as its environment
    _knows_no_more = True
    os.environ.clear()
    os.environ.update(environ)
    given.cache_clear()
    current.cache_clear()


def started_by_up() -> bool:
    """Return whether `syncdesk up` started this process, and not one of its children did."""
    return os.environ.get(UP) == str(os.getppid())


def urls() -> embedded.Urls:
    """Return the addresses of Postgres and Redis; start or join the embedded ones if none are set.

    Raises embedded.EmbeddedError where these cannot be started.
    """
    settings = current()
    if settings.database_url and settings.redis_url:
        owner = settings.migration_database_url or settings.database_url
        return embedded.Urls(settings.database_url, settings.redis_url, owner)
    return embedded.servers(settings.data)
