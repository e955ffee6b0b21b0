"""Owns a shared library's schema: the fields of its entities, the index of its vectors, and its properties.

A photo is one entity.  A panorama is three, one for each of its vectors, with the same facts.  There are no nulls: an
unknown text is empty, an unknown number is one that can't occur.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from enum import Enum, StrEnum
from math import sqrt
from typing import NamedTuple

from photomap_cli.errors import LibraryFormat, LibraryUnusable
from photomap_cli.library.entities import LibraryEncoder

VERSION = "1"
NO_RATING, NO_PLACE, NO_LENGTH = -128, 999.0, -1.0
"""Placeholders for an unknown rating, for latitude and longitude, and for the seconds of a video."""

PORTRAIT, SQUARE, LANDSCAPE, PANORAMA = range(4)
"""Values of `shape`; a panorama is at least twice as wide as high."""


class Kind(Enum):
    """Milvus's types, as photomap uses them."""

    WHOLE = "INT64"
    SMALL = "INT8"
    REAL = "DOUBLE"
    TEXT = "VARCHAR"
    VECTOR = "FLOAT_VECTOR"
    HALF_VECTOR = "FLOAT16_VECTOR"


class Field(NamedTuple):
    """A field; `length` is the dimension of its vectors, or the most bytes of its texts."""

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
"""Facts of a photo.  `name_key`, `camera_key` and `lens_key` are texts in the form in which filters compare them.

A file's ctime and inode are those on the machine `seen_by`.
"""

KEYS = (Field("row", Kind.WHOLE), Field("photo", Kind.WHOLE), Field("part", Kind.SMALL))
"""The entity's own number; the row of its photo, which is that of its first entity; 0 for that one, else the side."""

FIELDS = (*KEYS, *FACTS)
SORTED = ("path", "size_bytes", "content_hash", "dated_at")
"""Fields that have an index of their own in a large library."""

VECTOR = "vector"
FACT_NAMES = tuple(each.name for each in FACTS)
ALL_NAMES = (*(each.name for each in FIELDS), VECTOR)

_FLAT, _SCANN = "FLAT", "SCANN"
FEWEST_COMPRESSED = 1_000_000
"""From this many photos on, vectors are compressed and the best hits rescored; below, the search is exact."""

_SEGMENT = 1_000_000  # most vectors in a segment; Milvus clusters each one by itself
_RERANKED, _RERANKED_EACH, _RERANKED_EXACT = 400, 15, 4000
_MOST_RERANKED = 16_384


class Index(NamedTuple):
    """An index of vectors: Milvus's name of its type, and the number of clusters per segment (`nlist`)."""

    kind: str
    lists: int = 0

    @property
    def parameters(self) -> dict[str, int]:
        """The parameters to build it with.  Given one of another type of index, Milvus silently retries for ever."""
        return {"nlist": self.lists} if self.kind == _SCANN else {}

    def asked(self, k: int, *, exact: bool = False, share: float = 1.0) -> dict[str, int]:
        """Return the search parameters for k hits: which share of the clusters to visit, and how many hits to rescore.

        Visiting fewer loses hits of text queries: of 200,000 photos a quarter of the clusters lost one in 2,000, an
        eighth one in 1,000 once and one in 40 another time, on other made-up vectors.
        """
        if self.kind == _FLAT:
            return {}
        reranked = max(_RERANKED_EXACT if exact else _RERANKED, _RERANKED_EACH * k)
        return {"nprobe": max(1, round(self.lists * share)), "reorder_k": min(reranked, _MOST_RERANKED)}

    @classmethod
    def wanted(cls, photos: int) -> Index:
        """Return the index for a number of photos; Milvus recommends 4 * sqrt(n) clusters for n vectors."""
        return cls(_FLAT) if photos < FEWEST_COMPRESSED else cls(_SCANN, round(4 * sqrt(min(photos, _SEGMENT))))

    @classmethod
    def of(cls, description: Mapping[str, object]) -> Index:
        """Parse a server's description of an index.

        Raises LibraryUnusable for other types: graphs lose hits of text queries, and Milvus has been seen to lose the
        vectors themselves with an index that doesn't contain them.
        """
        if not description:
            return cls("")  # building it was interrupted
        kind = str(description.get("index_type"))
        if kind not in (_FLAT, _SCANN):
            raise LibraryUnusable(
                f"the library's vectors have the index {kind[:40]}, which loses photos or vectors",
                hint="have its owner make another: FLAT, or SCANN with more than a million photos",
            )
        return cls(kind, int(str(description.get("nlist") or 0)))


