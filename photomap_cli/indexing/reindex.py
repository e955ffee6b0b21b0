"""Owns encoding a library anew: in a draft inside its folder, which takes the library's place at once when it is whole.

The old vectors answer until then.  The draft is a library like any other, so what an interruption leaves of it is gone
on with.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self

from photomap_cli.errors import BadPath, EmptyLibrary, LibraryFormat, LibraryUnusable
from photomap_cli.indexing import unmounted
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
    """A draft that an interruption left: its encoder's spec, and how many photos it has."""

    spec: str
    photos: int


def unfinished(folder: Path) -> Unfinished | None:
    """Return what was begun of encoding the library in `folder` anew; None where nothing was.

    Nor is what has taken the library's place already and only was not taken away: it has the library's id.
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
    """Encoding the library in a folder anew; a context manager, and the library's only writer as long as it is open.

    Fill the library in the folder `draft`, made after `begin`, with the photos below `roots`; then `finish`.
    Raises LibraryBusy while another process indexes; EmptyLibrary where there is nothing to encode anew.
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
        """The encoder that made the library's vectors; None before the first."""
        return self._library.spec

    @property
    def has_other_format(self) -> bool:
        """Whether the library is one that this version of photomap cannot read."""
        return isinstance(self._library, OtherFormatLibrary)

    def roots(self, more: Sequence[Path] = ()) -> list[Path]:
        """Return what to encode: the library's roots that are there now, and `more`; nothing where it has no roots.

        Raises BadPath where that is nothing and was something, or may have been: another folder is not meant then.
        """
        roots = self._library.roots()
        there = [*(Path(root) for root in roots if os.path.lexists(root)), *more]
        if not there and (roots or self.has_other_format):
            reason = f"not there: {', '.join(roots)}" if roots else "the library does not say what was indexed"
            raise BadPath(reason, hint="name the folders: `photomap index --rebuild FOLDER`")
        return there

    def goes_on(self, spec: str) -> bool:
        """Whether there is a draft by this encoder, which has not taken the library's place yet."""
        begun = unfinished(self._folder)
        return begun is not None and begun.spec == spec

    def begin(self, spec: str) -> None:
        """Take away what another encoder, or a finished rebuild, has left."""
        if not self.goes_on(spec):
            self._discard()

    def finish(self, *, prune: bool = False) -> str:
        """Have the draft take the library's place, in one transaction; return what there is to say of it: nothing.

        Raises:
            BadPath: photos are missing as they are when a disk is not mounted, or are in a folder that cannot be read,
                and `prune` does not give them up.
            EmptyLibrary: none of the photos could be encoded.
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
        for name in _DERIVED:  # of the same rows and the same id, and of the same weights
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
    """Raise EmptyLibrary where none of the photos could be encoded."""
    if not draft.photo_count:
        raise EmptyLibrary("no photo could be encoded; the library is unchanged", hint="--errors lists them")


def require_in_sight(roots: Sequence[str], gone: Sequence[str], *, has_paths: bool = True) -> None:
    """Raise BadPath if photos are not in a draft because their disk may be missing.

    Args:
        roots: the library's, as far as this computer has them.
        gone: the paths of its photos that the draft has not.
        has_paths: whether it says where its photos were.
    """
    for root in roots:
        below = root.rstrip(os.sep) + os.sep
        inside = [path for path in gone if (path + os.sep).startswith(below)]
        is_absent = not os.path.lexists(root) and (inside or not has_paths)
        absent = [unmounted.absent(root, len(inside))] if is_absent else []
        for each in absent or [*unmounted.empty_folders(inside, roots), *unmounted.unreadable_folders(inside)]:
            raise BadPath(
                f"{each.path}: {each.reason}; the library is unchanged",
                hint="mount the disk or make it readable, then run the command again; nothing is encoded twice",
            )
