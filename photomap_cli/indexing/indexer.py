"""Owns bringing a library up to date: survey, recognise, decode, encode, commit.  Yields progress."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import asdict, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from photomap_cli.errors import PhotomapError
from photomap_cli.images.decode_pool import DecodePool
from photomap_cli.images.thumbnail_cache import THUMBNAIL_PX, ThumbnailCache
from photomap_cli.indexing.batch_encoder import COMMIT_SECONDS, BatchEncoder
from photomap_cli.indexing.encoder_start import DecodeAhead, start
from photomap_cli.indexing.index_options import JOBS, IndexOptions
from photomap_cli.indexing.parts import everything
from photomap_cli.indexing.plan import Todo, survey
from photomap_cli.indexing.prefetch import Prefetch
from photomap_cli.indexing.rename_detection import RenameDetector
from photomap_cli.indexing.roots import merged, resolved
from photomap_cli.indexing.scan import ScanRules
from photomap_cli.indexing.stage_timer import StageTimer
from photomap_cli.indexing.write_batch import WriteBatch
from photomap_cli.library.entities import NewPhoto
from photomap_cli.library.paths import shown
from photomap_cli.records import IndexFailure, IndexNote, IndexProgress

if TYPE_CHECKING:
    from photomap_cli.images.decode import Decoded
    from photomap_cli.images.preprocess import PixelFit
    from photomap_cli.indexing.encoder_start import ImageEncoder, Pictures
    from photomap_cli.indexing.file_reader import Decoder
    from photomap_cli.indexing.plan import Plan
    from photomap_cli.indexing.rename_detection import Match
    from photomap_cli.library.entities import FoundFile
    from photomap_cli.library.store import Library
    from photomap_cli.records import IndexReport

LEAST_READERS = 4
"""Least number of files read at once to recognise them, as they wait for the disk more than they compute."""


class Indexer:
    """An index run over a library: call `run` once.  `report` tells at any time what it has done so far.

    `open_encoder` is called once there is something to encode, never for an unchanged library, except with `rebuild`,
    to see whether the vectors are by its weights.  `open_light_encoder` is called first, with the picture count: it
    returns a slower encoder that is ready at once, or None.  `expected_fit`, probably the encoder's, is the format that
    pictures are decoded to meanwhile.
    """

    def __init__(
        self,
        library: Library,
        open_encoder: Callable[[], ImageEncoder],
        options: IndexOptions | None = None,
        *,
        open_light_encoder: Callable[[int], ImageEncoder | None] = lambda _: None,
        expected_fit: PixelFit | None = None,
        open_pool: Callable[..., Decoder] = DecodePool,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now().astimezone(),
    ) -> None:
        self._library, self._catalog, self._vectors = library, library.writes, library.searches
        self._open_encoder = open_encoder
        self._open_light_encoder, self._expected_fit = open_light_encoder, expected_fit
        self._options = options or IndexOptions()
        self._thumbnails = ThumbnailCache(self._catalog.folder, max_bytes=self._options.thumbnail_cache_bytes)
        self._pending = WriteBatch(self._catalog, self._thumbnails)
        self._pool = open_pool(
            max_megapixels=self._options.max_megapixels,
            thumbnail_px=THUMBNAIL_PX if self._thumbnails.max_bytes else 0,
            **({"is_gentle": True} if self._options.is_gentle else {}),
        )
        self._rules = ScanRules(self._options.exclude, self._options.hidden, self._options.bases)
        self._clock, self._now, self._stages = clock, now, StageTimer(clock)
        self._batches = BatchEncoder(self._options.batch_size, clock)
        self._jobs = self._options.jobs or JOBS
        self._failures: list[IndexFailure] = []
        self._notes: list[IndexNote] = []
        self._started = self._encoding_since = self._ended = 0.0
        self._refused: list[FoundFile] = []
        self._is_complete = False
        self._takes: Callable[[str], bool] = everything  # by its path
        self._forgotten = set[str]()  # roots, as `Survey` has them
        self._total = self._done = self._unreadable = self._taken = 0

    @property
    def report(self) -> IndexReport:
        """What the run has done so far; final once it has ended in any way."""
        ended = self._ended or self._clock()
        seconds = ended - self._encoding_since if self._encoding_since else 0.0
        return replace(
            self._pending.counts,
            failures=tuple(IndexFailure(shown(each.path), each.reason) for each in self._failures),
            notes=tuple(self._notes),
            interrupted=bool(self._ended) and not self._is_complete,
            left=self._total - self._done + self._pending.waiting if self._ended and not self._is_complete else 0,
            elapsed_ms=(ended - self._started) * 1000,
            images_per_second=self._taken / seconds if seconds > 0 else 0.0,
            stages=self._stages.times,
        )

    def run(self, roots: Sequence[Path]) -> Generator[IndexProgress, None, None]:
        """Bring the photos below these folders, or these files, up to date, and yield the progress.

        Encoded photos are committed about every two seconds, and when the run is interrupted or closed; closing it
        (`contextlib.closing`) ends its threads and releases its lock.  Raises BadPath for a root that doesn't exist,
        before anything happens; LibraryBusy while another process indexes; EncoderMismatch if the library's vectors are
        another encoder's.
        """
        self._started = self._clock()
        try:
            self._count(roots=resolved(roots, known=(*self._catalog.roots(), *self._catalog.runs.unfinished())))
            self._catalog.require_roots(self._pending.counts.roots)
            if part := self._options.part:
                self._takes = part.below(self._options.bases or self._pending.counts.roots)
                self._count(part=str(part))
            if self._options.dry_run:
                yield from self._forecast()
                self._is_complete = True
            else:
                with self._library.only_writer(), self._pool, self._thumbnails:
                    yield from self._bring_up_to_date()
                self._ended = self._clock()
                yield from self._prepare_searches()
        finally:
            self._ended = self._ended or self._clock()
            with suppress(PhotomapError):  # what ended the run counts
                self._notes = [
                    note
                    for root in self._pending.counts.roots
                    for note in self._catalog.file_notes.damaged(root)
                    if self._takes(note.path)
                ]

    def _forecast(self) -> Iterator[IndexProgress]:
        plan = self._plan()
        new = yield from self._recognised(plan.todo)
        self._pending.lose(self._not_moved(plan))
        self._pending.count()
        updated = sum(todo.old_row is not None for todo in new)
        counts = self._pending.counts
        self._count(added=counts.added + len(new) - updated, updated=counts.updated + updated)
        yield self._progress()

    def _bring_up_to_date(self) -> Iterator[IndexProgress]:
        roots = self._pending.counts.roots
        self._catalog.runs.begin(roots, self._now())
        # Before any commit: rows that the catalogue lost in a power cut must be dropped before they are reused.
        self._vectors.refresh()
        if self._options.rebuild:
            with self._stages.during("load"):
                self._drop_other_weights()
        with self._stages.during("scan"):
            plan = self._plan()
            if plan.noted:
                self._catalog.note_signs(plan.noted)
            if plan.learned or plan.outdated:
                self._catalog.file_notes.note_others(plan.learned, plan.outdated)
            yield self._progress()
            todo = yield from self._recognised(plan.todo)
        self._commit()
        with ExitStack() as decoding:
            with self._stages.during("load"):
                started = self._start(todo, decoding) if todo else None
            if self._unreadable:
                yield self._progress()
            self._note_roots()
            self._pending.lose(self._not_moved(plan))
            self._commit()
            if started:
                yield from self._encode(*started)
        self._catalog.touch_indexed(self._now())
        self._catalog.runs.end(roots, self._refused, self._takes)
        if not self._options.bases:
            self._catalog.runs.note_rules(roots, self._rules.exclude, hidden=self._rules.hidden)
        self._is_complete = True
        with self._stages.during("commit"):
            self._library.shrink()

    def _prepare_searches(self) -> Iterator[IndexProgress]:
        """Prepare the library for fast searches."""
        for done, total in self._library.upkeep():
            yield IndexProgress(done, total, self._unreadable, compressing=True)

    def _plan(self) -> Plan:
        """Find out what has to be done."""
        given, options = self._pending.counts.roots, self._options
        found = survey(
            self._catalog, given, self._rules, prune=options.prune, recheck=options.recheck, takes=self._takes
        )
        plan, self._forgotten, self._deletion_check = found
        plan.leave_young(options.young_seconds, self._now())
        self._recogniser = RenameDetector(self._catalog, self._deletion_check.is_gone)
        self._count(scanned=plan.scanned, unchanged=plan.unchanged)
        self._failures, self._total = plan.failures, len(plan.todo)
        self._count(others=tuple(sorted(plan.others.items(), key=lambda each: (-each[1], each[0]))))
        return plan

    def _recognised(self, todo: Sequence[Todo]) -> Generator[IndexProgress, None, list[Todo]]:
        """Settle the files whose content the library already has, just by reading them; return the others."""
        sizes = self._catalog.known_sizes({each.file.size_bytes for each in todo})
        candidates = [each for each in todo if each.file.size_bytes in sizes]
        settled = set[str]()
        threads, since = max(self._jobs, LEAST_READERS), self._clock()
        with closing(Prefetch(Todo.digest, candidates, threads=threads, limit=4 * threads)) as digests:
            for each, digest in digests:
                if digest and (match := self._recogniser.match(each, digest)):
                    self._settle(each, match)
                    settled.add(each.file.path)
                elif not digest and each.is_suspect:
                    self._keep_unread(each)
                    settled.add(each.file.path)
                if self._clock() - since >= COMMIT_SECONDS:
                    self._commit()
                    yield self._progress(each.file.path)
                    since = self._clock()
        self._failures += self._deletion_check.kept
        return [each for each in todo if each.file.path not in settled]

    def _settle(self, todo: Todo, match: Match) -> None:
        self._pending.add_match(todo, match)
        self._done_with(todo)

    def _done_with(self, todo: Todo) -> None:
        """Count a file as done; the photo of a RAW file that was used in its place is removed."""
        self._done += 1
        if todo.instead and todo.instead.old_row is not None:
            self._pending.lose([todo.instead.old_row])

    def _keep_unread(self, todo: Todo) -> None:
        """Keep a photo whose file can't be read now but has its old size and time."""
        self._failures.append(IndexFailure(todo.file.path, "can't be read right now; its photo was kept"))
        self._unreadable += 1
        self._done += 1

    def _note_roots(self) -> None:
        known = {*self._catalog.roots()}
        enough = {*merged({*known, *self._pending.counts.roots} - self._forgotten)}
        self._catalog.change_roots(enough - known, known - enough)

    def _not_moved(self, plan: Plan) -> list[int]:
        return [row for row in plan.gone.values() if row not in self._recogniser.moved]

    def _start(self, todo: Sequence[Todo], decoding: ExitStack) -> tuple[ImageEncoder, Pictures] | None:
        """Open the encoder if a file can be read, and report those before it that can't."""
        self._pool.start(min(self._jobs, len(todo)))
        size, opened = self._options.batch_size, partial(self._opened, len(todo))
        ahead = DecodeAhead(self._pool, self._jobs, max(2 * size, 4 * self._jobs))  # a batch while another is encoded
        started = start(todo, opened, self._expected_fit, ahead, decoding, self._fail, batch_size=size)
        if started is None:
            return None
        encoder, pictures = started
        self._library.begin(encoder.info)
        if encoder.info.device != "cpu" and not self._options.is_gentle:
            pictures.limit = max(ahead.limit, 2 * self._batches.enlarge())
        return started

    def _opened(self, count: int) -> ImageEncoder:
        """Open the encoder for this many pictures."""
        light = None if self._options.rebuild else self._open_light_encoder(count)
        return light or self._open_encoder()

    def _drop_other_weights(self) -> None:
        """Remove all photos if the encoder's weights changed since their vectors were made, unless they are shared."""
        library = self._catalog.encoder
        if library and not self._library.is_shared and not library.has_weights_of(self._open_encoder().info):
            self._library.start_over()

    def _encode(self, encoder: ImageEncoder, pictures: Pictures) -> Iterator[IndexProgress]:
        self._encoding_since = self._clock()
        try:
            with self._stages.during("decode"):
                for batch in self._batches.of(pictures, self._fail):
                    self._take(encoder, batch)
                    self._commit()
                    yield self._progress(batch[-1][0].file.path if batch else "")
        finally:
            self._commit()

    def _take(self, encoder: ImageEncoder, batch: Sequence[tuple[Todo, Decoded]]) -> None:
        """Encode what is new in a batch, and reuse the vectors of photos with the same content."""
        new: dict[bytes, tuple[Todo, Decoded]] = {}
        twins: list[tuple[Todo, Decoded]] = []
        for todo, decoded in batch:
            if match := self._recogniser.match(todo, decoded.digest):
                self._settle(todo, match)
            elif decoded.digest in new:
                twins.append((todo, decoded))
            else:
                new[decoded.digest] = todo, decoded
        with self._stages.during("encode"):
            vectors = self._batches.encode(encoder, [decoded for _, decoded in new.values()])
        for todo, decoded in (*new.values(), *twins):
            self._add(todo, decoded, vectors[decoded.digest])
        self._taken += len(batch)

    def _add(self, todo: Todo, decoded: Decoded, vectors: np.ndarray) -> None:
        if not np.isfinite(vectors).all():
            self._fail(todo, "the encoder returned no vector for it")
            return
        facts = {**asdict(decoded.facts), "sides": vectors[1:] if len(vectors) > 1 else None}
        photo = NewPhoto.of(todo.file, vectors[0], content_hash=decoded.digest, **facts)
        self._pending.add(todo, photo, decoded.thumbnail)
        self._done_with(todo)

    def _commit(self) -> None:
        """Commit what is settled to the library."""
        if self._pending and not self._options.dry_run:
            with self._stages.during("commit"):
                self._pending.commit()
                self._vectors.refresh()

    def _fail(self, todo: Todo, reason: str) -> None:
        """Report a failed file; its photo is removed with the next commit, unless the file is gone by now.

        A RAW file beside it is used instead.
        """
        self._failures.append(IndexFailure(todo.file.path, reason))
        self._refused.append(todo.file)
        self._unreadable += 1
        self._done += 1
        if todo.old_row is not None and os.path.lexists(todo.file.path):
            self._pending.lose([todo.old_row])
        if todo.instead:
            counts, is_done = self._pending.counts, todo.instead.is_suspect
            self._count(scanned=counts.scanned + 1, unchanged=counts.unchanged + is_done)
            self._total += not is_done

    def _progress(self, path: str = "") -> IndexProgress:
        return IndexProgress(self._done, self._total, self._unreadable, shown(path), stages=self._stages.times)

    def _count(self, **counts: Any) -> None:
        self._pending.counts = replace(self._pending.counts, **counts)
