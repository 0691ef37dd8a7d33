"""Servers that answer halves by chance: what is read is whole, or refused in a sentence."""

import json
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import pytest

from sync_core import sources
from sync_core.demo.cliniko import Account, Answer
from sync_core.foundation.errors import SyncError
from sync_core.foundation.settings import Secret, Settings
from sync_core.sources import Opening
from tests.support.cliniko_client import EVERYTHING, client, read
from tests.support.fakes import cliniko as fake_cliniko
from tests.support.fakes import google as fake
from tests.support.fakes.cliniko import KEY, Cliniko
from tests.support.fakes.google import DEMO, Google
from tests.support.fakes.spreadsheets import Shown, Tab, location
from tests.support.sources import FAST_RETRIES, LOCATIONS, source_setting

Json = dict[str, Any]
NUMBERS = frozenset({0, 4, 8, 9, 10, 11})  # codes, postcodes, coordinates, dates, truth values

pytestmark = pytest.mark.usefixtures("servers")  # workers share Google's quota through Redis


# What no server of theirs would send


ODD: tuple[Any, ...] = (None, True, -1, 10**400, float("inf"), [], {}, [None], [[None]], {"a": 1})
KINDS_OF_ANSWERS = ("/v4/", "/values", "batchGet", "/drive", "/token")
ERRORS = (
    fake.NOT_FOUND,
    fake.NOT_SHARED,
    fake.NOT_SIGNED_IN,
    fake.SCOPES_MISSING,
    fake.TOO_MANY,
    fake.API_DISABLED,
    fake.DRIVE_TOO_MANY,
    fake.error(400, f"Invalid\n\u202e {'value ' * 9999}", "INVALID_ARGUMENT"),
)
WAITS = ("-5", "0.5", "1e308", "inf", "nan", "soon", "Mon, 01 Jan 0001 00:00:00 -0000")
DATES = ("x", "Mon, 01 Jan 0001 00:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT", *WAITS)


def _with_an_odd_part(content: Json, chance: Random) -> Any:  # noqa: ANN401 - JSON
    """Put something odd in the place of a part, or of all."""
    places = list(_places(content, chance.randrange(1, 8)))
    if not places or chance.random() < 0.05:
        return chance.choice(ODD)
    where, key = chance.choice(places)
    where[key] = chance.choice(ODD)
    return content


def _places(content: object, depth: int) -> Iterator[tuple[Any, Any]]:
    """List the parts down to a depth, each as what holds it, and its key or index."""
    if not depth or not isinstance(content, dict | list):
        return
    for key in content if isinstance(content, dict) else range(len(content)):
        yield content, key
        yield from _places(content[key], depth - 1)


# Cliniko


def _fewer(records: list[Json], chance: Random) -> None:
    del records[chance.randrange(len(records) + 1) :]


def _one_less(records: list[Json], chance: Random) -> None:
    del records[chance.randrange(len(records)) :][:1]


def _emptied(records: list[Json], _chance: Random) -> None:
    records.clear()


def _half_of_a_page(chance: Random) -> fake_cliniko.Fault:
    """Return a fault that loses records of a page, and may tell a total that fits, or another."""
    lose = chance.choice((_fewer, _one_less, _emptied))
    counts: Callable[[int, int], int] = chance.choice(
        (
            lambda total, _lost: total,
            lambda total, lost: total - lost,
            lambda total, lost: max(0, total - 2 * lost),
        )
    )
    ends = chance.random() < 0.3

    def change(content: Json) -> None:
        records = content["patients"]
        before = len(records)
        if records:
            lose(records, chance)
        total = counts(content["total_entries"], before - len(records))
        content["total_entries"] = len(records) if ends else total

    return fake_cliniko.altered(change)


@pytest.mark.parametrize("seed", range(15))
def test_a_list_of_which_pages_lose_records_is_whole_or_refused(seed: int) -> None:
    chance, account = Random(seed), Account(350, 0, seed=seed)  # noqa: S311 - not for secrets
    everyone = [str(one.id) for one in account.known("patients")]
    with Cliniko() as cliniko:
        cliniko.add(KEY, account)
        with client(cliniko) as reader:
            least = reader.count("patients", EVERYTHING["patients"])
            for _ in range(chance.randrange(1, 4)):
                fault = _half_of_a_page(chance)
                cliniko.fault(
                    "patients", fault, times=chance.choice((1, 1, 9)), after=chance.randrange(4)
                )
            try:
                found = read(reader, where=EVERYTHING["patients"], least=least)
            except SyncError as error:
                assert error.code in {"cliniko_incomplete", "cliniko_shrank"}  # noqa: PT017
            else:
                assert found == everyone


@pytest.mark.parametrize("seed", range(8))
def test_a_list_with_odd_parts_is_whole_or_refused(seed: int) -> None:
    chance, account = Random(seed), Account(150, 0, seed=seed)  # noqa: S311 - not for secrets
    everyone = [str(one.id) for one in account.known("patients")]

    def fault(answer: Answer) -> Answer:
        content = _with_an_odd_part(json.loads(answer.body), chance)
        status = chance.choice((200, 200, 200, 429, 503))
        headers = (
            ("Date", chance.choice(DATES)),
            ("X-RateLimit-Reset", chance.choice(WAITS)),
            ("Retry-After", chance.choice(WAITS)),
        )
        return Answer(status, json.dumps(content).encode(), headers=headers)

    with Cliniko() as cliniko:
        cliniko.add(KEY, account)
        with client(cliniko) as reader:
            for _ in range(30):
                cliniko.heal()
                cliniko.fault("patients", fault, times=chance.choice((1, 9)), after=1)
                batches = reader.records("patients", where=EVERYTHING["patients"], least=150)
                try:
                    found = [one.get("id") for batch in batches for one in batch.records]
                except SyncError as error:
                    _is_for_people(error)
                else:
                    assert [one for one in found if one] == [
                        one for one in everyone if one in found
                    ]
                    assert len(found) == len(everyone)  # one without an id fails by itself


