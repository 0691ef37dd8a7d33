"""Cliniko over real HTTP: whole lists while they move, refusals, servers in trouble."""

import base64
import logging
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from random import Random

import httpx2
import pytest

from sync_core.demo.cliniko import Account
from sync_core.demo.cliniko.known import KINDS
from sync_core.foundation import logs
from sync_core.foundation.settings import Secret, Settings
from sync_core.sources.cliniko import key as cliniko_key
from sync_core.sources.cliniko.client import Client, Permission, Survey, open_client
from sync_core.sources.retry import RetryPolicy
from tests.support import bombs
from tests.support.cliniko_client import EVERYTHING, Clock, client, read
from tests.support.fakes import cliniko as fake
from tests.support.fakes.cliniko import KEY, Cliniko
from tests.support.sources import FAST_RETRIES, SOON, refusal

ASKED_TO_WAIT = RetryPolicy(attempts=4, outage_attempts=4, longest_wait=62, unreported=2)


@pytest.fixture
def account() -> Account:
    return Account()


@pytest.fixture
def cliniko(account: Account) -> Iterator[Cliniko]:
    with Cliniko() as cliniko:
        cliniko.add(KEY, account)
        yield cliniko


@pytest.fixture
def reader(cliniko: Cliniko) -> Iterator[Client]:
    with client(cliniko) as reader:
        yield reader


def live(account: Account) -> list[str]:
    return [str(one.id) for one in account.known("patients") if one.archived_at is None]


# what is read


def test_an_account_is_read_whole_with_few_requests(
    cliniko: Cliniko, reader: Client, account: Account
) -> None:
    for kind in KINDS:
        ids = read(reader, kind, where=EVERYTHING[kind])
        assert ids == [str(one.id) for one in account.known(kind)]
    assert [len(account.known(kind)) for kind in KINDS] == [648, 1247, 12]
    assert len(cliniko.requests) == 21


def test_a_list_leaves_out_what_is_archived_unless_it_is_asked_for(reader: Client) -> None:
    assert len(read(reader)) == 614
    assert (reader.count("patients"), reader.count("patients", ["archived_at:*"])) == (614, 648)


def test_batches_say_where_reading_can_go_on_and_how_many_are_left(reader: Client) -> None:
    batches = list(reader.records("patients", where=["archived_at:*"]))
    assert [(len(batch.records), batch.total) for batch in batches][:2] == [(100, 648), (100, 548)]
    assert (len(batches[-1].records), batches[-1].total) == (48, 48)
    assert [batch.last_id for batch in batches] == [batch.records[-1]["id"] for batch in batches]


def test_reading_goes_on_after_the_last_id(
    cliniko: Cliniko, reader: Client, account: Account
) -> None:
    first = next(reader.records("patients"))
    assert read(reader, after=first.last_id) == live(account)[100:]
    assert cliniko.requests[-1].query["q[]"][0] == f"id:>{live(account)[599]}"
    assert all("page" not in request.query for request in cliniko.requests)


def test_ids_are_compared_as_numbers_and_kept_as_text(reader: Client) -> None:
    ids = read(reader)
    assert ids == sorted(ids, key=int) != sorted(ids)
    assert max(len(number) for number in ids) == 19


def test_older_answers_whose_ids_are_numbers_lose_no_digit(
    cliniko: Cliniko, reader: Client, account: Account
) -> None:
    def as_numbers(content: fake.Json) -> None:
        for record in content["patients"]:
            record["id"] = int(record["id"])

    cliniko.fault("patients", fake.altered(as_numbers), times=9)
    assert read(reader) == live(account)


def test_a_list_that_fills_its_pages_is_asked_once_more(cliniko: Cliniko) -> None:
    cliniko.add("full-au1", Account(200, 0))
    with client(cliniko, key="full-au1") as reader:
        assert len(read(reader, where=["archived_at:*"])) == 200
    assert len(cliniko.requests) == 3


def test_an_empty_list_gives_no_batch(cliniko: Cliniko) -> None:
    cliniko.add("empty-au1", Account(0, 0))
    with client(cliniko, key="empty-au1") as reader:
        assert list(reader.records("patients")) == []


