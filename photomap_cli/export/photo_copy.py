"""Owns copying a library into another one photo by photo, whatever stores the two.  Removes nothing.

Photos that the target has with the same size and time of change are skipped, so an interrupted copy can be repeated.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from photomap_cli.errors import BadPath, EncoderMismatch
from photomap_cli.library import user_data
from photomap_cli.library.paths import shown
from photomap_cli.records import EncoderInfo

if TYPE_CHECKING:
    from photomap_cli.library.entities import LibraryEncoder, SeenFile
    from photomap_cli.library.store import Library


class Copied(NamedTuple):
    """How many photos were compared, and how many of them were already there."""

    photos: int
    were_there: int


class PhotoCopy:
    """Copies one open library into another.

    Args:
        source, target: open; the target may have photos, of the same encoder.
        on_progress: called with (done, total) photos.
    """

    def __init__(self, source: Library, target: Library, on_progress: Callable[[int, int], None]) -> None:
        self._source, self._target, self._tell = source, target, on_progress

    def run(self) -> Copied:
        """Copy the photos, then the record of index runs, and the user's albums and saved searches last.

        Raises EncoderMismatch if the target's vectors are another encoder's; BadPath for a photo whose folder is on
        another computer.
        """
        self._begin()
        copied = self._source.facts.of_one_numbering(self._photos)
        self._folders()
        copy_user_data(self._source, self._target)
        return copied

    def is_done(self) -> bool:
        """Return whether the target has exactly the source's photos."""
        if self._source.facts.photo_count != self._target.facts.photo_count:
            return False
        return not any(map(self._missing, self._source.facts.files_in_pieces()))

    def _begin(self) -> None:
        """Record the source's encoder in the target, or check that it is the same."""
        encoder = self._source.facts.encoder
        if encoder is None:
            return
        try:
            self._target.begin(_as_if_loaded(encoder))
        except EncoderMismatch as error:
            raise EncoderMismatch(
                f"the library to copy to has vectors of another encoder, or of other weights: not of {encoder.spec}",
                hint="copy to a new library",
            ) from error

    def _photos(self) -> Copied:
        total, done, were_there = self._source.facts.photo_count, 0, 0
        for piece in self._source.facts.files_in_pieces():
            missing = self._missing(piece)
            if missing:
                self._target.writes.commit_batch(self._source.writes.whole_photos(missing))
            done += len(piece)
            were_there += len(piece) - len(missing)
            self._tell(min(done, total), total)
        return Copied(done, were_there)

    def _missing(self, files: dict[str, SeenFile]) -> list[int]:
        """Return the rows of those of the source's files that the target lacks, or has in an older state."""
        _require_absolute(files)
        contents = self._target.facts.contents.at(files)
        there = self._target.facts.files_of([each.row for each in contents.values()])
        return [
            file.row
            for path, file in files.items()
            if path not in contents or not _is_same(file, there.get(contents[path].row))
        ]

    def _folders(self) -> None:
        """Copy the indexed paths, the rules for leaving files out, and the files that aren't photos."""
        source, target = self._source.writes, self._target.writes
        roots = source.roots()
        target.change_roots(roots)
        for root in roots:
            if rules := source.runs.rules(root):
                target.runs.note_rules([root], rules[0], hidden=rules[1])
            target.file_notes.note_others(source.file_notes.others(root), ())
        if unfinished := source.runs.unfinished():
            target.runs.begin(unfinished, datetime.now().astimezone())
        if indexed_at := source.status().last_indexed_at:
            target.touch_indexed(datetime.fromisoformat(indexed_at))


def copy_user_data(source: Library, target: Library) -> None:
    """Copy albums and saved searches; albums of the same name are merged, searches of the same name replaced."""
    there = target.facts.folder
    for album in user_data.every_album(source.facts.folder):
        user_data.add(there, album.name, album.members, made_at=album.made_at)
    for name, text in user_data.searches(source.facts.folder).items():
        user_data.save_search(there, name, text)


def _as_if_loaded(encoder: LibraryEncoder) -> EncoderInfo:
    """Return a stand-in for a library's encoder, as it is when loaded; fields about pictures are placeholders."""
    mode = encoder.precision
    return EncoderInfo(
        encoder.spec, encoder.dim, (0, 0), "", "", 0, "", "", mode, False, fingerprint=encoder.fingerprint
    )


def _is_same(file: SeenFile, there: SeenFile | None) -> bool:
    return there is not None and (file.size_bytes, file.mtime_ns) == (there.size_bytes, there.mtime_ns)


def _require_absolute(paths: dict[str, SeenFile]) -> None:
    """Raise BadPath for a shared library's photo whose root this computer doesn't have, as it has no path here."""
    for path in paths:
        if not os.path.isabs(path):  # noqa: PTH117 - paths are text here
            root = path.partition(":")[0]
            raise BadPath(
                f"{shown(path)}: its root isn't on this computer",
                hint=f"name a folder for it under [roots], there or not: {root} = FOLDER",
            )
