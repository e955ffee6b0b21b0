"""Owns the way of a query to its hits: terms -> vectors -> rows -> photos.  Takes no locks, draws nothing."""

from __future__ import annotations

import io
import os
import time
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from photomap_cli.encoder import models
from photomap_cli.errors import BadImage, BadPath, BadQuery
from photomap_cli.library.content import digest, digest_at
from photomap_cli.library.fitting import PixelFit
from photomap_cli.records import FilterKind, Hit, PhotoFilter, SearchResult, Timings
from photomap_cli.search import bursts, ranking
from photomap_cli.search.pictures import Fetched, QueryPictures
from photomap_cli.search.query import TermKind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from photomap_cli.encoder.residency import Residency
    from photomap_cli.encoder.use import Encoder, Tower
    from photomap_cli.library.catalog import Catalog
    from photomap_cli.library.vectors import VectorStore
    from photomap_cli.records import EncoderInfo, Photo, SearchRequest
    from photomap_cli.search.query import Query, Term
    from photomap_cli.search.recall import Recall
    from photomap_cli.settings import Settings

    Group = list[tuple[int, float]]  # rows with their cosines; the first stands for all of them

WHOLE_LIBRARY = "*"
_ON_THE_CPU = "the GPU is full: this query was answered on the CPU"


@dataclass(slots=True)
class _Run:
    """One query under way: where it may be stopped, what was fetched, and its milliseconds by what they went into."""

    checkpoint: Callable[[], None]
    fetched: Fetched
    load: float = 0.0
    reload: float = 0.0
    encode: float = 0.0
    cache: float | None = None
    fell_back: bool = False


