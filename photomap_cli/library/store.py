"""Owns the interface of a library, whatever stores it.  Protocols only.

A filter stays a value until it reaches a `Facts` or a `Searches`, which translates it for its engine.
Filters are as `Scope.within` returns them: folders as the library writes paths; an album by its name, in any case.

A photo's number is its row: any int64, which identifies the photo as long as `library_id` is the same.  All paths are
those of this machine.  Anything that can't be reached, read or written raises LibraryUnusable or LibraryBusy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, Self, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from photomap_cli.library.entities import (
        FileMark,
        FileState,
        FoundAgain,
        FoundFile,
        LibraryEncoder,
        NewPhoto,
        PhotoContent,
        SeenFile,
    )
    from photomap_cli.records import (
        EncoderInfo,
        Facets,
        IndexNote,
        LibraryStatus,
        Photo,
        PhotoDetails,
        PhotoFilter,
    )

    Found = tuple[NDArray[np.int64], NDArray[np.float32]]
    """Rows and their cosines, best first."""

_T = TypeVar("_T")


def _never() -> None:
    """Let everything go on."""


class Contents(Protocol):
    """Photos by the bytes of their files.  Any thread may use it."""

    def photos(self, size_bytes: int, content_hash: bytes) -> dict[int, FileState]:
        """Return the photos whose files had these bytes, by row, in that order."""

    def photo(self, size_bytes: int, content_hash: bytes, row: int | None = None) -> tuple[int, FileState] | None:
        """Return the first photo whose file had these bytes, or the one of a row if its file had them; else None."""

    def at(self, paths: Iterable[str]) -> dict[str, PhotoContent]:
        """Return what is known about the photos at these absolute paths, by path; paths without one are left out."""

    def copies_of(self, rows: NDArray[np.int64]) -> list[list[int]]:
        """Return the sets of two or more photos with the same bytes that include one of these; each sorted."""


class Facts(Protocol):
    """The content of a library.  Any thread may use it."""

    @property
    def folder(self) -> Path:
        """The folder of this user's own files about the library: albums, caches, thumbnails, probes.  There."""

    @property
    def library_id(self) -> str:
        """Identifies this numbering of rows: files derived from another one are useless here."""

    @property
    def vectors_id(self) -> str:
        """Identifies these rows with these vectors: files derived from other vectors are useless here."""

    @property
    def encoder(self) -> LibraryEncoder | None:
        """The encoder that made the vectors; None if there are none."""

    @property
    def photo_count(self) -> int:
        """The number of photos; read before each search."""

    @property
    def contents(self) -> Contents:
        """Photos by the bytes of their files."""

    def of_one_numbering(self, work: Callable[[], _T]) -> _T:
        """Return the result of some work, which is repeated if rows were renumbered meanwhile."""

    def roots(self) -> tuple[str, ...]:
        """Return the absolute paths that were indexed, sorted."""

    def photos(self, rows: Sequence[int] | NDArray[np.int64]) -> list[Photo]:
        """Return the photos of these rows, in order; rows that are gone are left out."""

    def photo_at(self, path: str) -> Photo | None:
        """Return the photo at this absolute path, if the library has it."""

    def details(self, path: str) -> PhotoDetails | None:
        """Return all that is known about the photo at this absolute path, if the library has it."""

    def has_photos(self, path: str) -> bool:
        """Return whether there is a photo at or below an absolute path."""

    def spelled(self, path: str) -> str:
        """Return how the library's paths spell this one, which needn't be on a disk now; itself if none does."""

    def vectors(self, rows: Sequence[int]) -> dict[int, NDArray[np.float32]]:
        """Return the vectors of these rows, each (dim,) of unit length; rows that are gone are left out."""

    def sides(self, rows: Sequence[int]) -> dict[int, NDArray[np.float32]]:
        """Return the side vectors of those of these photos that are panoramas, each (2, dim)."""

    def stored_vectors(self, rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.float16]]:
        """Return those of these rows, sorted, that are not gone, and their vectors in half precision, (n, dim)."""

    def count(self, within: Sequence[PhotoFilter] = (), checkpoint: Callable[[], None] = _never) -> int:
        """Return how many photos meet all filters.  An exception from `checkpoint` ends the call."""

    def rows(self, within: Sequence[PhotoFilter] = (), *, checkpoint: Callable[[], None] = _never) -> NDArray[np.int64]:
        """Return the rows of the photos that meet all filters, sorted, read-only.

        Raises TooManyPhotos if they are too many to list here; BadQuery for an unknown album.
        """

    def spread(
        self, within: Sequence[PhotoFilter] = (), *, checkpoint: Callable[[], None] = _never
    ) -> tuple[NDArray[np.int64], int]:
        """Return rows of photos that meet all filters, sorted, and how many photos do.

        They are all such photos, or a fixed sample, spread evenly, if reading the vectors of all takes too long.
        """

    def newest(
        self,
        within: Sequence[PhotoFilter] = (),
        *,
        limit: int,
        behind: tuple[str, int] | None = None,
        checkpoint: Callable[[], None] = _never,
    ) -> list[Photo]:
        """Return up to `limit` photos that meet all filters, latest `dated_at` first, then higher rows first.

        `behind` is `dated_at` and row of the photo before them.
        """

    def files_of(self, rows: Sequence[int]) -> dict[int, SeenFile]:
        """Return the files of these photos, by row; rows that are gone are left out."""

    def files_in_pieces(self) -> Iterator[dict[str, SeenFile]]:
        """Yield the files of all photos, by path, a few thousand at a time; each piece is its own snapshot."""

    def rows_like(self, file: FoundFile) -> list[int]:
        """Return the rows of photos whose files have this size and time of change."""

    def facets(self) -> Facets:
        """Return the values that filters can have, with their numbers of photos."""

    def status(self) -> LibraryStatus:
        """Return where the library is, how much is in it, and its size as far as known."""


