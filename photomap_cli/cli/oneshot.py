"""Owns a search without a session that needs no encoder process: by the text tower, by words known before, a list."""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from photomap_cli.cli import settings_cache
from photomap_cli.errors import EmptyLibrary, EncoderFailed

if TYPE_CHECKING:
    from photomap_cli.records import SearchRequest, SearchResult
    from photomap_cli.search.query import Query
    from photomap_cli.settings import Settings


def search(library: Path, request: dict[str, Any]) -> dict[str, Any]:
    """Return what `search --json` prints, as JSON values.

    Raises:
        PhotomapError: it cannot be answered so; whoever knows more asks again, and is told why if it still cannot.
    """
    if "://" in request["text"]:  # a picture that would be fetched, and then fetched again
        raise EncoderFailed("an encoder process is needed for a picture from an address")
    with _short_lived():
        return _searched(library, request)


def exit_now(status: int) -> NoReturn:
    """End this process, whose output is flushed, without taking its modules apart: that took 80 of 330 ms of CPU."""
    os._exit(status)


def _searched(library: Path, request: dict[str, Any]) -> dict[str, Any]:
    settings = settings_cache.load()
    if all(":" in word for word in request["text"].split()):  # perhaps filters alone; the others need not wait for this
        from photomap_cli.records import SearchRequest
        from photomap_cli.search.query import parse

        parsed = SearchRequest(**request)
        query = parse(parsed.text, cwd=parsed.cwd, may_be_blank=parsed.sort == "date")
        if not query.terms:
            return _listed(library, settings, query, parsed).to_json()
    threading.Thread(target=_import_faiss, name="faiss", daemon=True).start()  # beside reading and encoding the words

    from photomap_cli.records import SearchRequest
    from photomap_cli.session.session import Session

    with Session.open(library, settings, may_start=False) as session:
        return session.search(SearchRequest(**request)).to_json()


def _listed(library: Path, settings: Settings, query: Query, request: SearchRequest) -> SearchResult:
    """List what filters leave, by the catalogue alone: no session, no vectors."""
    from photomap_cli.search.listing import Lister
    from photomap_cli.search.scope import Scope
    from photomap_cli.session.libraries import open_library

    with open_library(library, settings) as opened:
        catalog = opened.facts
        made_with = catalog.encoder
        if made_with is None:
            raise EmptyLibrary("the library has no photos yet", hint="photomap index ~/Pictures")
        lister = Lister(catalog, Scope(catalog), spec=made_with.spec, settings=settings)
        return catalog.of_one_numbering(lambda: lister.page(query, request))


def _import_faiss() -> None:
    from photomap_cli.vectors import flat_index

    flat_index.faiss()


@contextmanager
def _short_lived() -> Iterator[None]:
    """Collect no garbage in the block (40 ms), and have numpy and faiss make no threads for products of matrices.

    What is started after it may have threads again.
    """
    name = "OPENBLAS_NUM_THREADS"
    before, collects = os.environ.get(name), gc.isenabled()
    os.environ.setdefault(name, "1")
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()
        if before is None:
            del os.environ[name]
