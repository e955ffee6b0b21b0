"""Owns copying a library to or from an address, photo by photo; from folder to folder is `library_copy`'s.

A folder's is filled in a draft, as there, but one that stays where it is interrupted: the next copy goes on in it.
At an address every batch is there at once, for everybody, and stays as well.
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
    """Copy an open library into another one at an address; photos that are there already, and others, stay.

    Args:
        source, target: open.
        names: what people call the two.
        on_progress: called with (done, total) photos.
        caches: names of SQLite's files that can be made again; they come along where the target has none.
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
        target: absolute; made, or empty, or such a copy already.
        names: what people call the two.
        open_library: opens the library in a folder, made if there is none.
        on_progress: called with (done, total) photos.
        caches: names of SQLite's files that can be made again.
        clock: in seconds.

    Raises BadPath where the target is no place for a copy; LibraryBusy while another process copies there.
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