def test_filters_reach_cliniko_as_they_are_given(cliniko: Cliniko, reader: Client) -> None:
    read(reader, where=["updated_at:>=2026-01-01T00:00:00Z", "last_name:~a+b & c"])
    assert cliniko.requests[0].query["q[]"] == [
        "updated_at:>=2026-01-01T00:00:00Z",
        "last_name:~a+b & c",
    ]


def test_what_was_updated_since_is_read_alone(reader: Client, account: Account) -> None:
    known = account.known("individual_appointments")
    changed = known[7].id
    account.change("individual_appointments", changed, at=account.today + 60, notes="Later")
    since = "updated_at:>=" + "2100-01-01T00:00:00Z"
    assert read(reader, "individual_appointments", where=[since]) == []
    account.change("individual_appointments", changed, at=5_000_000_000)
    assert read(reader, "individual_appointments", where=[since]) == [str(changed)]


def test_cliniko_is_told_who_asks(cliniko: Cliniko) -> None:
    settings = Settings(
        cliniko_keys={"north-west": Secret(KEY)},
        cliniko_base_url=cliniko.url,
        cliniko_contact="it@example.org",
    )
    assert cliniko_key.find("north-west", settings).value == KEY
    with client(cliniko, user_agent="Sync Desk (it@example.org)") as reader:
        reader.count("patients")
    headers = cliniko.requests[0].headers
    assert headers["user-agent"] == "Sync Desk (it@example.org)"
    assert headers["accept"] == "application/json"
    name = base64.b64decode(headers["authorization"].removeprefix("Basic "))
    assert name == f"{KEY}:".encode()


