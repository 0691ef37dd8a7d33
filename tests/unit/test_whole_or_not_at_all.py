"""Servers that answer halves by chance: what is read is whole, or refused in a sentence."""

import json
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from sync_core import sources
from sync_core.demo.cliniko import Account
from sync_core.foundation.errors import SyncError
from sync_core.foundation.settings import Secret, Settings
from sync_core.sources import Opening
from tests.support.cliniko_client import EVERYTHING, client, read
from tests.support.fakes import cliniko as fake_cliniko
from tests.support.fakes import google as fake
from tests.support.fakes.cliniko import KEY, Cliniko
from tests.support.fakes.google import DEMO, Google
from tests.support.fakes.spreadsheets import Tab, location
from tests.support.sources import FAST_RETRIES, LOCATIONS, source_setting

Json = dict[str, Any]
NUMBERS = frozenset({0, 4, 8, 9, 10, 11})  # codes, postcodes, coordinates, dates, truth values

pytestmark = pytest.mark.usefixtures("servers")  # workers share Google's quota through Redis


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


# Google


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
    known = Settings(google_service_account_json=key, google_api_base_url=google.url)
    opening = Opening(settings=known, retry_policy=FAST_RETRIES)
    sheet = sources.open_source(source_setting("sheet", DEMO), opening).open(LOCATIONS)
    [page] = sheet.pages(NUMBERS)
    return [list(c) for c in page.texts] + [list(c) for c in page.numbers.values()]
