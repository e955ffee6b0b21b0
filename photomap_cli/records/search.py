"""Owns a search as it is asked for and answered, and its JSON."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from photomap_cli.records.record import IF_ANY, Record, rounded


@dataclass(frozen=True, slots=True)
class SearchRequest(Record):
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
        is_draft: the query is still being typed, so nothing of it is kept for later ones.
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
    is_draft: bool = False


@dataclass(frozen=True, slots=True)
class TermPart(Record):
    """What one term of a query adds to a photo's score; the parts of all terms sum to it.

    Attributes:
        term: as it is written, without operator and weight.
        weight: negative to move away from it.
        cosine: between the term alone and the photo.
        part: weight · cosine, divided by the length of the sum of all weighted terms.
    """

    term: str
    weight: float
    cosine: float = field(metadata=rounded(6))
    part: float = field(metadata=rounded(6))


@dataclass(frozen=True, slots=True)
class Hit(Record):
    """One photo found.

    `score` is the cosine between the query and the photo, None where filters alone found it; `rank` starts at 1;
    `collapsed` are the paths of other shots that it stands for, best first; `terms` explain the score, if that was
    asked for.
    """

    rank: int
    path: str
    score: float | None = field(metadata=rounded(6))
    taken_at: str | None
    width: int
    height: int
    collapsed: tuple[str, ...] = field(default=(), metadata=IF_ANY)
    terms: tuple[TermPart, ...] = field(default=(), metadata=IF_ANY)


@dataclass(frozen=True, slots=True)
class Timings(Record):
    """Where a query's time went, in milliseconds; 0 for what was not needed.

    `cache` is there when words or pictures of the query had been encoded for an earlier one; `encode` is the rest.
    """

    load: float = field(default=0.0, metadata=rounded(1))
    reload: float = field(default=0.0, metadata=rounded(1))
    encode: float = field(default=0.0, metadata=rounded(1))
    search: float = field(default=0.0, metadata=rounded(1))
    cache: float | None = field(default=None, metadata=rounded(1) | IF_ANY)


@dataclass(frozen=True, slots=True)
class SearchResult(Record):
    """The answer to one query.

    `notices` are sentences for the user, such as that the GPU was full.  If `searched_elsewhere`, the whole library was
    searched from a folder that isn't in it, and the first notice says so.
    `encoded_by` is what made the query's vectors: "text tower" or "image tower" (in the process that searched),
    "encoder" (its encoder process), or "cache" if none had to, as they are from an earlier query or from photos in the
    library; None for filters alone, which have no vectors.
    `cursor` is where a list continues; None at its end, and for a search by score.
    """

    ALSO = (("count", "elapsed_ms"),)

    query: str
    encoder: str
    elapsed_ms: float = field(metadata=rounded(1))
    served_by: str
    encoded_by: str | None = field(default="encoder", kw_only=True)
    timings_ms: Timings
    hits: tuple[Hit, ...]
    searched_elsewhere: bool = field(default=False, kw_only=True, metadata=IF_ANY)
    cursor: str | None = field(default=None, kw_only=True, metadata=IF_ANY)
    notices: tuple[str, ...] = field(default=(), metadata=IF_ANY)

    @property
    def count(self) -> int:
        """How many hits."""
        return len(self.hits)

    @property
    def is_list(self) -> bool:
        """Whether filters alone chose the photos: newest first, without scores."""
        return self.encoded_by is None

    def served(self, by: str) -> SearchResult:
        """Return the same result under the name of who served it."""
        return replace(self, served_by=by)
