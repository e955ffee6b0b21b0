"""Owns one session: builds the parts, serialises the work, answers search, status and offload in this process."""

from __future__ import annotations

import datetime
import os
import threading
import time
from contextlib import ExitStack
from functools import cached_property
from typing import TYPE_CHECKING, Self

from photomap_cli.encoder import gpu, models
from photomap_cli.encoder.process import EncoderProcess
from photomap_cli.encoder.residency import Residency
from photomap_cli.errors import BadPath, EmptyLibrary, EncoderMismatch, PhotomapError
from photomap_cli.library.catalog import Catalog
from photomap_cli.library.queries import QueryCache
from photomap_cli.library.vectors import VectorStore
from photomap_cli.records import ResidencyState, SessionStatus
from photomap_cli.search.query import parse, parse_filters
from photomap_cli.search.recall import Recall
from photomap_cli.search.searcher import Searcher
from photomap_cli.session.turns import Turns

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from photomap_cli.encoder.use import Encoder
    from photomap_cli.library.indexer import Indexer, IndexOptions
    from photomap_cli.map.cartographer import Cartographer
    from photomap_cli.records import EncoderInfo, PhotoDetails, ResidencySnapshot, SearchRequest, SearchResult
    from photomap_cli.records.maps import MapRequest, PhotoMap
    from photomap_cli.search.pictures import Fetched
    from photomap_cli.search.query import Query
    from photomap_cli.settings import Settings


