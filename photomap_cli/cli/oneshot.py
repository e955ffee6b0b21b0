"""Owns a search without a session, where it needs no encoder process: words by the text tower, or known from before."""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

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
    settings = settings_cache.load()
    with _one_thread():
        import numpy as np  # noqa: F401  its threads are made when it is imported
    threading.Thread(target=_import_faiss, name="faiss", daemon=True).start()  # beside reading and encoding the words

    from photomap_cli.records import SearchRequest
    from photomap_cli.session.session import Session

    with Session.open(library, settings, may_start=False) as session:
        return session.search(SearchRequest(**request)).to_json()


def _import_faiss() -> None:
    from photomap_cli.library import exact

    exact.faiss()


@contextmanager
def _one_thread() -> Iterator[None]:
    """Have numpy imported in the block make no threads; a text needs none, and whatever is started later may."""
    name = "OPENBLAS_NUM_THREADS"
    before = os.environ.get(name)
    os.environ.setdefault(name, "1")
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
