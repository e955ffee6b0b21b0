"""Owns what the rest of photomap asks of a library, whatever keeps it.  Protocols alone: nothing here does anything.

A filter stays a value until it comes to a `Facts` or a `Searches`, which turns it into what its engine understands.
Filters are as `Scope.within` returns them: folders as the library writes paths; an album by its name, in any case.

A photo's number is its row: any int64, which stands for one photo as long as `library_id` is the same.  All paths are
those of this machine.  Whatever cannot be reached, read or written raises a LibraryUnusable or a LibraryBusy.
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
    """Rows and their cosines, the best first."""

_T = TypeVar("_T")


def _never() -> None:
    """Let everything go on."""


class Contents(Protocol):
    """What is known of the bytes of photos' files.  Any thread may ask."""

    def photos(self, size_bytes: int, content_hash: bytes) -> dict[int, FileState]:
        """Return the photos whose files had these bytes, by row, in that order."""

    def photo(self, size_bytes: int, content_hash: bytes, row: int | None = None) -> tuple[int, FileState] | None:
        """Return the first photo whose file had these bytes, or the one of a row if its file had; None for none."""

    def at(self, paths: Iterable[str]) -> dict[str, PhotoContent]:
        """Return what is known of the photos at some absolute paths, by path; a path without one is left out."""

    def copies_of(self, rows: NDArray[np.int64]) -> list[list[int]]:
        """Return the sets of two or more photos of the same bytes that have one of these among them; each sorted."""


class Facts(Protocol):
    """What there is in a library.  Any thread may ask."""

    @property
    def folder(self) -> Path:
        """The folder of this user's own files about the library: albums, caches, thumbnails, probes.  There."""

    @property
    def library_id(self) -> str:
        """The name of this set of rows: files derived from another one are of no use here."""

    @property
    def vectors_id(self) -> str:
        """The name of this set of rows with these vectors: what is derived from other vectors is of no use here."""

    @property
    def encoder(self) -> LibraryEncoder | None:
        """The encoder that made the vectors; None before the first."""

    @property
    def photo_count(self) -> int:
        """How many photos there are; asked before each search."""

    @property
    def contents(self) -> Contents:
        """What is known of the bytes of photos' files."""

    def of_one_numbering(self, work: Callable[[], _T]) -> _T:
        """Return what some work finds, done again where rows have become other photos' meanwhile."""

    def roots(self) -> tuple[str, ...]:
        """Return the absolute paths that were indexed, sorted."""

    def photos(self, rows: Sequence[int] | NDArray[np.int64]) -> list[Photo]:
        """Return the photos of these rows in their order; rows that are gone are left out."""

    def photo_at(self, path: str) -> Photo | None:
        """Return the photo at this absolute path, if the library has it."""

    def details(self, path: str) -> PhotoDetails | None:
        """Return all there is to say of the photo at this absolute path, if the library has it."""

    def has_photos(self, path: str) -> bool:
        """Whether there is a photo at or below an absolute path."""

    def spelled(self, path: str) -> str:
        """Return how the library's paths spell this one, which need not be on a disk now; itself if none does."""

    def vectors(self, rows: Sequence[int]) -> dict[int, NDArray[np.float32]]:
        """Return the vectors of these rows, each (dim,) of unit length; rows that are gone are left out."""

    def sides(self, rows: Sequence[int]) -> dict[int, NDArray[np.float32]]:
        """Return the vectors of the sides of those of these photos that are panoramas, each (2, dim)."""

    def stored_vectors(self, rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.float16]]:
        """Return those of these rows, sorted, that are not gone, and their vectors in half precision, (n, dim)."""

    def count(self, within: Sequence[PhotoFilter] = (), checkpoint: Callable[[], None] = _never) -> int:
        """Return how many photos meet all filters.  What `checkpoint` raises ends the reading."""

    def rows(self, within: Sequence[PhotoFilter] = (), *, checkpoint: Callable[[], None] = _never) -> NDArray[np.int64]:
        """Return the rows of the photos that meet all filters, sorted, read-only.

        Raises TooManyPhotos where they are more than can be listed here; BadQuery for an album there is not.
        """

    def spread(
        self, within: Sequence[PhotoFilter] = (), *, checkpoint: Callable[[], None] = _never
    ) -> tuple[NDArray[np.int64], int]:
        """Return rows of photos that meet all filters, sorted, and how many photos do.

        They are all of them, or always the same ones, spread evenly, where reading the vectors of all takes too long.
        """

    def newest(
        self,
        within: Sequence[PhotoFilter] = (),
        *,
        limit: int,
        behind: tuple[str, int] | None = None,
        checkpoint: Callable[[], None] = _never,
    ) -> list[Photo]:
        """Return the photos that meet all filters, the latest `dated_at` first, then the higher row; `limit` or fewer.

        `behind` is `dated_at` and row of the last one before them.
        """

    def files_of(self, rows: Sequence[int]) -> dict[int, SeenFile]:
        """Return the files of these photos, by row; rows that are gone are left out."""

    def files_in_pieces(self) -> Iterator[dict[str, SeenFile]]:
        """Yield the files of all photos, by path, a few thousand at a time; each piece is of its moment."""

    def rows_like(self, file: FoundFile) -> list[int]:
        """Return the rows of the photos whose files have a file's size and time of change."""

    def facets(self) -> Facets:
        """Return what filters can name, and how many photos that is."""

    def status(self) -> LibraryStatus:
        """Return where the library is, how much is in it and how many bytes it takes as far as that is known."""


