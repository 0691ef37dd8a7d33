"""The end of the server: what is open for long hears of it, or it would keep the server alive."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from types import FrameType
from weakref import WeakKeyDictionary

SignalHandler = Callable[[int, FrameType | None], None]
_events: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Event] = WeakKeyDictionary()


def event() -> asyncio.Event:
    """Return the event of this loop's server: set once it is asked to stop."""
    return _events.setdefault(asyncio.get_running_loop(), asyncio.Event())


@asynccontextmanager
async def lifespan(_app: object) -> AsyncIterator[None]:
    """End open streams when the server is asked to stop."""
    loop, stop = asyncio.get_running_loop(), event()
    stop.clear()
    for number in (signal.SIGTERM, signal.SIGINT):
        with suppress(ValueError):  # in another thread than the main one, nobody asks by signals
            signal.signal(number, _stopping(loop, stop, signal.getsignal(number)))
    yield
    stop.set()


def _stopping(loop: asyncio.AbstractEventLoop, stop: asyncio.Event, then: object) -> SignalHandler:
    def handle(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(stop.set)
        if callable(then):  # whatever handled it before
            then(number, frame)

    return handle
