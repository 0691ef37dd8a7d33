"""What logs say of errors and requests: where, and of what kind, never whose data it was.

What Postgres and libraries write into their errors holds rows, parameters and cells. So a trace in
any log of a process that imports Sync Desk, whichever library writes it, names its frames and its
kinds; in words it says what is known to be about the program alone.
"""

import logging
import sys
import threading
import traceback
from collections.abc import Iterator
from types import TracebackType
from typing import Any

ABOUT_CODE = (AttributeError, ImportError, NameError, NotImplementedError, TypeError)
OF_DATA = "22"  # beginning of the SQLSTATEs whose sentences repeat the data
JOINED = {
    True: "\nThe above exception was the direct cause of the following exception:\n\n",
    False: "\nDuring handling of the above exception, another exception occurred:\n\n",
}

SERVER = "uvicorn."  # begins the loggers of the server of the API, which log what is asked of it
TELLS_ADDRESSES = ("httpx2", "httpcore2", "urllib3")  # at INFO and DEBUG: of sources and webhooks

_plain = logging.getLogRecordFactory()


def install() -> None:
    """Let everything that this process logs of errors be told so."""
    logging.setLogRecordFactory(_record)
    for library in TELLS_ADDRESSES:
        logging.getLogger(library).setLevel(logging.WARNING)
    sys.excepthook = _unhandled
    threading.excepthook = _unhandled_in_thread


def told(error: BaseException) -> str:
    """Return the kind of an error, and what may be said of it."""
    kind = type(error)
    room = "" if kind.__module__ == "builtins" else f"{kind.__module__}."
    words = _words(error)
    return f"{room}{kind.__qualname__}: {words}" if words else f"{room}{kind.__qualname__}"


def _words(error: BaseException) -> str:
    error = getattr(error, "orig", None) or error  # SQLAlchemy wraps psycopg's
    if isinstance(state := getattr(error, "sqlstate", None), str):
        said = getattr(getattr(error, "diag", None), "message_primary", None)
        return state if state.startswith(OF_DATA) or not said else f"{state} {said}"
    if isinstance(error, OSError):
        return error.strerror or ""
    return str(error) if isinstance(error, ABOUT_CODE) or _is_ours(error) else ""


def _is_ours(error: BaseException) -> bool:
    return type(error).__module__.startswith("sync_core.")


def trace(error: BaseException) -> str:
    """Return where an error, and those that led to it, were raised."""
    return "".join(_lines(error, set())).rstrip("\n")


def _lines(error: BaseException, seen: set[int]) -> Iterator[str]:
    seen.add(id(error))
    earlier = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if earlier is not None and id(earlier) not in seen:
        yield from _lines(earlier, seen)
        yield JOINED[error.__cause__ is not None]
    yield "Traceback (most recent call last):\n"
    yield from traceback.format_tb(error.__traceback__)
    yield f"{told(error)}\n"
    for one in getattr(error, "exceptions", ()):  # of a group
        if isinstance(one, BaseException) and id(one) not in seen:
            yield from _lines(one, seen)


def _record(*args: Any, **options: Any) -> logging.LogRecord:  # noqa: ANN401 - logging's
    record = _plain(*args, **options)
    if record.exc_info and record.exc_info[1] is not None:
        record.exc_text = trace(record.exc_info[1])  # formatters write it as it stands
    if isinstance(record.args, tuple):
        record.args = tuple(_argument(record.name, one) for one in record.args)
    return record


def _argument(logger: str, one: object) -> object:
    """Return what a log may say of an argument: of addresses not what people have looked for."""
    if isinstance(one, BaseException) and not _is_ours(one):
        return told(one)
    if logger.startswith(SERVER) and isinstance(one, str) and one.startswith("/"):
        return one.partition("?")[0]
    return one


def _unhandled(
    _kind: type[BaseException], error: BaseException, _where: TracebackType | None
) -> None:
    sys.stderr.write(f"{trace(error)}\n")


def _unhandled_in_thread(about: threading.ExceptHookArgs) -> None:
    if about.exc_value is not None and about.exc_type is not SystemExit:
        sys.stderr.write(f"{trace(about.exc_value)}\n")
