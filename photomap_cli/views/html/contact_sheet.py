"""Owns the contact sheet for a browser: a self-contained page with a result's photos."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from html import escape
from pathlib import PurePath
from typing import TYPE_CHECKING

from photomap_cli.views.filenames import file_address
from photomap_cli.views.formatting import photos
from photomap_cli.views.html.template import asset, head
from photomap_cli.views.output import printable

if TYPE_CHECKING:
    from photomap_cli.records import Hit, SearchResult, Thumbnail
    from photomap_cli.views.previews import Thumbnailer, Wait


_AT_ONCE = 24  # thumbnails held in memory


def sheet_page(result: SearchResult, open_thumbnailer: Callable[[], Thumbnailer], wait: Wait) -> Iterator[bytes]:
    """Yield the page in pieces; `wait` runs slow work."""
    facts = f"{photos(len(result.hits))} · {printable(result.encoder)}"
    with open_thumbnailer() as thumbnailer:
        for piece in page(printable(result.query), facts, _entries(result.hits, thumbnailer, wait)):
            yield piece.encode("utf-8")


def _entries(hits: tuple[Hit, ...], thumbnailer: Thumbnailer, wait: Wait) -> Iterator[Entry]:
    for start in range(0, len(hits), _AT_ONCE):
        part = hits[start : start + _AT_ONCE]
        yield from map(_entry, part, wait(partial(thumbnailer.thumbnails, [hit.path for hit in part])))


def _entry(hit: Hit, thumbnail: Thumbnail) -> Entry:

    path = PurePath(hit.path)
    shots = f" ×{1 + len(hit.collapsed)}" if hit.collapsed else ""
    return Entry(
        rank=str(hit.rank),
        score="" if hit.score is None else f"{hit.score:.3f}",
        name=printable(path.name) + shots,
        folder=printable(str(path.parent)),
        date=printable(hit.taken_at or "")[:10],
        size=f"{hit.width}×{hit.height}",
        link=file_address(hit.path),
        sides=(hit.width, hit.height),
        webp=thumbnail.webp,
        fault=printable(thumbnail.fault),
    )


@dataclass(frozen=True, slots=True)
class Entry:
    """A photo on the page.  Its texts may contain anything.

    Attributes:
        rank, score, name, folder, date, size: as displayed.
        link: the photo's `file:` address.
        sides: width and height in pixels, upright.
        webp: the thumbnail; empty if there is none.
        fault: why there is none.
    """

    rank: str
    score: str
    name: str
    folder: str
    date: str
    size: str
    link: str
    sides: tuple[int, int]
    webp: bytes = b""
    fault: str = ""


def page(title: str, facts: str, entries: Iterable[Entry]) -> Iterator[str]:
    """Yield the page in pieces, a photo at a time; `title` is the query and `facts` the rest."""
    style, script = asset("contact_sheet.css"), asset("contact_sheet.js")
    # Pictures may be embedded ones and, large, files of this computer.
    yield head(title, facts, style=style, script=script, pictures="data: file:") + _BEGIN
    for entry in entries:
        yield _tile(entry)
    yield _FOOT.format(script=script)


def _tile(entry: Entry) -> str:
    name, link = escape(entry.name), escape(entry.link)
    facts = "".join(f"<span>{escape(text)}</span>" for text in (entry.score, entry.date, entry.size) if text)
    return f"""<li><figure>
<a class="tile" href="{link}" aria-label="{escape(entry.rank)}, {name}">{_picture(entry)}</a>
<figcaption><a class="name" href="{link}" title="{escape(entry.folder)}" tabindex="-1">{name}</a>
<span class="facts"><b>{escape(entry.rank)}</b>{facts}</span></figcaption>
</figure></li>
"""


def _picture(entry: Entry) -> str:
    if not entry.webp:
        return f"<span>{escape(entry.fault)}</span>"
    data = base64.b64encode(entry.webp).decode("ascii")
    width, height = entry.sides
    sides = f'width="{width}" height="{height}"'
    return (
        f'<img src="data:image/webp;base64,{data}" {sides} alt="{escape(entry.name)}" loading="lazy" decoding="async">'
    )


_BEGIN = """<main>
<ol class="sheet">
"""

_FOOT = """</ol>
<p id="none" hidden>No photo matches. Names and dates are searched.</p>
</main>
<dialog id="box" aria-label="Photo" tabindex="-1">
<button id="previous" aria-label="Previous">‹</button>
<img id="large" src="data:," alt="">
<button id="next" aria-label="Next">›</button>
<button id="close" aria-label="Close">×</button>
<p id="about"></p>
</dialog>
<script>{script}</script>
</body>
</html>
"""
