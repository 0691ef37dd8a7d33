"""The phases of a run: which part of the bar each fills, and what people read meanwhile."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Band:
    """A phase of a run, and the part of the bar that it fills, in percent.

    `sentence` is said when it begins, `counting` while it goes on, `found` at its end; these may
    name {title}, {what}, {done}, {total} and {percent}; the last one of the saving {created} and
    {updated}. `statistic` is the name of the live count
    that rises in it and in no other.
    """

    name: str
    start: int
    end: int
    sentence: str = ""
    counting: str = ""
    found: str = ""
    statistic: str = ""
    icon: str = "sync"  # of Material, while it is under way

    @property
    def title(self) -> str:
        """What people call it: "Fetching patients"."""
        return self.name.replace("_", " ").capitalize()

    @property
    def tells_numbers(self) -> bool:
        """Whether its sentence says how many are done of how many."""
        return "{done" in self.counting

    def tell(self, title: str, done: int = 0, total: int | None = None) -> str:
        """Return how far the rows of `title` have come; an exceeded total counts as none."""
        whole = max(done, total or 0)
        percent = f"{100 * done / whole:.1f}" if whole else "100.0"
        facts = {"done": done, "total": whole, "percent": percent}
        return self.counting.format(title=title, what=title.lower(), **facts)


@dataclass(frozen=True, kw_only=True)
class Steps:
    """The bands of a resource's runs, by what the engine does in them.

    `reading` names the band in which each entity is read, in the order of reading; all others
    are read in the band "". `main` names the entity that the words of the saving are about.
    """

    opening: tuple[Band, ...] = ()
    reading: Mapping[str, Band]
    comparing: Band
    saving: Band
    main: str = ""

    @property
    def bands(self) -> tuple[Band, ...]:
        """All bands, in order."""
        return (*self.opening, *self.reading.values(), self.comparing, self.saving)

    def timed_as(self, band: Band) -> str:
        """Return the name under which a run keeps the time of a band; all reading has one."""
        return {self.comparing: "processing", self.saving: "saving"}.get(band, "downloading")

    @property
    def first(self) -> Band:
        """The band in which a run begins."""
        return self.bands[0]

    def order(self, names: Sequence[str]) -> list[str]:
        """Return the names of entities in the order in which they are read."""
        order = list(self.reading)
        return sorted(names, key=lambda name: order.index(name) if name in order else -1)

    def read_in(self, name: str) -> Band:
        """Return the band in which an entity is read."""
        return self.reading[name if name in self.reading else ""]


SHEETS = Steps(
    reading={
        "": Band(
            "downloading",
            start=0,
            end=60,
            sentence="Opening the source",
            counting="Reading {title}",
            icon="cloud_download",
        )
    },
    comparing=Band("processing", start=60, end=80, counting="Comparing {title}", icon="fact_check"),
    saving=Band("saving", start=80, end=100, counting="Saving the changes", icon="save"),
)