class Searches(Protocol):
    """Search over a library's vectors, as of the last `refresh`.  Any thread may ask."""

    def refresh(self) -> None:
        """Take in what any process has committed since the last time; cheap if that is nothing."""

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

        The best come first, the lower row first among equals; fewer than k if there are no more.  Of a panorama's
        vectors the best counts.  `exact` looks at every vector.  What `checkpoint` raises ends it before the scan.
        """

    def sample(self, most: int) -> NDArray[np.float32]:
        """Return vectors of photos that are spread evenly over the library, (n, dim), always the same: `most` or fewer.

        A tenth of a second is too long: it is asked for with each search of an encoder without a floor.
        """

    def compress_behind(self) -> None:
        """Do in a thread of its own what makes later searches quicker, if that is due; closing gives it up."""

    def drain_notices(self) -> list[str]:
        """Return what the user should be told since the last call."""

    def warm_up(self) -> None:
        """Import what searches, so that the first search need not wait for it."""


class Runs(Protocol):
    """What a library remembers of index runs.  Any thread may ask.

    A library that several machines write to may remember `refused` and `rules` for this machine alone, in `folder`.
    """

    def begin(self, roots: Iterable[str], now: datetime) -> None:
        """Note that a run over these paths has begun; it is unfinished until `end`, however it ends."""

    def end(self, roots: Sequence[str], refused: Iterable[FoundFile], takes: Callable[[str], bool]) -> None:
        """Note that a run has come to its end, and which of the files below these paths it could not read.

        What earlier runs could not read of the files that it does not take is still so.
        """

    def unfinished(self) -> tuple[str, ...]:
        """Return the paths whose last run has not come to its end, sorted."""

    def note_rules(self, roots: Iterable[str], exclude: Sequence[str], *, hidden: bool) -> None:
        """Note what a run over these paths has left out, for who looks there later without being told."""

    def rules(self, root: str) -> tuple[tuple[str, ...], bool] | None:
        """Return what the last run over this very path has left out: patterns, and whether it took hidden files."""

    def was_refused(self, file: FoundFile) -> bool:
        """Whether the last run could not read a file, which is as it was then."""


class Notes(Protocol):
    """What a library says of files rather than of photos.  Any thread may ask."""

    def damaged(self, root: str) -> list[IndexNote]:
        """Return the photos at or below an absolute path whose files are damaged, and in what way, by path."""

    def others(self, root: str) -> dict[str, FileMark]:
        """Return the files at or below an absolute path that were looked into and are no photos, by path.

        One that is forgotten is looked into again.
        """

    def note_others(self, learned: Mapping[str, FileMark], outdated: Iterable[str]) -> None:
        """Remember files that are no photos, and forget others."""


class Writes(Facts, Protocol):
    """What an index run asks of a library and makes part of it; it sees its own writes.  Any thread may ask."""

    @property
    def runs(self) -> Runs:
        """What is remembered of index runs."""

    @property
    def file_notes(self) -> Notes:
        """What is said of files."""

    def require_roots(self, paths: Iterable[str]) -> None:
        """Raise BadPath for an absolute path that the library can have no photos of."""

    def change_roots(self, added: Iterable[str], forgotten: Iterable[str] = ()) -> None:
        """Record some paths as indexed, and others as no longer so; further ones stay."""

    def seen_files(self, root: str) -> dict[str, SeenFile]:
        """Return the files of the photos at or below an absolute path, by path."""

    def count_below(self, folder: str) -> int:
        """Return how many photos are at or below an absolute path."""

    def known_sizes(self, sizes: Iterable[int]) -> set[int]:
        """Return those of some sizes in bytes of which there is a photo."""

    def copy(self, row: int, file: FoundFile) -> NewPhoto:
        """Return what to add for a file with the same bytes as a photo's, its vectors included.

        Raises KeyError if the row is gone.
        """

    def whole_photos(self, rows: Sequence[int]) -> list[NewPhoto]:
        """Return photos with all that is known of them, vectors included; rows that are gone are left out."""

    def commit_batch(
        self, added: Sequence[NewPhoto], removed_rows: Iterable[int] = (), found_again: Iterable[FoundAgain] = ()
    ) -> object:
        """Add, remove and rename photos.  A path that is in the library already is replaced: its old row goes.

        When it returns, a crash of any machine loses none of it.  When it raises, the same call may be made again, and
        no photo is in the library twice after that.
        """

    def note_signs(self, files: Iterable[FoundAgain]) -> None:
        """Note the ctime and the inode of files that are as they were."""

    def touch_indexed(self, now: datetime) -> None:
        """Record when the library was last brought up to date; `now` has a time zone."""


class Library(Protocol):
    """An open library; a context manager.  `open_library` opens one, and nothing above knows which kind it got."""

    @property
    def is_shared(self) -> bool:
        """Whether other computers write to it as well: what is in it may be theirs."""

    @property
    def facts(self) -> Facts:
        """What there is."""

    @property
    def searches(self) -> Searches:
        """Search over it."""

    @property
    def writes(self) -> Writes:
        """What an index run needs."""

    def only_writer(self) -> AbstractContextManager[None]:
        """Keep other index runs out in the block where one library has one writer; raises LibraryBusy."""

    def begin(self, info: EncoderInfo) -> None:
        """Have the loaded encoder be the one that makes the vectors, or make sure that it is.

        Never removes what another machine has begun.  Raises EncoderMismatch where the vectors are another encoder's.
        """

    def start_over(self) -> None:
        """Remove every photo and the encoder; the roots stay.  For the draft of a rebuild, whose weights are others."""

    def shrink(self) -> None:
        """Give back what deleted photos took, within `only_writer`; nothing where the engine sees to it."""

    def upkeep(self) -> Iterator[tuple[int, int]]:
        """Leave the library quick to search after a run, and yield (rows done, rows in all); nothing likewise."""

    def while_waiting(self, tell: Callable[[str], None]) -> None:
        """Have `tell` hear at once what an index run waits for, as for a server that has gone."""

    def close(self) -> None:
        """Let go of it; safe to call twice."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *exc: object) -> None: ...
