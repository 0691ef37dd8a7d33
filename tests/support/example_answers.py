"""Compares an answer with the one that a document gives as its example."""

from collections.abc import Mapping

from pydantic import TypeAdapter
from pydantic.types import AwareDatetime

MOMENT = TypeAdapter(AwareDatetime)


def assert_like(told: object, example: object, place: str = "$") -> None:
    """Require each name of the example, with a value of its type; more names may be there."""
    if isinstance(example, Mapping):
        assert isinstance(told, Mapping), place
        for name, value in example.items():
            assert name in told, f"{place}.{name} is missing"
            assert_like(told[name], value, f"{place}.{name}")
    elif isinstance(example, list):
        assert isinstance(told, list), place
        for number, one in enumerate(told if example else ()):
            assert_like(one, example[0], f"{place}[{number}]")
    elif example is not None:
        assert type(told) is type(example), (place, told)
        if isinstance(example, str) and example.endswith("Z"):
            MOMENT.validate_python(told)
