"""A file as a stream.

It is read in a thread, waits for its reader, and is ended when the reader leaves, does not take
anything for a minute, or the server is to stop (an open stream would keep it from stopping).
"""

import asyncio
from collections.abc import Iterator, MutableMapping, Sequence
from typing import Any
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from sync_core.api import stopping
from sync_core.audit import exports
from sync_core.audit.exports import Export

STALLED_SECONDS = 60  # for which a reader may take nothing
MAX_STREAMS = 4  # at once, in this process
FILE_HEADERS = {
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "content-encoding": "identity",  # it is not squeezed on its way: that would cost more than COPY
}
open_streams: set["Download"] = set()


class Download(Response):
    """A file that is sent as it is written."""

    def __init__(self, export: Export) -> None:
        super().__init__(media_type=export.media_type, headers=file_headers(export.file))
        del self.headers["content-length"]
        self._blocks = exports.write(export)

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        """Send the blocks as fast as the reader takes them, and no faster."""
        ends = [
            asyncio.create_task(_disconnected(receive)),
            asyncio.create_task(stopping.event().wait()),
        ]
        open_streams.add(self)
        try:
            await send(self._start())
            while (block := await run_in_threadpool(next, self._blocks, None)) is not None:
                if not await _send_block(send, block, ends):
                    return
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            open_streams.discard(self)
            for task in ends:
                task.cancel()
            await asyncio.shield(run_in_threadpool(_close, self._blocks))

    def _start(self) -> MutableMapping[str, Any]:
        return {
            "type": "http.response.start",
            "status": self.status_code,
            "headers": self.raw_headers,
        }


def file_headers(name: str) -> dict[str, str]:
    """Return the headers of a file to be kept under this name."""
    file = quote(name)
    disposition = f"attachment; filename=\"{file}\"; filename*=UTF-8''{file}"
    return {**FILE_HEADERS, "content-disposition": disposition}


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _send_block(send: Send, block: bytes, ends: Sequence["asyncio.Task[Any]"]) -> bool:
    """Send a block; returns whether the reader has taken it and wants more."""
    sent = asyncio.ensure_future(
        send({"type": "http.response.body", "body": block, "more_body": True})
    )
    await asyncio.wait({sent, *ends}, timeout=STALLED_SECONDS, return_when=asyncio.FIRST_COMPLETED)
    if sent.done() and not any(task.done() for task in ends):
        sent.result()
        return True
    sent.cancel()
    return False


def _close(blocks: Iterator[bytes]) -> None:
    blocks.close()  # type: ignore[attr-defined]  # a generator; it writes its manifest now
