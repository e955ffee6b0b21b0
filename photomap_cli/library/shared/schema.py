"""Owns what a shared library stores and by which index: fields, the library's own facts, what a search asks for.

A photo is one entity; a panorama is three, one for each of its vectors, with the same facts.  There is nothing without
a value: a text that is not known is empty, a number one that cannot be.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from enum import Enum
from math import sqrt
from typing import NamedTuple

from photomap_cli.errors import LibraryFormat, LibraryUnusable
from photomap_cli.library.entities import LibraryEncoder

VERSION = "1"
NO_RATING, NO_PLACE, NO_LENGTH = -128, 999.0, -1.0
"""What stands for a rating, a latitude and longitude, and a video's seconds that are not known."""

PORTRAIT, SQUARE, LANDSCAPE, PANORAMA = range(4)
"""What `shape` is; a panorama is a landscape twice as wide as high."""


class Kind(Enum):
    """What a field holds: 64 or 8 bits with a sign, a real number, a text, a vector."""

    WHOLE = "INT64"
    SMALL = "INT8"
    REAL = "DOUBLE"
    TEXT = "VARCHAR"
    VECTOR = "FLOAT_VECTOR"
    HALF_VECTOR = "FLOAT16_VECTOR"


class Field(NamedTuple):
    """A field, and the length of its vectors, or of its texts at most, in bytes."""

    name: str
    kind: Kind
    length: int = 0


LONGEST_TEXT = 4096
FACTS = (
    Field("path", Kind.TEXT, 65_535),
    *(Field(name, Kind.WHOLE) for name in ("size_bytes", "mtime_ns", "ctime_ns", "inode")),
    Field("seen_by", Kind.TEXT, LONGEST_TEXT),
    *(Field(name, Kind.TEXT, LONGEST_TEXT) for name in ("content_hash", "damage", "taken_at", "dated_at")),
    *(Field(name, Kind.TEXT, LONGEST_TEXT) for name in ("date_source", "kind", "camera", "lens", "ext")),
    *(Field(name, Kind.TEXT, LONGEST_TEXT) for name in ("name_key", "camera_key", "lens_key")),
    *(Field(name, Kind.WHOLE) for name in ("width", "height", "pixels")),
    *(Field(name, Kind.SMALL) for name in ("month", "shape", "orientation", "rating")),
    *(Field(name, Kind.REAL) for name in ("latitude", "longitude", "seconds")),
)
"""What is known of a photo; texts that filters compare are kept a second time, as they compare them.

A file's ctime and inode mean something to the machine alone that has `seen_by`.
"""

KEYS = (Field("row", Kind.WHOLE), Field("photo", Kind.WHOLE), Field("part", Kind.SMALL))
"""An entity's own number; the number of its photo, which is that of its first entity; 0 for that one, else its side."""

FIELDS = (*KEYS, *FACTS)
SORTED = ("path", "size_bytes", "content_hash", "dated_at")
"""Fields that have an index of their own in a large library."""

VECTOR = "vector"
FACT_NAMES = tuple(each.name for each in FACTS)
ALL_NAMES = (*(each.name for each in FIELDS), VECTOR)

_FLAT, _SCANN = "FLAT", "SCANN"
FEWEST_COMPRESSED = 1_000_000
"""From so many photos on vectors are compressed and the best looked at again; below, each is compared."""

_SEGMENT = 1_000_000  # vectors that Milvus keeps together, and makes lists of, at most
_RERANKED, _RERANKED_EACH, _RERANKED_EXACT = 400, 15, 4000
_MOST_RERANKED = 16_384


class Index(NamedTuple):
    """How vectors are searched: an index of Milvus's, and how many lists it has."""

    kind: str
    lists: int = 0

    @property
    def parameters(self) -> dict[str, int]:
        """What the index is made with.  A parameter of another kind is tried for ever, in silence."""
        return {"nlist": self.lists} if self.kind == _SCANN else {}

    def asked(self, k: int, *, exact: bool = False) -> dict[str, int]:
        """Return how to ask for k photos: all lists, and enough of them compared by their stored vectors.

        Fewer lists lose photos that words find: half of them one in 700, an eighth one in 40.
        """
        if self.kind == _FLAT:
            return {}
        reranked = max(_RERANKED_EXACT if exact else _RERANKED, _RERANKED_EACH * k)
        return {"nprobe": self.lists, "reorder_k": min(reranked, _MOST_RERANKED)}

    @classmethod
    def wanted(cls, photos: int) -> Index:
        """Return the index for so many photos."""
        return cls(_FLAT) if photos < FEWEST_COMPRESSED else cls(_SCANN, round(4 * sqrt(min(photos, _SEGMENT))))

    @classmethod
    def of(cls, description: Mapping[str, object]) -> Index:
        """Return the index that a server describes.

        Raises LibraryUnusable for every other kind: graphs lose what words find, and with an index that does not hold
        the vectors themselves Milvus has been seen to lose them.
        """
        if not description:
            return cls("")  # whoever was making one has been interrupted
        kind = str(description.get("index_type"))
        if kind not in (_FLAT, _SCANN):
            raise LibraryUnusable(
                f"the library's vectors have the index {kind[:40]}, which loses photos or vectors",
                hint="have its owner make another: FLAT, or SCANN with more than a million photos",
            )
        return cls(kind, int(str(description.get("nlist") or 0)))


