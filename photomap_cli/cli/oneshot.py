"""Owns a search without a session or encoder process: by the text tower, by cached words, or a list."""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
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
        PhotomapError: it can't be answered this way; the full command line tries again and reports what is wrong.
    """
    if "://" in request["text"]:  # the picture would be downloaded here, and then once more
        raise EncoderFailed("an encoder process is needed for a picture from an address")
    with _short_lived():
        return _searched(library, request)


def exit_now(status: int) -> NoReturn:
    """End this process, whose output is flushed, without tearing down its modules, which took 80 of 330 ms of CPU."""
    os._exit(status)


def _searched(library: Path, request: dict[str, Any]) -> dict[str, Any]:
    settings = settings_cache.load()
    if all(":" in word for word in request["text"].split()):  # maybe filters alone; other queries needn't wait for this
        from photomap_cli.records import SearchRequest
        from photomap_cli.search.query import parse

        parsed = SearchRequest(**request)
        query = parse(parsed.text, cwd=parsed.cwd, may_be_blank=parsed.sort == "date")
        if not query.terms:
            return _listed(library, settings, query, parsed).to_json()
    threading.Thread(
        target=_import_faiss, name="faiss", daemon=True
    ).start()  # in parallel with reading and encoding the words

    from photomap_cli.records import SearchRequest
    from photomap_cli.session.session import Session

    with Session.open(library, settings, may_start=False) as session:
        return session.search(SearchRequest(**request)).to_json()


def _listed(library: Path, settings: Settings, query: Query, request: SearchRequest) -> SearchResult:
    """List the photos that filters leave, from the catalogue alone: no session, no vectors."""
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

    with suppress(Exception):  # the search that needs it says so
        flat_index.faiss()


@contextmanager
def _short_lived() -> Iterator[None]:
    """Turn off garbage collection in the block (40 ms), and threads of numpy and faiss for matrix products.

    Processes started afterwards may use threads again.
    """
    name = "OPENBLAS_NUM_THREADS"
    before, collects = os.environ.get(name), gc.isenabled()
    os.environ.setdefault(name, "1")
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.freeze()  # else everything there is would be looked at now
            gc.enable()
        if before is None:
            del os.environ[name]
