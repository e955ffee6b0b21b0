"""Owns exporting and importing albums and saved searches as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple

from photomap_cli import files
from photomap_cli.errors import BadPath, UsageError
from photomap_cli.library import user_data
from photomap_cli.library.user_data import Member

_MOST_BYTES = 1 << 30


class Imported(NamedTuple):
    """How much of an export was added or already there."""

    albums: int
    photos: int
    searches: int


def export_json(library: Path) -> dict[str, Any]:
    """Return all albums and saved searches as JSON values."""
    return {
        "albums": [
            {"name": album.name, "made_at": album.made_at, "photos": [_photo(each) for each in album.members]}
            for album in user_data.every_album(library)
        ],
        "searches": [{"name": name, "query": text} for name, text in user_data.searches(library).items()],
    }


def import_json(library: Path, source: Path | IO[bytes]) -> Imported:
    """Import an export.  An invalid one adds nothing.

    Raises:
        BadPath: the file cannot be read.
        UsageError: it isn't an export.
    """
    try:
        record = json.loads(_read(source))
        albums = [(_text(each["name"]), _text(each["made_at"]), list(_members(each))) for each in record["albums"]]
        searches = [(_text(each["name"]), _text(each["query"])) for each in record["searches"]]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise UsageError(
            "this isn't an export of albums", hint="`photomap albums --json > albums.json` writes one"
        ) from error
    for name in (*(name for name, _, _ in albums), *(name for name, _ in searches)):
        user_data.valid_name(name)
    added = sum(user_data.add(library, name, members, made_at=made_at) for name, made_at, members in albums)
    for name, text in searches:
        user_data.save_search(library, name, text)
    return Imported(len(albums), added, len(searches))


def _read(source: Path | IO[bytes]) -> bytes:
    if not isinstance(source, Path):
        return source.read(_MOST_BYTES)
    try:
        with files.reading(source) as file:
            return file.read(_MOST_BYTES)
    except OSError as error:
        raise BadPath(
            f"{source} cannot be read: {error.strerror}", hint="give a file that `albums --json` wrote"
        ) from error


def _photo(member: Member) -> dict[str, Any]:
    return {
        "path": member.path,
        "size_bytes": member.size_bytes,
        "digest": member.digest.hex() if member.digest is not None else None,
        "added_at": member.added_at,
    }


def _members(album: dict[str, Any]) -> Iterator[Member]:
    for each in album["photos"]:
        size, digest = each["size_bytes"], each["digest"]
        if size is not None and (type(size) is not int or not 0 <= size < 1 << 63):
            raise ValueError(size)
        yield Member(
            _text(each["path"]), size, None if digest is None else bytes.fromhex(digest), _text(each["added_at"])
        )


def _text(value: object) -> str:
    """Return a text that SQLite can store.  Raises ValueError, TypeError."""
    if type(value) is not str:
        raise TypeError(value)
    value.encode()
    return value
