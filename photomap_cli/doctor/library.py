"""Owns checking that a library's catalogue, vectors and photo files agree.  Changes nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import islice, takewhile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from photomap_cli.errors import EmptyLibrary, PhotomapError
from photomap_cli.indexing.content_sniffing import Sniffer
from photomap_cli.indexing.scan import ScanRules, scan
from photomap_cli.library import database, user_data
from photomap_cli.library.catalog import Catalog
from photomap_cli.library.entities import STORED, FoundFile
from photomap_cli.library.paths import is_storable, shown
from photomap_cli.records import Check, CheckState
from photomap_cli.vectors import pq_tier, vector_file
from photomap_cli.vectors.file_header import PAGE, row_bytes

if TYPE_CHECKING:
    import sqlite3

    from photomap_cli.library.entities import SeenFile, Snapshot
    from photomap_cli.vectors.vector_file import Mapped

_OF_UNIT_LENGTH = (0.99, 1.01)  # half precision is off by a thousandth
_VECTORS_AT_ONCE = 4096
_PROBLEMS = 10

_COUNTS = {
    "photos without a vector": "SELECT count(*) FROM photos WHERE row NOT IN (SELECT row FROM vectors)",
    "vectors without a photo": "SELECT count(*) FROM vectors WHERE row NOT IN (SELECT row FROM photos)",
    "photos also marked as deleted": "SELECT count(*) FROM photos WHERE row IN (SELECT row FROM tombstones)",
    "rows beyond the last": """SELECT count(*) FROM (SELECT row FROM photos UNION ALL SELECT row FROM tombstones)
        WHERE row < 0 OR row >= (SELECT value FROM meta WHERE key = 'next_row')""",
    "rows neither present nor deleted": """SELECT (SELECT value FROM meta WHERE key = 'next_row')
        - (SELECT count(*) FROM (SELECT row FROM photos UNION SELECT row FROM tombstones)
            WHERE row >= 0 AND row < (SELECT value FROM meta WHERE key = 'next_row'))""",
}


def checks(folder: Path, exclude: tuple[str, ...] = ()) -> Iterator[Check]:
    """Yield checks of a library's catalogue, vectors, row file and photo files.

    Reads every vector, about two seconds for a million.  Files that `exclude` leaves out aren't looked for.
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
            yield from _checks(catalog, opened, ScanRules(exclude))
        except PhotomapError as error:
            yield Check("library", CheckState.FAULT, error.message, error.hint)


def _checks(catalog: Catalog, opened: database.Database, rules: ScanRules) -> Iterator[Check]:
    with opened.reading() as connection:
        faults = list(_faults(connection))
    anew = f"photomap --library '{catalog.folder}' index --rebuild"
    if faults:
        yield Check("library", CheckState.FAULT, "; ".join(faults), anew)
    try:
        catalog.snapshot()
    except PhotomapError:
        if faults:
            return  # already reported
        raise
    if not faults:
        yield Check("library", CheckState.OK, f"{catalog.photo_count:,} photos, intact")
    yield from catalog.of_one_numbering(lambda: list(_of_vectors(catalog, anew)))
    yield from _photo_files(catalog, rules)


def _of_vectors(catalog: Catalog, anew: str) -> Iterator[Check]:
    snapshot = catalog.snapshot()
    mapped = _mapped(catalog.folder, snapshot)
    wrong, other = _compared(catalog, snapshot, mapped)
    yield _check("vectors", [f"not of unit length: {wrong:,}"] if wrong else [], fine="sound", hint=anew)
    yield _row_file(catalog.folder, other, is_there=mapped is not None)
    if compressed := pq_tier.check(catalog.folder, snapshot.library_id, snapshot.next_row):
        yield compressed


def album_checks(folder: Path) -> Iterator[Check]:
    """Check the user's albums and saved searches, if there are any."""
    path = user_data.path_in(folder)
    if not os.path.lexists(path):
        return
    try:
        faults, count = user_data.faults(folder), len(user_data.albums(folder))
    except PhotomapError as error:
        yield Check("albums", CheckState.FAULT, error.message, error.hint)
        return
    hint = f"put a backup of {path} in its place, or move it away and import an export of `photomap albums --json`"
    yield _check("albums", faults, fine=f"{count:,}, sound", hint=hint)


def _faults(connection: sqlite3.Connection) -> Iterator[str]:
    """Yield faults in the catalogue: first of the file itself, then of its content."""
    for (problem,) in connection.execute(f"PRAGMA integrity_check({_PROBLEMS})"):
        if problem != "ok":
            yield str(problem).strip()
    for what, query in _COUNTS.items():
        count = int(connection.execute(query).fetchone()[0] or 0)
        if count:
            yield f"{what}: {count:,}"


