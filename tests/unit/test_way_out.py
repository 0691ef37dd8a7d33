"""The way out by HTTP: a name is called under the number that was judged, or not at all."""

import socket
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from sync_core import sources
from sync_core.foundation.errors import SyncError
from sync_core.foundation.settings import Settings
from sync_core.sources import Opening, way_out
from tests.support.fakes import google as fake
from tests.support.fakes.google import Google
from tests.support.post import Receiver
from tests.support.sources import FAST_RETRIES, LOCATIONS, refusal, source_setting

Answers = Callable[[str, str], None]
NOT_THERE = (
    "there is no such server on the internet; one of your own network must be named in "
    "SYNCDESK_PRIVATE_HOSTS"
)


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[list[str]]]:
    """Let names lead to numbers: each look-up takes the next ones, and the last ones stay."""
    known: dict[str, list[list[str]]] = {}
    usual = socket.getaddrinfo

    def look_up(host: Any, port: Any, *args: Any, **more: Any) -> Any:  # noqa: ANN401 - the system's
        name = host.decode() if isinstance(host, bytes) else host
        if name not in known:
            return usual(host, port, *args, **more)
        numbers = known[name].pop(0) if len(known[name]) > 1 else known[name][0]
        return [found for number in numbers for found in usual(number, port, *args, **more)]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return known


def ask(address: str, *named: str) -> int:
    with way_out.client(named, httpx2.Timeout(5), {}) as client:
        return client.get(address).status_code


def refused(address: str, *named: str) -> str:
    with pytest.raises(way_out.NoSuchServerError) as error:
        ask(address, *named)
    return str(error.value)


def fetch(address: str, *named: str) -> SyncError:
    opening = Opening(settings=Settings(private_hosts=named), retry_policy=FAST_RETRIES)
    source = sources.open_source(source_setting("csv", address), opening)
    return refusal(lambda: source.open(LOCATIONS))


def test_what_may_not_be_asked_is_told_like_what_is_not_there() -> None:
    with Google() as google, Google() as gone:
        pass
    with Google() as google:
        for address in (google.url, gone.url, "https://10.0.0.1", "https://169.254.169.254/x",
                        "https://nowhere.invalid", "https://localhost:1", "http://example.org",
                        "https://[::ffff:127.0.0.1]/", "https://2130706433/"):  # fmt: skip
            assert refused(address, "127.0.0.1:1") == NOT_THERE
        assert google.requests == []
        assert fetch(google.url, "sheets.intern").sentence == (
            f"The CSV at 127.0.0.1 was not asked: {NOT_THERE}."
        )


def test_a_host_is_asked_where_it_is_named_alone_or_with_its_port() -> None:
    with Receiver() as receiver:
        host = f"127.0.0.1:{receiver.port}"
        for named in ("127.0.0.1", host):
            assert ask(receiver.address, named) == 501  # it takes POST only
        assert refused(receiver.address, "127.0.0.1:1") == NOT_THERE


def test_a_name_is_called_under_the_number_that_was_judged(
    names: dict[str, list[list[str]]],
) -> None:
    with Receiver() as judged, Receiver() as other:
        names["rebinds.example.org"] = [["127.0.0.1"], ["127.0.0.9"]]
        address = f"http://rebinds.example.org:{judged.port}"
        assert ask(address, "rebinds.example.org") == 501
        assert other.posted == []
        assert len(names["rebinds.example.org"]) == 1  # it was looked up once


@pytest.mark.parametrize("numbers", [["10.0.0.7"], ["93.184.216.34", "10.0.0.7"], ["fd00::1"]])
def test_a_name_that_leads_home_is_not_called(
    names: dict[str, list[list[str]]], numbers: list[str]
) -> None:
    names["inside.example.org"] = [numbers]
    assert refused("https://inside.example.org/x") == NOT_THERE


@pytest.mark.parametrize(
    "number",
    """
    0.0.0.0 0.1.2.3 10.1.2.3 100.64.0.1 127.1.2.3 168.63.129.16 169.254.169.254 172.16.0.1
    192.0.0.9 192.0.2.1 192.88.99.1 192.168.0.1 198.18.0.1 203.0.113.5 224.0.0.1 240.0.0.1
    255.255.255.255 :: ::1 ::127.0.0.1 ::10.0.0.1 ::ffff:10.0.0.1 ::ffff:0:10.0.0.1
    64:ff9b::10.0.0.1 64:ff9b:1::1 100::1 100:0:0:1::1 2001::10.0.0.1 2001:db8::1 2002:7f00:1::
    3fff::1 5f00::1 fc00::1 fd00:ec2::254 fe80::1 fe80::1%lo fec0::1 ff02::1 ff0e::1
    """.split(),
)
def test_no_number_that_is_not_of_the_internet_is_public(number: str) -> None:
    assert not way_out.is_public(number)


@pytest.mark.parametrize("number", ["93.184.216.34", "::ffff:93.184.216.34", "2606:4700::1111"])
def test_numbers_of_the_internet_are_public(number: str) -> None:
    assert way_out.is_public(number)


@pytest.mark.parametrize(
    "host",
    [
        *"127.1 0 0x7f.1 0x7f000001 017700000001 127.0.0.1. localhost. %31%32%37.0.0.1".split(),
        *"[::] [::ffff:7f00:1] [::127.0.0.1] user@127.0.0.1 example.org@127.0.0.1".split(),
        *("127.0.0.1#@example.org", "127.0.0.1\\@example.org", "127\u30020\u30020\u30021"),
    ],
)
def test_this_machine_is_not_called_however_it_is_written(host: str) -> None:
    with Receiver() as receiver:
        with pytest.raises((way_out.NoSuchServerError, httpx2.InvalidURL)):
            ask(f"https://{host}:{receiver.port}/" if "@" not in host else f"https://{host}/")
        assert receiver.posted == []


def test_a_redirect_is_judged_like_the_first_address() -> None:
    with Google() as inner, Google() as outer:
        outer.fault("/x.csv", fake.redirect(f"{inner.url}/secret.csv"))
        error = fetch(f"{outer.url}/x.csv", outer.url.removeprefix("http://"))
        assert error.sentence == f"The CSV at 127.0.0.1 was not asked: {NOT_THERE}."
        assert inner.requests == []


def test_a_proxy_is_asked_for_what_is_public_alone(
    monkeypatch: pytest.MonkeyPatch, names: dict[str, list[list[str]]]
) -> None:
    names["inside.example.org"] = [["10.0.0.7"]]
    with Receiver() as proxy:
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{proxy.port}")
        assert refused("https://inside.example.org/") == NOT_THERE
        with pytest.raises(httpx2.ProxyError, match="501"):
            ask("https://known-to-the-proxy.invalid/")
