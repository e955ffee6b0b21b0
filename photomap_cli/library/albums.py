"""Owns finding an album's photos in a library: by path, or by their bytes if they were moved."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from photomap_cli import files
from photomap_cli.errors import BadQuery, LibraryUnusable
from photomap_cli.library import user_data
from photomap_cli.library.entities import PhotoContent
from photomap_cli.library.user_data import Member

if TYPE_CHECKING:
    from photomap_cli.library.store import Facts

_KEPT = 4  # albums whose rows are cached
_SHOWN = 5


def as_members(facts: Facts, paths: Sequence[str]) -> list[Member]:
    """Return photos as members of an album, with what the library knows of their bytes."""
    known = facts.contents.at(paths)
    return [_member(known[path]) if path in known else Member(path) for path in paths]


def _member(known: PhotoContent) -> Member:
    return Member(known.path, known.size_bytes, known.content_hash)


class AlbumRows:
    """Finds the rows of albums' photos; caches the last few as long as nothing changes.  Any thread may use it.

    Args:
        facts: of the library.
        change_counter: returns another value once the library has changed; then photos are looked up again.
    """

    def __init__(self, facts: Facts, change_counter: Callable[[], object]) -> None:
        self._facts, self._change_counter = facts, change_counter
        self._found: dict[str, tuple[object, list[int]]] = {}

    def rows(self, name: str) -> list[int]:
        """Return the rows of an album's photos, sorted.

        Args:
            name: in any case.

        Raises:
            BadQuery: there is no such album.
            LibraryUnusable: the albums cannot be read.
        """
        library = self._facts.folder
        state = (self._change_counter(), files.state(user_data.path_in(library)))
        if (found := self._found.get(name)) and found[0] == state:
            return found[1]
        album = user_data.album(library, name)
        if album is None:
            raise _no_album(library, name)
        rows = self._look_up(album.members)
        self._found = {**dict(list(self._found.items())[1 - _KEPT :]), name: (state, rows)}
        return rows

    def _look_up(self, members: Sequence[Member]) -> list[int]:
        """Look the photos up, and record the new paths of moved ones."""
        found = list(_found(self._facts, members))
        moved = [
            (old.path, _member(known))
            for old, known in found
            if (old.path, old.digest) != (known.path, known.content_hash)
        ]
        with suppress(LibraryUnusable):  # a read-only disk
            user_data.follow(self._facts.folder, moved)
        return sorted({known.row for _, known in found})


def _found(facts: Facts, members: Sequence[Member]) -> Iterator[tuple[Member, PhotoContent]]:
    """Yield the photos that are in the library.

    The photo at the path of an album's photo is that one, unless it has other bytes and the album's are elsewhere: then
    the photo was moved, and another one has its name now.
    """
    at_paths = facts.contents.at([each.path for each in members])
    for each in members:
        here = at_paths.get(each.path)
        is_as_it_was = here is not None and (each.digest is None or here.content_hash == each.digest)
        there = None if is_as_it_was else _with_bytes(facts, each)
        if found := there or here:
            yield each, found


def _with_bytes(facts: Facts, member: Member) -> PhotoContent | None:
    """Return the photo with the bytes of an album's; of several the one with the same name."""
    if member.digest is None or member.size_bytes is None:
        return None
    alike = sorted((row, path) for row, (path, _) in facts.contents.photos(member.size_bytes, member.digest).items())
    name = os.path.basename(member.path)  # noqa: PTH119 - paths are text here
    kept_name = (each for each in alike if os.path.basename(each[1]) == name)  # noqa: PTH119
    return next((PhotoContent(*each, member.size_bytes, member.digest) for each in (*kept_name, *alike)), None)


def _no_album(library: Path, name: str) -> BadQuery:
    names = [each for each, _ in user_data.albums(library)]
    more = ", ..." if len(names) > _SHOWN else ""
    hint = f"albums: {', '.join(names[:_SHOWN])}{more}" if names else "`:album NAME` at the prompt makes one"
    if longer := [each for each in names if each.casefold().startswith(f"{name.casefold()} ")]:
        hint = f"""did you mean album:"{longer[0]}"? In a shell, write 'album:"{longer[0]}"'"""
    return BadQuery(f"there is no album {name!r}", hint=hint)