def _mapped(folder: Path, snapshot: Snapshot) -> Mapped | None:
    """Return the row file; None if it has to be brought up to date first."""
    try:
        return vector_file.VectorFile(folder).map(snapshot) if snapshot.next_row and snapshot.dim else None
    except OSError:
        return None


def _compared(catalog: Catalog, snapshot: Snapshot, mapped: Mapped | None) -> tuple[int, int]:
    """Return how many vectors aren't unit vectors of the right dimension, and how many differ in the row file."""
    wrong = other = 0
    stored = takewhile(
        lambda each: each[0] < snapshot.next_row, catalog.vectors_from(0, as_stored=True)
    )  # no longer: added meanwhile
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
    """Return the row file's vectors of photos, (n, dim) fp16; NaN where it has none."""
    header = mapped.header
    vectors = np.frombuffer(mapped.memory, STORED, header.next_row * header.dim, PAGE)
    found = np.full((len(rows), header.dim), np.nan, STORED)
    found[rows < header.next_row] = vectors.reshape(header.next_row, header.dim)[rows[rows < header.next_row]]
    return found


def _are_unit_vectors(vectors: np.ndarray) -> np.ndarray:
    least, most = _OF_UNIT_LENGTH
    lengths: np.ndarray = np.linalg.norm(vectors.astype(np.float32), axis=1)
    return (least < lengths) & (lengths < most)  # NaN fails both comparisons


def _row_file(folder: Path, other: int, *, is_there: bool) -> Check:
    file = folder / vector_file.FILE_NAME
    faults = [f"rows that differ from the library: {other:,}"] if other else []
    fine = "up to date" if is_there else "the next search updates it"
    return _check("vector file", faults, fine=fine, hint=f"remove {file}: the next search rebuilds it")


def _photo_files(catalog: Catalog, rules: ScanRules) -> Iterator[Check]:
    """Report how many photos are unchanged since they were indexed, and how many new; a missing folder may be a disk.

    Files that the last run couldn't read don't count as new.
    """
    unfinished = catalog.runs.unfinished()
    for root in sorted({*catalog.roots(), *unfinished}):
        seen = catalog.seen_files(root)
        found = ", ".join(f"{count:,} {what}" for what, count in _compared_with_disk(seen).items() if count)
        differences = [f"{found} since they were indexed"] if found else []
        if os.path.lexists(root) and (new := sum(1 for _ in _new_files(catalog, root, rules, seen))):
            differences.append(f"{new:,} new and not in the library yet")
        if root in unfinished:
            differences.append("the last index run there didn't finish")
        yield _of_root(root, len(seen), differences)


def _compared_with_disk(seen: dict[str, SeenFile]) -> dict[str, int]:
    """Count the files that changed since they were indexed, by what happened to them."""
    counts = dict.fromkeys(("gone", "changed", "touched"), 0)
    for path, file in seen.items():
        try:
            now = FoundFile.of(path, os.stat(path))  # noqa: PTH116 - a Path each would double the time
        except OSError:
            counts["gone"] += 1
            continue
        if file.has_changed(now):
            counts["changed"] += 1
        elif file.was_touched(now):
            counts["touched"] += 1
    return counts


def _new_files(catalog: Catalog, root: str, rules: ScanRules, seen: dict[str, SeenFile]) -> Iterator[FoundFile]:
    for each in Sniffer(seen, catalog.file_notes.others(root)).told(scan([root], rules, seen=seen)):
        if not isinstance(each, FoundFile) or each.path in seen or not is_storable(each.path):
            continue
        if not catalog.runs.was_refused(each):
            yield each


def _of_root(root: str, photos: int, differences: list[str]) -> Check:
    subject, held = f"photos in {shown(root)}", f"{photos:,} photo{'' if photos == 1 else 's'}"
    if not differences:
        return Check(subject, CheckState.OK, f"{held}, as indexed")
    hint = f"photomap index '{root}'"
    if not os.path.lexists(root):
        hint = f"mount its disk, or `photomap index --prune '{root}'`"
    return Check(subject, CheckState.ADVICE, ", ".join((held, *differences)), hint)


def _check(subject: str, faults: list[str], *, fine: str, hint: str) -> Check:
    if not faults:
        return Check(subject, CheckState.OK, fine)
    return Check(subject, CheckState.FAULT, "; ".join(faults), hint)
