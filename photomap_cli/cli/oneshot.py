"""Owns a search without a session, where it needs no encoder process: words by the text tower, or known from before."""

from __future__ import annotations

import gc
import os
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

from photomap_cli.cli import settings_cache
from photomap_cli.errors import EncoderFailed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def search(library: Path, request: dict[str, Any]) -> dict[str, Any]:
    """Return what `search --json` prints, as JSON values.

    Raises:
        PhotomapError: it cannot be answered so; whoever knows more asks again, and is told why if it still cannot.
    """
    if "://" in request["text"]:  # a picture that would be fetched, and then fetched again
        raise EncoderFailed("an encoder process is needed for a picture from an address")
    with _as_a_short_life():
        return _searched(library, request)


def leave(status: int) -> NoReturn:
    """End this process, whose output is flushed, without taking its modules apart: that took 80 of 330 ms of CPU."""
    os._exit(status)


def _searched(library: Path, request: dict[str, Any]) -> dict[str, Any]:
    settings = settings_cache.load()
    threading.Thread(target=_import_faiss, name="faiss", daemon=True).start()  # beside reading and encoding the words

    from photomap_cli.records import SearchRequest
    from photomap_cli.session.session import Session

    with Session.open(library, settings, may_start=False) as session:
        return session.search(SearchRequest(**request)).to_json()


def _import_faiss() -> None:
    from photomap_cli.vectors import flat_index

    flat_index.faiss()


@contextmanager
def _as_a_short_life() -> Iterator[None]:
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
