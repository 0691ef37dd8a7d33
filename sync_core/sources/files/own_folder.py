"""What an organization may read on this machine: what is in its own folder, whatever links say."""

import logging
import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from sync_core.foundation.errors import SyncError

MOST_LINKS = 8
DEEPEST = 20  # folders below each other, that people may name
MOST_STEPS = 64  # of a way through links, too; each folder stays open until its end
# through no link, so that nobody can change the way between a look and a read; and a pipe that
# takes the place of a file keeps nobody waiting
FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK

log = logging.getLogger("syncdesk.files")


@dataclass(frozen=True)
class OwnFolder:
    """The folder of an organization: in that of all organizations, under its short name.

    Paths are relative to it. Whatever may not be read raises the same SyncError("no_folder"): it
    does not tell what there is elsewhere.
    """

    folders: Path
    organization: str  # its slug

    def names(self, path: str) -> list[str]:
        """Return the names of all that is in a folder, in order. Raises SyncError."""
        with self._found(path) as found:
            return sorted(os.listdir(found))  # noqa: PTH208 - a Path would find it by its name again

    def open(self, path: str) -> BinaryIO:
        """Open a file to read. Raises SyncError."""
        with self._found(path) as found:
            if not stat.S_ISREG(os.fstat(found).st_mode):
                raise IsADirectoryError
            return os.fdopen(os.dup(found), "rb")

    @contextmanager
    def _found(self, path: str) -> Iterator[int]:
        try:
            with ExitStack() as way:
                yield self._walk(way, path)
        except (OSError, ValueError) as error:  # a NUL is no part of a path
            why = getattr(error, "strerror", None) or type(error).__name__
            log.warning("the folder of %s: %r cannot be read: %s", self.organization, path, why)
            raise SyncError("no_folder", path=shown(path)) from error

    def _walk(self, way: ExitStack, path: str) -> int:
        """Open each step from the one before it; a link inside is followed step by step, too."""
        root = _opened(way, self.folders, os.O_RDONLY | os.O_DIRECTORY)
        passed = [_opened(way, self.organization, FLAGS | os.O_DIRECTORY, root)]
        steps, links, taken = _steps(path), 0, 0
        while steps:
            step, taken = steps.pop(0), taken + 1
            if step == "..":
                passed.pop()
            elif stat.S_ISLNK(mode := _mode(step, passed[-1])):
                links += 1
                steps = _steps(os.readlink(step, dir_fd=passed[-1])) + steps
            elif stat.S_ISDIR(mode) or stat.S_ISREG(mode):  # to open a device may do something
                passed.append(_opened(way, step, FLAGS, passed[-1]))
            else:
                raise PermissionError
            if not passed or links > MOST_LINKS or taken > MOST_STEPS:
                raise PermissionError
        return passed[-1]


def shown(path: str) -> str:
    """Return what people are told of a path: of one of the machine, from earlier, its end alone."""
    return f"…/{PurePosixPath(path).name}" if path.startswith("/") else path


def _opened(way: ExitStack, step: str | Path, flags: int, folder: int | None = None) -> int:
    found = os.open(step, flags | os.O_CLOEXEC, dir_fd=folder)
    way.callback(os.close, found)
    return found


def _mode(step: str, folder: int) -> int:
    return os.stat(step, dir_fd=folder, follow_symlinks=False).st_mode


def _steps(path: str) -> list[str]:
    if path.startswith("/"):
        raise PermissionError
    return list(PurePosixPath(path).parts)
