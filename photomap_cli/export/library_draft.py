"""Owns the draft in which a copied library is filled, inside its target folder, and moving it into place.

What makes a folder a library, the catalogue, leaves the draft last, in one step.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from photomap_cli import files, no_replace
from photomap_cli.errors import BadPath, LibraryBusy
from photomap_cli.export.failures import reason
from photomap_cli.library import backup
from photomap_cli.library.file_lock import FileLock
from photomap_cli.library.sqlite_errors import FILE_NAME

DRAFT_NAME = ".photomap-copy"
LOCK_NAME = "lock"
_MARK_NAME = "copy-of"


@contextmanager
def written(target: Path) -> Iterator[None]:
    """Turn errors of writing to the target into photomap's."""
    try:
        yield
    except backup.BackupFailed as error:
        raise _unwritable(target, str(error)) from error
    except OSError as error:
        raise _unwritable(target, reason(error)) from error


@contextmanager
def folder(target: Path) -> Iterator[None]:
    """Create the folder; what was created is removed if the block raises."""
    there = next(each for each in (target, *target.parents) if os.path.lexists(each))
    if not there.is_dir():
        what = "is a broken link" if there.is_symlink() and not there.exists() else "isn't a folder"
        raise BadPath(f"{there} {what}", hint="name a new folder, or an empty one")
    made = [each for each in (target, *target.parents) if not each.exists()]
    try:
        files.make_folder(target)
        yield
    except BaseException:
        for each in made:
            with suppress(OSError):  # someone else has put something there
                each.rmdir()
        raise


def require_empty(target: Path, *, but_for: Sequence[str]) -> None:
    """Raise BadPath if a folder holds anything but a draft and leftovers of a killed copy."""
    others = sorted(each.name for each in target.iterdir() if each.name not in {DRAFT_NAME, *but_for})
    if others:
        raise BadPath(f"{target} is not empty: {others[0]} is in it", hint="name a new folder, or an empty one")


@contextmanager
def draft_in(target: Path, *, of: str = "") -> Iterator[Path]:
    """Yield a draft inside the target that no other process fills: an empty folder, removed afterwards.

    With `of`, which identifies what is copied, the draft is kept if the block raises, and the next copy of the same
    continues it.
    """
    draft = target / DRAFT_NAME
    lock = FileLock(draft / LOCK_NAME)
    while not _is_locked(draft, lock, target):
        pass  # a copy that ended at this moment has removed it
    is_kept = False
    try:
        if not (of and _mark(draft) == of):
            _empty(draft)
            (draft / _MARK_NAME).write_text(of, encoding="utf-8")
        yield draft
    except BaseException:
        is_kept = bool(of) and (draft / FILE_NAME).exists()
        raise
    finally:
        if not is_kept:
            shutil.rmtree(draft, ignore_errors=True)
        lock.release()


def _mark(draft: Path) -> str:
    try:
        return (draft / _MARK_NAME).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def _empty(draft: Path) -> None:
    for each in draft.iterdir():
        if each.name != LOCK_NAME:
            shutil.rmtree(each) if each.is_dir() and not each.is_symlink() else each.unlink()


def _is_locked(draft: Path, lock: FileLock, target: Path) -> bool:
    """Create the draft and take its lock; returns whether it still exists then."""
    with suppress(FileExistsError):
        draft.mkdir(mode=0o700)
    if draft.is_symlink() or not draft.is_dir() or files.is_other(lock.path) or not _is_ours(draft):
        raise BadPath(f"{draft} is in the way", hint="remove it")
    try:
        is_free = lock.try_acquire()
    except FileNotFoundError:
        return False
    except OSError:  # the disk is full
        shutil.rmtree(draft, ignore_errors=True)
        lock.release()
        raise
    if not is_free:
        hint = "wait until it's done, or stop it"
        raise LibraryBusy(f"process {lock.holder() or 'unknown'} is copying to {target}", hint=hint)
    if lock.path.exists():
        return True
    lock.release()
    return False


def _is_ours(path: Path) -> bool:
    return not hasattr(os, "getuid") or path.stat().st_uid == os.getuid()


def put_in_place(draft: Path, target: Path, names: Sequence[str]) -> None:
    """Move everything out of the draft, the catalogue last.  Raises BadPath if another process was faster."""
    files.sync_folder(draft)
    there = [name for name in names if (draft / name).exists()]
    for name in there:
        (draft / name).replace(target / name)
    files.sync_folder(target)  # before the catalogue's is
    try:
        no_replace.rename(str(draft / FILE_NAME), str(target / FILE_NAME))
    except FileExistsError:  # made by another process meanwhile
        for name in there:
            (target / name).unlink(missing_ok=True)
        raise taken(target) from None
    files.sync_folder(target)


def taken(target: Path) -> BadPath:
    """Return the error for a target that is already a library."""
    return BadPath(f"{target} holds another library, or an older copy", hint="name a new folder, or move that one away")


def _unwritable(target: Path, why: str) -> BadPath:
    hint = "free some space there, or name another folder" if "full" in why else "name a folder that you may write to"
    return BadPath(f"nothing can be copied to {target}: {why}", hint=hint)
