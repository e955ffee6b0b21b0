"""Owns sweeping the rows of gone photos out of the files that searches read: when, and that both change together.

Removes no photo: the catalogue has forgotten them long ago, and the files were made from it.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from photomap_cli.vectors.view import View

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import numpy as np

    from photomap_cli.library.catalog import Catalog
    from photomap_cli.vectors.pq_tier import PqTier
    from photomap_cli.vectors.vector_file import VectorFile

SHARE, LEAST = 5, 1000
"""Due when more than one row in so many is of a gone photo: searches read and files hold at most a quarter more than
they need.  A sweep writes each row that stays once, 160,000 in a second, so four for each photo deleted.  What fewer
than `LEAST` rows cost is not seen: 0.05 ms and 1 MB."""

log = logging.getLogger(__name__)


def is_due(view: View) -> bool:
    """Whether there are many places whose photos are gone."""
    gone = view.count - view.photo_count
    return gone >= LEAST and gone * SHARE > view.count


def sweep(
    catalog: Catalog, file: VectorFile, tier: PqTier, take_view: Callable[[], View], queries: Sequence[np.ndarray]
) -> Iterator[int]:
    """Have both files made anew without them where that is due, and yield how many rows are compressed.

    Searches go on with the old files until the new ones are whole.  Does nothing while another process compresses
    rows, nor where nothing can be written: it is due again after the next index run.
    """
    if not (is_due(take_view()) or file.has_draft() or tier.has_draft()):
        return
    try:
        with tier.only_maker() as is_ours:
            if is_ours:
                yield from _swept(catalog, file, tier, take_view(), queries)
    except (OSError, MemoryError, RuntimeError) as error:  # faiss's errors are the last
        log.warning("the rows of gone photos stay where they are: %s", error)


def _swept(
    catalog: Catalog, file: VectorFile, tier: PqTier, view: View, queries: Sequence[np.ndarray]
) -> Iterator[int]:
    try:
        if is_due(view):  # no longer, if another process has just done it
            snapshot = catalog.snapshot()
            draft = file.write_draft(snapshot, catalog.vectors_from)
            yield from tier.write_draft(View.of(snapshot, draft), queries)
            # A process that is killed between the two leaves compressed rows that are seen to be of the old places.
            if file.adopt_draft(draft, lambda: catalog.library_id):
                tier.adopt_draft()
    finally:
        file.discard_draft()  # this one's, or that of a process that was killed
        tier.discard_draft()
