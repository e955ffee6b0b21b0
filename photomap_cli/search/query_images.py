"""Owns the pixels of query images, from a file or an address, decoded in a child process.  Knows no encoder."""

from __future__ import annotations

import stat
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from photomap_cli import files
from photomap_cli.errors import BadImage
from photomap_cli.images import raw
from photomap_cli.library.file_types import is_video
from photomap_cli.library.signatures import SIGNATURE_BYTES, may_be_picture
from photomap_cli.search.query import TermKind

if TYPE_CHECKING:
    import os

    import numpy as np
    from numpy.typing import NDArray

    from photomap_cli.images.decode_pool import DecodePool
    from photomap_cli.images.preprocess import PixelFit
    from photomap_cli.search.image_fetch import ImageFetcher
    from photomap_cli.search.query import Query, Term
    from photomap_cli.settings import Settings


MOST_FILE_BYTES = 4 << 30
"""Limit of a file: what TIFF can address.  Reading it takes seconds, during which others wait."""

_GIVE_A_PICTURE = "give the picture itself: JPEG, PNG, WebP, HEIC and more, not a page about it"
_LOOK_SECONDS = 0.1  # how often to check whether the pixels are still wanted
MOST_BYTES = 128 << 20
"""Limit of all pictures that a query names by address; a session holds them until the query has had its turn."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """The pictures that a query names by address, and the time to download them in milliseconds."""

    pictures: Mapping[str, bytes] = field(default_factory=dict)
    elapsed_ms: float = 0.0


class QueryImages:
    """Reads the pictures that queries name.  Any thread may use it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def fetch(self, query: Query, checkpoint: Callable[[], None] = lambda: None) -> Fetched:
        """Download the pictures that the query names by address; takes as long as the web does.

        `checkpoint` is called repeatedly; an exception from it ends the download.

        Raises:
            BadImage: one can't be downloaded, with its place in the query.
        """
        started, pictures = time.perf_counter(), {}
        for term in query.terms:
            if term.kind is TermKind.ADDRESS:
                with _placed(term):
                    pictures[term.value] = self._web.get(term.value, checkpoint)
                    if sum(map(len, pictures.values())) > MOST_BYTES:
                        most = f"a query's pictures from the web may have {MOST_BYTES >> 20} MB altogether"
                        raise BadImage(most, hint="ask with fewer of them, or download them")
        return Fetched(pictures, 1e3 * (time.perf_counter() - started) if pictures else 0.0)

    def pixels(
        self, term: Term, fit: PixelFit, fetched: Fetched, checkpoint: Callable[[], None] = lambda: None
    ) -> NDArray[np.uint8]:
        """Return a picture for the encoder, (height, width, 3) uint8.  A damaged one must not end a session.

        `checkpoint` is called repeatedly; an exception from it ends the decoding.

        Raises:
            BadImage: it isn't a picture, with its place in the query.
        """
        with _placed(term, f"{term.value}: "), _file(term, fetched) as path, self._decoders() as pool:
            with ThreadPoolExecutor(1, "query-picture") as decoding:
                decoded = decoding.submit(pool.decode, path, fit)
                try:
                    while not wait([decoded], _LOOK_SECONDS).done:
                        checkpoint()
                except BaseException:
                    pool.close()  # ends its process, and so the decode
                    raise
            return decoded.result().pixels

    def _decoders(self) -> DecodePool:
        from photomap_cli.images.decode_pool import DecodePool  # most queries are words

        return DecodePool(max_megapixels=self._settings.megapixel_limit)

    @cached_property
    def _web(self) -> ImageFetcher:
        from photomap_cli.search.image_fetch import ImageFetcher  # ssl and http.client take 30 ms

        return ImageFetcher(private=self._settings.private_addresses)


def require_picture(term: Term, info: os.stat_result) -> None:
    """Check whether a file may be a picture at all, before reading all of it.

    Raises:
        BadImage: it isn't a picture, with its place in the query.
    """
    with _placed(term, f"{term.value}: "):
        if stat.S_ISDIR(info.st_mode):
            raise BadImage("a folder", hint="in:DIR searches a folder")
        if not stat.S_ISREG(info.st_mode):
            raise BadImage("not a file", hint=_GIVE_A_PICTURE)
        if info.st_size == 0:
            raise BadImage("the file is empty", hint=_GIVE_A_PICTURE)
        try:
            with files.reading(term.value) as file:
                start = file.read(SIGNATURE_BYTES)
        except OSError as error:
            raise BadImage((error.strerror or str(error)).lower(), hint="check its permissions") from error
        if not may_be_picture(start) and not raw.is_raw(term.value) and not is_video(term.value, start):
            raise BadImage("not a picture", hint=_GIVE_A_PICTURE)
        if info.st_size > MOST_FILE_BYTES:
            raise BadImage(f"larger than {MOST_FILE_BYTES >> 30} GB", hint="search with a smaller copy of it")


@contextmanager
def _file(term: Term, fetched: Fetched) -> Iterator[Path]:
    """Yield the picture as a file without an extension: its bytes show its format."""
    if term.kind is not TermKind.ADDRESS:
        yield Path(term.value)
        return
    with ExitStack() as opened:
        try:
            path = Path(opened.enter_context(TemporaryDirectory(prefix="photomap-"))) / "picture"
            path.write_bytes(fetched.pictures[term.value])
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise BadImage(f"can't make a temporary file: {reason}", hint="free some space, or set TMPDIR") from error
        yield path


@contextmanager
def _placed(term: Term, whose: str = "") -> Iterator[None]:
    """Add the picture's name and its place in the query to an error."""
    try:
        yield
    except BadImage as error:
        raise BadImage(f"{whose}{error.message}", hint=error.hint or _GIVE_A_PICTURE, position=term.position) from error
