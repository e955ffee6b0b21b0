"""Owns what of a map is on its page for a browser.  What the page looks like is `pages.scatter`'s."""

from __future__ import annotations

from functools import partial
from itertools import chain
from pathlib import PurePath
from typing import TYPE_CHECKING

from photomap_cli.pages.scatter import FULL, Group, Point, page
from photomap_cli.terminal.figures import photos
from photomap_cli.terminal.filenames import file_address, printable
from photomap_cli.terminal.palette import colours

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from photomap_cli.records.maps import MapCluster, MapPoint, PhotoMap
    from photomap_cli.terminal.previews import Gallery, Wait

MOST_THUMBNAILS = 1500
"""Up to so many photos all thumbnails are in the page, some 25 MB; beyond, those of each group's typical photos."""

_AT_ONCE = 24  # thumbnails that are held


def map_page(drawn: PhotoMap, open_gallery: Callable[[], Gallery], wait: Wait) -> Iterator[bytes]:
    """Yield the page in pieces; `wait` does what takes long."""
    numbers = {point.path: number for number, point in enumerate(drawn.points)}
    facts = f"{photos(len(drawn.points))} in {len(drawn.clusters)} groups · {printable(drawn.encoder)}"
    typical = chain.from_iterable(cluster.representatives for cluster in drawn.clusters)
    pictured = [path for path in dict.fromkeys(typical) if path in numbers]
    if len(drawn.points) <= MOST_THUMBNAILS:
        pictured = list(dict.fromkeys([*pictured, *numbers]))
    groups = [
        _group(each, colour, numbers) for each, colour in zip(drawn.clusters, colours(drawn.clusters), strict=True)
    ]
    with open_gallery() as gallery:
        thumbnails = _thumbnails(pictured, numbers, gallery, wait)
        for piece in page("Map of photos", facts, groups, list(_points(drawn.points)), thumbnails):
            yield piece.encode("utf-8")


def _group(cluster: MapCluster, colour: str, numbers: dict[str, int]) -> Group:
    x, y = _place(cluster.x, cluster.y)
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
    """Return a place as pages have it: whole numbers, downwards."""
    return round(FULL * x), round(FULL * (1 - y))


def _thumbnails(
    paths: Sequence[str], numbers: dict[str, int], gallery: Gallery, wait: Wait
) -> Iterator[tuple[int, bytes]]:
    for start in range(0, len(paths), _AT_ONCE):
        part = paths[start : start + _AT_ONCE]
        for path, thumbnail in zip(part, wait(partial(gallery.thumbnails, part)), strict=True):
            if thumbnail.webp:
                yield numbers[path], thumbnail.webp
