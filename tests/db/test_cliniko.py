"""Cliniko beside real servers: the limit that all share, the source's settings, its test."""

from collections.abc import Iterator
from uuid import uuid4

import psutil
import pytest
from click.testing import CliRunner
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from sync_core import sources
from sync_core.catalogue import resources
from sync_core.catalogue.resource import Entity, Resource
from sync_core.cli.main import cli
from sync_core.demo.cliniko import Account
from sync_core.foundation import db, redis_clients, settings
from sync_core.foundation.settings import Secret, Settings
from sync_core.organizations import Organization, source_settings
from sync_core.sources.cliniko.quota import quota
from sync_core.sources.rate_limit import SharedLimiter
from tests.support.cliniko_client import EVERYTHING, Clock, client
from tests.support.fakes.cliniko import Cliniko
from tests.support.sources import refusal, source_setting

MB = 2**20
NO_REDIS = Redis(port=1, retry=Retry(NoBackoff(), 0))
PATIENTS = Resource(
    name="patients",
    title="Patients",
    icon="",
    held_by="cliniko",
    entities=(
        Entity(name="appointment_types", title="Appointment types", fields=()),
        Entity(name="patients", title="Patients", fields=()),
    ),
)


@pytest.fixture
def redis(servers: object) -> Redis:
    assert servers
    return redis_clients.client()


@pytest.fixture
def key() -> Secret:
    return Secret(f"{uuid4().hex}-au1")


@pytest.fixture
def cliniko() -> Iterator[Cliniko]:
    with Cliniko() as cliniko:
        yield cliniko


# the limit


def test_two_workers_share_the_limit_of_a_key(redis: Redis, key: Secret) -> None:
    clock = Clock()
    one, other = (SharedLimiter(quota(key), redis, clock) for _ in range(2))
    assert [limiter.take() for _ in range(100) for limiter in (one, other)] == [0.0] * 200
    assert one.take() == other.take() == 61
    clock.now += 60
    assert other.take() == 1
    clock.now += 1
    assert [other.take() for _ in range(200)] == [0.0] * 200
    assert one.take() == 61


def test_any_minute_holds_no_more_than_the_limit(redis: Redis, key: Secret) -> None:
    clock = Clock()
    limiter = SharedLimiter(quota(key, 5, 59), redis, clock)
    left: list[float] = []
    while len(left) < 40:
        if wait := limiter.take():
            clock.now += wait
        else:
            left.append(clock.now)
            clock.now += 7
    assert min(later - before for before, later in zip(left, left[5:], strict=False)) >= 60


def test_another_key_has_a_limit_of_its_own(redis: Redis, key: Secret) -> None:
    clock = Clock()
    full, free = (
        SharedLimiter(quota(Secret(text), 1), redis, clock) for text in (key.value, uuid4().hex)
    )
    assert (full.take(), full.take(), free.take()) == (0, 61, 0)


def test_the_clock_that_workers_share_is_redis_s_own(redis: Redis, key: Secret) -> None:
    limiters = [SharedLimiter(quota(key, 2, 30), redis) for _ in range(2)]
    assert [limiter.take() for limiter in limiters] == [0, 0]
    assert all(0 < limiter.take() <= 31 for limiter in limiters)


def test_a_clock_that_was_set_back_stops_nobody(redis: Redis, key: Secret) -> None:
    clock = Clock()
    limiter = SharedLimiter(quota(key, 1), redis, clock)
    assert limiter.take() == 0
    clock.now -= 86_400
    assert limiter.take() == 0


def test_redis_is_told_no_key_and_forgets_what_is_over(redis: Redis, key: Secret) -> None:
    account = quota(key).account
    SharedLimiter(quota(key), redis).take()
    assert redis.exists(f"quota:{account}")
    assert key.value[:8] not in account
    assert 0 < redis.ttl(f"quota:{account}") <= 61


def test_without_redis_a_worker_keeps_the_limit_for_itself(key: Secret) -> None:
    clock = Clock()
    limiter = SharedLimiter(quota(key, 3), NO_REDIS, clock)
    assert [limiter.take() for _ in range(4)] == [0, 0, 0, 61]
    clock.now += 61
    assert limiter.take() == 0


def test_a_worker_that_loses_redis_knows_what_it_has_sent(redis: Redis, key: Secret) -> None:
    clock = Clock()
    limiter = SharedLimiter(quota(key, 3), redis, clock)
    assert [limiter.take(), limiter.take()] == [0, 0]
    limiter._take.registered_client = NO_REDIS  # noqa: SLF001 - Redis goes away
    assert [limiter.take(), limiter.take()] == [0, 61]


