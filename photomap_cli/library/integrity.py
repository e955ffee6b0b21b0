"""Owns checking a library: whether catalogue, vectors and photo files agree.  Changes nothing."""

from __future__ import annotations

import os
from itertools import islice, takewhile
from typing import TYPE_CHECKING

import numpy as np

from photomap_cli.errors import EmptyLibrary, PhotomapError
from photomap_cli.library import database, rowfile
from photomap_cli.library.catalog import Catalog
from photomap_cli.library.compressed import CompressedFile
from photomap_cli.library.entries import STORED, FoundFile
from photomap_cli.library.paths import shown
from photomap_cli.library.rowheader import row_bytes
from photomap_cli.records import Check, CheckState

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from pathlib import Path

    from photomap_cli.library.compressed import Compressed
    from photomap_cli.library.entries import Snapshot
    from photomap_cli.library.rowfile import Mapped

_OF_UNIT_LENGTH = (0.99, 1.01)  # half precision costs a thousandth
_VECTORS_AT_ONCE = 4096
_PROBLEMS = 10

_COUNTS = {
    "photos without a vector": "SELECT count(*) FROM photos WHERE row NOT IN (SELECT row FROM vectors)",
    "vectors without a photo": "SELECT count(*) FROM vectors WHERE row NOT IN (SELECT row FROM photos)",
    "photos that are also said to be gone": "SELECT count(*) FROM photos WHERE row IN (SELECT row FROM tombstones)",
    "rows beyond the last": """SELECT count(*) FROM (SELECT row FROM photos UNION ALL SELECT row FROM tombstones)
        WHERE row < 0 OR row >= (SELECT value FROM meta WHERE key = 'next_row')""",
    "rows that are neither there nor gone": """SELECT (SELECT value FROM meta WHERE key = 'next_row')
        - (SELECT count(*) FROM (SELECT row FROM photos UNION SELECT row FROM tombstones)
            WHERE row >= 0 AND row < (SELECT value FROM meta WHERE key = 'next_row'))""",
}


def checks(folder: Path) -> Iterator[Check]:
    """Look at a library's catalogue, its vectors, its row file and its photos' files, and say how each is.

    Reads every vector: about two seconds for a million.
    """
    try:
        opened = database.connect(folder, create=False)
    except EmptyLibrary as error:
        yield Check("library", CheckState.ADVICE, error.message, error.hint)
        return
    except PhotomapError as error:
        yield Check("library", CheckState.FAULT, error.message, error.hint)
        return
    with Catalog(folder, opened) as catalog:
        try:
            yield from _checks(catalog, opened)
        except PhotomapError as error:
            yield Check("catalogue", CheckState.FAULT, error.message, error.hint)


def _checks(catalog: Catalog, opened: database.Database) -> Iterator[Check]:
    with opened.reading() as connection:
        faults = list(_faults(connection))
    anew = f"photomap --library '{catalog.folder}' index --rebuild"
    yield _check("catalogue", faults, fine=f"{catalog.photo_count:,} photos, sound", hint=anew)
    snapshot = catalog.snapshot()
    mapped = _mapped(catalog.folder, snapshot)
    wrong, other = _compared(catalog, snapshot, mapped)
    yield _check("vectors", [f"not of unit length: {wrong:,}"] if wrong else [], fine="sound", hint=anew)
    yield _row_file(catalog.folder, other, is_there=mapped is not None)
    yield from _compressed_rows(catalog.folder, snapshot, mapped)
    yield from _photo_files(catalog)


def _faults(connection: sqlite3.Connection) -> Iterator[str]:
    """Yield what is wrong inside the catalogue: first of the file itself, then of what it says."""
    for (problem,) in connection.execute(f"PRAGMA integrity_check({_PROBLEMS})"):
        if problem != "ok":
            yield str(problem).strip()
    for what, query in _COUNTS.items():
        count = int(connection.execute(query).fetchone()[0])
        if count:
            yield f"{what}: {count:,}"


def _mapped(folder: Path, snapshot: Snapshot) -> Mapped | None:
    """Return the row file; None where it is to be brought up to date first."""
    try:
        return rowfile.RowFile(folder).map(snapshot) if snapshot.next_row and snapshot.dim else None
    except OSError:
        return None


