"""Owns converting photos to a shared library's entities and back.  Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b
from typing import Any

import numpy as np

from photomap_cli.library.entities import SIDES, STORED, FoundAgain, FoundFile, NewPhoto, SeenFile
from photomap_cli.library.photo_date import date_of, date_of_file
from photomap_cli.library.photo_rows import extension_of, name_and_extension
from photomap_cli.library.schema_check import one_of
from photomap_cli.library.shared import schema
from photomap_cli.library.shared.schema import VECTOR
from photomap_cli.pathnames import key
from photomap_cli.records import DateSource, Photo, PhotoDetails

Record = dict[str, Any]

PHOTO_FIELDS = (
    *("row", "path", "size_bytes", "mtime_ns", "taken_at", "dated_at", "date_source"),
    *("width", "height", "camera"),
)
SEEN_FIELDS = ("row", "path", "size_bytes", "mtime_ns", "ctime_ns", "inode", "seen_by")

LOWEST, HIGHEST = -(2**63) + 1, 2**63 - 1
"""The range of rows; Milvus expressions can't contain -2**63."""

_FIRST_NAMED = "name"  # prefix of the sources that are file names


def number(stored: str, part: int = 0) -> int:
    """Return the row of the photo at a stored path, or of one of its sides: a BLAKE2b hash of 64 bits."""
    text = f"{stored}\0{part}" if part else stored
    digest = blake2b(text.encode(errors="surrogatepass"), digest_size=8).digest()
    return max(LOWEST, int.from_bytes(digest, signed=True))


def following(number: int) -> int:
    """Return the row to try next if this one is taken by another entity."""
    return number + 1 if number < HIGHEST else LOWEST


def last_of(wanted: int, total: int) -> int:
    """Return the row up to which there are about `wanted` of `total` entities, as rows are spread evenly."""
    return HIGHEST if wanted >= total else LOWEST + (HIGHEST - LOWEST) * wanted // total


def of_photo(photo: NewPhoto, stored: str, machine: str) -> list[Record]:
    """Return the entities of a photo, without rows: its own, then those of its sides.

    Args:
        photo: the photo.
        stored: its stored path.
        machine: identifies who has seen its file; see `MachineNotes.machine`.
    """
    dated_at, source = date_of(photo)
    facts = {
        **{name: getattr(photo, name) for name in ("size_bytes", "mtime_ns", "ctime_ns", "inode", "orientation")},
        "seen_by": machine,
        "content_hash": photo.content_hash.hex(),
        **{name: _text(getattr(photo, name)) for name in ("damage", "taken_at", "camera", "lens", "kind")},
        **_size(photo.width, photo.height),
        "rating": schema.NO_RATING if photo.rating is None else photo.rating,
        **{name: _number(getattr(photo, name), schema.NO_PLACE) for name in ("latitude", "longitude")},
        "seconds": _number(photo.seconds, schema.NO_LENGTH),
        "camera_key": _text(key(photo.camera) if photo.camera else None),
        "lens_key": _text(key(photo.lens) if photo.lens else None),
        **_place(photo.path, stored, photo.extension, photo.kind),
        **_date(dated_at, source),
    }
    sides = [] if photo.sides is None else [*photo.sides]
    return [{**facts, "part": part, VECTOR: vector} for part, vector in enumerate((photo.vector, *sides))]


def moved(records: Sequence[Record], again: FoundAgain, stored: str, machine: str) -> list[Record]:
    """Return the entities of a photo whose file has moved or was touched."""
    first = records[0]
    changed = {
        **{"mtime_ns": again.mtime_ns, "ctime_ns": again.ctime_ns, "inode": again.inode, "seen_by": machine},
        **_place(again.path, stored, first["ext"], first["kind"]),
        **({} if first["taken_at"] else _date(*date_of_file(again.path, again.mtime_ns))),
    }
    return [{**record, **changed} for record in records]


def photo(record: Record, here: Callable[[str], str]) -> Photo:
    """Convert an entity to a photo; `here` converts a stored path to this machine's."""
    return Photo(
        path=here(record["path"]),
        taken_at=_taken_at(record),
        camera=record["camera"] or None,
        **{name: record[name] for name in ("row", "size_bytes", "mtime_ns", "dated_at", "width", "height")},
    )


