"""Owns looking up a shared library's photos by the bytes of their files: by size and digest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from photomap_cli.library.entities import PhotoContent
from photomap_cli.library.paths import shown
from photomap_cli.library.shared.collection import NUMBERS_AT_ONCE, PHOTOS
from photomap_cli.library.shared.expressions import both, one_of, quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy as np

    from photomap_cli.library.entities import FileState
    from photomap_cli.library.shared.collection import Collection
    from photomap_cli.library.shared.roots import Roots

_FIELDS = ("row", "path", "mtime_ns")


class SharedContents:
    """Photos by the bytes of their files; see `library.store.Contents`.  Any thread may use it."""

    def __init__(self, collection: Collection, roots: Roots) -> None:
        self._collection, self._roots = collection, roots

    def photos(self, size_bytes: int, content_hash: bytes) -> dict[int, FileState]:
        """Return the photos whose files had these bytes, by row, in that order."""
        found = self._collection.query(_of_bytes(size_bytes, content_hash), _FIELDS)
        ordered = sorted(found, key=lambda each: int(each["row"]))
        return {each["row"]: (self._roots.here(each["path"]), each["mtime_ns"]) for each in ordered}

    def photo(self, size_bytes: int, content_hash: bytes, row: int | None = None) -> tuple[int, FileState] | None:
        """Return one photo whose file had these bytes, or the one of a row if its file had them; else None."""
        only = "" if row is None else f"row == {row}"
        found = self._collection.query(both(_of_bytes(size_bytes, content_hash), only), _FIELDS, limit=1)
        return next(((each["row"], (self._roots.here(each["path"]), each["mtime_ns"])) for each in found), None)

    def at(self, paths: Iterable[str]) -> dict[str, PhotoContent]:
        """Return what is known about the photos at some paths, by path; paths without one are left out."""
        stored = {kept: path for path in paths if (kept := self._roots.stored_if_any(shown(path))) is not None}
        found = self._collection.kept_at(stored, ["size_bytes", "content_hash"])
        return {
            stored[kept]: PhotoContent(
                each["row"], stored[kept], each["size_bytes"], bytes.fromhex(each["content_hash"])
            )
            for kept, each in found.items()
        }

    def copies_of(self, rows: np.ndarray) -> list[list[int]]:
        """Return the sets of two or more photos with the same bytes that include one of these; each sorted."""
        asked = self._collection.numbered("row", rows.tolist(), ["content_hash"], also=PHOTOS)
        digests = sorted({each["content_hash"] for each in asked})
        by_content: dict[str, list[int]] = {}
        for piece in _pieces(digests):
            condition = both(PHOTOS, one_of("content_hash", piece))
            for page in self._collection.pages(condition, ["row", "content_hash"], count=len(piece)):
                for each in page:
                    by_content.setdefault(each["content_hash"], []).append(each["row"])
        return sorted(sorted(same) for same in by_content.values() if len(same) > 1)


def _of_bytes(size_bytes: int, content_hash: bytes) -> str:
    return both(PHOTOS, f"size_bytes == {size_bytes}", f"content_hash == {quoted(content_hash.hex())}")


def _pieces(texts: Sequence[str]) -> Iterable[Sequence[str]]:
    return (texts[start : start + NUMBERS_AT_ONCE] for start in range(0, len(texts), NUMBERS_AT_ONCE))
