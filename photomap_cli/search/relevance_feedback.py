"""Owns refining a query by `more 3` and `less 5`: closer to result 3 and further from result 5.  Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from photomap_cli.search import query_format
from photomap_cli.search.query import Query, Term, TermKind, parse

if TYPE_CHECKING:
    from photomap_cli.records import SearchRequest

MORE, LESS = 0.5, 0.25
"""Weights of results, with words weighing 1: what isn't wanted tells less about what is (scripts/measure_scores.py)."""

_TERM = r"(more|less)((?:[ ,]+#?\d+)+)"
_MOST_DIGITS = 10  # of a number that is no longer any result's
_LINE = re.compile(rf"(?:{_TERM}[ ,]*)+", re.IGNORECASE)


def parse_feedback(line: str) -> list[tuple[float, int]]:
    """Return a line's feedback as (weight, number of the result); empty if it is a query.

    Example:
        `more 3 less #5, 6` is [(0.5, 3), (-0.25, 5), (-0.25, 6)]; `more 3 dogs` and `"more 3"` are queries.
    """
    if not _LINE.fullmatch(line):
        return []
    return [
        (MORE if word.lower() == "more" else -LESS, int(number[:_MOST_DIGITS]))
        for word, numbers in re.findall(_TERM, line, re.IGNORECASE)
        for number in re.findall(r"\d+", numbers)
    ]


def refined(request: SearchRequest, feedback: list[tuple[float, int]], path_of: Callable[[int], str]) -> str:
    """Return the refined query, in the query language.

    Results are named by their paths, since their numbers change with the next search.
    """
    query = parse(request.text, cwd=request.cwd)
    terms = [_lasting(term, request) for term in query.terms]
    terms += [Term(TermKind.IMAGE, path_of(number), weight) for weight, number in feedback]
    return query_format.format(Query("", tuple(terms), query.filters, query.min_score), cwd=request.cwd)


def _lasting(term: Term, request: SearchRequest) -> Term:
    """Name a result by its path; one that there isn't stays, for the search to report."""
    if term.kind is not TermKind.REFERENCE or not 1 <= int(term.value) <= len(request.references):
        return term
    return Term(TermKind.IMAGE, request.references[int(term.value) - 1], term.weight)
