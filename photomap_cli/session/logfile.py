"""Owns the log of a session without a terminal: what the process prints, in a file that does not grow for ever."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING

from photomap_cli import files
from photomap_cli.errors import BadPath

if TYPE_CHECKING:
    from pathlib import Path

LOG_BYTES = 1 << 20
"""Size beyond which the log is rotated; one older log is kept beside it."""


class LogFile:
    """A file that takes what this process and its children print.

    Rotating copies it to `NAME.1` and empties it, because children hold it open too; what is printed in the very moment
    between may be lost.

    Raises:
        BadPath: the file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            files.make_folder(path.parent)
            # Appending, so that whoever holds it goes on at its end, also after it was emptied.
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
            self.fd = os.open(path, flags) if path.is_char_device() else files.descriptor(path, flags)
        except OSError as error:
            raise BadPath(f"{path} cannot be written: {error.strerror}", hint="--log names another file") from error

    def take_over(self) -> None:
        """Have standard output and standard error go here from now on."""
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
            os.dup2(self.fd, stream.fileno())

    def size(self) -> int:
        """Return its length in bytes."""
        return os.fstat(self.fd).st_size

    def said_since(self, offset: int) -> str:
        """Return what was written behind `offset`."""
        try:
            with files.reading(self.path) as log:
                log.seek(offset)
                return log.read().decode(errors="replace")
        except OSError:  # /dev/null keeps nothing
            return ""

    def rotate(self) -> None:
        """Start anew if it has become long."""
        if self.size() > LOG_BYTES:
            with files.reading(self.path) as log, files.fresh(self.path.with_name(f"{self.path.name}.1")) as older:
                shutil.copyfileobj(log, older)
            os.ftruncate(self.fd, 0)

    def close(self) -> None:
        """Let go of the file; the streams that it took over keep it."""
        os.close(self.fd)
