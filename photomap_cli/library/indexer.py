"""Owns bringing a library up to date: scan, diff, decode, encode, commit.  Draws nothing: it yields its progress."""

from __future__ import annotations

import os
import time
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from photomap_cli.errors import BadImage, EncoderFailed, EncoderMismatch
from photomap_cli.library.decode import Decoded
from photomap_cli.library.decodepool import DecodePool
from photomap_cli.library.entries import LibraryEncoder, NewPhoto
from photomap_cli.library.fitting import PixelFit
from photomap_cli.library.locks import only_writer
from photomap_cli.library.paths import inside, merged, resolved, shown
from photomap_cli.library.pipeline import ahead
from photomap_cli.library.plan import diff
from photomap_cli.library.scan import ScanRules, is_bare, scan
from photomap_cli.library.thumbnails import THUMBNAIL_PX, ThumbnailCache
from photomap_cli.records import IndexFailure, IndexProgress, IndexReport

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Sequence

    from photomap_cli.library.catalog import Catalog
    from photomap_cli.library.entries import SeenFile
    from photomap_cli.library.plan import Plan, Todo
    from photomap_cli.library.vectors import VectorStore
    from photomap_cli.records import EncoderInfo

COMMIT_SECONDS = 2.0
"""How much work an interruption may lose at most: batches shrink until one takes no longer."""

JOBS = min(16, os.cpu_count() or 1)

PROBE = PixelFit((8, 8))
"""What a file is decoded to while no encoder is open, to see whether there is any reason to open one."""


class ImageEncoder(Protocol):
    """What turns pixels into vectors."""

    info: EncoderInfo

    def encode_images(self, pixels: np.ndarray) -> np.ndarray:
        """Encode pictures, (n, h, w, 3) uint8.  Returns (n, dim) float32, rows of unit length."""


@dataclass(frozen=True, slots=True)
class IndexOptions:
    """How to index.  `jobs` processes decode; None for one a core, 16 at most.

    `thumbnail_cache_bytes` is how much thumbnails of the photos may take on the disk; 0 for none.
    """

    exclude: tuple[str, ...] = ()
    hidden: bool = False
    jobs: int | None = None
    dry_run: bool = False
    rebuild: bool = False
    max_megapixels: float | None = None
    batch_size: int = 32
    thumbnail_cache_bytes: int = 0


class Decoder(Protocol):
    """What turns files into pixels; several threads ask it at a time."""

    def __enter__(self) -> object:
        """Do nothing yet."""

    def __exit__(self, *_exc: object) -> None:
        """End whatever it runs; twice is as good as once."""

    def start(self, count: int, /) -> None:
        """Be ready for this many threads."""

    def decode(self, path: Path, fit: PixelFit, /) -> Decoded:
        """Read a picture file.  Raises BadImage, whose message is the reason alone."""


