"""Owns finding duplicates: copies and nearly identical shots.  Deletes nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from photomap_cli.library.same_file import RealFiles
from photomap_cli.records import DuplicateGroup, DuplicatePhoto
from photomap_cli.vectors import knn

if TYPE_CHECKING:
    from photomap_cli.library.store import Facts
    from photomap_cli.records import Photo, PhotoFilter

    Checkpoint = Callable[[], None]


def find(
    catalog: Facts,
    scopes: Iterable[PhotoFilter] = (),
    *,
    threshold: float,
    only_identical: bool = False,
    checkpoint: Checkpoint = lambda: None,
    left_out: Callable[[int], None] = lambda _count: None,
) -> list[DuplicateGroup]:
    """Return the groups, copies first, then the most similar; each starts with the photo that is best to keep.

    Among similar shots, copies of a file count once, and every shot has a cosine of at least `threshold` to
    the first of its group.  All are distinct files, unchanged since they were indexed; one that a link
    in the library leads to is the first of its group or not in it.

    Args:
        catalog: the library's.
        scopes: folders to look below; empty for the whole library.
        threshold: cosine from which two photos are the same shot.
        only_identical: compare only bytes, no vectors.
        checkpoint: called repeatedly; an exception from it ends the search.
        left_out: called with the number of photos left out because their files changed since they were indexed.
    """
    within, options = tuple(scopes), (threshold, only_identical, checkpoint)
    groups, missing = catalog.of_one_numbering(lambda: _find(catalog, within, *options))
    left_out(missing)
    return groups


def _find(
    catalog: Facts, scopes: Sequence[PhotoFilter], threshold: float, only_identical: bool, checkpoint: Checkpoint
) -> tuple[list[DuplicateGroup], int]:
    """Return the groups, and how many photos were left out."""
    chosen = [catalog.rows([scope], checkpoint=checkpoint) for scope in scopes]
    rows = np.unique(np.concatenate(chosen)) if chosen else catalog.rows(checkpoint=checkpoint)
    photos = {photo.row: photo for photo in catalog.photos(rows)}
    asked, files, groups = set(photos), RealFiles(catalog), list[DuplicateGroup]()
    for same in _of_same_content(catalog, photos, checkpoint):
        copies = _copies(files, same, photos)
        best, spare = copies[:1], [photo for photo in copies[1:] if not files.is_linked_to(photo)]
        if spare:
            groups.append(DuplicateGroup("identical", tuple(_shown(photo, 1.0) for photo in (*best, *spare))))
        for photo in same:
            if photo not in best:
                photos.pop(photo.row, None)
    groups.sort(key=lambda group: (-group.spare_bytes, group.photos[0].path))
    if not only_identical:
        similar = list(_similar(catalog, photos, files, threshold, checkpoint))
        similar.sort(key=lambda group: (-max(photo.score for photo in group.photos[1:]), group.photos[0].path))
        groups += similar
    return groups, len(files.left_out & asked)


def _worth(photo: Photo) -> tuple[int, int, int, int, str]:
    """Sort by what is best to keep: most pixels, most bytes, oldest file, shortest path."""
    return -photo.width * photo.height, -photo.size_bytes, photo.mtime_ns, len(photo.path), photo.path


def _of_same_content(catalog: Facts, photos: dict[int, Photo], checkpoint: Checkpoint) -> Iterator[list[Photo]]:
    """Yield photos whose files have the same bytes, with one of `photos` among them: a link may be anywhere."""
    for rows in catalog.contents.copies_of(np.array(list(photos), np.int64)):
        checkpoint()
        elsewhere = catalog.photos([row for row in rows if row not in photos])
        yield [*(photos[row] for row in rows if row in photos), *elsewhere]


def _copies(files: RealFiles, same: Sequence[Photo], photos: Container[int]) -> list[Photo]:
    """Return those photos with the same bytes that are distinct files and rows of `photos`, the best first."""
    files.one_of_each(same)  # a link from elsewhere counts too
    copies = files.one_of_each([photo for photo in same if photo.row in photos])
    return sorted(copies, key=lambda photo: (not files.is_linked_to(photo), _worth(photo)))


def _similar(
    catalog: Facts, photos: dict[int, Photo], files: RealFiles, threshold: float, checkpoint: Checkpoint
) -> Iterator[DuplicateGroup]:
    rows, vectors = catalog.stored_vectors(np.array(list(photos), np.int64))
    if not len(rows):
        return
    order = [photos[row] for row in rows.tolist()]
    for places in _components(len(order), *knn.near(vectors, threshold, checkpoint)):
        checkpoint()
        place_of = {order[place].row: place for place in places}
        real = sorted(files.one_of_each([order[place] for place in places]), key=_worth)
        left = np.asarray([place_of[photo.row] for photo in real], np.int64)
        while len(left) > 1:
            cosines = vectors[left].astype(np.float32) @ vectors[left[0]].astype(np.float32)
            cosines[0] = 1.0
            together = cosines >= threshold
            pairs = [(order[place], float(cosine)) for place, cosine in zip(left, cosines, strict=True)]
            best, *others = (pair for pair, is_like in zip(pairs, together, strict=True) if is_like)
            if spare := [pair for pair in others if not files.is_linked_to(pair[0])]:
                yield DuplicateGroup("similar", tuple(_shown(*pair) for pair in (best, *spare)))
            left = left[~together]


def _components(count: int, first: np.ndarray, second: np.ndarray) -> Iterator[list[int]]:
    """Yield the sets of positions that the pairs connect, except single ones."""
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
