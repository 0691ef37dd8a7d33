"""Read a source in a thread of its own: one page ahead, and never for longer than it deserves."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from types import TracebackType
from typing import Self, TypeVar

from sync_core.foundation.errors import SyncError

CHECK_SECONDS = 0.5  # between two looks at whether the run must stop

T = TypeVar("T")


class Reading:
    """Waits for a source; asks meanwhile whether to stop, and gives up on one that is silent."""

    def __init__(self, check: Callable[[], None], silence: float) -> None:
        self._check = check  # raises where the attempt must stop
        self._silence = silence  # seconds
        self._silent = 0.0  # for how long it has been, by our own looks: see `_answer`
        self._thread = ThreadPoolExecutor(1, "reading")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)  # a silent source holds nobody up

    def heard(self) -> None:
        """Note that the source gave a sign of life, such as a request to wait."""
        self._silent = 0.0

    def call(self, ask: Callable[[], T]) -> T:
        """Return the source's answer. Raises SyncError("source_silent"), or what `check` raises."""
        return self._answer(self._thread.submit(ask))

    def ahead(self, items: Iterable[T]) -> Iterator[T]:
        """Return the items in order; the next one is read while the caller works on this one."""
        iterator = iter(items)
        coming = self._thread.submit(next, iterator, None)
        while (item := self._answer(coming)) is not None:
            coming = self._thread.submit(next, iterator, None)
            yield item

    def _answer(self, coming: Future[T]) -> T:
        """Wait for an answer; silence is counted by our looks.

        By the clock, a source would seem silent that this process could not hear: it was frozen.
        """
        self.heard()
        while not wait([coming], timeout=CHECK_SECONDS).done:
            self._check()
            self._silent += CHECK_SECONDS
            if self._silent > self._silence:
                raise SyncError("source_silent", seconds=round(self._silence))
        return coming.result()