def _compared(catalog: Catalog, snapshot: Snapshot, mapped: Mapped | None) -> tuple[int, int]:
    """Return how many vectors are no unit vectors of the right length, and how many the row file has otherwise."""
    wrong = other = 0
    stored = takewhile(lambda each: each[0] < snapshot.next_row, catalog.vectors_from(0))  # no more: added meanwhile
    while piece := list(islice(stored, _VECTORS_AT_ONCE)):
        whole = [(row, blob) for row, blob in piece if len(blob) == row_bytes(snapshot.dim)]
        misfits = len(piece) - len(whole)
        vectors = np.frombuffer(b"".join(blob for _, blob in whole), STORED).reshape(-1, snapshot.dim)
        wrong += misfits + int(np.count_nonzero(~_are_unit_vectors(vectors)))
        if mapped is not None:
            in_file = _in_file(mapped, np.array([row for row, _ in whole], np.int64))
            other += misfits + int(np.count_nonzero((in_file.view("u2") != vectors.view("u2")).any(axis=1)))
    return wrong, other


def _in_file(mapped: Mapped, rows: np.ndarray) -> np.ndarray:
    """Return the vectors that the row file has of photos, (n, dim) fp16."""
    header, numbers = mapped.header, mapped.numbers
    places = rows if numbers is None else np.searchsorted(numbers, rows)
    vectors = np.frombuffer(mapped.memory, STORED, header.count * header.dim, header.rows_at)
    return vectors.reshape(header.count, header.dim)[places]


def _are_unit_vectors(vectors: np.ndarray) -> np.ndarray:
    least, most = _OF_UNIT_LENGTH
    lengths: np.ndarray = np.linalg.norm(vectors.astype(np.float32), axis=1)
    return (least < lengths) & (lengths < most)  # NaN is neither


def _row_file(folder: Path, other: int, *, is_there: bool) -> Check:
    file = folder / rowfile.FILE_NAME
    faults = [f"rows that are not the catalogue's: {other:,}"] if other else []
    fine = "as the catalogue" if is_there else "brought up to date by the next search"
    return _check("vector file", faults, fine=fine, hint=f"remove {file}: the next search makes it anew")


def _compressed_rows(folder: Path, snapshot: Snapshot, mapped: Mapped | None) -> Iterator[Check]:
    """Say how the compressed rows are, if there are any; the scores do not come from them."""
    file = CompressedFile(folder)
    if file.signature() is None:
        return
    try:
        held = file.read()
    except OSError:
        held = None
    count = mapped.header.count if mapped else snapshot.next_row
    is_named = held is not None and held.header.library_id == snapshot.library_id
    if held and is_named and held.header.count <= count and _in_place(held, mapped):
        yield Check(file.path.name, CheckState.OK, f"{held.header.count:,} of {count:,} vectors compressed")
    else:
        yield Check(file.path.name, CheckState.ADVICE, "damaged, or of other photos", "`photomap index` makes it anew")


def _in_place(held: Compressed, mapped: Mapped | None) -> bool:
    return mapped is None or held.header.numbers_crc == mapped.header.numbers_crc


def _photo_files(catalog: Catalog) -> Iterator[Check]:
    """Say how many photos are still as they were indexed; a folder that is not there may be a missing disk."""
    for root in catalog.roots():
        gone = changed = touched = 0
        seen = catalog.seen_files(root)
        for path, file in seen.items():
            try:
                info = os.stat(path)  # noqa: PTH116 - a Path each would double the time
            except OSError:
                gone += 1
            else:
                now = FoundFile.of(path, info)
                changed += file.has_changed(now)
                touched += not file.has_changed(now) and file.was_touched(now)
        found = ((gone, "gone"), (changed, "changed"), (touched, "touched"))
        counts = [f"{count:,} {what}" for count, what in found if count]
        yield _of_root(root, f"{len(seen):,} photos", ", ".join(counts))


def _of_root(root: str, photos: str, differences: str) -> Check:
    subject = f"photos in {shown(root)}"
    if not differences:
        return Check(subject, CheckState.OK, f"{photos}, as indexed")
    hint = f"photomap index '{root}'"
    if not os.path.lexists(root):
        hint = f"mount its disk, or `photomap index --prune '{root}'`"
    return Check(subject, CheckState.ADVICE, f"{photos}, {differences} since they were indexed", hint)


def _check(subject: str, faults: list[str], *, fine: str, hint: str) -> Check:
    if not faults:
        return Check(subject, CheckState.OK, fine)
    return Check(subject, CheckState.FAULT, "; ".join(faults), hint)
