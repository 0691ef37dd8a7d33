"""Some rows or cells in a note: the first by their names, of the others how many there are."""

from dataclasses import dataclass, field

NAMED = 20  # rows or cells in a note


@dataclass
class Some:
    """Some rows or cells: how many, and the names of the first."""

    count: int = 0
    first: list[str] = field(default_factory=list)

    def add(self, name: str) -> None:
        """Count one more."""
        self.count += 1
        if self.count <= NAMED:
            self.first.append(name)

    def many(self, what: str) -> str:
        """Return how many there are: "2 rows are"."""
        return f"1 {what} is" if self.count == 1 else f"{self.count:,} {what}s are"

    def __str__(self) -> str:
        more = [f"{self.count - NAMED:,} more"] if self.count > NAMED else []
        *names, last = [*self.first, *more]
        return f"{', '.join(names)} and {last}" if names else last
