"""Owns an export: photos into a folder under free names, one at a time, and its report."""

# Paths are text here, as the library has them.
# ruff: noqa: PTH108, PTH113, PTH114, PTH116, PTH118, PTH119, PTH120, PTH121, PTH202

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from photomap_cli import files
from photomap_cli.export import archive, transfer
from photomap_cli.export.failures import NO_ROOM, Cancelled, reason, require_photo
from photomap_cli.export.folder import prepared
from photomap_cli.export.names import Names, beside, has_company, parts_beside, sidecars
from photomap_cli.library.file_identity import digest_at
from photomap_cli.records.export import Exported, ExportFailure, ExportMode, ExportReport


def export(
    paths: Sequence[str],
    folder: Path,
    how: ExportMode,
    *,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
    on_done: Callable[[Exported], None] = lambda exported: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> ExportReport:
    """Export photos to a folder.  Nothing is overwritten, and a photo is there completely or not at all.

    A name that is taken gets a number: `a (2).jpg`.  XMP sidecars go along, and in a move the RAW file of a
    picture.  A photo that an earlier export brought
    there in the same way already exists.  Whatever ends it, even `kill -9`, every original is intact, where it was or
    where it belongs.

    Args:
        paths: absolute, of the photos.
        folder: absolute; created if missing.  For `ZIP` the file to create, or the folder for it.
        how: see `ExportMode`.
        on_progress: called with (done, total) photos.
        on_done: called at once with each exported photo, so that a move can be recorded.
        cancelled: called repeatedly, even during a large file; finished photos stay.

    Raises:
        BadPath: the folder can't be created or written to.
    """

    def checkpoint() -> None:
        if cancelled():
            raise Cancelled

    wanted = list(dict.fromkeys(paths))
    if how is ExportMode.ZIP:
        return archive.pack(wanted, str(folder), on_progress=on_progress, checkpoint=checkpoint)
    run = _Export(prepared(str(folder)), how, on_done, checkpoint)
    is_cancelled = False
    try:
        for path in wanted:
            on_progress(run.taken, len(wanted))
            checkpoint()
            if not run.take(path):
                break
        on_progress(run.taken, len(wanted))
    except Cancelled:
        is_cancelled = True
    files.sync_folder(folder)
    return run.report(left=len(wanted) - run.taken, is_cancelled=is_cancelled)


class _Export:
    """The state of an export: the finished photos, and exporting the next one."""

    def __init__(
        self, folder: str, how: ExportMode, on_done: Callable[[Exported], None], checkpoint: Callable[[], None]
    ) -> None:
        self._folder, self._how, self._on_done, self._checkpoint = folder, how, on_done, checkpoint
        self._names = Names(folder)
        self._done: list[Exported] = []
        self._there: list[str] = []
        self._failed: list[ExportFailure] = []
        self._new = set[str]()  # what this export has created
        self._sidecars = self._copied_instead = 0
        self.taken = 0

    def report(self, *, left: int, is_cancelled: bool) -> ExportReport:
        """Return what was done."""
        return ExportReport(
            how=self._how,
            folder=self._folder,
            done=tuple(self._done),
            there=tuple(self._there),
            failed=tuple(self._failed),
            sidecars=self._sidecars,
            copied_instead=self._copied_instead,
            left=left,
            is_cancelled=is_cancelled,
        )

    def take(self, source: str) -> bool:
        """Export a photo, or note why not; returns whether it makes sense to go on."""
        try:
            require_photo(source)
            along = [*sidecars(source), *(parts_beside(source) if self._how is ExportMode.MOVE else ())]
            target, is_new = self._placed(source, along)
        except (OSError, ValueError) as error:
            self._failed.append(ExportFailure(source, reason(error)))
            self.taken += 1
            return getattr(error, "errno", None) not in NO_ROOM
        self.taken += 1
        if is_new:
            self._new.add(target)
            self._done.append(exported := Exported(source, target))
            self._on_done(exported)
        else:
            self._there.append(source)
            along = [each for each in along if not os.path.lexists(beside(each, source, target))]
        return all(self._take_along(each, source, target, along) for each in along)

    def _placed(self, source: str, along: Sequence[str]) -> tuple[str, bool]:
        """Export a photo under the first free name; return its path, and whether it wasn't there before."""
        for name in self._names.free(os.path.basename(source)):
            target = os.path.join(self._folder, name)
            if os.path.lexists(target):
                if self._is_there(source, target):
                    return target, False
            elif all(_is_free(each, beside(each, source, target)) for each in along):
                try:
                    self._bring(source, target)
                except FileExistsError:  # another process was faster
                    continue
                return target, True
        raise AssertionError("there is always another number")

    def _take_along(self, sidecar: str, source: str, target: str, along: Sequence[str]) -> bool:
        """Export a sidecar to where its photo is now; returns whether it makes sense to go on."""
        place = beside(sidecar, source, target)
        is_moved = self._how is ExportMode.MOVE and not has_company(sidecar, source, along)
        try:
            if not os.path.lexists(place):
                if self._how is ExportMode.MOVE and not is_moved:
                    transfer.copy(sidecar, place, self._checkpoint)
                else:
                    self._bring(sidecar, place)
            elif not _is_alike(sidecar, place):
                raise FileExistsError(errno.EEXIST, "another file has its name there", sidecar)
            elif is_moved:
                os.unlink(sidecar)
        except OSError as error:
            self._failed.append(ExportFailure(sidecar, reason(error)))
            return error.errno not in NO_ROOM
        self._sidecars += 1
        return True

    def _bring(self, source: str, target: str) -> None:
        match self._how:
            case ExportMode.LINK:
                transfer.link(source, target)
            case ExportMode.HARDLINK:
                transfer.hard_link(source, target)
            case ExportMode.REFLINK:
                self._copied_instead += not transfer.reflink(source, target, self._checkpoint)
            case ExportMode.MOVE:
                transfer.move(source, target, self._checkpoint)
            case _:
                transfer.copy(source, target, self._checkpoint)

    def _is_there(self, source: str, target: str) -> bool:
        """Return whether the file with a photo's name is what this export would create, or the photo itself."""
        if target in self._new:
            return False
        if self._how is ExportMode.LINK:
            return _is_same_file(source, target)
        if os.path.islink(target) or not os.path.isfile(target):
            return False
        if self._how is ExportMode.MOVE:
            return _is_same_file(os.path.dirname(source), self._folder) and _is_same_file(source, target)
        if self._how is ExportMode.HARDLINK or _is_same_file(source, target):
            return _is_same_file(source, target)
        return _times(source) == _times(target) and _is_alike(source, target)


def _is_free(sidecar: str, place: str) -> bool:
    """Return whether a sidecar may go to a path: it is free, or has a file with the same bytes."""
    return not os.path.lexists(place) or _is_alike(sidecar, place)


def _is_same_file(one: str, other: str) -> bool:
    try:
        return os.path.samefile(one, other)
    except OSError:
        return False


def _times(path: str) -> int:
    return os.stat(path).st_mtime_ns


def _is_alike(one: str, other: str) -> bool:
    """Return whether two files, the second not a link, have the same bytes."""
    try:
        is_likely = not os.path.islink(other) and os.path.getsize(one) == os.path.getsize(other)
    except OSError:
        return False
    return is_likely and (digest := digest_at(one)) is not None and digest == digest_at(other)
