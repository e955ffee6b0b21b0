"""Owns packing photos into a zip file: complete under a free name, or not at all."""

# Paths are text here, as the library has them.
# ruff: noqa: PTH118, PTH119, PTH120

from __future__ import annotations

import datetime
import os
import stat
import zipfile
from collections.abc import Callable, Iterator, Sequence
from typing import IO, TYPE_CHECKING, Self

from photomap_cli import files, no_replace
from photomap_cli.errors import BadPath
from photomap_cli.export import transfer
from photomap_cli.export.failures import Cancelled, reason, require_photo
from photomap_cli.export.folder import prepared
from photomap_cli.export.names import Names, beside, sidecars
from photomap_cli.library.paths import shown
from photomap_cli.pathnames import key
from photomap_cli.records.export import Exported, ExportFailure, ExportMode, ExportReport

if TYPE_CHECKING:
    Checkpoint = Callable[[], None]


def pack(
    paths: Sequence[str], place: str, *, on_progress: Callable[[int, int], None], checkpoint: Checkpoint
) -> ExportReport:
    """Pack photos into a zip file, stored, as they are already compressed; a cancelled one leaves nothing behind.

    Args:
        paths: absolute.
        place: the file, if it ends in `.zip`; else the folder for one named by the date.
        on_progress: called with (done, total) photos.
        checkpoint: called repeatedly; may raise Cancelled.

    Raises:
        BadPath: it can't be written, for example as the disk is full.
    """
    place = place if place.lower().endswith(".zip") else os.path.join(place, f"photos-{_today()}.zip")
    folder = prepared(os.path.dirname(place))
    try:
        with transfer.draft(place) as (number, name), os.fdopen(os.dup(number), "w+b") as file:
            with _Pack(file, checkpoint) as packed:
                for done, path in enumerate(paths):
                    on_progress(done, len(paths))
                    checkpoint()
                    packed.take(path)
            on_progress(len(paths), len(paths))
            place = _keep(file, name, place) if packed.done else place
    except Cancelled:
        return ExportReport(ExportMode.ZIP, place, left=len(paths), is_cancelled=True)
    except OSError as error:
        raise BadPath(f"{place} cannot be written: {reason(error)}", hint="name a folder of yours with room") from error
    files.sync_folder(folder)
    exported = tuple(Exported(source, os.path.join(place, name)) for source, name in packed.done)
    return ExportReport(ExportMode.ZIP, place, exported, failed=tuple(packed.failed), sidecars=packed.sidecars)


def _keep(file: IO[bytes], draft: str, place: str) -> str:
    """Flush a complete zip file to disk under its name, or the next free one; return its path."""
    file.flush()
    if hasattr(os, "fchmod"):
        os.fchmod(file.fileno(), 0o666 & ~files.umask())
    os.fsync(file.fileno())
    folder, wanted = os.path.split(place)
    for name in Names(folder).free(wanted):
        target = os.path.join(folder, name)
        try:
            no_replace.rename(draft, target)
        except FileExistsError:
            continue
        return target
    raise AssertionError("there is always another number")


class _Unreadable(Exception):
    """A photo can't be read to its end; the message says why."""


class _Pack:
    """A zip file that photos are put into; a context manager."""

    def __init__(self, file: IO[bytes], checkpoint: Checkpoint) -> None:
        self._zip = zipfile.ZipFile(file, "w", zipfile.ZIP_STORED, strict_timestamps=False)
        self._checkpoint = checkpoint
        self._names, self._used = Names(""), set[str]()
        self.done: list[tuple[str, str]] = []
        self.failed: list[ExportFailure] = []
        self.sidecars = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self._zip.close()

    def take(self, source: str) -> None:
        """Add a photo and its sidecars, or note why not.  Raises OSError if the zip file can't be written."""
        try:
            require_photo(source)
            along = sidecars(source)
        except (OSError, ValueError) as error:
            self.failed.append(ExportFailure(source, reason(error)))
            return
        name = self._free(source, along)
        if self._add(source, name):
            self.done.append((source, name))
            self.sidecars += sum(self._add(each, beside(each, source, name)) for each in along)

    def _free(self, source: str, along: Sequence[str]) -> str:
        """Return a name that is free in the zip file, even where case doesn't matter."""
        for name in self._names.free(shown(os.path.basename(source))):
            names = {key(each) for each in (name, *(beside(each, source, name) for each in along))}
            if names.isdisjoint(self._used):
                self._used |= names
                return name
        raise AssertionError("there is always another number")

    def _add(self, source: str, name: str) -> bool:
        """Write one file; returns whether it is completely there."""
        try:
            chunks = _chunks(source, self._checkpoint)
            first = next(chunks, b"")
            info = zipfile.ZipInfo.from_file(source, name, strict_timestamps=False)
        except (OSError, _Unreadable) as error:
            self.failed.append(ExportFailure(source, reason(error)))
            return False
        info.external_attr = (stat.S_IFREG | 0o644) << 16
        try:
            with self._zip.open(info, "w") as entry:
                entry.write(first)
                for chunk in chunks:
                    entry.write(chunk)
        except _Unreadable as error:
            self._drop(info)
            self.failed.append(ExportFailure(source, reason(error)))
            return False
        return True

    def _drop(self, info: zipfile.ZipInfo) -> None:
        """Forget an incomplete entry; its bytes stay, but nothing refers to them."""
        self._zip.filelist.remove(info)
        del self._zip.NameToInfo[info.filename]


def _chunks(source: str, checkpoint: Checkpoint) -> Iterator[bytes]:
    """Yield a file's content.  Raises _Unreadable."""
    try:
        with files.reading(source) as original:
            before = transfer.state(original)
            while chunk := original.read(transfer.CHUNK_BYTES):
                checkpoint()
                yield chunk
            if transfer.state(original) != before:
                raise transfer.Changed(source)
    except OSError as error:
        raise _Unreadable(reason(error)) from error


def _today() -> str:
    return datetime.datetime.now().date().isoformat()
