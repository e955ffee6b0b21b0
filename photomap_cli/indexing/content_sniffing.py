"""Owns telling photos by their first bytes where their names do not say; a file that is none is looked into once."""

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
    """Tells photos among the files that a scan has found.

    Args:
        seen: the files of the library's photos: those that are unchanged are photos still.
        remembered: files that were looked into before and are none, as they were then.
        kind_at: looks into one, and says whether it is a "photo", a "video", or nothing.
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
        """Yield what was scanned, with the files that were unclear as photos or others."""
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
            return OtherFile(file.path, kind)  # not remembered: what reads it may be installed any day
        self._others[file.path] = mark
        return OtherFile(file.path)

    @property
    def learned(self) -> dict[str, FileMark]:
        """The files that turned out to be no photos and are not remembered as they are now."""
        return {path: mark for path, mark in self._others.items() if self._remembered.get(path) != mark}

    @property
    def outdated(self) -> set[str]:
        """The paths of remembered files that are gone, or photos by now."""
        return set(self._remembered) - set(self._others)
