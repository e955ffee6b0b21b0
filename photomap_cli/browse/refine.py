"""Owns refining a query by a photo that results should be more, or less, like; and the query's chips.  Pure."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import PurePath
from typing import TYPE_CHECKING, NamedTuple

from photomap_cli.errors import PhotomapError, UsageError
from photomap_cli.records import SearchRequest
from photomap_cli.repl.state import like_as_reference
from photomap_cli.search import query_format
from photomap_cli.search.query import Query, Term, TermKind, parse
from photomap_cli.search.relevance_feedback import LESS, MORE, refined

if TYPE_CHECKING:
    from collections.abc import Sequence


def lasting(query: str, references: Sequence[str], *, cwd: str) -> str:
    """Return the query with paths in place of `#N`, since numbers mean other photos after the search."""
    query = like_as_reference(query)
    if "#" not in query:
        return query
    try:
        known = parse(query, cwd=cwd)
        terms = tuple(_named(term, references) for term in known.terms)
    except (PhotomapError, IndexError):
        return query  # the search reports it, with the place of the mistake
    return query_format.format(replace(known, terms=terms), cwd=cwd) if terms != known.terms else query


def _named(term: Term, references: Sequence[str]) -> Term:
    if term.kind is not TermKind.REFERENCE:
        return term
    if int(term.value) < 1:
        raise IndexError
    return Term(TermKind.IMAGE, references[int(term.value) - 1], term.weight)


class Chip(NamedTuple):
    """One part of a query, as it is shown: `+ beach`, `− IMG_1.jpg`, `after:2019`."""

    text: str
    is_negative: bool = False


def more_like(query: str, path: str, *, cwd: str) -> str:
    """Return the query moved towards a photo; for a query without words, the photo itself."""
    if _has_terms(query, cwd):
        return refined(SearchRequest(query, cwd), [(MORE, 1)], lambda _: path)
    photo = query_format.format(Query("", (Term(TermKind.IMAGE, path),)), cwd=cwd)
    return f"{photo} {query}".strip()


def less_like(query: str, path: str, *, cwd: str) -> str:
    """Return the query moved away from a photo.

    Raises:
        UsageError: it has no words to move away from.
    """
    if not _has_terms(query, cwd):
        raise UsageError("there is nothing to search for less of", hint="type some words first")
    return refined(SearchRequest(query, cwd), [(-LESS, 1)], lambda _: path)


def _has_terms(query: str, cwd: str) -> bool:
    """Whether a query has more than filters."""
    try:
        return bool(parse(query, cwd=cwd).terms)
    except PhotomapError:
        return False


@lru_cache(maxsize=32)
def chips(query: str, *, cwd: str) -> tuple[Chip, ...]:
    """Return the parts of a query; empty if it can't be parsed."""
    try:
        known = parse(query, cwd=cwd)
    except PhotomapError:
        return ()
    parts = [_chip(term, number, cwd) for number, term in enumerate(known.terms)]
    filters = query_format.format(Query("", (), known.filters, known.min_score), cwd=cwd)
    return (*parts, *(Chip(text, text.startswith("-")) for text in filters.split(" ") if text))


def _chip(term: Term, number: int, cwd: str) -> Chip:
    """Return one term; a photo goes by its name."""
    sign = "− " if term.weight < 0 else "+ " if number else ""
    words = PurePath(term.value).name if term.kind is TermKind.IMAGE else query_format.body(term, cwd=cwd)
    return Chip(sign + words, term.weight < 0)
