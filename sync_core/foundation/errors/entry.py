"""An entry of the catalogue of errors: what is said of one kind, and who can help."""

from dataclasses import dataclass
from typing import Literal

Who = Literal["analyst", "owner of the source", "administrator", "developer"]

OWNER: Who = "owner of the source"
ADMINISTRATOR: Who = "administrator"


@dataclass(frozen=True)
class Entry:
    """One kind of error; `sentence` and `advice` are format strings over the error's facts.

    In an outage, a server itself says that it is busy or out of order: that is worth a long wait.
    """

    sentence: str
    advice: str
    who: Who
    retry: bool = False
    outage: bool = False