class Searcher:
    """Answers queries over one library with one encoder.  One thread at a time."""

    def __init__(
        self,
        catalog: Catalog,
        vectors: VectorStore,
        residency: Residency,
        recall: Recall,
        *,
        spec: str,
        settings: Settings,
    ) -> None:
        self._catalog, self._vectors, self._residency, self._recall = catalog, vectors, residency, recall
        self._spec, self._settings = spec, settings
        self.pictures = QueryPictures(settings)

    def search(
        self,
        query: Query,
        request: SearchRequest,
        checkpoint: Callable[[], None] = lambda: None,
        *,
        fetched: Fetched | None = None,
    ) -> SearchResult:
        """Answer one query; the request says where to look and how much to return.

        `checkpoint` is called before each encode and before the scan; what it raises ends the search there.
        `fetched` is what `pictures.fetch` returned for the query; the pictures are fetched here if it was not asked.

        Raises:
            BadQuery, BadImage: with the place of the mistake.
            BadPath: the folder to search is none.
            PhotomapError: the encoder could not be loaded.
        """
        started, run = time.perf_counter(), _Run(checkpoint, fetched or self.pictures.fetch(query, checkpoint))
        vector, own_rows = self._vector(query, request, run)
        run.checkpoint()
        searching = time.perf_counter()
        hits = self._hits(query, request, vector, own_rows)
        now = time.perf_counter()
        return SearchResult(
            query=request.text,
            encoder=self._spec,
            elapsed_ms=1e3 * (now - started) + (fetched.elapsed_ms if fetched else 0.0),
            served_by="local",
            timings_ms=Timings(run.load, run.reload, run.encode, 1e3 * (now - searching), run.cache),
            hits=hits,
            notices=(*((_ON_THE_CPU,) if run.fell_back else ()), *self._vectors.take_notes()),
        )

    def _vector(self, query: Query, request: SearchRequest, run: _Run) -> tuple[NDArray[np.float32], frozenset[int]]:
        """Return the query's unit vector, and the rows of its own images in the library."""
        terms = [_resolved(term, request.references) for term in query.terms]
        texts = [term.value for term in terms if term.kind is TermKind.TEXT]
        text_rows = iter(self._text_vectors(texts, run))
        vectors: list[NDArray[np.float32]] = []
        own_rows: set[int] = set()
        for term in terms:
            if term.kind is TermKind.TEXT:
                vectors.append(next(text_rows))
                continue
            row, vector = self._image_vector(term, run)
            vectors.append(vector)
            own_rows.update(() if row is None else (row,))
        return ranking.combine(np.stack(vectors), [term.weight for term in terms]), frozenset(own_rows)

    def _text_vectors(self, texts: Sequence[str], run: _Run) -> list[NDArray[np.float32]]:
        """Return a vector a text.

        Each is encoded alone: in bfloat16 a vector depends on what it shares a batch with (by 0.001), and scores must
        not depend on which words were looked for before.
        """
        contents = {text: text.encode(errors="surrogatepass") for text in texts}
        known = self._known("text", tuple(contents.values()), run)
        missing = [text for text, content in contents.items() if content not in known]
        if missing:

            def one_by_one(encoder: Encoder) -> NDArray[np.float32]:
                return np.concatenate([encoder.encode_text([text]) for text in missing])

            rows = self._encode("text", run, one_by_one)
            known |= self._kept("text", {contents[text]: row for text, row in zip(missing, rows, strict=True)}, run)
        return [known[contents[text]] for text in texts]

    def _known(self, tower: Tower, contents: Sequence[bytes], run: _Run) -> dict[bytes, NDArray[np.float32]]:
        """Return the vectors that were made for earlier queries."""
        started = time.perf_counter()
        known = self._recall.get(tower, contents)
        if known:
            run.cache = (run.cache or 0.0) + 1e3 * (time.perf_counter() - started)
        return known

    def _kept(
        self, tower: Tower, vectors: dict[bytes, NDArray[np.float32]], run: _Run
    ) -> dict[bytes, NDArray[np.float32]]:
        """Keep these for later queries and return them; but not what a full card had the CPU compute, unlike ever."""
        if not run.fell_back:
            self._recall.keep(tower, vectors)
        return vectors

    def _image_vector(self, term: Term, run: _Run) -> tuple[int | None, NDArray[np.float32]]:
        """Return an image's row, if the library holds it unchanged, and its vector."""
        if term.kind is TermKind.ADDRESS:
            content = digest(io.BytesIO(run.fetched.pictures[term.value]))
            return None, self._picture_vector(term, content, run)
        try:
            seen = Path(term.value).stat()
        except (OSError, ValueError) as error:
            reason = f"{term.value}: {getattr(error, 'strerror', None) or error}"
            raise BadImage(reason, hint="check the path of the query image", position=term.position) from error
        known = self._catalog.photo_at(self._located(term.value))
        if known and (known.size_bytes, known.mtime_ns) == (seen.st_size, seen.st_mtime_ns):
            return known.row, self._catalog.vector(known.row)
        return (known.row if known else None), self._file_vector(term, seen, run)

    def _file_vector(self, term: Term, seen: os.stat_result, run: _Run) -> NDArray[np.float32]:
        """Return the vector of a picture that the library does not hold, whatever its name."""

        def is_unchanged() -> bool:
            now = Path(term.value).stat()
            return (now.st_size, now.st_mtime_ns) == (seen.st_size, seen.st_mtime_ns)

        return self._picture_vector(term, digest_at(term.value) if self._recall.is_on else None, run, is_unchanged)

    def _picture_vector(
        self, term: Term, content: bytes | None, run: _Run, is_unchanged: Callable[[], bool] = lambda: True
    ) -> NDArray[np.float32]:
        """Return the vector of a picture whose bytes have this digest, if they still have it when it is encoded."""
        if content is None:
            return self._encode_picture(term, run)
        known = self._known("image", (content,), run)
        if content in known:
            return known[content]
        vector = self._encode_picture(term, run)
        if is_unchanged():
            self._kept("image", {content: vector}, run)
        return vector

    def _encode_picture(self, term: Term, run: _Run) -> NDArray[np.float32]:
        pixels = self.pictures.pixels(term, PixelFit.of(self._loaded_info(run)), run.fetched)
        rows = self._encode("image", run, lambda encoder: encoder.encode_images(pixels[np.newaxis]))
        return np.asarray(rows[0], dtype=np.float32)

    def _loaded_info(self, run: _Run) -> EncoderInfo:
        """Return what the encoder is, loading it if that is not known yet."""
        if self._residency.snapshot().info is None:
            self._encode("image", run, lambda _: np.empty((0, 0), dtype=np.float32))
        info = self._residency.snapshot().info
        assert info is not None
        return info

    def _encode(self, tower: Tower, run: _Run, work: Callable[[Encoder], NDArray[np.float32]]) -> NDArray[np.float32]:
        """Run `work` in one use of the encoder and note what it cost."""

        def wanted_work(encoder: Encoder) -> NDArray[np.float32]:
            run.checkpoint()
            return work(encoder)

        started = time.perf_counter()
        rows, use = self._residency.run(tower, wanted_work)
        run.load += use.load_ms
        run.reload += use.reload_ms
        run.encode += 1e3 * (time.perf_counter() - started) - use.load_ms - use.reload_ms
        run.fell_back |= use.fell_back
        return rows

    def _hits(
        self, query: Query, request: SearchRequest, vector: NDArray[np.float32], own_rows: frozenset[int]
    ) -> tuple[Hit, ...]:
        best = partial(
            ranking.best,
            self._vectors,
            vector,
            min_score=self._floor(query, request),
            within=self.rows(query.filters, cwd=request.cwd, folder=request.folder),
            without=own_rows,
            exact=request.exact,
        )
        groups = self._groups(lambda most: best(limit=most), request)
        photos = {photo.row: photo for photo in self._catalog.photos([row for group in groups for row, _ in group])}
        shown = [group for group in groups if group[0][0] in photos]
        if request.sort == "date":
            shown.sort(key=lambda group: photos[group[0][0]].dated_at, reverse=True)
        return tuple(_hit(rank, group, photos) for rank, group in enumerate(shown, 1))

    def _groups(self, best: Callable[[int], list[tuple[int, float]]], request: SearchRequest) -> list[Group]:
        """Return the hits, each with the others that it stands for behind it."""
        limit = request.limit or self._settings.results
        if not (self._settings.collapse if request.collapse is None else request.collapse):
            return [[hit] for hit in best(limit)]
        threshold = self._settings.same_shot_score
        return bursts.collapsed(best, self._catalog.vectors, limit=limit, threshold=threshold)

    def rows(self, filters: Sequence[PhotoFilter], *, cwd: str, folder: str | None) -> NDArray[np.int64] | None:
        """Return the rows of the photos that meet all filters within the scope, sorted; None for every photo.

        `cwd` and `folder` are those of a `SearchRequest`.  Raises BadPath where the folder is none.
        """
        within = tuple(
            replace(one, value=self._located(one.value)) if one.kind is FilterKind.IN else one
            for one in (*filters, *self._scope(filters, cwd, folder))
        )
        return self._catalog.rows(within) if within else None

    def _scope(self, filters: Sequence[PhotoFilter], cwd: str, folder: str | None) -> tuple[PhotoFilter, ...]:
        """Return the filter for where to look: the folder asked for, else the current one inside an indexed folder."""
        if folder == WHOLE_LIBRARY:
            return ()
        if folder is not None:
            if not Path(folder).is_dir():
                raise BadPath(f"{folder} is no folder", hint="give a folder of the library, or * for all of it")
            return (PhotoFilter(FilterKind.IN, folder),)
        said = any(one.kind is FilterKind.IN and not one.negated for one in filters)
        inside = self._is_inside(self._located(cwd))
        return (PhotoFilter(FilterKind.IN, cwd),) if inside and not said else ()

    def _located(self, path: str) -> str:
        """Return a path as the library has it: roots are known by their real path, what is below them as found."""
        return path if self._is_inside(path) else os.path.realpath(path)

    def _is_inside(self, path: str) -> bool:
        return any(Path(path).is_relative_to(root) for root in self._catalog.roots())

    def _floor(self, query: Query, request: SearchRequest) -> float:
        """Return the lowest cosine shown: the query's, else the request's, else the setting's, else the encoder's."""
        for chosen in (query.min_score, request.min_score, self._settings.min_score):
            if chosen is not None and chosen != "auto":
                return chosen
        floor = models.score_floor(self._spec)
        return -1.0 if floor is None else floor


def _hit(rank: int, group: Group, photos: dict[int, Photo]) -> Hit:
    """Return the first of a group as a hit; the others are those that have not gone meanwhile."""
    (row, score), *others = group
    photo, behind = photos[row], tuple(photos[other].path for other, _ in others if other in photos)
    return Hit(rank, photo.path, score, photo.taken_at, photo.width, photo.height, behind)


def _resolved(term: Term, references: Sequence[str]) -> Term:
    """Turn `#N` into the image it stands for."""
    if term.kind is not TermKind.REFERENCE:
        return term
    number = int(term.value)
    if not 1 <= number <= len(references):
        there = f"the last search has {len(references)}" if references else "there was no search yet"
        raise BadQuery(f"there is no result #{number}", hint=there, position=term.position)
    return replace(term, kind=TermKind.IMAGE, value=references[number - 1])