@dataclass(frozen=True, slots=True)
class IndexState:
    """An index, and how many entities aren't in it yet; searches compare those one by one."""

    index: Index
    waiting: int

    @classmethod
    def of(cls, description: Mapping[str, object]) -> IndexState:
        """Parse a server's description of an index."""
        total, indexed = (int(str(description.get(name) or 0)) for name in ("total_rows", "indexed_rows"))
        return cls(Index.of(description), max(0, total - indexed))


def fields(dim: int, *, is_half: bool) -> tuple[Field, ...]:
    """Return the fields of a library with vectors of this dimension."""
    return (*FIELDS, Field(VECTOR, Kind.HALF_VECTOR if is_half else Kind.VECTOR, dim))


def is_half(described: Mapping[str, Mapping[str, object]]) -> bool:
    """Whether vectors are in half precision, by a server's description of the fields.  Raises LibraryFormat."""
    kind = getattr(described.get(VECTOR, {}).get("type"), "name", "")
    if kind not in (Kind.VECTOR.value, Kind.HALF_VECTOR.value):
        raise LibraryFormat(
            "the library has no vectors that photomap can read", hint="name another one after the last /"
        )
    return kind == Kind.HALF_VECTOR.value


_PREFIX, _ROOT, _RUN = "photomap.", "photomap.root:", "photomap.run:"
_SCHEMA, _ID, _INDEXED = (_PREFIX + name for name in ("schema", "library_id", "last_indexed_at"))
_UNNAMED = "photomap.unnamed"


class Mark(StrEnum):
    """Why a collection has no alias, if it has none."""

    NONE = ""
    BEGUN = "begun"  # it has no alias yet, and no photos
    REPLACED = "replaced"  # another one has its alias, or soon will

    @classmethod
    def of(cls, properties: Mapping[str, str]) -> Mark | None:
        """Return a library's mark; None for a collection that isn't a library."""
        if _SCHEMA not in properties:
            return None
        mark = properties.get(_UNNAMED, "")
        return cls(mark) if mark in (*cls,) else cls.NONE

    @property
    def properties(self) -> dict[str, str]:
        """The properties that set it."""
        return {_UNNAMED: self.value}


class Own(NamedTuple):
    """A library's unchanging properties: its id, and the encoder that made its vectors."""

    library_id: str
    encoder: LibraryEncoder

    @classmethod
    def of(cls, properties: Mapping[str, str]) -> Own:
        """Parse properties.  Raises LibraryFormat if they aren't those of a library of this version."""
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
    """Return the stored paths that were indexed."""
    return _marked(properties, _ROOT)


def unfinished(properties: Mapping[str, str]) -> list[str]:
    """Return the stored paths of runs that are going on, or were cut short."""
    return _marked(properties, _RUN)


def last_indexed_at(properties: Mapping[str, str]) -> str | None:
    """Return when a run last finished, in ISO 8601; None if none has."""
    return properties.get(_INDEXED) or None


def new_properties(library_id: str, encoder: LibraryEncoder) -> dict[str, str]:
    """Return the properties of a new library."""
    made_with = {_PREFIX + name: str(value) for name, value in asdict(encoder).items()}
    return {_SCHEMA: VERSION, _ID: library_id, **made_with}


def root_properties(added: Iterable[str], forgotten: Iterable[str] = ()) -> dict[str, str]:
    """Return properties that add and remove indexed paths; one for each, so concurrent changes don't clash."""
    return _marks(_ROOT, added, forgotten)


def run_properties(begun: Iterable[str], ended: Iterable[str] = ()) -> dict[str, str]:
    """Return properties that record over which stored paths a run has begun, or ended."""
    return _marks(_RUN, begun, ended)


def indexed_property(at: str) -> dict[str, str]:
    """Return the property that records when the library was last brought up to date."""
    return {_INDEXED: at}


def _marks(prefix: str, there: Iterable[str], gone: Iterable[str]) -> dict[str, str]:
    """Return a property for each path, empty for those that are gone, as a property can't be deleted."""
    return {**{prefix + each: "" for each in gone}, **{prefix + each: "1" for each in there}}


def _marked(properties: Mapping[str, str], prefix: str) -> list[str]:
    return [name.removeprefix(prefix) for name, mark in properties.items() if name.startswith(prefix) and mark]
