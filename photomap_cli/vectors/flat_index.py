"""Owns exact scores: faiss over the stored fp16 rows in mapped memory.  Keeps nothing, chooses nothing.

Every score that users see is computed here, however the rows were chosen, so it is the same to the last bit.
"""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np

from photomap_cli.memory import require_address_space
from photomap_cli.vectors.file_header import row_bytes

_ADDRESS_SPACE = 450 << 20  # what importing faiss and its first products take; 350 MB on two cores

Found = tuple[np.ndarray, np.ndarray]
"""Rows (int64) and cosines (float32), best first, among equals the lower row first."""

Slice = tuple[int, int]


class StoredRows:
    """The `count` rows after a header.  Any thread may scan them."""

    def __init__(self, memory: Any, dim: int, count: int, offset: int) -> None:
        self.dim, self.count = dim, count
        self.codes = np.frombuffer(memory, np.uint8, count * row_bytes(dim), offset).reshape(count, row_bytes(dim))

    def slices(self, parts: int) -> list[Slice]:
        """Split the rows at byte borders of a bitmap."""
        cuts = [self.count * part // parts // 8 * 8 for part in range(parts)]
        return list(pairwise([*cuts, self.count]))

    def scan(self, query: np.ndarray, k: int, allowed: np.ndarray | None, part: Slice) -> Found:
        """Return the k best rows of a slice whose bits are set in `allowed` (for all rows, lowest first; None: all)."""
        first, end = part
        bits = None if allowed is None else allowed[first // 8 : -(-end // 8)]
        found, scores = _best(self.codes[first:end], self.dim, query, k, bits)
        return found + first, scores

    def score(self, query: np.ndarray, k: int, rows: np.ndarray) -> Found:
        """Return the k best of a few rows, which are gathered first: 2,000 take 0.6 ms."""
        found, scores = _best(self.codes[rows], self.dim, query, k, None)
        return rows[found], scores

    def floats(self, rows: np.ndarray | slice) -> np.ndarray:
        """Return these rows as they are stored, (n, dim) float32."""
        return self.codes[rows].view(np.float16).astype(np.float32)


def merged(parts: list[Found]) -> Found:
    """Merge the hits of several scans in order."""
    rows, scores = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    order = np.lexsort((rows, -scores))
    return rows[order], scores[order]


def _best(codes: np.ndarray, dim: int, query: np.ndarray, k: int, bits: np.ndarray | None) -> Found:
    """Return faiss's k best, without the -1 for missing ones."""
    library = faiss()
    parameters = None
    if bits is not None:
        parameters = library.SearchParameters(sel=library.IDSelectorBitmap(len(bits), library.swig_ptr(bits)))
    scores, found = _index_over(codes, dim).search(query, k, params=parameters)
    is_hit = found[0] >= 0
    return found[0][is_hit], scores[0][is_hit]


def _index_over(codes: np.ndarray, dim: int) -> Any:
    """Return a faiss index that points into the memory of `codes`, which must outlive it; takes 35 us.

    Faiss's own file mapping isn't used: it requests random access, with which a cold search over a million rows took
    21 s instead of 0.5 s.
    """
    library = faiss()
    index = library.IndexScalarQuantizer(dim, library.ScalarQuantizer.QT_fp16, library.METRIC_INNER_PRODUCT)
    octets = library.MaybeOwnedVectorUInt8
    index.codes = octets.create_view(library.swig_ptr(codes), codes.size, octets().owner)  # without an owner
    index.ntotal = len(codes)
    return index


def faiss() -> Any:
    """Return faiss, whose import takes some 60 ms, for use in this thread.

    Its own threads would compete with ours for the cores; their number is set for each thread.
    """
    library = _imported()
    library.omp_set_num_threads(1)
    return library


@cache
def _imported() -> Any:
    require_address_space(_ADDRESS_SPACE)
    import faiss

    return faiss
