"""What can go wrong with a run: code, sentence, advice, who can do it, worth retrying.

What can be wrong with a cell stands in `catalogue/cell_codes.py`. No sentence quotes a command of
the shell: most people read them on a page; `cli/hints.py` has the commands.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Self

from sync_core.foundation.errors.entry import ADMINISTRATOR, OWNER, Entry, Who
from sync_core.foundation.errors.of_http import OF_HTTP
from sync_core.foundation.errors.of_requests import OF_REQUESTS
from sync_core.foundation.errors.of_runs import OF_RUNS
from sync_core.foundation.errors.of_sources import OF_SOURCES
from sync_core.foundation.errors.of_the_machine import OF_THE_MACHINE

__all__ = ["ADMINISTRATOR", "CATALOGUE", "OWNER", "Entry", "SyncError", "Who"]

CATALOGUE: dict[str, Entry] = OF_SOURCES | OF_RUNS | OF_REQUESTS | OF_HTTP | OF_THE_MACHINE


class SyncError(Exception):
    """An error with a code from the catalogue, and the facts that its sentence and advice name.

    `each` repeats the sentence, once with the facts of each. `retry_after` are the seconds that
    a server asked us to wait, `pause` those after which we know that a retry may help.
    """

    def __init__(
        self,
        code: str,
        *,
        each: Sequence[Mapping[str, object]] = ({},),
        retry_after: float | None = None,
        pause: float | None = None,
        **facts: object,
    ) -> None:
        self.code = code
        self.facts = facts
        self.each = each
        self.retry_after = retry_after
        self.pause = pause
        self.entry = CATALOGUE[code]
        super().__init__(self.sentence)

    def as_json(self) -> dict[str, Any]:
        """Return it as another process of ours reads it."""
        return {"code": self.code, "facts": self.facts, "each": list(self.each)}

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Self:
        """Return the error that another process has met."""
        return cls(told["code"], each=told["each"], **told["facts"])

    @property
    def sentence(self) -> str:
        """What is wrong, and where."""
        return " ".join(self.entry.sentence.format(**self.facts, **one) for one in self.each)

    @property
    def advice(self) -> str:
        """What to do about it."""
        return self.entry.advice.format(**self.facts)
