"""Owns a search as it is asked for and answered, and its JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """One search as it is asked for, in this process or over the socket.

    Attributes:
        text: the query, in the language of `photomap_cli.search.query`.
        cwd: absolute folder that relative paths in the query, and the scope, start from.
        limit: how many hits at most; None for the setting `results`.
        min_score: lowest cosine a hit may have; None for the setting (by default the encoder's own floor).
        folder: search below this absolute folder only; "*" for the whole library; None for the usual scope (`cwd` if it
            lies inside an indexed folder, else the whole library).
        sort: "score", or "date" for the same hits with the newest first; with "date" a blank `text` lists every photo.
        references: absolute paths that `#1`, `#2`, ... stand for: the hits of the last search.
        exact: look at every photo, also in a library so large that a search usually looks at the likely ones.
        collapse: show one of several shots of the same thing; None for the setting.
        explain: tell of every hit what each term adds to its score.
        cursor: go on behind the page whose result had this cursor.  Only for a list: a query of filters alone.
    """

    text: str
    cwd: str
    limit: int | None = None
    min_score: float | None = None
    folder: str | None = None
    sort: str = "score"
    references: tuple[str, ...] = ()
    exact: bool = False
    collapse: bool | None = None
    explain: bool = False
    cursor: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the request as JSON values."""
        return {**asdict(self), "references": list(self.references)}

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> SearchRequest:
        """Rebuild a request from `to_json`."""
        return cls(**{**record, "references": tuple(record.get("references", ()))})


@dataclass(frozen=True, slots=True)
class TermPart:
    """What one term of a query adds to a photo's score; the parts of all terms sum to it.

    Attributes:
        term: as it is written, without operator and weight.
        weight: negative to move away from it.
        cosine: between the term alone and the photo.
        part: weight · cosine, divided by the length of the sum of all weighted terms.
    """

    term: str
    weight: float
    cosine: float
    part: float


@dataclass(frozen=True, slots=True)
class Hit:
    """One photo found.

    `score` is the cosine between the query and the photo, None where filters alone found it; `rank` starts at 1;
    `collapsed` are the paths of other shots that it stands for, best first; `terms` explain the score, if that was
    asked for.
    """

    rank: int
    path: str
    score: float | None
    taken_at: str | None
    width: int
    height: int
    collapsed: tuple[str, ...] = ()
    terms: tuple[TermPart, ...] = ()

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> Hit:
        """Rebuild a hit from `hit_to_json`."""
        terms = tuple(TermPart(**part) for part in record.get("terms", ()))
        return cls(**{**record, "collapsed": tuple(record.get("collapsed", ())), "terms": terms})


@dataclass(frozen=True, slots=True)
class Timings:
    """Where a query's time went, in milliseconds; 0 for what was not needed.

    `cache` is there when words or pictures of the query had been encoded for an earlier one; `encode` is the rest.
    """

    load: float = 0.0
    reload: float = 0.0
    encode: float = 0.0
    search: float = 0.0
    cache: float | None = None

    def to_json(self) -> dict[str, float]:
        """Return the times, rounded to a tenth; `cache` only when there is one."""
        return {name: round(ms, 1) for name, ms in asdict(self).items() if ms is not None}


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The answer to one query.

    `notices` are sentences for the user, such as that the card was full.  `encoded_by` says who made the query's
    vectors: "text tower" (words, in the process that searched), "encoder" (its encoder process), or "cache" where
    nobody had to: they were made for an earlier query, or are of photos in the library; None for filters alone, which
    have no vectors.  `cursor` says where a list goes on; None where it has ended, and for a search by score.
    The first of the notices says where was searched if it was
    `searched_elsewhere`: in the whole library, from a folder that is not in it.
    """

    query: str
    encoder: str
    elapsed_ms: float
    served_by: str
    timings_ms: Timings
    hits: tuple[Hit, ...]
    notices: tuple[str, ...] = ()
    encoded_by: str | None = "encoder"
    searched_elsewhere: bool = False
    cursor: str | None = None

    @property
    def is_list(self) -> bool:
        """Whether filters alone chose the photos: newest first, without scores."""
        return self.encoded_by is None

    def served(self, by: str) -> SearchResult:
        """Return the same result under the name of who served it."""
        return replace(self, served_by=by)

    def to_json(self) -> dict[str, Any]:
        """Return what `search --json` prints, as JSON values.

        `notices` is there only when there are any, `searched_elsewhere` only when it is so, `cursor` only while there
        are more photos.
        """
        record = {
            "query": self.query,
            "encoder": self.encoder,
            "count": len(self.hits),
            "elapsed_ms": round(self.elapsed_ms, 1),
            "served_by": self.served_by,
            "encoded_by": self.encoded_by,
            "timings_ms": self.timings_ms.to_json(),
            "hits": [hit_to_json(hit) for hit in self.hits],
        }
        if self.searched_elsewhere:
            record["searched_elsewhere"] = True
        if self.cursor is not None:
            record["cursor"] = self.cursor
        return {**record, "notices": list(self.notices)} if self.notices else record

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> SearchResult:
        """Rebuild a result from `to_json`."""
        return cls(
            query=record["query"],
            encoder=record["encoder"],
            elapsed_ms=record["elapsed_ms"],
            served_by=record["served_by"],
            timings_ms=Timings(**record["timings_ms"]),
            hits=tuple(map(Hit.from_json, record["hits"])),
            notices=tuple(record.get("notices", ())),
            encoded_by=record["encoded_by"],
            searched_elsewhere=bool(record.get("searched_elsewhere", False)),
            cursor=record.get("cursor"),
        )


def hit_to_json(hit: Hit) -> dict[str, Any]:
    """Return one hit as JSON values; scores keep six digits, which is more than float16 rows hold.

    `collapsed` and `terms` are there only if there are any.
    """
    score = None if hit.score is None else round(hit.score, 6)
    record = {**asdict(hit), "score": score, "collapsed": list(hit.collapsed)}
    record["terms"] = [
        {**asdict(each), "cosine": round(each.cosine, 6), "part": round(each.part, 6)} for each in hit.terms
    ]
    return {name: value for name, value in record.items() if value != []}
