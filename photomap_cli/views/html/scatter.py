"""Owns the map for a browser: a self-contained page with points, groups and thumbnails."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from html import escape
from itertools import chain
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from photomap_cli.views.filenames import file_address
from photomap_cli.views.formatting import photos
from photomap_cli.views.html.template import asset, head
from photomap_cli.views.output import printable
from photomap_cli.views.palette import colours

if TYPE_CHECKING:
    from photomap_cli.records.maps import MapCluster, MapPoint, PhotoMap
    from photomap_cli.views.previews import Thumbnailer, Wait


MOST_THUMBNAILS = 1500
"""Up to this many photos the page has all thumbnails, some 25 MB; beyond, only those of each group's typical photos."""


_AT_ONCE = 24  # thumbnails held in memory


def map_page(drawn: PhotoMap, open_thumbnailer: Callable[[], Thumbnailer], wait: Wait) -> Iterator[bytes]:
    """Yield the page in pieces; `wait` runs slow work."""
    numbers = {point.path: number for number, point in enumerate(drawn.points)}
    facts = f"{photos(len(drawn.points))} in {len(drawn.clusters)} groups · {printable(drawn.encoder)}"
    typical = chain.from_iterable(cluster.representatives for cluster in drawn.clusters)
    pictured = [path for path in dict.fromkeys(typical) if path in numbers]
    if len(drawn.points) <= MOST_THUMBNAILS:
        pictured = list(dict.fromkeys([*pictured, *numbers]))
    groups = [
        _group(each, colour, numbers) for each, colour in zip(drawn.clusters, colours(drawn.clusters), strict=True)
    ]
    with open_thumbnailer() as thumbnailer:
        thumbnails = _thumbnails(pictured, numbers, thumbnailer, wait)
        for piece in page("Map of photos", facts, groups, list(_points(drawn.points)), thumbnails):
            yield piece.encode("utf-8")


def _group(cluster: MapCluster, colour: str, numbers: dict[str, int]) -> Group:
    x, y = _place(*cluster.centre)
    typical = tuple(numbers[path] for path in cluster.representatives if path in numbers)
    return Group(cluster.letter, printable(cluster.name), cluster.count, colour, x, y, typical)


def _points(points: Sequence[MapPoint]) -> Iterator[Point]:
    folders: dict[str, str] = {}
    for point in points:
        path = PurePath(point.path)
        parent = str(path.parent)
        if parent not in folders:
            folders[parent] = file_address(parent).rstrip("/") + "/"
        yield Point(
            *_place(point.x, point.y), point.cluster - 1, folders[parent], path.name, (point.taken_at or "")[:10]
        )


def _place(x: float, y: float) -> tuple[int, int]:
    """Return a point in page coordinates: whole numbers, y downwards."""
    return round(FULL * x), round(FULL * (1 - y))


def _thumbnails(
    paths: Sequence[str], numbers: dict[str, int], thumbnailer: Thumbnailer, wait: Wait
) -> Iterator[tuple[int, bytes]]:
    for start in range(0, len(paths), _AT_ONCE):
        part = paths[start : start + _AT_ONCE]
        for path, thumbnail in zip(part, wait(partial(thumbnailer.thumbnails, part)), strict=True):
            if thumbnail.webp:
                yield numbers[path], thumbnail.webp


FULL = 10_000
"""Coordinates run from 0 to this: a screen has fewer pixels, and whole numbers are short."""


@dataclass(frozen=True, slots=True)
class Group:
    """A group on the page: `x`, `y` from 0 to FULL, to the right and down; `typical` are numbers of points."""

    letter: str
    name: str
    count: int
    colour: str
    x: int
    y: int
    typical: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Point:
    """A photo on the page: `folder` is its folder's `file:` address with a final slash, `group` a group's number."""

    x: int
    y: int
    group: int
    folder: str
    name: str
    date: str


def page(
    title: str, facts: str, groups: Sequence[Group], points: Sequence[Point], thumbnails: Iterable[tuple[int, bytes]]
) -> Iterator[str]:
    """Yield the page in pieces.

    Args:
        title, facts: the text above the map.
        groups: the largest first.
        points: the photos.
        thumbnails: numbers of points and their thumbnails as WebP; consumed one at a time.
    """
    style, script = asset("scatter.css"), asset("scatter.js")
    legend = "".join(map(_legend_entry, groups))
    yield head(title, facts, style=style, script=script) + _BEGIN.format(legend=legend)
    yield _json(_columns(groups, points))[:-1] + ', "thumbnails": ['
    for number, (point, webp) in enumerate(thumbnails):
        yield f"{',' if number else ''}{_json([point, base64.b64encode(webp).decode('ascii')])}"
    yield "]}" + _FOOT.format(script=script)


def _columns(groups: Sequence[Group], points: Sequence[Point]) -> dict[str, Any]:
    """Return the script's data: a list for each attribute of points."""
    folders = {folder: number for number, folder in enumerate(dict.fromkeys(point.folder for point in points))}
    return {
        "xs": [point.x for point in points],
        "ys": [point.y for point in points],
        "groups": [point.group for point in points],
        "folders": list(folders),
        "folderOf": [folders[point.folder] for point in points],
        "names": [point.name for point in points],
        "dates": [point.date for point in points],
        "clusters": [
            {name: getattr(group, name) for name in ("letter", "name", "colour", "x", "y")} for group in groups
        ],
        "typical": [group.typical for group in groups],
    }


def _json(value: Any) -> str:
    """Return JSON that is safe inside a script element."""
    return json.dumps(value, separators=(",", ":")).replace("<", "\\u003c")


def _legend_entry(group: Group) -> str:
    count, name = f"{group.count:,}", escape(group.name)
    return (
        f'<li><button aria-pressed="false"><i>{escape(group.letter)}</i><span class="name">{name}</span>'
        f'<span class="count">{count}</span></button></li>\n'
    )


_BEGIN = """<main>
<canvas id="map" tabindex="0" role="application"
 aria-label="Map of the photos. Arrow keys move the map, plus and minus zoom.
 Enter selects a photo; arrow keys then select the next one."></canvas>
<div id="zoom">
<button id="in" aria-label="Zoom in">+</button>
<button id="out" aria-label="Zoom out">−</button>
<button id="all" aria-label="Show everything">⤢</button>
</div>
<div id="hover" hidden></div>
<noscript>This map needs JavaScript. The page itself contains the script and loads nothing else.</noscript>
</main>
<aside>
<div id="card" aria-live="polite" hidden></div>
<div id="typical" aria-label="Typical photos of the group" hidden></div>
<ol id="groups" aria-label="Groups">
{legend}</ol>
</aside>
<script id="data" type="application/json">"""

_FOOT = """</script>
<script>{script}</script>
</body>
</html>
"""
