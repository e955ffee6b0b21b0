"""Owns the vectors of a query's terms: cached, stored in the library, or encoded now.  Searches nothing."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from photomap_cli.encoder import context_length
from photomap_cli.encoder.encoder_route import CACHE, ENCODER
from photomap_cli.errors import BadImage, BadQuery
from photomap_cli.library.entities import FoundFile
from photomap_cli.library.file_identity import digest, digest_at
from photomap_cli.library.same_file import as_indexed, photos_of_file
from photomap_cli.pathnames import on_disk
from photomap_cli.search.query import TermKind
from photomap_cli.search.query_images import require_picture

if TYPE_CHECKING:
    import os

    from numpy.typing import NDArray

    from photomap_cli.encoder.encoder_route import EncoderRoute, EncoderRoutes
    from photomap_cli.encoder.interface import Encoder, Lease, Tower
    from photomap_cli.library.store import Facts
    from photomap_cli.records import EncoderInfo
    from photomap_cli.search.query import Query, Term
    from photomap_cli.search.query_images import Fetched, QueryImages
    from photomap_cli.search.scope import Scope
    from photomap_cli.search.vector_cache import VectorCache

    Work = Callable[[Encoder, EncoderInfo], NDArray[np.float32]]


_TOLD_LETTERS = 30  # letters shown of a long text's beginning, and of the end of what counts


@dataclass(slots=True)
class Run:
    """A running query: its checkpoint, downloaded pictures, and times in milliseconds by stage.

    `is_draft` means it is still being typed, so nothing is cached.  `refusal` says why the CPU had to stand in for
    the GPU, if it had to; `encoded_by` who encoded most of it;
    `letters_read` how many letters of each encoded text count.
    """

    checkpoint: Callable[[], None]
    fetched: Fetched
    is_draft: bool = False
    load: float = 0.0
    reload: float = 0.0
    encode: float = 0.0
    cache: float | None = None
    refusal: str = ""
    encoded_by: str = CACHE
    letters_read: dict[str, int] = field(default_factory=dict)

    def note(self, use: Lease, started: float, *, by: str) -> None:
        """Note the time of an encoder's use, since a `time.perf_counter` reading, and which encoder it was."""
        self.load += use.load_ms
        self.reload += use.reload_ms
        self.encode += 1e3 * (time.perf_counter() - started) - use.load_ms - use.reload_ms
        self.refusal = use.refusal or self.refusal
        if self.encoded_by != ENCODER:
            self.encoded_by = by


@dataclass(frozen=True, slots=True, eq=False)
class TermVectors:
    """The terms of a query, their vectors, (n, dim) float32 of unit length, and the rows of the query's images.

    `notices` name texts of which only the beginning counts.
    """

    terms: tuple[Term, ...]
    vectors: NDArray[np.float32]
    own_rows: frozenset[int]
    notices: tuple[str, ...] = ()

    @property
    def weights(self) -> list[float]:
        """The weight of each term."""
        return [term.weight for term in self.terms]


