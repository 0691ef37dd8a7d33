"""A file as a stream.

It is read in a thread, waits for its reader, and is ended when the reader leaves, takes less than
the least rate, or the server is to stop (an open stream would keep it from stopping). A file that
is ended so lacks its last chunk: its reader sees that it is broken. Nobody holds so many streams
that there is none left for others.
"""

import asyncio
import logging
import time
from collections.abc import Iterator, MutableMapping, Sequence
from typing import Any
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from sync_core.api import stopping
from sync_core.audit import exports
from sync_core.audit.exports import Export
from sync_core.foundation.errors import SyncError

WAIT_SECONDS = 20.0  # for a reader, before its rate counts
LEAST_RATE = 20_000  # bytes that it must take a second of waiting, from then on
MAX_STREAMS = 8  # at once, in this process
OF_ONE = 2  # person, with all tokens of theirs
FILE_HEADERS = {
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "content-encoding": "identity",  # it is not squeezed on its way: that would cost more than COPY
}
log = logging.getLogger("syncdesk.api")
open_streams: set["Download"] = set()


class Download(Response):
    """A file that is sent as it is written."""

    def __init__(self, export: Export) -> None:
        super().__init__(media_type=export.media_type, headers=file_headers(export.file))
        del self.headers["content-length"]
        self._blocks = exports.write(export)
        self._who = export.askers[0][1].email
        self._waited, self._taken = 0.0, 0  # seconds, bytes

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        """Send the blocks as fast as the reader takes them, and no faster.

        Raises SyncError("too_many_files"), before anything is sent.
        """
        self._take_a_place()
        block = None
        ends = [
            asyncio.create_task(_disconnected(receive)),
            asyncio.create_task(stopping.event().wait()),
        ]
        try:
            block = await run_in_threadpool(
                next, self._blocks, None
            )  # or it says why there is none
            await send(self._start())
            while block is not None:
                if not await self._send_block(send, block, ends):
                    return
                block = await run_in_threadpool(next, self._blocks, None)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except SyncError as error:
            if block is None:
                raise  # nothing was sent: it is told
            log.warning("a file was cut short: %s", error.code)  # its reader sees it
        finally:
            open_streams.discard(self)
            for task in ends:
                task.cancel()
            await asyncio.shield(run_in_threadpool(_close, self._blocks))

    def _take_a_place(self) -> None:
        of_theirs = sum(one._who == self._who for one in open_streams)  # noqa: SLF001 - of its kind
        if len(open_streams) >= MAX_STREAMS or of_theirs >= OF_ONE:
            raise SyncError("too_many_files")
        open_streams.add(self)

    async def _send_block(
        self, send: Send, block: bytes, ends: Sequence["asyncio.Task[Any]"]
    ) -> bool:
        """Send a block; returns whether the reader has taken it in time and wants more."""
        body = {"type": "http.response.body", "body": block, "more_body": True}
        began = time.monotonic()
        sent = asyncio.ensure_future(send(body))
        patience = WAIT_SECONDS + (self._taken + len(block)) / LEAST_RATE - self._waited
        await asyncio.wait(
            {sent, *ends}, timeout=max(0.0, patience), return_when=asyncio.FIRST_COMPLETED
        )
        self._waited += time.monotonic() - began
        self._taken += len(block)
        if sent.done() and not any(task.done() for task in ends):
            sent.result()
            return True
        sent.cancel()
        return False

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


def _close(blocks: Iterator[bytes]) -> None:
    blocks.close()  # type: ignore[attr-defined]  # a generator; it writes its manifest now
