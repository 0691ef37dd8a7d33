"""Whether as many records are stored as the source says that there are."""

from dataclasses import dataclass

from sqlalchemy import Connection

from sync_core.engine.statements import Scope


@dataclass(frozen=True)
class Balance:
    """How many records of a table the source holds, and how many are stored."""

    what: str  # "patients"
    held: int
    stored: int

    @property
    def missing(self) -> int:
        """How many are not stored that should be."""
        return max(0, self.held - self.stored)

    @property
    def sentence(self) -> str:
        """What people are told of it."""
        if self.held == self.stored:
            return f"The source holds {self.held:,} {self.what}, and all of them are stored."
        numbers = f"The source holds {self.held:,} {self.what} and {self.stored:,} are stored"
        if self.missing:
            return f"{numbers}: {self.missing:,} missing."
        return f"{numbers}: a sync that reads everything will find out which have left."


def balance(connection: Connection, scope: Scope, held: int) -> Balance:
    """Count the organization's records that are in step, beside the number that are `held`."""
    ((stored,),) = scope.ask(
        connection,
        "select count(*) from {target} t where t.organization_id = {org} and t._removed_at is null",
    )
    return Balance(scope.entity.title.lower(), held, int(stored))
