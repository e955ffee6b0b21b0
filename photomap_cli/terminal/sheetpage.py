"""Owns what of a result is on the contact sheet for a browser.  What the page looks like is `pages.contactsheet`'s."""

from __future__ import annotations

from functools import partial
from pathlib import PurePath
from typing import TYPE_CHECKING

from photomap_cli.terminal.figures import photos
from photomap_cli.terminal.filenames import file_address, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from photomap_cli.pages.contactsheet import Entry
    from photomap_cli.records import Hit, SearchResult, Thumbnail
    from photomap_cli.terminal.previews import Gallery, Wait

_AT_ONCE = 24  # thumbnails that are held


def sheet_page(result: SearchResult, open_gallery: Callable[[], Gallery], wait: Wait) -> Iterator[bytes]:
    """Yield the page in pieces; `wait` does what takes long."""
    from photomap_cli.pages.contactsheet import page

    facts = f"{photos(len(result.hits))} · {printable(result.encoder)}"
    with open_gallery() as gallery:
        for piece in page(printable(result.query), facts, _entries(result.hits, gallery, wait)):
            yield piece.encode("utf-8")


def _entries(hits: tuple[Hit, ...], gallery: Gallery, wait: Wait) -> Iterator[Entry]:
    for start in range(0, len(hits), _AT_ONCE):
        part = hits[start : start + _AT_ONCE]
        yield from map(_entry, part, wait(partial(gallery.thumbnails, [hit.path for hit in part])))


def _entry(hit: Hit, thumbnail: Thumbnail) -> Entry:
    from photomap_cli.pages.contactsheet import Entry

    path = PurePath(hit.path)
    shots = f" ×{1 + len(hit.collapsed)}" if hit.collapsed else ""
    return Entry(
        rank=str(hit.rank),
        score=f"{hit.score:.3f}",
        name=printable(path.name) + shots,
        folder=printable(str(path.parent)),
        date=printable(hit.taken_at or "")[:10],
        size=f"{hit.width}×{hit.height}",
        link=file_address(hit.path),
        sides=(hit.width, hit.height),
        webp=thumbnail.webp,
        fault=printable(thumbnail.fault),
    )