class Indexer:
    """One index run over a library: call `run` once.  `report` says at any time what it has done so far.

    `open_encoder` is called once there is something to encode, so never for an unchanged library.
    """

    def __init__(
        self,
        catalog: Catalog,
        vectors: VectorStore,
        open_encoder: Callable[[], ImageEncoder],
        options: IndexOptions | None = None,
        *,
        open_pool: Callable[..., Decoder] = DecodePool,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now().astimezone(),
    ) -> None:
        self._catalog, self._vectors, self._open_encoder = catalog, vectors, open_encoder
        self._options = options or IndexOptions()
        self._thumbnails = ThumbnailCache(catalog.folder, max_bytes=self._options.thumbnail_cache_bytes)
        self._new_thumbnails: list[tuple[str, int, bytes]] = []
        self._pool = open_pool(
            max_megapixels=self._options.max_megapixels, thumbnail_px=THUMBNAIL_PX if self._thumbnails.max_bytes else 0
        )
        self._rules = ScanRules(self._options.exclude, self._options.hidden)
        self._clock, self._now = clock, now
        self._batch_limit = self._options.batch_size
        self._jobs = self._options.jobs or JOBS
        self._counts = IndexReport(roots=())
        self._failures: list[IndexFailure] = []
        self._started = self._encoding_since = self._ended = 0.0
        self._unreadable = 0
        self._encoded: list[tuple[Todo, NewPhoto]] = []  # not committed yet
        self._lost: list[int] = []  # rows to be removed by the next commit

    @property
    def report(self) -> IndexReport:
        """What the run has done so far; final once it has ended, in whatever way."""
        ended = self._ended or self._clock()
        seconds = ended - self._encoding_since if self._encoding_since else 0.0
        encoded = self._counts.added + self._counts.updated
        return replace(
            self._counts,
            failures=tuple(IndexFailure(shown(each.path), each.reason) for each in self._failures),
            elapsed_ms=(ended - self._started) * 1000,
            images_per_second=encoded / seconds if seconds > 0 else 0.0,
        )

    def run(self, roots: Sequence[Path]) -> Generator[IndexProgress, None, None]:
        """Bring the photos below these folders, or these files, up to date, and yield how far that is.

        What is encoded is committed about every two seconds, and also when the run is interrupted or closed; closing it
        (`contextlib.closing`) ends its threads and lets go of its lock.  Raises BadPath for a root that does not exist,
        before anything happens; LibraryBusy while another process indexes; EncoderMismatch when the vectors there are
        another encoder's.
        """
        self._started = self._clock()
        try:
            self._count(roots=resolved(roots, known=self._catalog.roots()))
            if self._options.dry_run:
                yield from self._forecast()
            else:
                with only_writer(self._catalog.folder), self._pool, self._thumbnails:
                    yield from self._bring_up_to_date()
        finally:
            self._ended = self._clock()

    def _forecast(self) -> Iterator[IndexProgress]:
        plan = self._plan()
        updated = sum(todo.old_row is not None for todo in plan.todo)
        self._count(added=len(plan.todo) - updated, updated=updated, removed=len(plan.gone))
        yield IndexProgress(0, len(plan.todo), 0)

    def _bring_up_to_date(self) -> Iterator[IndexProgress]:
        # Before any commit: rows that the catalogue lost in a power cut must go before they are given away again.
        self._vectors.refresh()
        plan = self._plan()
        yield IndexProgress(0, len(plan.todo), 0)
        todo = self._from_first_readable(plan.todo)
        if self._unreadable:
            yield self._progress(len(plan.todo))
        self._pool.start(min(self._jobs, len(todo)))  # they start while the encoder does
        encoder = self._encoder() if todo else None
        self._catalog.set_roots(merged({*self._catalog.roots(), *self._counts.roots}))
        self._lost += plan.gone
        self._commit()
        if encoder:
            yield from self._encode(encoder, todo, total=len(plan.todo))
        self._catalog.touch_indexed(self._now())

    def _plan(self) -> Plan:
        """Compare what is below the roots, and below known roots inside them, with what the library has seen there."""
        known, given = self._catalog.roots(), self._counts.roots
        roots = {*given, *(known if self._options.rebuild else inside(known, given))}
        seen: dict[str, SeenFile] = {}
        kept: list[IndexFailure] = []
        for root in () if self._options.rebuild else sorted(roots):
            below = self._catalog.seen_files(root)
            seen.update(below)
            if below and is_bare(root):
                kept.append(IndexFailure(root, "the folder is empty; its photos were kept, as a disk may be missing"))
        plan = diff(chain(kept, scan(sorted(roots), self._rules)), seen)
        self._count(scanned=plan.scanned, unchanged=plan.unchanged)
        self._failures = plan.failures
        return plan

    def _from_first_readable(self, todo: Sequence[Todo]) -> Sequence[Todo]:
        """Report the unreadable files at the start, so that no encoder is opened for them; return the rest."""
        for at, each in enumerate(todo):
            outcome = self._decoded(each, PROBE)
            if isinstance(outcome, Decoded):
                return todo[at:]
            self._fail(each, outcome)
        return ()

    def _encoder(self) -> ImageEncoder:
        """Open the encoder, and make sure that the library's vectors are its own."""
        encoder = self._open_encoder()
        if self._options.rebuild or not self._catalog.photo_count:
            self._catalog.clear()
        info, library = encoder.info, self._catalog.encoder
        if library is None:
            self._catalog.set_encoder(LibraryEncoder(info.spec, info.dim, info.dtype))
        elif (library.spec, library.dim) != (info.spec, info.dim):
            raise EncoderMismatch(
                f"The library's vectors were made by {library.spec}, not by {info.spec}.",
                hint=f"photomap index --rebuild --encoder {info.spec}",
            )
        return encoder

    def _encode(self, encoder: ImageEncoder, todo: Sequence[Todo], *, total: int) -> Iterator[IndexProgress]:
        self._encoding_since = self._clock()
        decode_one = partial(self._decoded, fit=PixelFit.of(encoder.info))
        limit = 2 * self._options.batch_size  # one batch while the encoder works on another
        try:
            # The pool is closed before the threads are: otherwise they would wait for what is being decoded.
            with closing(ahead(decode_one, todo, threads=self._jobs, limit=limit)) as decoded, self._pool:
                for batch in self._batches(decoded):
                    self._encode_batch(encoder, batch)
                    self._commit()
                    yield self._progress(total, batch[-1][0].file.path if batch else "")
        finally:
            self._commit()

    def _batches(self, decoded: Iterable[tuple[Todo, Decoded | str]]) -> Iterator[list[tuple[Todo, Decoded]]]:
        """Group pictures until there are enough or two seconds have gone; empty where all of them failed."""
        batch: list[tuple[Todo, Decoded]] = []
        since, waiting = self._clock(), 0
        for todo, outcome in decoded:
            waiting += 1
            if isinstance(outcome, Decoded):
                batch.append((todo, outcome))
            else:
                self._fail(todo, outcome)
            if len(batch) >= self._batch_limit or self._clock() - since >= COMMIT_SECONDS:
                yield batch
                batch, since, waiting = [], self._clock(), 0
        if waiting:
            yield batch

    def _decoded(self, todo: Todo, fit: PixelFit) -> Decoded | str:
        """Decode a file; return the reason where that fails.  Runs in the decode threads."""
        try:
            return self._pool.decode(Path(todo.file.path), fit)
        except BadImage as error:
            return error.message

    def _encode_batch(self, encoder: ImageEncoder, batch: Sequence[tuple[Todo, Decoded]]) -> None:
        if not batch:
            return
        began = self._clock()
        vectors = encoder.encode_images(np.stack([decoded.pixels for _, decoded in batch]))
        if vectors.shape != (len(batch), encoder.info.dim):
            raise EncoderFailed(f"The encoder answered {len(batch)} pictures with an array of {vectors.shape}.")
        seconds_each = (self._clock() - began) / len(batch)
        most = int(COMMIT_SECONDS / seconds_each) if seconds_each > 0 else self._options.batch_size
        self._batch_limit = max(1, min(self._options.batch_size, most))
        for (todo, decoded), vector in zip(batch, vectors, strict=True):
            if np.isfinite(vector).all():
                self._encoded.append((todo, _new_photo(todo, decoded, vector)))
                self._new_thumbnails.append((todo.file.path, todo.file.mtime_ns, decoded.thumbnail))
            else:
                self._fail(todo, "the encoder gives no vector for it")

    def _commit(self) -> None:
        """Make what is encoded, and what is lost, part of the library."""
        if not self._encoded and not self._lost:
            return
        self._catalog.commit_batch([photo for _, photo in self._encoded], self._lost)
        updated = sum(todo.old_row is not None for todo, _ in self._encoded)
        self._count(
            added=self._counts.added + len(self._encoded) - updated,
            updated=self._counts.updated + updated,
            removed=self._counts.removed + len(self._lost),
        )
        made, self._encoded, self._lost, self._new_thumbnails = self._new_thumbnails, [], [], []
        self._thumbnails.put(made)
        self._vectors.refresh()

    def _fail(self, todo: Todo, reason: str) -> None:
        """Report a file; a photo the library had of it goes with the next commit."""
        self._failures.append(IndexFailure(todo.file.path, reason))
        self._unreadable += 1
        if todo.old_row is not None and not self._options.rebuild:
            self._lost.append(todo.old_row)

    def _progress(self, total: int, path: str = "") -> IndexProgress:
        done = self._counts.added + self._counts.updated + self._unreadable
        return IndexProgress(done, total, self._unreadable, shown(path))

    def _count(self, **counts: Any) -> None:
        self._counts = replace(self._counts, **counts)


def _new_photo(todo: Todo, decoded: Decoded, vector: np.ndarray) -> NewPhoto:
    return NewPhoto(
        path=todo.file.path,
        size_bytes=todo.file.size_bytes,
        mtime_ns=todo.file.mtime_ns,
        vector=vector,
        **asdict(decoded.facts),
    )