class Searches(Protocol):
    """Searches a library's vectors, as of the last `refresh`.  Any thread may use it."""

    def refresh(self) -> None:
        """Pick up what any process has committed since last time; cheap if that is nothing."""

    def search(
        self,
        vector: NDArray[np.float32],
        k: int,
        within: Sequence[PhotoFilter] = (),
        *,
        exact: bool = False,
        checkpoint: Callable[[], None] = _never,
    ) -> Found:
        """Return the k best photos for a vector, (dim,) of unit length, among those that meet all filters.

        The best come first, among equals the lower row; fewer than k if there are no more.  Of a panorama's
        vectors the best counts.  `exact` scores every vector.  An exception from `checkpoint` ends it before the scan.
        """

    def sample(self, most: int) -> NDArray[np.float32]:
        """Return vectors of a fixed sample of up to `most` photos, spread evenly over the library, (n, dim).

        Must take far less than 0.1 s, as each search with an encoder without a score floor uses it.
        """

    def compress_behind(self) -> None:
        """Do on another thread what makes later searches faster, if that is due; closing cancels it."""

    def drain_notices(self) -> list[str]:
        """Return notices for the user since the last call."""

    def warm_up(self) -> None:
        """Import what searches need, so that the first one needn't wait."""


class Runs(Protocol):
    """A library's record of index runs.  Any thread may use it.

    A library that several machines write to may keep `refused` and `rules` for this machine only, in `folder`.
    """

    def begin(self, roots: Iterable[str], now: datetime) -> None:
        """Record that a run over these paths has begun; it counts as unfinished until `end`."""

    def end(self, roots: Sequence[str], refused: Iterable[FoundFile], takes: Callable[[str], bool]) -> None:
        """Record that a run has finished, and which files below these paths it couldn't read.

        Files that it doesn't take keep their record of earlier runs.
        """

    def unfinished(self) -> tuple[str, ...]:
        """Return the paths whose last run didn't finish, sorted."""

    def note_rules(self, roots: Iterable[str], exclude: Sequence[str], *, hidden: bool) -> None:
        """Record what a run over these paths left out, for later looks without options."""

    def rules(self, root: str) -> tuple[tuple[str, ...], bool] | None:
        """Return what the last run over this very path left out: patterns, and whether it included hidden files."""

    def was_refused(self, file: FoundFile) -> bool:
        """Return whether the last run couldn't read this file, which hasn't changed since."""


