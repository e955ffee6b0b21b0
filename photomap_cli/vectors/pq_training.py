"""Owns making compressed rows: when they are due, the code, the self-check.  Answers no searches, writes no files."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from photomap_cli.vectors.flat_index import faiss, merged
from photomap_cli.vectors.pq_file import BLOCK, Header, PqRows, reach, tail_crc

if TYPE_CHECKING:
    from photomap_cli.vectors.flat_index import StoredRows
    from photomap_cli.vectors.view import View

ROWS = 300_000
"""Fewer rows are scanned uncompressed, which takes some 12 ms."""

TAIL_SHARE = 16
"""Due again when more than one row in this many isn't compressed: 62,000 beside a million rows are scanned in 3 ms."""

RECALL = 0.999
"""The share of the truly best hits that candidates must contain.  Near-isotropic vectors reach .80."""

_DEPTHS = (1, 2, 4)
_CHECKED_HITS = (10, 100)
_CHECKS = 64  # queries of each kind
_SAMPLE = 4_096  # faiss uses no more to train 16 values
ROWS_AT_ONCE = 16_384  # compressed in 0.2 s, after which the work can be cancelled
_GAP = 0.96  # where CLIP puts texts relative to the photos' common direction: 0.27 along it, 0.96 across


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """What to compress: a library's rows, their earlier compression, and vectors of recent searches."""

    view: View
    earlier: PqRows | None = None
    queries: Sequence[np.ndarray] = ()


def is_due(count: int, header: Header | None) -> bool:
    """Return whether this many rows should be compressed, or compressed again."""
    if count < ROWS or header is None or header.count > count:
        return count >= ROWS
    if not header.depth:
        return count >= 2 * header.trained_count
    return (count - header.count) * TAIL_SHARE > count


def compress(job: Job) -> Generator[int, None, PqRows]:
    """Compress rows, check and return the result; yields how many rows are done.

    Runs in one thread; a million rows take 170 MB meanwhile.
    """
    rows = job.view.rows
    count = rows.count // BLOCK * BLOCK
    sample = rows.floats(_some(count, _SAMPLE))
    index, trained_count = _extended(job) or (_trained(sample), count)
    for first in range(index.ntotal, count, ROWS_AT_ONCE):
        faiss()
        index.add(rows.floats(slice(first, min(first + ROWS_AT_ONCE, count))))
        yield index.ntotal
    header = Header(job.view.library_id, rows.dim, count, trained_count, _DEPTHS[-1], tail_crc(rows, count))
    made = PqRows(header, index)
    depth = yield from _depth(rows, made, [*_checks(sample), *job.queries])
    return PqRows(replace(header, depth=depth), index if depth else None)


def _extended(job: Job) -> tuple[Any, int] | None:
    """Return a copy of the earlier index to continue, unless the library has doubled since it was trained."""
    if job.earlier is None or not job.earlier.header.depth:
        return None
    trained_count = job.earlier.header.trained_count
    return (faiss().clone_index(job.earlier.index), trained_count) if job.view.count < 2 * trained_count else None


def _trained(sample: np.ndarray) -> Any:
    """Return an empty index with a code for vectors like these; 4,096 of 512 dimensions take 1.5 s."""
    library, dim = faiss(), sample.shape[1]
    index = library.IndexPQFastScan(dim, dim // 2, 4, library.METRIC_INNER_PRODUCT)
    index.train(sample)
    return index


def _some(count: int, most: int) -> np.ndarray:
    return np.sort(np.random.default_rng(count).choice(count, min(most, count), replace=False))


def _checks(sample: np.ndarray) -> np.ndarray:
    """Return query vectors: some photos, and others outside their cone, like CLIP's texts."""
    photos = sample[:: len(sample) // _CHECKS][:_CHECKS]
    common = _unit(sample.mean(axis=0))
    across = _unit(np.random.default_rng(0).standard_normal(len(common), np.float32))
    of_photos, of_others = (_unit(some - np.outer(some @ common, common)) for some in (photos, photos[::-1]))
    texts = 0.8 * (0.27 * common + _GAP * across) + 0.35 * of_photos + 0.48 * of_others
    return np.concatenate([photos, _unit(texts)])


def _unit(vectors: np.ndarray) -> np.ndarray:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9), np.float32)


def _depth(rows: StoredRows, made: PqRows, queries: Sequence[np.ndarray]) -> Generator[int, None, int]:
    """Return the least depth at which candidates contain the truly best hits; 0 if none does."""
    held = np.zeros((len(_DEPTHS), len(_CHECKED_HITS)))
    for query in queries:
        held += _held(rows, made, query[np.newaxis])
        yield made.header.count
    is_enough = (held / np.multiply(_CHECKED_HITS, len(queries)) >= RECALL).all(axis=1)
    return _DEPTHS[int(is_enough.argmax())] if is_enough.any() else 0


def _held(rows: StoredRows, made: PqRows, query: np.ndarray) -> np.ndarray:
    """Return how many of a query's best hits are candidates, by depth and number of hits."""
    best, _ = merged([rows.scan(query, max(_CHECKED_HITS), None, (0, made.header.count))])
    near = made.nearest(query, reach(_DEPTHS[-1], max(_CHECKED_HITS)))
    return np.array([[np.isin(best[:k], near[: reach(depth, k)]).sum() for k in _CHECKED_HITS] for depth in _DEPTHS])
