"""Owns copying a library to or from an address, photo by photo; `library_copy` copies from folder to folder.

A folder is filled by way of a draft, which is kept if the copy is interrupted; the next copy continues it.  At an
address, everyone sees each batch at once, and it is kept as well.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from photomap_cli.errors import EmptyLibrary
from photomap_cli.export.library_draft import draft_in, folder, put_in_place, require_empty, taken, written
from photomap_cli.export.photo_copy import PhotoCopy
from photomap_cli.library import backup, database, user_data
from photomap_cli.library.entities import STORED
from photomap_cli.records.copies import CopyReport

if TYPE_CHECKING:
    from photomap_cli.library.store import Library

    Progress = Callable[[int, int], None]


def copy_to_address(
    source: Library,
    target: Library,
    names: tuple[str, str],
    on_progress: Progress,
    *,
    caches: Sequence[str] = (),
    clock: Callable[[], float] = time.monotonic,
) -> CopyReport:
    """Copy an open library into one at an address; photos that the target already has stay.

    Args:
        source, target: open.
        names: of the two, for messages.
        on_progress: called with (done, total) photos.
        caches: names of derived SQLite files, which are copied if the target has none.
        clock: in seconds.

    Raises EmptyLibrary for a library that has never had a photo; EncoderMismatch, BadPath as `PhotoCopy` does.
    """
    began = clock()
    encoder = source.facts.encoder
    if encoder is None:
        raise EmptyLibrary(f"{names[0]} has no photos to copy", hint="photomap index ~/Pictures")
    photos, were_there = PhotoCopy(source, target, on_progress).run()
    _copy_caches(source.facts.folder, target.facts.folder, caches)
    size = (photos - were_there) * encoder.dim * STORED.itemsize
    return _report(names, target, size, was_there=photos == were_there, seconds=clock() - began)


def copy_to_folder(
    source: Library,
    target: Path,
    names: tuple[str, str],
    open_library: Callable[[Path], Library],
    on_progress: Progress,
    *,
    caches: Sequence[str] = (),
    clock: Callable[[], float] = time.monotonic,
) -> CopyReport:
    """Copy an open library to a new folder, which is a library only once all photos are there.

    Args:
        source: open.
        target: absolute; missing, empty, or an earlier copy of the same library.
        names: of the two, for messages.
        open_library: opens the library in a folder, and creates it if there is none.
        on_progress: called with (done, total) photos.
        caches: names of derived SQLite files.
        clock: in seconds.

    Raises BadPath if the target has other content; LibraryBusy while another process copies there.
    """
    began = clock()
    with written(target), folder(target), draft_in(target, of=source.facts.library_id) as draft:
        if database.library_exists(target):
            with open_library(target) as there:
                if not PhotoCopy(source, there, on_progress).is_done():
                    raise taken(target)
                return _report(names, there, 0, was_there=True, seconds=clock() - began)
        require_empty(target, but_for=())
        with open_library(draft) as copy:
            PhotoCopy(source, copy, on_progress).run()
        _copy_caches(source.facts.folder, draft, caches)
        put_in_place(draft, target, [user_data.FILE_NAME, *caches])
        size = sum(each.stat().st_size for each in target.iterdir() if each.is_file())
        with open_library(target) as there:
            return _report(names, there, size, was_there=False, seconds=clock() - began)


def _copy_caches(source: Path, target: Path, names: Sequence[str]) -> None:
    for name in names:
        if not (target / name).exists():
            backup.back_up_cache(source / name, target / name)


def _report(names: tuple[str, str], target: Library, size: int, *, was_there: bool, seconds: float) -> CopyReport:
    return CopyReport(
        *names,
        photos=target.facts.photo_count,
        albums=len(user_data.albums(target.facts.folder)),
        searches=len(user_data.searches(target.facts.folder)),
        bytes=size,
        was_there=was_there,
        elapsed_ms=seconds * 1000,
    )