def test_sixty_thousand_patients_respect_the_limit_in_flat_memory(
    redis: Redis, key: Secret, cliniko: Cliniko
) -> None:
    account, clock = Account(60_000, 0), Clock()
    account.known("patients")
    cliniko.add(key.value, account)
    cliniko.limit, cliniko.clock = 200, clock
    began, told, memory, ids = clock.now, list[str](), list[int](), 0
    limiter = SharedLimiter(quota(key), redis, clock)
    process = psutil.Process()
    with client(cliniko, key=key.value, limiter=limiter, clock=clock, told=told.append) as reader:
        for batch in reader.records("patients", where=EVERYTHING["patients"]):
            ids += len(batch.records)
            memory.append(process.memory_info().rss)
    assert ids == 60_000
    assert cliniko.asked("patients") == 601  # none was refused, for each would be asked again
    assert 122 <= clock.now - began <= 200
    assert told[0] == "Cliniko's limit is reached, going on in 61 s"
    assert max(memory) - memory[50] < 32 * MB


def test_two_readers_of_one_key_are_never_refused(
    redis: Redis, key: Secret, cliniko: Cliniko
) -> None:
    clock = Clock()
    cliniko.add(key.value, Account(2_000, 0))
    cliniko.limit, cliniko.clock = 10, clock
    limiters = [SharedLimiter(quota(key, 10), redis, clock) for _ in range(2)]
    readers = [client(cliniko, key=key.value, limiter=one, clock=clock) for one in limiters]
    both = [reader.records("patients", where=EVERYTHING["patients"]) for reader in readers]
    pairs = zip(*both, strict=True)
    assert sum(len(batch.records) for pair in pairs for batch in pair) == 4_000
    assert cliniko.asked("patients") == 42
    for reader in readers:
        reader.__exit__(None, None, None)


# the source


def test_patients_are_set_to_cliniko_for_all_tables(organization: Organization) -> None:
    found = source_settings.parse(organization, PATIENTS, " Cliniko ", None, None)
    assert [(one.entity, one.kind, one.location) for one in found] == [
        ("appointment_types", "cliniko", "cliniko"),
        ("patients", "cliniko", "cliniko"),
    ]
    assert {sources.source_name(one) for one in found} == {"Cliniko"}
    with db.everywhere() as connection:
        source_settings.save(connection, organization, found)
        assert source_settings.read(connection, organization, PATIENTS) == found
    assert sources.settings_to_probe(found) == found[1:]
    folder = source_setting("folder", "sheets")
    assert sources.settings_to_probe([folder, found[0]]) == [folder, found[0]]


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_a_list_of_sources_tells_that_it_is_cliniko_and_no_key(
    organization: Organization, key: Secret, form: list[str]
) -> None:
    found = source_settings.parse(organization, PATIENTS, "cliniko", None, None)
    with db.everywhere() as connection:
        source_settings.save(connection, organization, found)
    variable = settings.cliniko_variable(organization.slug)
    environment = {variable: key.value, "CLINIKO_CONTACT": "it@example.org"}
    words = ["source", "list", "--org", organization.slug, *form]
    listed = CliRunner().invoke(cli, words, env=environment)
    assert (listed.exit_code, listed.output.lower().count("cliniko")) == (0, 4 if form else 2)
    assert key.value not in listed.output


def test_what_cliniko_does_not_hold_cannot_be_set(organization: Organization) -> None:
    locations = resources.by_name("locations")
    error = refusal(lambda: source_settings.parse(organization, locations, "cliniko", None, None))
    assert error.sentence == "'cliniko' is not a source: Cliniko holds no locations."


def told_of(cliniko: Cliniko, key: Secret) -> str:
    found = Settings(cliniko_keys={"demo": key}, cliniko_base_url=cliniko.url)
    return sources.probe_source(source_setting("cliniko", "cliniko"), found).sentence


def test_the_connection_s_test_counts_patients_and_names_permissions(
    redis: Redis, cliniko: Cliniko, key: Secret
) -> None:
    assert redis.ping()
    cliniko.add(key.value, Account())
    assert told_of(cliniko, key) == (
        "Cliniko answers: 648 patients. May read patients, appointments, appointment types."
    )


def test_the_connection_s_test_names_what_the_role_may_not_read(
    redis: Redis, cliniko: Cliniko, key: Secret
) -> None:
    assert redis.ping()
    cliniko.add(key.value, Account(), forbidden=frozenset({"patients", "appointment_types"}))
    assert refusal(lambda: told_of(cliniko, key)).sentence == (
        "Cliniko answers, but the user of the API key may not read patients, appointment types;"
        " it may read appointments."
    )


def test_the_connection_s_test_of_a_wrong_key_is_one_sentence(
    redis: Redis, cliniko: Cliniko, key: Secret
) -> None:
    assert redis.ping()
    assert refusal(lambda: told_of(cliniko, key)).code == "cliniko_refused_key"
