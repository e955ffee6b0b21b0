"""Owns a session: builds its parts, serialises work, and answers search, status and offload in this process."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from datetime import UTC, datetime
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Self

from photomap_cli import cancellation, directories
from photomap_cli.encoder.encoder_route import ENCODER
from photomap_cli.encoder.tower_encoder import NoEncoder
from photomap_cli.errors import BadPath, EmptyLibrary, EncoderMismatch
from photomap_cli.library.query_cache import QueryCache
from photomap_cli.records import SessionStatus
from photomap_cli.search import saved_searches
from photomap_cli.search.searcher import Searcher
from photomap_cli.search.vector_cache import VectorCache
from photomap_cli.session import encoder_choice
from photomap_cli.session.encoders import SessionEncoders
from photomap_cli.session.fair_lock import FairLock
from photomap_cli.session.libraries import open_library
from photomap_cli.session.maps import Maps
from photomap_cli.session.prewarming import Prewarming

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from photomap_cli.encoder.interface import Encoder, Tower
    from photomap_cli.indexing.index_options import IndexOptions
    from photomap_cli.indexing.indexer import Indexer
    from photomap_cli.library.store import Library
    from photomap_cli.records import EncoderInfo, PhotoDetails, SearchRequest, SearchResult
    from photomap_cli.records.maps import GroupRequest, MapRequest, PhotoMap
    from photomap_cli.search.query import Query
    from photomap_cli.search.query_images import Fetched
    from photomap_cli.session.backend import Listener
    from photomap_cli.session.image_encoder import ImageEncoder
    from photomap_cli.session.stored_probes import ProbeTaker
    from photomap_cli.settings import Settings


class Session:
    """A library, its encoder and the searches over them; a `Backend` in this process.

    A context manager; else call `close`.  Methods may be called from any thread: searches are answered in the order
    they came, `status` never waits.

    Args:
        library: open; closed with the session.
        encoder: what Residency moves; tests pass a fake.
        spec: the encoder's spec string.
        settings: timeouts, limits and floors.
        kind: "repl", "serve" or "local".
        on_change: called, without a lock, whenever the encoder's place changes.
        towers: encode words, and pictures, in this process, if they can stand in for the encoder process.

    Attributes:
        library, catalog, vectors: the library, its content, and the search over it.
        residency, routes: of the encoder process, and between it and the towers.
        log: the file that this process writes to, reported by `status`; None for none.
        listener: the server for other processes; None without one.
    """

    def __init__(
        self,
        library: Library,
        encoder: Encoder,
        *,
        spec: str,
        settings: Settings,
        kind: str = "local",
        on_change: Callable[[], None] = lambda: None,
        towers: Mapping[Tower, Encoder] | None = None,
    ) -> None:
        self.library, self.catalog, self.vectors = library, library.facts, library.searches
        self.spec, self.settings, self.kind = spec, settings, kind
        self._encoders = SessionEncoders(
            encoder,
            towers or {},
            settings,
            on_change=on_change,
            accept=self._check_encoder,
            on_absent_gpu=lambda: None if kind == "local" else self.prewarm(),
        )
        self.residency, self.routes = self._encoders.residency, self._encoders.routes
        self._past_queries = past = QueryCache(self.catalog.folder, most=settings.query_cache)
        recall = VectorCache(past, self.catalog, self.residency, spec=spec, settings=settings)
        self._searcher = Searcher(
            self.catalog, self.vectors, self.residency, recall, routes=self.routes, spec=spec, settings=settings
        )
        self._turns = FairLock()
        self._maps = Maps(
            self.catalog, self._searcher.scope, self._turns, self._refresh, spec=spec, encode=self._encode_texts
        )
        self._prewarming = Prewarming(self.routes.text, self.vectors)
        self._started_at = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        self.log: Path | None = None
        self.listener: Listener | None = None
        self._photos, self.new_photos = self.catalog.photo_count, 0
        self._first_at_close: list[Callable[[], None]] = []
        self._resources = ExitStack()
        self._resources.callback(library.close)
        self._resources.callback(past.close)
        self._resources.callback(self._encoders.close)

    @classmethod
    def open(
        cls,
        folder: Path,
        settings: Settings | None = None,
        *,
        kind: str = "local",
        encoder: str | None = None,
        create: bool = False,
        may_start: bool = True,
        on_change: Callable[[], None] = lambda: None,
    ) -> Self:
        """Open a library with the encoder it was made with.

        Args:
            folder: the library.
            settings: None for those that `photomap config` shows.
            kind: "repl", "serve" or "local".
            encoder: the encoder asked for by a flag; None for the library's own, or the setting for a new library.
            create: whether to create the library if there is none.
            may_start: whether an encoder process may be started; else a search that needs one raises EncoderFailed.
            on_change: see the class.

        Raises:
            EmptyLibrary: there is none and `create` is False.
            EncoderMismatch: `encoder` is not the one the library was made with.
            BadSetting, LibraryUnusable, UnknownEncoder.
        """
        settings = settings or _users_settings()
        with ExitStack() as opened:
            library = opened.enter_context(open_library(folder, settings, create=create))
            spec = encoder_choice.spec_of(library.facts, settings, encoder)
            process = encoder_choice.process(spec, settings) if may_start else None
            session = cls(
                library,
                process or NoEncoder(),
                spec=spec,
                settings=settings,
                kind=kind,
                on_change=on_change,
                towers=encoder_choice.towers(library.facts, spec),
            )
            if process:
                process.on_progress, process.on_exit = session.residency.note_progress, session.residency.note_exit
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
        self._encoders.close()
        with self._turns.turn():
            self._resources.close()

    def on_close(self, callback: Callable[[], None]) -> None:
        """Call `callback` first when the session is closed."""
        self._first_at_close.append(callback)

    # Backend --------------------------------------------------------------------------------------------------------

    def search(self, request: SearchRequest, checkpoint: Callable[[], None] = cancellation.check) -> SearchResult:
        """Answer one query, after those asked earlier.

        Args:
            request: what is asked.
            checkpoint: called repeatedly while the query downloads a picture or waits for its turn, and where it can
                stop without harm: between terms, files and photos, and before the scan.  What it raises ends the query;
                a running transfer or encode isn't interrupted, as the next query needs it too.

        Raises:
            BadQuery, BadImage: with the place of the mistake.
            EmptyLibrary: nothing has been indexed yet.
            PhotomapError: the encoder could not be loaded.
        """
        self.new_photos = 0
        query = saved_searches.parse(
            request.text, cwd=request.cwd, library=self.catalog.folder, may_be_blank=request.sort == "date"
        )
        self._encoders.touch()
        fetched = self._searcher.pictures.fetch(query, checkpoint)
        with self._turns.turn(checkpoint):
            result = self._answer(query, request, checkpoint, fetched)
        if result.encoded_by == ENCODER and self.settings.text_encoder == "auto":
            self._probes.take()
        if self.kind != "local":  # a one-shot search ends before it could be of use
            self.vectors.compress_behind()
        return result

    def map(self, request: MapRequest, checkpoint: Callable[[], None] = cancellation.check) -> PhotoMap:
        """Lay photos out in two dimensions, one map at a time; searches go on meanwhile.

        `checkpoint` is called while waiting and between steps; an exception from it ends the drawing.
        Raises BadQuery, with the place of the mistake in a filter; EmptyLibrary; TooFewPhotos.
        """
        return self._maps.draw(request, checkpoint)

    def group(self, request: GroupRequest, checkpoint: Callable[[], None] = cancellation.check) -> SearchResult:
        """Return the photos of a map's group, the most typical first; a score is the cosine to the group's centre.

        Raises UsageError if the library has changed since, and as `map`.
        """
        return self._maps.group(request, checkpoint)

    def details(self, path: str) -> PhotoDetails:
        """Return what the library knows of the photo at an absolute path.  Raises BadPath if it isn't there."""
        known = self.catalog.details(path)
        if known is None:
            raise BadPath(f"{path} is not in the library", hint="`photomap index` adds what is new")
        return known

    def status(self) -> SessionStatus:
        """Return where the encoder is; never waits."""
        return SessionStatus(
            pid=os.getpid(),
            kind=self.kind,
            library=directories.library_name(self.catalog.folder),
            started_at=self._started_at,
            encoder=self.spec,
            photos=self._photos,
            new_photos=self.new_photos,
            log=str(self.log) if self.log else None,
            **self._encoders.status_fields(),
        )

    def offload(self) -> SessionStatus:
        """Take the encoder out of VRAM once no encode is running."""
        self.residency.offload()
        return self.status()

    def load(self) -> SessionStatus:
        """Bring the text tower to where queries run, even if the encoder was given up."""
        self.routes.text.load(try_again=True)
        return self.status()

    def prewarm(self) -> None:
        """Start `load` in the background, one at a time; errors show in the status and at the next query."""
        self._prewarming.start()

    def progress(self) -> str:
        """Return the progress of a map being drawn; empty if none is."""
        return self._maps.progress()

    def set_idle_timeout(self, seconds: float) -> SessionStatus:
        """Change the idle timeout; 0 = never."""
        self.residency.set_idle_timeout(seconds)
        return self.status()

    def pause(self) -> None:
        """Let other processes have the library, and free the GPU, as this process is about to be suspended.

        Clients are disconnected and ask elsewhere; waits for a running encode.
        """
        if self.listener is not None:
            self.listener.close()
        self.residency.offload()

    def resume(self) -> bool:
        """Serve others again.  Returns False if another session has the library by now."""
        return self.listener is None or self.listener.open()

    def drain_notices(self) -> tuple[str, ...]:
        """Return each notice about an index run once: where it encoded, what was rebuilt."""
        return (
            *self.residency.drain_notices(),
            *self.vectors.drain_notices(),
            *self._encoders.fallback_notices(),
        )

    # Indexing -------------------------------------------------------------------------------------------------------

    def indexer(
        self,
        options: IndexOptions,
        open_encoder: Callable[[], ImageEncoder] | None = None,
        before_batch: Callable[[], None] | None = None,
    ) -> Indexer:
        """Return an indexer over this library that encodes with this session's encoder; see `ImageEncoder`."""
        # Like the map's, not needed for a search: these imports take 60 ms.
        from photomap_cli.indexing.indexer import Indexer
        from photomap_cli.session.image_encoder import expected_fit, light_image_encoder

        heavy = open_encoder or self.image_encoder
        return Indexer(
            self.library,
            heavy,
            options,
            open_light_encoder=partial(light_image_encoder, self.routes.image, self.settings, before_batch, heavy),
            expected_fit=expected_fit(self.spec),
        )

    def image_encoder(self) -> ImageEncoder:
        """Return the indexer's view of the encoder, with the library's probes taken once it is loaded."""
        from photomap_cli.session.image_encoder import ImageEncoder

        encoder = ImageEncoder(self.residency)
        self._probes.take()
        return encoder

    @property
    def is_answering(self) -> bool:
        """Whether a query is being answered or waiting."""
        return self._turns.is_taken

    def in_background(self) -> AbstractContextManager[None]:
        """Encode background work; see `Residency.in_background`."""
        return self._encoders.in_background()

    def note_new(self, added: int) -> None:
        """Count photos that were found automatically; the next query sees them."""
        self.new_photos += added
        self.count_photos()

    def count_photos(self) -> int:
        """Update the number of photos in `status` and return it."""
        self._photos = self.catalog.photo_count
        return self._photos

    # Internals ------------------------------------------------------------------------------------------------------

    def _answer(
        self, query: Query, request: SearchRequest, checkpoint: Callable[[], None], fetched: Fetched
    ) -> SearchResult:
        """Answer from one consistent set of rows."""

        def answer() -> SearchResult:
            self._refresh()
            return self._searcher.search(query, request, checkpoint, fetched=fetched)

        return self.catalog.of_one_numbering(answer)

    @cached_property
    def _probes(self) -> ProbeTaker:
        from photomap_cli.session.stored_probes import ProbeTaker  # not for a search that needs no encoder process

        taker = ProbeTaker(self.catalog, self.residency, self.routes, self._past_queries, spec=self.spec)
        self._resources.callback(taker.close)
        return taker

    def _refresh(self) -> None:
        """Pick up what other processes have indexed meanwhile."""
        made_with = self.catalog.encoder
        if made_with is not None and made_with.spec != self.spec:
            raise EncoderMismatch(
                f"the library was rebuilt with {made_with.spec}; this session still uses {self.spec}",
                hint="restart the session (:quit or `photomap stop`), or search with --local",
            )
        self._encoders.keep_to(made_with)
        self.vectors.refresh()
        if not self.count_photos():
            raise EmptyLibrary("the library has no photos yet", hint="photomap index ~/Pictures")

    def _check_encoder(self, info: EncoderInfo) -> None:
        """Raise EncoderMismatch if the library's vectors were made by another encoder."""
        if made_with := self.catalog.encoder:
            made_with.require(info)

    def _encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Encode possible names of the map's groups, taking turns with searches."""
        with self._turns.turn():
            return self.residency.run("text", lambda encoder: encoder.encode_text(list(texts)))[0]


def _users_settings() -> Settings:
    from photomap_cli import settings

    return settings.load(directories.config_file()).values
