"""The only reader of the environment: every setting, its meaning, and all problems at once."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Any

from sync_core import embedded

ROOT = Path(__file__).resolve().parents[1]


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
        """Give the limit of a resource's runs."""
        return self.special.get(resource, self.usual)


LIMITS = Limits(3600.0, {"patients": 14_400.0})


def _text(value: str) -> str:
    return value


def _secret(value: str) -> Secret:
    return Secret(value)


def _file(value: str) -> Path:
    path = Path(value).expanduser()
    if not path.is_file():
        raise ValueError(f"there is no file {value}; give the path of an existing file")
    return path


def _folder(value: str) -> Path:
    path = Path(value).expanduser().absolute()
    if path.exists() and not path.is_dir():
        raise ValueError(f"{value} is not a folder; give the path of a folder, it will be made")
    return path


def _seconds(value: str) -> float:
    try:
        seconds = float(value)
    except ValueError:
        seconds = 0
    if not 0 < seconds < float("inf"):
        raise ValueError(f"{value!r} is not a number of seconds above 0; write for example 120")
    return seconds


def _limits(value: str) -> Limits:
    """Read `3600 patients=14400`; what is not named stays as it is."""
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


def _setting(name: str, parse: Callable[[str], Any], meaning: str, default: Any = None) -> Any:  # noqa: ANN401 - a field of any type
    return field(default=default, metadata={"name": name, "parse": parse, "meaning": meaning})


@dataclass(frozen=True)
class Settings:
    """All that the environment decides."""

    database_url: str | None = _setting(
        "DATABASE_URL", _database, "Postgres 15 or newer; unset: an embedded one in the data folder"
    )
    redis_url: str | None = _setting(
        "REDIS_URL",
        _address("redis", "rediss", "unix"),
        "Redis 6.2 or Valkey 7.2 or newer; set with `DATABASE_URL`, or not at all",
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
        _address("http", "https"),
        "another server of Google's API, for tests",
    )
    fetch_timeout: float = _setting(
        "SYNCDESK_FETCH_TIMEOUT", _seconds, "seconds that a source may stay silent (120)", 120.0
    )
    time_limits: Limits = _setting(
        "SYNCDESK_TIME_LIMIT",
        _limits,
        "seconds after which a run is timed out, and those of single resources"
        " (`3600 patients=14400`); an organization may decide otherwise",
        LIMITS,
    )
    cooldown: float = _setting(
        "SYNCDESK_COOLDOWN", _seconds, "seconds between the end of a run and the next (3)", 3.0
    )
    sign_in_age: float = _setting(
        "SYNCDESK_SIGN_IN_AGE",
        _seconds,
        "seconds after which people sign in again (43200)",
        43_200.0,
    )


def load(environ: Mapping[str, str]) -> Settings:
    """Read the settings; an empty variable counts as unset. Raises SettingsError."""
    values, problems = {}, []
    for spec in fields(Settings):
        name = spec.metadata["name"]
        if given := environ.get(name, "").strip():
            try:
                values[spec.name] = spec.metadata["parse"](given)
            except ValueError as problem:
                problems.append(f"{name}: {problem}.")
    problems += _contradictions(values)
    if problems:
        raise SettingsError("\n".join(problems))
    return Settings(**values)


def _contradictions(values: Mapping[str, Any]) -> list[str]:
    problems = []
    if ("database_url" in values) != ("redis_url" in values):
        given, missing = "DATABASE_URL", "REDIS_URL"
        if "redis_url" in values:
            given, missing = missing, given
        problems.append(
            f"{given} is set and {missing} is not: set both, or neither for the embedded servers."
        )
    if {"google_service_account_file", "google_service_account_json"} <= values.keys():
        problems.append(
            "GOOGLE_SERVICE_ACCOUNT_FILE and GOOGLE_SERVICE_ACCOUNT_JSON are both set: keep one."
        )
    return problems


@cache
def current() -> Settings:
    """Give the settings of this process."""
    return load(os.environ)


def urls() -> embedded.Urls:
    """Give the addresses of Postgres and Redis; starts or joins the embedded ones if none are set.

    Raises embedded.EmbeddedError where these cannot be started.
    """
    settings = current()
    if settings.database_url and settings.redis_url:
        return embedded.Urls(settings.database_url, settings.redis_url)
    return embedded.servers(settings.data)