# Google


def _is_for_people(error: SyncError) -> None:
    assert len(error.sentence) < 500
    assert error.sentence.isprintable()
    assert error.retry_after is None or 0 <= error.retry_after <= 86_401


def _odd_answer(chance: Random) -> fake.Fault:
    def fault(answer: fake.Answer) -> fake.Answer:
        refused = chance.random() < 0.3
        content = json.loads(json.dumps(chance.choice(ERRORS)) if refused else answer.body)
        status = chance.choice((200, 400, 401, 403, 429, 503)) if refused else answer.status
        headers = (("Retry-After", chance.choice(WAITS)),)
        return fake.Answer(status, fake.pretty(_with_an_odd_part(content, chance)), headers=headers)

    return fault


@pytest.mark.parametrize("seed", range(12))
def test_a_sheet_whose_answers_have_odd_parts_is_whole_or_refused(seed: int) -> None:
    chance = Random(seed)  # noqa: S311 - not for secrets
    rows = [list(location(number)) for number in range(21)]
    rows[5][8] = Shown(95.5, "95.50 km")  # of which the format must be asked
    with Google() as google:
        google.add(Tab("Locations", [*rows, [], location(60)], spare_rows=9, merges=["A2:A4"]))
        whole = _columns(google)
        for _ in range(12):
            google.heal()
            odd = [_odd_answer(chance)] * chance.choice((1, 99))
            google.fault(chance.choice(KINDS_OF_ANSWERS), *_well(chance.randrange(3)), *odd)
            try:
                found = _columns(google)
            except SyncError as error:
                _is_for_people(error)
            else:
                assert found == whole


def _well(times: int) -> list[fake.Fault]:
    return [lambda answer: answer] * times


def _ranges(content: Json) -> list[Json]:
    found: list[Json] = content.get("valueRanges", [content])
    return found


def _cut_rows(content: Json, chance: Random) -> None:
    for one in _ranges(content):
        height = max(map(len, one.get("values", [])), default=0)
        keep = chance.randrange(height + 1)
        one["values"] = [column[:keep] for column in one.get("values", [])]


def _no_values(content: Json, chance: Random) -> None:
    chance.choice(_ranges(content)).pop("values", None)


def _a_row_less(content: Json, chance: Random) -> None:
    place = chance.randrange(1, 200)
    for one in _ranges(content):
        one["values"] = [[*c[:place], *c[place + 1 :]] for c in one.get("values", [])]


def _a_row_more(content: Json, chance: Random) -> None:
    place = chance.randrange(1, 200)
    for one in _ranges(content):
        one["values"] = [
            [*c[:place], *c[place : place + 1], *c[place:]][:-1] for c in one["values"]
        ]


def _columns_less(content: Json, chance: Random) -> None:
    one = chance.choice(_ranges(content))
    one["values"] = one.get("values", [])[: chance.randrange(6)]


def _a_range_less(content: Json, chance: Random) -> None:
    ranges = _ranges(content)
    del ranges[chance.randrange(len(ranges))]


HALVES = (_cut_rows, _no_values, _a_row_less, _a_row_more, _columns_less, _a_range_less)


def _half_of_an_answer(chance: Random) -> fake.Fault:
    half = chance.choice(HALVES)

    def fault(answer: fake.Answer) -> fake.Answer:
        content = json.loads(answer.body)
        half(content, chance)
        return fake.Answer(200, fake.pretty(content))

    return fault


@pytest.mark.parametrize("seed", range(15))
def test_a_sheet_of_which_answers_lose_cells_is_whole_or_refused(seed: int) -> None:
    chance = Random(seed)  # noqa: S311 - not for secrets
    with Google() as google:
        google.add(Tab("Locations", [location(number) for number in range(301)], spare_rows=9))
        whole = _columns(google)
        google.fault("/values", lambda answer: answer)  # the first rows, which hold the header
        for _ in range(chance.randrange(1, 3)):
            google.fault("/values", _half_of_an_answer(chance), times=chance.choice((1, 1, 9)))
        try:
            found = _columns(google)
        except SyncError as error:
            assert error.code in {  # noqa: PT017
                "google_unavailable",
                "google_contradicts",
                "source_changed_while_reading",
            }
        else:
            assert found == whole


def _columns(google: Google) -> list[list[object]]:
    """Read all texts, and what is under them."""
    key = Secret(json.dumps(google.service_account()))
    known = Settings(
        google_service_account_json=key, google_api_base_url=google.url, google_reads=10**6
    )
    opening = Opening(settings=known, retry_policy=FAST_RETRIES)
    sheet = sources.open_source(source_setting("sheet", DEMO), opening).open(LOCATIONS)
    assert sheet.locale == "en_US"
    [page] = sheet.pages(NUMBERS)
    return [list(c) for c in page.texts] + [list(c) for c in page.numbers.values()]
