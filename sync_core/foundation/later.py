"""A library that is loaded when it is first used: a command that needs none of it starts sooner."""

from importlib import import_module
from typing import Any


class Later:
    """Stands for a module, and imports it when something of it is asked for.

    Type checkers and the contracts of imports get the plain import, under TYPE_CHECKING.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, what: str) -> Any:  # noqa: ANN401 - whatever the module has
        """Return it, and keep it: a second look finds it at once."""
        found = getattr(import_module(self._name), what)
        setattr(self, what, found)
        return found