def test_a_server_on_this_machine_is_not_asked_through_a_proxy(
    cliniko: Cliniko, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    with client(cliniko) as reader:
        assert reader.count("patients") == 614


# a list that moves


def test_a_patient_archived_between_pages_hides_nobody_else(
    cliniko: Cliniko, reader: Client, account: Account
) -> None:
    patients = live(account)
    for number in range(2, 8):
        archive = partial(account.archive, "patients", int(patients[number]))
        cliniko.before("patients", number, archive)
    assert read(reader) == patients


@pytest.mark.parametrize("seed", range(8))
def test_whoever_is_there_from_first_to_last_is_read_once_whatever_happens(seed: int) -> None:
    chance, account = Random(seed), Account(120, 0, seed=seed)  # noqa: S311 - not for secrets
    at_first = [str(one.id) for one in account.known("patients")]

    def happen() -> None:
        for one in chance.sample(account.known("patients"), 5):
            if chance.randrange(2):
                account.archive("patients", one.id)
            else:
                account.add("patients")

    with Cliniko() as cliniko:
        cliniko.add(KEY, account)
        ten = fake.altered(lambda content: content.update(patients=content["patients"][:10]))
        cliniko.fault("patients", ten, times=99)
        for number in range(2, 14):
            cliniko.before("patients", number, happen)
        with client(cliniko) as reader:
            ids = read(reader, where=EVERYTHING["patients"], least=120)
    assert len(ids) == len(set(ids))
    assert set(at_first) <= set(ids)


def test_page_numbers_would_have_hidden_one_for_each(cliniko: Cliniko, account: Account) -> None:
    patients = live(account)
    seen: list[str] = []
    with httpx2.Client(base_url=f"{cliniko.url}/v1", auth=(KEY, "")) as numbers:
        for page in range(1, 8):
            answer = numbers.get("/patients", params={"page": page, "per_page": 100, "sort": "id"})
            seen += [record["id"] for record in answer.json()["patients"]]
            account.archive("patients", int(patients[page]))
    assert len(set(patients) - set(seen)) == 6


def test_a_patient_who_comes_while_we_read_is_read_too(
    cliniko: Cliniko, reader: Client, account: Account
) -> None:
    added: list[int] = []
    cliniko.before("patients", 7, lambda: added.append(account.add("patients")))
    assert read(reader) == live(account)
    assert len(added) == 1


def emptied(content: fake.Json) -> None:
    content["patients"] = []


def ended(content: fake.Json) -> None:
    content.update(patients=content["patients"][:30], total_entries=30)


def lost(content: fake.Json) -> None:
    content.update(patients=content["patients"][1:], total_entries=content["total_entries"] - 1)


NOT_WHOLE = "Cliniko's list of patients is incomplete: it counts "
SHORTER = "Cliniko's list of patients became shorter while it was read: it held "
HALVES = [
    pytest.param(fake.altered(emptied), f"{NOT_WHOLE}414, and returns 0.", id="no records"),
    pytest.param(fake.total(7), f"{NOT_WHOLE}7, and returns 100.", id="fewer than it hands out"),
    pytest.param(fake.total(0), f"{NOT_WHOLE}0, and returns 100.", id="none at all"),
    pytest.param(fake.altered(ended), f"{SHORTER}414 more, and then 30.", id="an early end"),
    pytest.param(
        fake.body('{"patients": [], "total_entries": 0}'),
        f"{SHORTER}414 more, and then 0.",
        id="an empty end",
    ),
    pytest.param(fake.altered(lost), f"{SHORTER}414 more, and then 413.", id="one less"),
    pytest.param(fake.total(413), f"{SHORTER}414 more, and then 413.", id="another total"),
]


@pytest.mark.parametrize(("fault", "sentence"), HALVES)
def test_half_a_page_is_asked_for_again_and_then_refused(
    cliniko: Cliniko, reader: Client, account: Account, fault: fake.Fault, sentence: str
) -> None:
    cliniko.fault("patients", fault, after=2)
    assert read(reader) == live(account)
    assert cliniko.asked("patients") == 8  # one more than the list takes
    cliniko.fault("patients", fault, after=2, times=99)
    error = refusal(lambda: read(reader))
    assert (error.sentence, error.entry.retry) == (sentence, True)


def test_a_list_that_is_shorter_than_it_was_when_it_was_counted_is_refused(
    cliniko: Cliniko, reader: Client, account: Account
) -> None:
    assert read(reader, least=614) == live(account)
    error = refusal(lambda: read(reader, least=615))
    assert error.sentence == f"{SHORTER}615 more, and then 614."
    cliniko.before("patients", 11, lambda: account.remove("patients", int(live(account)[-1])))
    assert refusal(lambda: read(reader)).sentence == f"{SHORTER}514 more, and then 513."


def test_a_list_tells_its_highest_id_with_its_number(reader: Client, account: Account) -> None:
    assert reader.survey("patients") == Survey(614, live(account)[-1])
    assert reader.survey("patients", ["id:>1999999999999999999"]) == Survey(0, None)


# records that are none


def without_ids(*places: int) -> fake.Fault:
    def change(content: fake.Json) -> None:
        for place in places:
            content["patients"][place] = None

    return fake.altered(change)


@pytest.mark.parametrize("record", ['{"id": "x"}', "7", "null"])
def test_a_page_of_nothing_else_is_refused(cliniko: Cliniko, reader: Client, record: str) -> None:
    cliniko.fault("patients", fake.body(f'{{"patients": [{record}], "total_entries": 1}}'))
    assert refusal(lambda: read(reader)).sentence == f"{ODD}no record has an id."


@pytest.mark.parametrize("places", [(3,), (0, 1), (98, 99), (0, 99)])
def test_what_is_no_record_hides_nobody_else(
    cliniko: Cliniko, reader: Client, account: Account, places: tuple[int, ...]
) -> None:
    at_the_end = [place for place in places if place > 97]
    cliniko.fault("patients", without_ids(*places), without_ids(*range(len(at_the_end))))
    records = [record for batch in reader.records("patients") for record in batch.records]
    assert [record.get("id") for record in records] == [
        None if place in places else identifier for place, identifier in enumerate(live(account))
    ]


def test_a_server_with_smaller_pages_is_read_whole(
    cliniko: Cliniko, reader: Client, account: Account
) -> None:
    fifty = fake.altered(lambda content: content.update(patients=content["patients"][:50]))
    cliniko.fault("patients", fifty, times=99)
    assert read(reader) == live(account)


def test_a_record_that_comes_twice_is_refused(cliniko: Cliniko, reader: Client) -> None:
    def twice(content: fake.Json) -> None:
        content["patients"][9] = content["patients"][8]

    cliniko.fault("patients", fake.altered(twice), after=1)
    error = refusal(lambda: read(reader))
    assert error.code == "cliniko_disorder"
    assert error.sentence.startswith("Cliniko returned patients twice or out of order, at the id")


def test_a_server_that_ignores_the_filter_ends_in_a_sentence(
    cliniko: Cliniko, reader: Client
) -> None:
    first = next(reader.records("patients")).records
    same = fake.altered(lambda content: content.update(patients=first))
    cliniko.fault("patients", same, times=99)
    assert refusal(lambda: read(reader)).code == "cliniko_disorder"
    assert cliniko.asked("patients") == 3


# refusals


SENTENCES = [
    pytest.param(
        fake.status(401, "HTTP Basic: Access denied."),
        "Cliniko refuses the API key at 127.0.0.1:PORT.",
        id="a wrong key",
    ),
    pytest.param(
        fake.status(403, {"message": "no"}),
        "The user of the API key may not read patients in Cliniko.",
        id="a role",
    ),
    pytest.param(
        fake.status(404),
        "Cliniko has no list of patients at 127.0.0.1:PORT.",
        id="a wrong shard",
    ),
    pytest.param(
        fake.redirect("https://api.uk1.cliniko.com/v1/patients"),
        "Cliniko sends us on to api.uk1.cliniko.com, which we do not follow.",
        id="a redirect",
    ),
    pytest.param(
        fake.next_link("http://[::1"),
        "Cliniko sends us on to another place, which we do not follow.",
        id="a link to nowhere",
    ),
    pytest.param(
        fake.next_link("https://evil.example.org/v1/patients?page=2"),
        "Cliniko sends us on to evil.example.org, which we do not follow.",
        id="a link elsewhere",
    ),
    pytest.param(
        fake.status(400, {"message": "recall_at is not filterable."}),
        "Cliniko refuses to list patients: recall_at is not filterable.",
        id="a bad question",
    ),
    pytest.param(
        fake.status(422, {"errors": {"title": "can't be blank"}}),
        "Cliniko refuses to list patients: it answers 422.",
        id="other words",
    ),
    pytest.param(
        fake.status(400, {"message": "x" * 999}),
        "Cliniko refuses to list patients: it answers 400.",
        id="too many words",
    ),
]


@pytest.mark.parametrize(("fault", "sentence"), SENTENCES)
def test_what_will_not_pass_is_one_sentence_at_once(
    cliniko: Cliniko, reader: Client, fault: fake.Fault, sentence: str
) -> None:
    cliniko.fault("patients", fault, times=9)
    error = refusal(lambda: read(reader))
    assert error.sentence == sentence.replace("PORT", cliniko.url.rpartition(":")[2])
    assert cliniko.asked("patients") == 1


@pytest.mark.parametrize("link", ["/v1/patients?page=2", "?page=2", "{self}"])
def test_a_link_on_the_same_server_leads_nowhere_else(
    cliniko: Cliniko, reader: Client, account: Account, link: str
) -> None:
    here = f"{cliniko.url}/patients"
    cliniko.fault("patients", fake.next_link(link.format(self=here)), times=99)
    assert read(reader) == live(account)


def test_a_key_that_nobody_knows_is_refused(cliniko: Cliniko) -> None:
    with client(cliniko, key="unknown-au1") as reader:
        error = refusal(lambda: read(reader))
    assert error.code == "cliniko_refused_key"
    assert "with its ending such as -au1" in error.advice


def test_a_question_that_cliniko_does_not_know_is_named(reader: Client) -> None:
    error = refusal(lambda: read(reader, where=["phone:=1"]))
    assert error.sentence == "Cliniko refuses to list patients: phone is not filterable."


def test_permissions_are_told_list_by_list(cliniko: Cliniko, account: Account) -> None:
    cliniko.add("half-au1", account, role="practitioner", forbidden=frozenset({"patients"}))
    with client(cliniko, key="half-au1") as reader:
        assert reader.check() == [
            Permission(
                "patients",
                "patients",
                refusal="The user of the API key may not read patients in Cliniko.",
            ),
            Permission("individual_appointments", "appointments", count=1247),
            Permission("appointment_types", "appointment types", count=12),
        ]


def test_a_role_that_is_needed_is_named() -> None:
    with Cliniko() as cliniko:
        cliniko.add(KEY, Account(1, 0), forbidden=frozenset({"individual_appointments"}))
        with client(cliniko) as reader:
            error = refusal(lambda: read(reader, "individual_appointments"))
    assert error.advice.startswith("Give that user in Cliniko a role that may read appointments")


# servers in trouble


NOT_JSON = "Cliniko's list of patients cannot be read: it is not JSON."
ODD = "Cliniko's list of patients is not as it is documented: "
LACKS = "'patients' is missing."
OUTAGE = "Cliniko could not be read: it answered with an error ({}) about patients."
CUT = "Cliniko could not be read: its answer was cut off."
LATE = "Cliniko could not be read: it does not answer in time."


def _put(name: str, value: object, content: fake.Json) -> None:
    content[name] = value


TROUBLE = [
    pytest.param(fake.status(500), 5, OUTAGE.format(500), id="500"),
    pytest.param(fake.status(503), 5, OUTAGE.format(503), id="503"),
    pytest.param(fake.html(503), 5, "Cliniko is closed for maintenance.", id="maintenance"),
    pytest.param(fake.html(200), 5, NOT_JSON, id="a web page"),
    pytest.param(fake.body('{"patients": [{"id": "1'), 5, NOT_JSON, id="half a body"),
    pytest.param(fake.body(b"\xff\xfe\x00"), 5, NOT_JSON, id="bytes"),
    pytest.param(fake.body("[" * 100_000), 5, NOT_JSON, id="too deep"),
    pytest.param(
        fake.body(b"no gzip", Content_Encoding="gzip"),
        5,
        "Cliniko could not be read: its answer is damaged.",
        id="not gzip",
    ),
    pytest.param(
        fake.body(b"x" * (33 * 2**20)),
        5,
        "Cliniko could not be read: its answer is larger than 32 MB.",
        id="too large",
    ),
    pytest.param(fake.body("[]"), 5, f"{ODD}it is no object.", id="a list"),
    pytest.param(fake.body('{"message": "no"}'), 5, f"{ODD}{LACKS}", id="an error with 200"),
    pytest.param(fake.body('{"total_entries": 3}'), 5, f"{ODD}{LACKS}", id="no records"),
    pytest.param(
        fake.body('{"patients": []}'), 5, f"{ODD}'total_entries' is missing.", id="no total"
    ),
    *(
        pytest.param(
            fake.altered(partial(_put, "total_entries", odd)),
            5,
            f"{ODD}'total_entries' is no number of records.",
            id=f"{odd!r} as total",
        )
        for odd in (None, "613", -1, 613.5)
    ),
    pytest.param(fake.cut, 5, CUT, id="a cut body"),
    pytest.param(fake.reset, 5, CUT, id="a reset"),
    pytest.param(fake.hang, SOON, LATE, id="a hang"),
    pytest.param(fake.drip, SOON, LATE, id="a drip"),
]


@pytest.mark.parametrize(("fault", "timeout", "sentence"), TROUBLE)
def test_trouble_on_one_page_that_passes_is_waited_out(
    cliniko: Cliniko, account: Account, fault: fake.Fault, timeout: float, sentence: str
) -> None:
    told: list[str] = []
    cliniko.fault("patients", fault, after=3)
    with client(cliniko, timeout=timeout, told=told.append) as reader:
        assert read(reader) == live(account), sentence
    assert told == [f"{sentence} Trying again in 0 s"]


@pytest.mark.parametrize(("fault", "timeout", "sentence"), TROUBLE)
def test_trouble_on_one_page_that_stays_is_one_sentence(
    cliniko: Cliniko, fault: fake.Fault, timeout: float, sentence: str
) -> None:
    cliniko.fault("patients", fault, after=3, times=99)
    with client(cliniko, timeout=timeout) as reader:
        error = refusal(lambda: read(reader))
    assert error.sentence == sentence
    assert error.entry.retry
    patience = FAST_RETRIES.outage_attempts if error.entry.outage else FAST_RETRIES.attempts
    assert cliniko.asked("patients") == 3 + patience


def test_an_answer_that_unpacks_to_too_much_is_left_where_it_is_too_much(cliniko: Cliniko) -> None:
    bomb = fake.body(bombs.packed_twice(200), Content_Encoding=bombs.TWICE)
    cliniko.fault("patients", bomb, times=99)
    with client(cliniko) as reader, bombs.at_most(100):
        sentence = refusal(lambda: read(reader)).sentence
    assert sentence == "Cliniko could not be read: its answer is larger than 32 MB."


def test_an_answer_that_comes_slowly_but_steadily_is_waited_for(
    cliniko: Cliniko, account: Account
) -> None:
    cliniko.pace = SOON / 5  # ten parts take twice as long as nothing may arrive
    cliniko.fault("patients", fake.crawl, after=1)
    with client(cliniko, timeout=SOON) as reader:
        assert read(reader) == live(account)
    assert cliniko.asked("patients") == 7


def test_requests_bytes_and_waits_are_signs_of_life(cliniko: Cliniko, tmp_path: Path) -> None:
    traffic: list[tuple[int, int, float]] = []
    key = tmp_path / "key"
    key.write_text(KEY)
    settings = Settings(cliniko_key_files={"demo": key}, cliniko_base_url=cliniko.url)
    cliniko.fault("patients", fake.status(429, X_RateLimit_Reset="99999999999"))
    policy = replace(FAST_RETRIES, longest_wait=0.2)
    with open_client(
        "demo",
        settings,
        on_traffic=lambda *more: traffic.append(more),
        retry_policy=policy,
    ) as reader:
        assert len(read(reader)) == 614
    assert sum(requests for requests, _, _ in traffic) == 8
    assert sum(size for _, size, _ in traffic) > 100_000
    assert sum(waited for _, _, waited in traffic) == pytest.approx(0.2, abs=0.15)


def test_a_server_that_is_not_there_is_named() -> None:
    with Cliniko() as gone:
        reader = client(gone)
    error = refusal(lambda: read(reader))
    assert error.sentence == "Cliniko's server 127.0.0.1 cannot be reached."


# the limit, as Cliniko keeps it


def test_a_limit_that_is_reached_is_waited_out_and_told(account: Account) -> None:
    clock, told = Clock(), list[str]()
    clock.now += 48  # seconds of the server's minute
    with Cliniko(limit=3, clock=clock) as cliniko:
        cliniko.add(KEY, account)
        with client(cliniko, told=told.append, clock=clock, retry_policy=ASKED_TO_WAIT) as reader:
            assert len(read(reader)) == 614
    assert told[0] in {"Cliniko asks us to wait 12 s", "Cliniko asks us to wait 13 s"}
    assert len(told) == 2  # for seven pages
    assert all(1 <= seconds <= 62 for seconds in clock.slept)


@pytest.mark.parametrize(
    ("headers", "waits"),
    [
        pytest.param({"X_RateLimit_Reset": "1800000012"}, (12, 13), id="when the limit resets"),
        pytest.param({"X_RateLimit_Reset": "1700000000"}, (1, 2), id="a moment that is gone"),
        pytest.param({"X_RateLimit_Reset": "1900000000"}, (60, 60), id="years from now"),
        pytest.param({}, (60, 60), id="no moment"),
        pytest.param({"X_RateLimit_Reset": "soon"}, (60, 60), id="a word"),
        pytest.param({"X_RateLimit_Reset": "nan"}, (1, 62), id="not a number"),
        pytest.param({"Retry_After": "7"}, (7, 7), id="the usual header"),
    ],
)
def test_the_server_s_wait_is_obeyed_within_reason(
    account: Account, headers: dict[str, str], waits: tuple[float, float]
) -> None:
    clock = Clock()
    with Cliniko(clock=clock) as cliniko:
        cliniko.add(KEY, account)
        cliniko.fault("patients", fake.status(429, "", **headers))
        with client(cliniko, clock=clock, retry_policy=ASKED_TO_WAIT) as reader:
            reader.count("patients")
    [slept] = clock.slept
    assert waits[0] <= slept <= waits[1]


def test_a_clock_of_ours_that_is_wrong_makes_no_wait_longer(account: Account) -> None:
    ours, theirs = Clock(1_900_000_000), Clock()
    with Cliniko(clock=theirs) as cliniko:
        cliniko.add(KEY, account)
        cliniko.fault("patients", fake.status(429, "", X_RateLimit_Reset="1800000030"))
        with client(cliniko, clock=ours, retry_policy=ASKED_TO_WAIT) as reader:
            reader.count("patients")
    assert 30 <= ours.slept[0] <= 31


def test_a_limit_that_never_resets_ends_in_a_sentence(account: Account) -> None:
    clock = Clock()
    with Cliniko(limit=0, clock=clock) as cliniko:
        cliniko.add(KEY, account)
        with client(cliniko, clock=clock, retry_policy=ASKED_TO_WAIT) as reader:
            error = refusal(lambda: read(reader))
    assert error.sentence == ("Cliniko limits our requests for now: too many requests in a minute.")
    assert len(clock.slept) == ASKED_TO_WAIT.attempts - 1


# keys


@pytest.mark.parametrize(
    ("key", "address"),
    [
        ("MS0xabc-au1", "https://api.au1.cliniko.com/v1"),
        ("MS0x-with-hyphens-uk2", "https://api.uk2.cliniko.com/v1"),
        ("MS0xabc-us12", "https://api.us12.cliniko.com/v1"),
        ("MS0xabc", "https://api.au1.cliniko.com/v1"),
    ],
)
def test_a_key_names_its_server(key: str, address: str) -> None:
    assert cliniko_key.base_url(Secret(key), None) == address


@pytest.mark.parametrize(
    "key",
    [
        "key-au1.evil.example.org/",
        "key-evil.example.org#",
        "key-au1@evil.example.org",
        "key-au1\n",
        "key-au1 ",
        "key-\uff41\uff55\uff11",
        "key-AU1",
        "key-au123",
        "key-",
        "key:word-au1",
    ],
)
def test_a_key_cannot_name_another_server(key: str) -> None:
    error = refusal(lambda: cliniko_key.base_url(Secret(key), None))
    assert error.code == "bad_cliniko_key"
    assert key not in error.sentence


def test_another_server_takes_any_ending() -> None:
    assert cliniko_key.base_url(Secret("MS0x-elsewhere"), "http://127.0.0.1:9") == (
        "http://127.0.0.1:9/v1"
    )


def test_a_key_may_lie_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "key"
    settings = Settings(cliniko_key_files={"demo": path})
    assert refusal(lambda: open_client("demo", settings)).sentence == (
        "The API key of Cliniko cannot be used: its file cannot be read"
        " (No such file or directory)."
    )
    path.write_bytes(b"\xff\xfe")
    assert refusal(lambda: open_client("demo", settings)).code == "bad_cliniko_key"
    path.write_text("key-in-a-file-au2\n")
    assert cliniko_key.find("demo", settings).value == "key-in-a-file-au2"


def test_an_organization_without_a_key_is_told_what_to_set() -> None:
    settings = Settings(cliniko_keys={"demo": Secret(KEY)})
    error = refusal(lambda: open_client("north-west", settings))
    assert error.sentence == "No API key of Cliniko is set for north-west."
    assert error.advice.startswith("Set CLINIKO_API_KEY_NORTH_WEST to the key, or")


def test_the_key_goes_nowhere_but_to_cliniko(account: Account) -> None:
    with Cliniko() as elsewhere, Cliniko() as cliniko:
        cliniko.add(KEY, account)
        for fault in (
            fake.redirect(f"{elsewhere.url}/v1/patients", 302),
            fake.redirect(f"{elsewhere.url}/v1/patients", 307),
            fake.next_link(f"{elsewhere.url}/v1/patients?page=2"),
            fake.next_link(f"{cliniko.url}@{elsewhere.url.removeprefix('http://')}/v1/patients"),
            fake.next_link(f"{cliniko.url}0/v1/patients"),
        ):
            cliniko.fault("patients", fault)
            with client(cliniko) as reader:
                assert refusal(lambda: read(reader)).code == "cliniko_elsewhere"
    assert elsewhere.requests == []


def test_the_key_is_in_no_sentence_and_no_log(
    cliniko: Cliniko, caplog: pytest.LogCaptureFixture
) -> None:
    for name in (None, *logs.TELLS_ADDRESSES):
        caplog.set_level(logging.DEBUG, name)
    faults: list[fake.Fault] = [fake.status(code) for code in (400, 401, 403, 404, 429, 500)]
    said = []
    with client(cliniko) as reader:
        said.append(repr(reader))
        reader.count("patients")
        for fault in (*faults, fake.cut, fake.html()):
            cliniko.fault("patients", fault, times=2)
            error = refusal(lambda: reader.count("patients"))
            said += [repr(error), error.sentence, error.advice, repr(error.facts)]
            said += [repr(error.__cause__), repr(vars(error))]
    secret, encoded = KEY.rpartition("-")[0], base64.b64encode(f"{KEY}:".encode()).decode()
    everything = "\n".join([*said, caplog.text])
    assert "/v1/patients" in caplog.text
    assert secret not in everything
    assert encoded not in everything
