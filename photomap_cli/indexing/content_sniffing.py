"""Owns recognising photos by their first bytes if their names don't tell; other files are examined only once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from photomap_cli.indexing.scan import OtherFile, UnclearFile
from photomap_cli.library.file_types import kind_at
from photomap_cli.library.optional_decoders import is_installed

if TYPE_CHECKING:
    from photomap_cli.indexing.plan import Found
    from photomap_cli.indexing.scan import Scanned
    from photomap_cli.library.entities import FileMark, FoundFile, SeenFile


class Sniffer:
    """Recognises photos among the files of a scan.

    Args:
        seen: the files of the library's photos; unchanged ones are still photos.
        remembered: files that were examined before and aren't photos, as they were then.
        kind_at: examines a file and returns "photo", "video" or an empty string.
    """

    def __init__(
        self,
        seen: Mapping[str, SeenFile],
        remembered: Mapping[str, FileMark],
        kind_at: Callable[[str], str] = kind_at,
    ) -> None:
        self._seen, self._remembered, self._kind_at = seen, remembered, kind_at
        self._others: dict[str, FileMark] = {}

    def told(self, scanned: Iterable[Scanned]) -> Iterator[Found]:
        """Yield the scan's items, with unclear files settled as photos or others."""
        for each in scanned:
            yield self._told(each.file) if isinstance(each, UnclearFile) else each

    def _told(self, file: FoundFile) -> Found:
        seen, mark = self._seen.get(file.path), (file.size_bytes, file.mtime_ns)
        if seen and not seen.has_changed(file):
            return file
        is_known = self._remembered.get(file.path) == mark or not file.size_bytes
        kind = "" if is_known else self._kind_at(file.path)
        if kind == "photo" or (kind == "video" and is_installed("video")):
            return file
        if kind == "video":
            return OtherFile(file.path, kind)  # not remembered: a decoder for it may be installed any day
        self._others[file.path] = mark
        return OtherFile(file.path)

    @property
    def learned(self) -> dict[str, FileMark]:
        """The files that turned out not to be photos and aren't remembered in their present state."""
        return {path: mark for path, mark in self._others.items() if self._remembered.get(path) != mark}

    @property
    def outdated(self) -> set[str]:
        """The paths of remembered files that are gone or have become photos."""
        return set(self._remembered) - set(self._others)
