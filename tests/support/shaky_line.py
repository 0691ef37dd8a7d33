"""A line to a server that can break: whoever speaks over it is cut off, and may call again."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

PIECE = 65_536  # bytes


class ShakyLine:
    """Forwards whatever comes over loopback, until it is cut."""

    def __init__(self, server: str) -> None:
        host, _, port = server.removeprefix("http://").partition(":")
        self._server = (host, int(port))
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self.calls = 0

    def serve(self) -> None:
        """Take calls until the line is closed."""
        with suppress(OSError):
            while True:
                caller, _ = self._listening.accept()
                self.calls += 1
                called = socket.create_connection(self._server)
                self._open += [caller, called]
                for ends in ((caller, called), (called, caller)):
                    threading.Thread(target=_forward, args=ends, daemon=True).start()

    def cut(self) -> None:
        """Break every call in its midst."""
        while self._open:
            _hang_up(self._open.pop())

    def close(self) -> None:
        _hang_up(self._listening)
        self._listening.close()
        self.cut()


def _forward(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(PIECE):
            target.sendall(piece)
    _hang_up(target)
    source.close()


def _hang_up(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)


@contextmanager
def shaky_line(server: str) -> Iterator[ShakyLine]:
    line = ShakyLine(server)
    thread = threading.Thread(target=line.serve, daemon=True)
    thread.start()
    try:
        yield line
    finally:
        line.close()
        thread.join(10)
