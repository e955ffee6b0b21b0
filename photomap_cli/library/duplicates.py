"""Owns finding photos that are there more than once, as copies or as shots hardly different.  Deletes nothing."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np

from photomap_cli.library import neighbours
from photomap_cli.library.content import digest_at
from photomap_cli.library.entries import STORED
from photomap_cli.records import DuplicateGroup, DuplicatePhoto

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from photomap_cli.library.catalog import Catalog
    from photomap_cli.records import Photo, PhotoFilter

    Checkpoint = Callable[[], None]


def find(
    catalog: Catalog,
    scopes: Iterable[PhotoFilter] = (),
    *,
    threshold: float,
    only_identical: bool = False,
    checkpoint: Checkpoint = lambda: None,
) -> list[DuplicateGroup]:
    """Return the groups, copies first, then the nearest; in each the photo that looks best to keep comes first.

    Among shots that are hardly different the copies of one file count once, and every shot is at least `threshold` like
    the first of its group.

    Args:
        catalog: the library's.
        scopes: folders to look below; none for the whole library.
        threshold: cosine from which two photos are the same shot.
        only_identical: no vectors, only bytes.
        checkpoint: called now and then; what it raises ends the search.
    """
    chosen = [catalog.rows([scope]) for scope in scopes]
    rows = np.unique(np.concatenate(chosen)) if chosen else catalog.rows()
    photos = {photo.row: photo for photo in catalog.photos(rows)}
    copies = [sorted(group, key=_worth) for group in _identical(catalog, photos, checkpoint)]
    groups = [DuplicateGroup("identical", tuple(_shown(photo, 1.0) for photo in group)) for group in copies]
    groups.sort(key=lambda group: (-group.spare_bytes, group.photos[0].path))
    if only_identical:
        return groups
    for group in copies:
        for photo in group[1:]:
            del photos[photo.row]
    similar = list(_similar(catalog, photos, threshold, checkpoint))
    similar.sort(key=lambda group: (-max(photo.score for photo in group.photos[1:]), group.photos[0].path))
    return groups + similar


def _worth(photo: Photo) -> tuple[int, int, int, int, str]:
    """Sort what is best to keep to the front: most pixels, most bytes, oldest file, shortest path."""
    return -photo.width * photo.height, -photo.size_bytes, photo.mtime_ns, len(photo.path), photo.path


def _identical(catalog: Catalog, photos: dict[int, Photo], checkpoint: Checkpoint) -> Iterator[list[Photo]]:
    """Yield the photos whose files have the same bytes; those of an older library are read for it."""
    by_content: dict[tuple[int, bytes], list[Photo]] = defaultdict(list)
    for row, known in catalog.contents_of_same_size().items():
        if (photo := photos.get(row)) is None:
            continue
        checkpoint()
        if digest := known or digest_at(photo.path):
            by_content[photo.size_bytes, digest].append(photo)
    yield from (group for group in by_content.values() if len(group) > 1)


def _similar(
    catalog: Catalog, photos: dict[int, Photo], threshold: float, checkpoint: Checkpoint
) -> Iterator[DuplicateGroup]:
    stored = {row: np.frombuffer(blob, STORED) for row, blob in catalog.vectors_from(0) if row in photos}
    if not stored:
        return
    order, vectors = [photos[row] for row in stored], np.stack(list(stored.values()))
    for places in _components(len(order), *neighbours.near(vectors, threshold, checkpoint)):
        checkpoint()
        left = np.asarray(sorted(places, key=lambda place: _worth(order[place])))
        while len(left) > 1:
            cosines = vectors[left].astype(np.float32) @ vectors[left[0]].astype(np.float32)
            cosines[0] = 1.0
            together = cosines >= threshold
            if together.sum() > 1:
                pairs = zip(left[together], cosines[together], strict=True)
                yield DuplicateGroup("similar", tuple(_shown(order[place], float(cosine)) for place, cosine in pairs))
            left = left[~together]


def _components(count: int, first: np.ndarray, second: np.ndarray) -> Iterator[list[int]]:
    """Yield the sets of places that the pairs connect, but for those of one."""
    root = list(range(count))

    def find_root(place: int) -> int:
        while root[place] != place:
            root[place] = root[root[place]]
            place = root[place]
        return place

    for one, other in zip(first.tolist(), second.tolist(), strict=True):
        root[find_root(one)] = find_root(other)
    sets: dict[int, list[int]] = defaultdict(list)
    for place in sorted({*first.tolist(), *second.tolist()}):
        sets[find_root(place)].append(place)
    yield from sets.values()


def _shown(photo: Photo, score: float) -> DuplicatePhoto:
    return DuplicatePhoto(photo.path, score, photo.size_bytes, photo.taken_at, photo.width, photo.height)
