import pytest

from sync_core.ui.frame import demo_sign_in


@pytest.mark.parametrize("host", ["localhost:8600", "127.0.0.1:8600", "[::1]:8600", "localhost"])
def test_the_demo_sign_in_is_open_at_the_machine_itself(host: str) -> None:
    assert demo_sign_in.is_open({"host": host})


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"host": "desk.example.org"},
        {"host": "localhost.example.org"},
        {"host": "127.0.0.1", "x-forwarded-for": "203.0.113.7"},
        {"Host": "localhost", "Forwarded": "for=203.0.113.7"},
        {"host": "localhost", "X-Forwarded-Host": "desk.example.org"},
    ],
)
def test_the_demo_sign_in_is_refused_for_whoever_comes_from_elsewhere(
    headers: dict[str, str],
) -> None:
    assert not demo_sign_in.is_open(headers)
