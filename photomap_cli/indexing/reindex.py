"""Owns rebuilding a library: in a draft inside its folder, which replaces the library in one step when complete.

Until then searches use the old vectors.  The draft is a normal library, so an interrupted rebuild can be
continued.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self

from photomap_cli.errors import BadPath, EmptyLibrary, LibraryFormat, LibraryUnusable
from photomap_cli.indexing import unmounted_disks
from photomap_cli.library.catalog import Catalog
from photomap_cli.library.entities import IMAGE_PROBES_NAME, PROBES_NAME
from photomap_cli.library.file_lock import only_writer
from photomap_cli.library.other_format import OtherFormatLibrary
from photomap_cli.vectors.store import FILES, VectorStore

if TYPE_CHECKING:
    from photomap_cli.library.store import Facts

FOLDER_NAME = "rebuild"
_DERIVED = (*FILES, PROBES_NAME, IMAGE_PROBES_NAME)


class Unfinished(NamedTuple):
    """An interrupted draft: its encoder's spec, and how many photos it has."""

    spec: str
    photos: int


def unfinished(folder: Path) -> Unfinished | None:
    """Return the unfinished rebuild of the library in `folder`; None if there is none.

    A draft that has already replaced the library and only wasn't deleted doesn't count: it has the library's id.
    """
    with suppress(EmptyLibrary, LibraryFormat), Catalog.open(folder / FOLDER_NAME) as begun:
        with closing(_open(folder)) as library:
            library_id = library.library_id
        encoder = begun.encoder
        if encoder is not None and begun.library_id != library_id:
            return Unfinished(encoder.spec, begun.photo_count)
    return None


def _open(folder: Path) -> Catalog | OtherFormatLibrary:
    try:
        return Catalog.open(folder)
    except LibraryFormat:
        return OtherFormatLibrary.open(folder)


class Reindex:
    """A rebuild of the library in a folder; a context manager, and the library's only writer while it is open.

    Fill the library in the folder `draft`, created by `begin`, with the photos below `roots`; then `finish`.
    Raises LibraryBusy while another process indexes; EmptyLibrary if there is nothing to rebuild.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self.draft = folder, folder / FOLDER_NAME
        self._opened = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as opened:
            self._library = opened.enter_context(closing(_open(self._folder)))
            opened.enter_context(only_writer(self._folder))
            self._opened = opened.pop_all()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._opened.close()

    @property
    def spec(self) -> str | None:
        """The spec of the encoder that made the library's vectors; None if there are none."""
        return self._library.spec

    @property
    def has_other_format(self) -> bool:
        """Whether this version of photomap can't read the library."""
        return isinstance(self._library, OtherFormatLibrary)

    def roots(self, more: Sequence[Path] = ()) -> list[Path]:
        """Return what to encode: the library's existing roots, and `more`; empty if it has no roots.

        Raises BadPath if none of its roots exists now, so that no other folder is encoded instead.
        """
        roots = self._library.roots()
        there = [*(Path(root) for root in roots if os.path.lexists(root)), *more]
        if not there and (roots or self.has_other_format):
            reason = f"not there: {', '.join(roots)}" if roots else "the library does not say what was indexed"
            raise BadPath(reason, hint="name the folders: `photomap index --rebuild FOLDER`")
        return there

    def goes_on(self, spec: str) -> bool:
        """Return whether there is an unfinished draft by this encoder."""
        begun = unfinished(self._folder)
        return begun is not None and begun.spec == spec

    def begin(self, spec: str) -> None:
        """Remove a draft of another encoder or of a finished rebuild."""
        if not self.goes_on(spec):
            self._discard()

    def finish(self, *, prune: bool = False) -> str:
        """Replace the library by the draft, in one transaction; return an empty text, as nothing is left to do.

        Raises:
            BadPath: photos seem to be on an unmounted disk, or are in a folder that can't be read,
                and `prune` isn't set.
            EmptyLibrary: no photo could be encoded.
        """
        with Catalog.open(self.draft) as draft:
            require_photos(draft)
            if not prune:
                paths, encoded = self._library.paths(), set(draft.paths())
                gone = [path for path in paths if path not in encoded]
                require_in_sight(self._library.roots(), gone, has_paths=bool(paths))
        self._library.replace_by(self.draft)
        with Catalog.open(self._folder) as catalog, VectorStore(self._folder, catalog) as vectors:
            vectors.reset()
        for name in _DERIVED:  # with the same rows, id and weights
            with suppress(OSError):
                (self.draft / name).replace(self._folder / name)
        self._discard()
        return ""

    def _discard(self) -> None:
        try:
            if self.draft.exists():
                shutil.rmtree(self.draft)
        except OSError as error:
            raise LibraryUnusable(
                f"{self.draft} cannot be removed: {error.strerror or error}", hint="remove it"
            ) from error


def require_photos(draft: Facts) -> None:
    """Raise EmptyLibrary if none of the photos could be encoded."""
    if not draft.photo_count:
        raise EmptyLibrary("no photo could be encoded; the library is unchanged", hint="--errors lists them")


def require_in_sight(roots: Sequence[str], gone: Sequence[str], *, has_paths: bool = True) -> None:
    """Raise BadPath if photos are not in a draft because their disk may be missing.

    Args:
        roots: those of the library that this computer has.
        gone: the paths of its photos that aren't in the draft.
        has_paths: whether the library's paths could be read.
    """
    for root in roots:
        below = root.rstrip(os.sep) + os.sep
        inside = [path for path in gone if (path + os.sep).startswith(below)]
        is_absent = not os.path.lexists(root) and (inside or not has_paths)
        absent = [unmounted_disks.absent(root, len(inside))] if is_absent else []
        for each in absent or [
            *unmounted_disks.empty_folders(inside, roots),
            *unmounted_disks.unreadable_folders(inside),
        ]:
            raise BadPath(
                f"{each.path}: {each.reason}; the library is unchanged",
                hint="mount the disk or make it readable, then run the command again; nothing is encoded twice",
            )