class Notes(Protocol):
    """A library's notes on files rather than photos.  Any thread may use it."""

    def damaged(self, root: str) -> list[IndexNote]:
        """Return the photos at or below an absolute path whose files are damaged, and in what way, by path."""

    def others(self, root: str) -> dict[str, FileMark]:
        """Return the files at or below an absolute path that were examined and aren't photos, by path.

        One that was forgotten is examined again.
        """

    def note_others(self, learned: Mapping[str, FileMark], outdated: Iterable[str]) -> None:
        """Record files that aren't photos, and forget others."""


class Writes(Facts, Protocol):
    """What an index run reads from and writes to a library; it sees its own writes.  Any thread may use it."""

    @property
    def runs(self) -> Runs:
        """The record of index runs."""

    @property
    def file_notes(self) -> Notes:
        """The notes on files."""

    def require_roots(self, paths: Iterable[str]) -> None:
        """Raise BadPath for an absolute path that can't be in the library."""

    def change_roots(self, added: Iterable[str], forgotten: Iterable[str] = ()) -> None:
        """Record some paths as indexed, and others as no longer indexed; the rest stay."""

    def seen_files(self, root: str) -> dict[str, SeenFile]:
        """Return the files of the photos at or below an absolute path, by path."""

    def count_below(self, folder: str) -> int:
        """Return how many photos are at or below an absolute path."""

    def known_sizes(self, sizes: Iterable[int]) -> set[int]:
        """Return those of these sizes in bytes that some photo has."""

    def copy(self, row: int, file: FoundFile) -> NewPhoto:
        """Return the photo to add for a file with the same bytes as another, including vectors.

        Raises KeyError if the row is gone.
        """

    def whole_photos(self, rows: Sequence[int]) -> list[NewPhoto]:
        """Return photos with all that is known about them, including vectors; rows that are gone are left out."""

    def commit_batch(
        self, added: Sequence[NewPhoto], removed_rows: Iterable[int] = (), found_again: Iterable[FoundAgain] = ()
    ) -> object:
        """Add, remove and rename photos.  A path that is already in the library is replaced: its old row is dropped.

        Once it returns, no crash of any machine loses it.  If it raises, the same call may be repeated, and
        no photo will be in the library twice.
        """

    def note_signs(self, files: Iterable[FoundAgain]) -> None:
        """Record the ctime and inode of unchanged files."""

    def touch_indexed(self, now: datetime) -> None:
        """Record when the library was last brought up to date; `now` has a time zone."""


class Library(Protocol):
    """An open library; a context manager.  `open_library` opens one, and no caller knows which kind it got."""

    @property
    def is_shared(self) -> bool:
        """Whether other computers write to it too, so that its content may be theirs."""

    @property
    def facts(self) -> Facts:
        """Its content."""

    @property
    def searches(self) -> Searches:
        """The search over it."""

    @property
    def writes(self) -> Writes:
        """The interface for index runs."""

    def only_writer(self) -> AbstractContextManager[None]:
        """Keep other index runs out in the block, if the library has a single writer; raises LibraryBusy."""

    def begin(self, info: EncoderInfo) -> None:
        """Record the loaded encoder as the one that makes the vectors, or check that it is.

        Never removes what another machine has begun.  Raises EncoderMismatch if the vectors are another encoder's.
        """

    def start_over(self) -> None:
        """Remove every photo and the encoder; the roots stay.  For a rebuild's draft whose weights have changed."""

    def shrink(self) -> None:
        """Reclaim the space of deleted photos, within `only_writer`; does nothing if the engine takes care of it."""

    def upkeep(self) -> Iterator[tuple[int, int]]:
        """Prepare the library for fast searches after a run, yielding (rows done, rows in all); may do nothing too."""

    def while_waiting(self, tell: Callable[[str], None]) -> None:
        """Call `tell` at once with what an index run waits for, such as a server that is gone."""

    def close(self) -> None:
        """Close it; safe to call twice."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *exc: object) -> None: ...