def details(record: Record, here: Callable[[str], str]) -> PhotoDetails:
    """Convert an entity to all that is known about its photo."""
    return PhotoDetails(
        path=here(record["path"]),
        taken_at=_taken_at(record),
        date_source=one_of(DateSource, record["date_source"]),
        extension=record["ext"],
        **{name: record[name] for name in ("size_bytes", "dated_at", "width", "height", "kind")},
        **_known(record),
    )


def seen_file(record: Record, machine: str | None) -> SeenFile:
    """Return a photo's file as it was when it was indexed.

    Its ctime and inode are 0 if another machine has seen it, as they differ between machines; None returns them anyway.
    """
    signs = (record["ctime_ns"], record["inode"]) if machine in (None, record["seen_by"]) else (0, 0)
    return SeenFile(record["row"], record["size_bytes"], record["mtime_ns"], *signs)


def copy(records: Sequence[Record], file: FoundFile) -> NewPhoto:
    """Return the photo to add for another file with the same bytes, given all entities of one, its own first."""
    first, *others = records
    return NewPhoto.of(
        file,
        first[VECTOR],
        taken_at=first["taken_at"] or None,
        damage=first["damage"] or None,
        content_hash=bytes.fromhex(first["content_hash"]),
        is_day=first["date_source"] == DateSource.EXIF_DAY,
        extension=first["ext"],
        **{name: first[name] for name in ("width", "height", "orientation", "kind")},
        **_known(first),
        sides=np.stack([each[VECTOR] for each in others]) if len(others) == SIDES else None,
    )


def whole(records: Sequence[Record], here: Callable[[str], str]) -> NewPhoto:
    """Return a photo as it was added, given all its entities, its own first."""
    first = records[0]
    path = here(first["path"])
    return copy(records, FoundFile(path, first["size_bytes"], first["mtime_ns"], first["ctime_ns"], first["inode"]))


def stored_vector(found: np.ndarray, *, is_half: bool) -> np.ndarray:
    """Round a vector to half precision, as in a local library; returned as float32 if the field is float32."""
    half = found.astype(STORED)
    return half if is_half else half.astype(np.float32)


def _place(path: str, stored: str, of_content: str, kind: str) -> Record:
    name, named = name_and_extension(path)
    return {"path": stored, "name_key": _text(name), "ext": _text(extension_of(named, of_content, kind))}


def _date(dated_at: str, source: DateSource) -> Record:
    return {"dated_at": dated_at, "date_source": str(source), "month": int(dated_at[5:7])}


def _size(width: int, height: int) -> Record:
    shape = schema.PORTRAIT if height > width else schema.SQUARE if height == width else schema.LANDSCAPE
    shape = schema.PANORAMA if shape == schema.LANDSCAPE and width >= 2 * height else shape
    return {"width": width, "height": height, "pixels": width * height, "shape": shape}


def _taken_at(record: Mapping[str, Any]) -> str | None:
    """Return when a photo was taken, by its EXIF or else its name; None if neither tells."""
    is_named = str(record["date_source"]).startswith(_FIRST_NAMED)
    return (record["dated_at"] if is_named else record["taken_at"]) or None


def _known(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the facts that may be unknown, with None instead of the stored placeholders."""
    has_place = record["latitude"] != schema.NO_PLACE
    return {
        **{name: record[name] or None for name in ("camera", "lens")},
        **{name: float(record[name]) if has_place else None for name in ("latitude", "longitude")},
        "rating": None if record["rating"] == schema.NO_RATING else int(record["rating"]),
        "seconds": None if record["seconds"] == schema.NO_LENGTH else float(record["seconds"]),
    }


def _text(value: str | None) -> str:
    """Return a text cut to the length of a field, in bytes of UTF-8; empty for None."""
    encoded = (value or "").encode(errors="replace")
    return encoded[: schema.LONGEST_TEXT].decode(errors="ignore")


def _number(value: float | None, unknown: float) -> float:
    return unknown if value is None else float(value)