class QueryEncoder:
    """Turns terms into vectors.  One thread at a time.

    Args:
        catalog, routes, recall, pictures, scope: the sources of vectors and of what is encoded.
        template: encoded instead of a text, with `{}` for the text.
    """

    def __init__(
        self,
        catalog: Facts,
        routes: EncoderRoutes,
        recall: VectorCache,
        pictures: QueryImages,
        scope: Scope,
        *,
        template: str,
    ) -> None:
        self._catalog, self._routes, self._recall = catalog, routes, recall
        self._pictures, self._scope, self._template = pictures, scope, template

    def vectors(self, query: Query, references: Sequence[str], run: Run) -> TermVectors:
        """Return the vectors of a query; `references` are the paths that `#1`, `#2`, ... refer to.

        Raises:
            BadQuery, BadImage: with the place of the mistake.
            PhotomapError: the encoder could not be loaded.
        """
        terms = [_resolved(term, references) for term in query.terms]
        texts = [self._template.replace("{}", term.value) for term in terms if term.kind is TermKind.TEXT]
        text_rows = iter(self._text_vectors(texts, run, is_alone=len(texts) == len(terms)))
        vectors: list[NDArray[np.float32]] = []
        own_rows: set[int] = set()
        for term in terms:
            run.checkpoint()
            if term.kind is TermKind.TEXT:
                vectors.append(next(text_rows))
                continue
            rows, vector = self._image_vector(term, run, is_alone=not texts)
            vectors.append(vector)
            own_rows.update(rows)
        return TermVectors(query.terms, np.stack(vectors), frozenset(own_rows), self._notices(terms, run))

    def _notices(self, terms: Sequence[Term], run: Run) -> tuple[str, ...]:
        """Return a notice for each text of which the encoder reads only the beginning."""
        before = len(self._template.partition("{}")[0])
        texts = dict.fromkeys(term.value for term in terms if term.kind is TermKind.TEXT)
        read = ((text, run.letters_read.get(self._template.replace("{}", text), len(text) + before)) for text in texts)
        return tuple(_told_of_cut(text, max(0, count - before)) for text, count in read if count - before < len(text))

    def _text_vectors(self, texts: Sequence[str], run: Run, *, is_alone: bool) -> list[NDArray[np.float32]]:
        """Return a vector per text.

        Each is encoded alone: in bfloat16 a vector depends on the rest of its batch (by 0.001), and scores must
        not depend on which words were searched for before.
        """
        contents = {text: text.encode(errors="surrogatepass") for text in texts}
        known = self._known("text", tuple(contents.values()), run)
        missing = [text for text, content in contents.items() if content not in known]
        if missing:

            def one_by_one(encoder: Encoder, _: EncoderInfo) -> NDArray[np.float32]:
                rows = []
                for text in missing:
                    run.checkpoint()
                    short = text[: context_length.MOST_LETTERS]
                    rows.append(encoder.encode_text([short]))
                    run.letters_read[text] = encoder.letters_read(short)
                return np.concatenate(rows)

            rows, by = _encoded(self._routes.text, one_by_one, run, is_alone=is_alone)
            known |= {contents[text]: row for text, row in zip(missing, rows, strict=True)}
            # A text that was cut is encoded again next time, as each time a notice says how much of it counts.
            whole = [contents[text] for text in missing if run.letters_read[text] == len(text)]
            self._kept("text", {content: known[content] for content in whole}, run, by=by)
        return [known[contents[text]] for text in texts]

    def _known(self, tower: Tower, contents: Sequence[bytes], run: Run) -> dict[bytes, NDArray[np.float32]]:
        """Return the vectors cached from earlier queries."""
        started = time.perf_counter()
        known = self._recall.get(tower, contents)
        if known:
            run.cache = (run.cache or 0.0) + 1e3 * (time.perf_counter() - started)
        return known

    def _kept(
        self, tower: Tower, vectors: dict[bytes, NDArray[np.float32]], run: Run, *, by: str = ENCODER
    ) -> dict[bytes, NDArray[np.float32]]:
        """Cache these for later queries and return them; not a draft's, nor those the CPU computed for a full card."""
        if not run.refusal and not run.is_draft:
            self._recall.keep(tower, vectors, by=by)
        return vectors

    def _image_vector(self, term: Term, run: Run, *, is_alone: bool) -> tuple[set[int], NDArray[np.float32]]:
        """Return the rows of photos that are the image itself, under any path, and its vector."""
        if term.kind is TermKind.ADDRESS:
            content = digest(io.BytesIO(run.fetched.pictures[term.value]))
            return set(), self._picture_vector(term, content, run, is_alone=is_alone)
        try:
            seen = Path(term.value).stat()
        except (OSError, ValueError) as error:
            reason = f"{term.value}: {getattr(error, 'strerror', None) or error}"
            if isinstance(error, FileNotFoundError):
                reason = f"there is no file {term.value}"
            raise BadImage(reason, hint="check the path of the query image", position=term.position) from error
        known = self._catalog.photo_at(self._scope.located(term.value))
        itself = [*([known] if known else []), *photos_of_file(self._catalog, term.value, seen)]
        rows = {photo.row for photo in itself}
        for row in as_indexed(self._catalog, itself):
            if found := self._catalog.vectors([row]):  # unless another process has just removed it
                return rows, found[row]
        require_picture(term, seen)
        return rows, self._file_vector(term, seen, run, is_alone=is_alone)

    def _file_vector(self, term: Term, seen: os.stat_result, run: Run, *, is_alone: bool) -> NDArray[np.float32]:
        """Return the vector of a picture whose content isn't in the library."""

        def is_unchanged() -> bool:
            now = Path(term.value).stat()
            return FoundFile.of(term.value, now) == FoundFile.of(term.value, seen)

        content = digest_at(term.value, run.checkpoint) if self._recall.is_on else None
        return self._picture_vector(term, content, run, is_unchanged, is_alone=is_alone)

    def _picture_vector(
        self,
        term: Term,
        content: bytes | None,
        run: Run,
        is_unchanged: Callable[[], bool] = lambda: True,
        *,
        is_alone: bool,
    ) -> NDArray[np.float32]:
        """Return the vector of a picture with this digest; cached only if the bytes haven't changed when encoded."""
        known = self._known("image", (content,), run) if content else {}
        if content in known:
            return known[content]
        vector, by = self._encode_picture(term, run, is_alone=is_alone)
        if content and is_unchanged():
            self._kept("image", {content: vector}, run, by=by)
        return vector

    def _encode_picture(self, term: Term, run: Run, *, is_alone: bool) -> tuple[NDArray[np.float32], str]:
        from photomap_cli.images.preprocess import PixelFit  # with Pillow

        decoded: dict[PixelFit, NDArray[np.uint8]] = {}

        def decode_and_encode(encoder: Encoder, info: EncoderInfo) -> NDArray[np.float32]:
            fit = PixelFit.of(info)
            if fit not in decoded:
                decoded[fit] = self._pictures.pixels(term, fit, run.fetched, run.checkpoint)
            return encoder.encode_images(decoded[fit][np.newaxis])

        rows, by = _encoded(self._routes.image, decode_and_encode, run, is_alone=is_alone)
        return np.asarray(rows[0], dtype=np.float32), by