class Session:
    """A library, its encoder and the searches over them; a `Backend` in this process.

    Use as a context manager, or call `close`.  Methods may be called from any thread: searches take turns in the order
    they were asked, `status` never waits.

    Args:
        catalog, vectors: the open library.
        encoder: what Residency moves; tests pass a fake.
        spec: the encoder's spec string.
        settings: timeouts, limits and floors.
        kind: "repl", "serve" or "local".
        on_change: called, without a lock, whenever the encoder's place changes.

    Attributes:
        log: the file that this process writes to, told by `status`; None for none.
    """

    def __init__(
        self,
        catalog: Catalog,
        vectors: VectorStore,
        encoder: Encoder,
        *,
        spec: str,
        settings: Settings,
        kind: str = "local",
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self.catalog, self.vectors, self.spec, self.settings, self.kind = catalog, vectors, spec, settings, kind
        self.residency = Residency(
            encoder,
            idle_timeout=settings.encoder_idle_timeout_seconds,
            release_timeout=settings.encoder_release_timeout_seconds,
            on_change=on_change,
            accept=self._require_the_librarys,
        )
        past = QueryCache(catalog.folder, most=settings.query_cache)
        recall = Recall(past, catalog, self.residency, spec=spec, settings=settings)
        self._searcher = Searcher(catalog, vectors, self.residency, recall, spec=spec, settings=settings)
        self._turns, self._drawings = Turns(), Turns()
        self._prewarming = threading.Lock()
        self._started_at = rfc3339(time.time())
        self.log: Path | None = None
        self._photos = catalog.photo_count
        self._first_at_close: list[Callable[[], None]] = []
        self._resources = ExitStack()
        self._resources.callback(catalog.close)
        self._resources.callback(vectors.close)
        self._resources.callback(past.close)
        self._resources.callback(self.residency.close)

    @classmethod
    def open(
        cls,
        folder: Path,
        settings: Settings | None = None,
        *,
        kind: str = "local",
        encoder: str | None = None,
        create: bool = False,
        on_change: Callable[[], None] = lambda: None,
    ) -> Self:
        """Open a library with the encoder it was made with.

        Args:
            folder: the library.
            settings: as loaded; None for those that `photomap config` shows.
            kind: "repl", "serve" or "local".
            encoder: the encoder asked for by a flag; None for the library's own, or the setting for a new library.
            create: make the library when there is none.
            on_change: see the class.

        Raises:
            EmptyLibrary: there is none and `create` is False.
            EncoderMismatch: `encoder` is not the one the library was made with.
            BadSetting, LibraryUnusable, UnknownEncoder.
        """
        settings = settings or _users_settings()
        with ExitStack() as opened:
            catalog = opened.enter_context(Catalog.open(folder, create=create))
            spec = _spec(catalog, settings, encoder)
            vectors = VectorStore(folder, catalog)
            opened.callback(vectors.close)
            process = EncoderProcess(
                spec,
                device=settings.device,
                precision=settings.precision,
                on_progress=lambda progress: session.residency.note_progress(progress),
                on_exit=lambda error: session.residency.note_exit(error),
                may_pin=settings.pin_memory == "auto",
            )
            session = cls(catalog, vectors, process, spec=spec, settings=settings, kind=kind, on_change=on_change)
            opened.pop_all()
        return session

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the encoder process and close the library; a search in flight fails."""
        while self._first_at_close:
            self._first_at_close.pop()()
        self.residency.close()
        with self._turns.turn():
            self._resources.close()

    def on_close(self, callback: Callable[[], None]) -> None:
        """Have `callback` run first when the session is closed."""
        self._first_at_close.append(callback)

    # Backend --------------------------------------------------------------------------------------------------------

    def search(self, request: SearchRequest, checkpoint: Callable[[], None] = lambda: None) -> SearchResult:
        """Answer one query, after those that were asked before.

        Args:
            request: what is asked.
            checkpoint: called now and then while the query fetches a picture or waits for its turn, and where it can
                stop without harm: between terms, files and photos, and before the scan.  What it raises ends the query;
                a transfer or an encode under way is not cut short, the next query needs it as well.

        Raises:
            BadQuery, BadImage: with the place of the mistake.
            EmptyLibrary: nothing has been indexed yet.
            PhotomapError: the encoder could not be loaded.
        """
        query = parse(request.text, cwd=request.cwd)
        self.residency.touch()
        fetched = self._searcher.pictures.fetch(query, checkpoint)
        with self._turns.turn(checkpoint):
            result = self._answer(query, request, checkpoint, fetched)
        if self.kind != "local":  # a one-shot search ends before it could be of use
            self.vectors.compress_behind()
        return result

    def map(self, request: MapRequest, checkpoint: Callable[[], None] = lambda: None) -> PhotoMap:
        """Lay photos out in two dimensions, one map after the other; searches go on meanwhile.

        Args:
            request: what is asked.
            checkpoint: called now and then while it waits for its turn, and between the steps; what it raises ends the
                drawing.

        Raises:
            BadQuery: a filter is wrong, with the place of the mistake.
            EmptyLibrary, TooFewPhotos.
        """
        filters = parse_filters(request.filters, cwd=request.cwd)
        with self._drawings.turn(checkpoint):
            with self._turns.turn(checkpoint):
                self._refresh()
                scope = self._searcher.scope
                rows = scope.rows(filters, cwd=request.cwd, folder=request.folder, checkpoint=checkpoint)
            rows = self.catalog.rows() if rows is None else rows
            return self.cartographer.draw(rows, request.clusters, checkpoint)

    def details(self, path: str) -> PhotoDetails:
        """Say all that the library knows of the photo at an absolute path.  Raises BadPath if it has none there."""
        known = self.catalog.details(path)
        if known is None:
            raise BadPath(f"{path} is not in the library", hint="`photomap index` adds what is new")
        return known

    def status(self) -> SessionStatus:
        """Say where the encoder is; never waits."""
        snapshot = self.residency.snapshot()
        now = self.residency.now()
        info = snapshot.info
        return SessionStatus(
            pid=os.getpid(),
            kind=self.kind,
            library=str(self.catalog.folder),
            started_at=self._started_at,
            encoder=self.spec,
            device=info.device if info else self._expected_device(),
            device_name=info.device_name if info else "",
            dtype=info.dtype if info else self.settings.precision,
            state=snapshot.state,
            busy=snapshot.busy,
            vram_weight_bytes=snapshot.memory.vram_weight_bytes,
            vram_process_bytes=snapshot.memory.vram_process_bytes,
            ram_bytes=snapshot.memory.ram_bytes,
            pinned=snapshot.memory.pinned,
            idle_seconds=None if snapshot.last_used is None else max(0.0, now - snapshot.last_used),
            idle_timeout_seconds=snapshot.idle_timeout,
            offload_in_seconds=_until(snapshot.offload_at, now),
            release_timeout_seconds=snapshot.release_timeout,
            release_in_seconds=_until(snapshot.release_at, now),
            last_reload_ms=snapshot.last_reload_ms,
            last_offload_ms=snapshot.last_offload_ms,
            reloads=snapshot.reloads,
            offloads=snapshot.offloads,
            cpu_fallbacks=snapshot.cpu_fallbacks,
            last_error=snapshot.last_error,
            photos=self._photos,
            download=snapshot.progress,
            offloaded_seconds_ago=_offloaded_seconds_ago(snapshot, now),
            loose_tensors=snapshot.memory.loose_tensors or None,
            log=str(self.log) if self.log else None,
        )

    def offload(self) -> SessionStatus:
        """Take the encoder out of VRAM as soon as no encode is in flight."""
        self.residency.offload()
        return self.status()

    def load(self) -> SessionStatus:
        """Bring the text tower to where queries run; also when the encoder had been given up."""
        self.residency.load(try_again=True)
        return self.status()

    def prewarm(self) -> None:
        """Start `load` in the background, once at a time; what goes wrong shows in the status, and at the query."""
        if self._prewarming.acquire(blocking=False):
            threading.Thread(target=self._load_quietly, name="prewarm", daemon=True).start()

    def set_idle_timeout(self, seconds: float) -> SessionStatus:
        """Change the idle timeout; 0 = never."""
        self.residency.set_idle_timeout(seconds)
        return self.status()

    def encoder_notes(self) -> tuple[str, ...]:
        """Return what is to be said, once, about where an index run has encoded."""
        notes, snapshot = self.residency.take_notes(), self.residency.snapshot()
        if not snapshot.cpu_fallbacks:
            return notes
        reason = f"; {snapshot.last_error}" if snapshot.last_error else ""
        return (*notes, f"batches encoded on the CPU, for the GPU was full or failed: {snapshot.cpu_fallbacks}{reason}")

    # Indexing -------------------------------------------------------------------------------------------------------

    def indexer(self, options: IndexOptions) -> Indexer:
        """Return an indexer over this library that encodes with this session's encoder."""
        from photomap_cli.library.indexer import Indexer  # as the map's, not for a search: together they take 60 ms

        return Indexer(self.catalog, self.vectors, lambda: _ImageEncoder(self.residency), options)

    @cached_property
    def cartographer(self) -> Cartographer:
        """What draws the maps."""
        from photomap_cli.map.cartographer import Cartographer

        return Cartographer(self.catalog, spec=self.spec, encode=self._encode_texts)

    # Small print ----------------------------------------------------------------------------------------------------

    def _answer(
        self, query: Query, request: SearchRequest, checkpoint: Callable[[], None], fetched: Fetched
    ) -> SearchResult:
        """Answer from one set of rows: again if another took its place meanwhile, for then rows are other photos."""
        while True:
            library_id = self.catalog.library_id
            self._refresh()
            result = self._searcher.search(query, request, checkpoint, fetched=fetched)
            if self.catalog.library_id == library_id:
                return result

    def _refresh(self) -> None:
        """See what other processes have indexed meanwhile."""
        made_with = self.catalog.encoder
        if made_with is not None and made_with.spec != self.spec:
            raise EncoderMismatch(
                f"the library was encoded anew with {made_with.spec}; this session still has {self.spec}",
                hint="end the session (:quit, `photomap stop`) and start it again, or search with --local",
            )
        loaded = self.residency.snapshot().info
        if made_with is not None and loaded is not None and not made_with.has_weights_of(loaded):
            self.residency.release()  # the library was encoded anew, and what is on disk by now may be its encoder
        self.vectors.refresh()
        self._photos = self.catalog.photo_count
        if not self._photos:
            raise EmptyLibrary("the library holds no photos yet", hint="photomap index ~/Pictures")

    def _require_the_librarys(self, info: EncoderInfo) -> None:
        """Raise EncoderMismatch where the library's vectors were made by another encoder than this one."""
        if made_with := self.catalog.encoder:
            made_with.require(info)

    def _encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Encode what the map's groups may be called, in turn with the searches."""
        with self._turns.turn():
            return self.residency.run("text", lambda encoder: encoder.encode_text(list(texts)))[0]

    def _expected_device(self) -> str:
        if self.settings.device != "auto":
            return self.settings.device
        return "cuda:0" if gpu.is_expected() else "cpu"

    def _load_quietly(self) -> None:
        try:
            self.residency.load()
        except PhotomapError:
            return  # the snapshot's last_error says it
        finally:
            self._prewarming.release()


class _ImageEncoder:
    """The indexer's view of the encoder: each batch is one use, so a long run keeps it in place and then lets it go."""

    def __init__(self, residency: Residency) -> None:
        self._residency = residency
        residency.load("image")
        info = residency.snapshot().info
        assert info is not None
        self.info = info

    def encode_images(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Encode a batch, (n, height, width, 3) uint8.  Returns (n, dim) float32, rows of unit length."""
        return self._residency.run("image", lambda encoder: encoder.encode_images(pixels))[0]


def rfc3339(seconds: float) -> str:
    """Return a point in time (seconds since the epoch) as RFC 3339 in UTC."""
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _users_settings() -> Settings:
    from photomap_cli import directories, settings

    return settings.load(directories.config_file()).values


def _spec(catalog: Catalog, settings: Settings, asked: str | None) -> str:
    """Return the library's encoder, or the one a new library shall have."""
    made_with = catalog.encoder
    if made_with is None:
        return models.resolve(asked or settings.encoder, settings.device)
    if asked is not None and models.resolve(asked, settings.device) != made_with.spec:
        raise EncoderMismatch(
            f"this library was made with {made_with.spec}, not {asked}",
            hint=f"`photomap index --rebuild --encoder {asked}` encodes every photo anew; --library DIR keeps both",
        )
    return made_with.spec


def _offloaded_seconds_ago(snapshot: ResidencySnapshot, now: float) -> float | None:
    if snapshot.state is not ResidencyState.RAM or snapshot.offloaded_at is None:
        return None
    return max(0.0, now - snapshot.offloaded_at)


def _until(deadline: float | None, now: float) -> float | None:
    return None if deadline is None else max(0.0, deadline - now)
