"""Owns a process that adds, deletes, compacts and compresses until it is killed: killed_store.py LIBRARY SEED."""

import random
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from library_fakes import new_photo, similar

from photomap_cli.library import compaction
from photomap_cli.library.catalog import Catalog
from photomap_cli.vectors import pq_file, pq_training
from photomap_cli.vectors.store import VectorStore

MOST_DELETED, NEVER_DELETED = 40, 50


def be_large():
    """Let a library of some hundred photos be a large one, in which compacting and compressing are often due."""
    compaction.SHARE, compaction.LEAST = 20, 10
    pq_training.ROWS, pq_training.TAIL_SHARE, pq_training.ROWS_AT_ONCE = 600, 100, 256
    pq_file.RERANKED, pq_file.RERANKED_PER_HIT, pq_file.DEEPEST_SHARE = 64, 4, 2


def photo(number):
    """Return the photo with a number: the same in any process, whatever its row."""
    return new_photo(f"/p/{number}.jpg", vector_of(number))


def vector_of(number):
    return similar(1, seed=number)[0]


def numbers(catalog, rows=None):
    """Return the numbers of the photos in these rows, all if there are none."""
    photos = catalog.photos(catalog.rows() if rows is None else rows)
    return [int(each.path[len("/p/") : -len(".jpg")]) for each in photos]


def tell(*words):
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def change(catalog, store, rng):
    """Add some photos, delete some others, compact and compress; tell each commit when it has returned."""
    there = dict(zip(numbers(catalog), catalog.rows().tolist(), strict=True))
    first = max(there) + 1
    count = rng.choice((1, 16, 64))
    catalog.commit_batch([photo(number) for number in range(first, first + count)])
    tell("added", first, first + count)
    store.refresh()
    gone = rng.sample(sorted(there)[NEVER_DELETED:], rng.choice((0, 1, MOST_DELETED)))
    catalog.commit_batch([], [there[number] for number in gone])
    tell("deleted", *gone)
    store.refresh()
    store.search(vector_of(first), 5)
    library_id = catalog.library_id
    tell("compacting")
    catalog.shrink()
    if catalog.library_id != library_id:
        tell("compacted")
    store.refresh()
    for _ in store.compress():
        tell("compressing")


if __name__ == "__main__":
    be_large()
    rng = random.Random(int(sys.argv[2]))
    with Catalog.open(Path(sys.argv[1])) as catalog, VectorStore(catalog.folder, catalog) as store:
        while True:
            change(catalog, store, rng)
            assert store.drain_notices() == []