def _encoded(route: EncoderRoute, work: Work, run: Run, *, is_alone: bool) -> tuple[NDArray[np.float32], str]:
    """Run `work` on the encoder whose turn it is and note the time; return the rows and the encoder's name."""
    started = time.perf_counter()
    encoded = route.run(_checked(work, run), is_alone=is_alone)
    run.note(encoded.use, started, by=encoded.by)
    return encoded.rows, encoded.by


def _checked(work: Work, run: Run) -> Work:
    """Return the same work, with a checkpoint before it."""

    def wanted_work(encoder: Encoder, info: EncoderInfo) -> NDArray[np.float32]:
        run.checkpoint()
        return work(encoder, info)

    return wanted_work


def _told_of_cut(text: str, read: int) -> str:
    """Return a notice that only the first letters of a text count."""
    counted, words = len(text[:read].split()), len(text.split())
    much = f"{counted:,} of {words:,} words" if counted < words else f"{read:,} of {len(text):,} letters"
    end = text[:read].rstrip()[-_TOLD_LETTERS:]
    return f'only the first {much} of "{text[:_TOLD_LETTERS]}…" count; the encoder stops reading at "…{end}"'


def _resolved(term: Term, references: Sequence[str]) -> Term:
    """Turn `#N` into the image it refers to, and spell a path as on disk."""
    if term.kind is TermKind.IMAGE:
        return replace(term, value=on_disk(term.value))
    if term.kind is not TermKind.REFERENCE:
        return term
    number = int(term.value)
    if not 1 <= number <= len(references):
        none = "#N stands for a result of the last search at the prompt; search for something first"
        hint = f"the last search has {len(references)}" if references else none
        raise BadQuery(f"there is no result #{number}", hint=hint, position=term.position)
    return replace(term, kind=TermKind.IMAGE, value=references[number - 1])