@dataclass(frozen=True, slots=True)
class IndexState:
    """An index, and how many entities the server has not put into it yet: searches compare those one by one."""

    index: Index
    waiting: int

    @classmethod
    def of(cls, description: Mapping[str, object]) -> IndexState:
        """Return what a server says."""
        total, indexed = (int(str(description.get(name) or 0)) for name in ("total_rows", "indexed_rows"))
        return cls(Index.of(description), max(0, total - indexed))


def fields(dim: int, *, is_half: bool) -> tuple[Field, ...]:
    """Return the fields of a library whose vectors are so long."""
    return (*FIELDS, Field(VECTOR, Kind.HALF_VECTOR if is_half else Kind.VECTOR, dim))


def is_half(described: Mapping[str, Mapping[str, object]]) -> bool:
    """Whether a library whose fields a server describes keeps vectors in half precision.  Raises LibraryFormat."""
    kind = getattr(described.get(VECTOR, {}).get("type"), "name", "")
    if kind not in (Kind.VECTOR.value, Kind.HALF_VECTOR.value):
        raise LibraryFormat(
            "the library has no vectors that photomap can read", hint="name another one after the last /"
        )
    return kind == Kind.HALF_VECTOR.value


_PREFIX, _ROOT, _RUN = "photomap.", "photomap.root:", "photomap.run:"
_SCHEMA, _ID, _INDEXED = (_PREFIX + name for name in ("schema", "library_id", "last_indexed_at"))


class Own(NamedTuple):
    """What a library says of itself that stays: its id, another one for other photos, and what made its vectors."""

    library_id: str
    encoder: LibraryEncoder

    @classmethod
    def of(cls, properties: Mapping[str, str]) -> Own:
        """Read properties.  Raises LibraryFormat where they are not those of a library of this version."""
        if properties.get(_SCHEMA) != VERSION:
            raise LibraryFormat(
                "the library is of another version of photomap, or no library", hint="name another one after the last /"
            )
        try:
            made_with = {name: properties[_PREFIX + name] for name in ("spec", "dim", "precision", "fingerprint")}
            encoder = LibraryEncoder(**{**made_with, "dim": int(made_with["dim"])})  # type: ignore[arg-type]
            return cls(properties[_ID], encoder)
        except (KeyError, ValueError) as error:
            raise LibraryFormat("the library's own facts are damaged", hint="`photomap index --rebuild`") from error


def roots(properties: Mapping[str, str]) -> list[str]:
    """Return what was indexed, as paths are kept."""
    return _marked(properties, _ROOT)


def unfinished(properties: Mapping[str, str]) -> list[str]:
    """Return what is being indexed, or was until something ended the run."""
    return _marked(properties, _RUN)


def last_indexed_at(properties: Mapping[str, str]) -> str | None:
    """Return when a run came to its end, if one did."""
    return properties.get(_INDEXED) or None


def new_properties(library_id: str, encoder: LibraryEncoder) -> dict[str, str]:
    """Return the properties that a library begins with."""
    made_with = {_PREFIX + name: str(value) for name, value in asdict(encoder).items()}
    return {_SCHEMA: VERSION, _ID: library_id, **made_with}


def root_properties(added: Iterable[str], forgotten: Iterable[str] = ()) -> dict[str, str]:
    """Return the properties that say what was indexed, and what no longer is: each by its own, so none is lost."""
    return _marks(_ROOT, added, forgotten)


def run_properties(begun: Iterable[str], ended: Iterable[str] = ()) -> dict[str, str]:
    """Return the properties that say over which paths a run has begun, or ended."""
    return _marks(_RUN, begun, ended)


def indexed_property(at: str) -> dict[str, str]:
    """Return the property that says when the library was last brought up to date."""
    return {_INDEXED: at}


def _marks(prefix: str, there: Iterable[str], gone: Iterable[str]) -> dict[str, str]:
    """Return properties for what is there and what is gone: one that exists can only be made empty."""
    return {**{prefix + each: "" for each in gone}, **{prefix + each: "1" for each in there}}


def _marked(properties: Mapping[str, str], prefix: str) -> list[str]:
    return [name.removeprefix(prefix) for name, mark in properties.items() if name.startswith(prefix) and mark]
