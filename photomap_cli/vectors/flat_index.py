"""Owns exact scores: faiss over the stored fp16 rows, as they lie in mapped memory.  Keeps nothing, chooses nothing.

Every score that leaves the library is computed here, whatever chose the rows, so it is the same to the last bit.
"""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np

from photomap_cli.vectors.file_header import row_bytes

Found = tuple[np.ndarray, np.ndarray]
"""Rows (int64) and cosines (float32), best first, the lower row first among equals."""

Slice = tuple[int, int]


class StoredRows:
    """The `count` rows behind so many bytes of header.  Any thread may scan them."""

    def __init__(self, memory: Any, dim: int, count: int, offset: int) -> None:
        self.dim, self.count = dim, count
        self.codes = np.frombuffer(memory, np.uint8, count * row_bytes(dim), offset).reshape(count, row_bytes(dim))

    def slices(self, parts: int) -> list[Slice]:
        """Cut the rows where the bits of a bitmap can be cut too."""
        cuts = [self.count * part // parts // 8 * 8 for part in range(parts)]
        return list(pairwise([*cuts, self.count]))

    def scan(self, query: np.ndarray, k: int, allowed: np.ndarray | None, part: Slice) -> Found:
        """Return the k best rows of a slice whose bits are set in `allowed` (all rows', lowest first; None for all)."""
        first, end = part
        bits = None if allowed is None else allowed[first // 8 : -(-end // 8)]
        found, scores = _best(self.codes[first:end], self.dim, query, k, bits)
        return found + first, scores

    def score(self, query: np.ndarray, k: int, rows: np.ndarray) -> Found:
        """Return the k best among a few rows, which are gathered first: 2,000 take 0.6 ms."""
        found, scores = _best(self.codes[rows], self.dim, query, k, None)
        return rows[found], scores

    def floats(self, rows: np.ndarray | slice) -> np.ndarray:
        """Return these rows as they are stored, (n, dim) float32."""
        return self.codes[rows].view(np.float16).astype(np.float32)


def merged(parts: list[Found]) -> Found:
    """Put the hits of several scans in order."""
    rows, scores = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    order = np.lexsort((rows, -scores))
    return rows[order], scores[order]


def _best(codes: np.ndarray, dim: int, query: np.ndarray, k: int, bits: np.ndarray | None) -> Found:
    """Return faiss's k best, without the -1 that stand for none."""
    library = faiss()
    parameters = None
    if bits is not None:
        parameters = library.SearchParameters(sel=library.IDSelectorBitmap(len(bits), library.swig_ptr(bits)))
    scores, found = _index_over(codes, dim).search(query, k, params=parameters)
    is_hit = found[0] >= 0
    return found[0][is_hit], scores[0][is_hit]


def _index_over(codes: np.ndarray, dim: int) -> Any:
    """Return a faiss index that points into the memory of `codes`, which has to outlive it; made in 35 us.

    Not by faiss's own mapping of a file: that asks for random access, and a cold first search over a million rows took
    21 s instead of 0.5 s.
    """
    library = faiss()
    index = library.IndexScalarQuantizer(dim, library.ScalarQuantizer.QT_fp16, library.METRIC_INNER_PRODUCT)
    octets = library.MaybeOwnedVectorUInt8
    index.codes = octets.create_view(library.swig_ptr(codes), codes.size, octets().owner)  # whose owner is nobody
    index.ntotal = len(codes)
    return index


def faiss() -> Any:
    """Return faiss, whose import takes some 60 ms, for use in this thread.

    Its own threads would fight over the cores with ours, for one query; how many it takes is set for each thread.
    """
    library = _imported()
    library.omp_set_num_threads(1)
    return library


@cache
def _imported() -> Any:
    import faiss

    return faiss
