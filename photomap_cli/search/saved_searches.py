"""Owns saved searches in a query: `@@trip` stands for the text that was saved as trip."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from photomap_cli.errors import BadQuery
from photomap_cli.library import user_data
from photomap_cli.search import query
from photomap_cli.search.filter_values import absolute

if TYPE_CHECKING:
    from photomap_cli.records import PhotoFilter

T = TypeVar("T")

MARK = "@@"
DEEPEST = 8
"""How deep saved searches may be nested."""

_SHOWN = 5
_WORD = re.compile(r'(?:[^\s"]|"(?:[^"\\]|\\.)*")+')
_PREFIX = re.compile(r"[-+–−]?(?:\d+(?:\.\d+)?:)?")
_RELATIVE = re.compile(r"@?\.{1,2}/")
_REFERENCE = re.compile(r"#(\d{1,9})")


def parse(text: str, *, cwd: str, library: Path, may_be_blank: bool = False) -> query.Query:
    """Parse a query that may name saved searches; see `query.parse`.

    Raises BadQuery; if the mistake is in a saved search, the message quotes that.
    """
    return _parsed(partial(query.parse, cwd=cwd, may_be_blank=may_be_blank), text, cwd=cwd, library=library)


def parse_filters(text: str, *, cwd: str, library: Path) -> tuple[PhotoFilter, ...]:
    """Parse filters that may name saved searches made only of filters; raises as `parse` does."""
    return _parsed(partial(query.parse_filters, cwd=cwd), text, cwd=cwd, library=library)


def _parsed(parse: Callable[[str], T], text: str, *, cwd: str, library: Path) -> T:
    """Parse the text with saved searches expanded."""
    if MARK not in text:
        return parse(text)
    expanded = expand(text, library, cwd=cwd)
    try:
        return parse(expanded)
    except BadQuery as error:
        if expanded == text:
            raise
        told = f"{error.message}, in {query.shortened(expanded)}"
        raise BadQuery(told, hint=error.hint) from None


def expand(text: str, library: Path, *, cwd: str, depth: int = 0) -> str:
    """Return a query with saved searches expanded to their text.

    Raises BadQuery for an unknown name, and for searches that refer to themselves.
    """
    pieces, at = list[str](), 0
    for word in _WORD.finditer(text):
        if not word[0].startswith(MARK) or len(word[0]) == len(MARK):
            continue
        name = query.unquoted(word[0].removeprefix(MARK))
        saved = user_data.search(library, name)
        if saved is None and os.path.lexists(absolute(f"@{name}", cwd)):
            continue  # a picture whose name starts with @
        if saved is None:
            raise _nothing_saved(name, library, None if depth else word.start())
        if depth == DEEPEST:
            raise BadQuery(f"the saved search {name!r} refers to itself", hint=":save-search saves another text")
        pieces += [text[at : word.start()], expand(saved, library, cwd=cwd, depth=depth + 1)]
        at = word.end()
        if sum(map(len, pieces)) > query.MOST_LETTERS:
            raise BadQuery(f"the saved search {name!r} is too long a query", hint="save a shorter one")
    return "".join(pieces) + text[at:]


def portable(text: str, *, cwd: str, references: Sequence[str]) -> str:
    """Return an equivalent query for other folders and after other searches.

    Result numbers and paths from the current folder become absolute paths; relative dates stay relative.
    """

    def written(match: re.Match[str]) -> str:
        prefix = _PREFIX.match(match[0])
        start = prefix[0] if prefix else ""
        body = match[0][len(start) :]
        if (number := _REFERENCE.fullmatch(body)) and 0 < int(number[1]) <= len(references):
            return f"{start}@{_quoted(references[int(number[1]) - 1])}"
        if _RELATIVE.match(body):
            return start + os.path.join(cwd, body.removeprefix("@"))  # noqa: PTH118 - `./my pool.jpg` goes on behind it
        if body.startswith("in:") and (folder := query.unquoted(body[3:])) and folder[0] not in "*~/":
            return f"{start}in:{_quoted(absolute(folder, cwd))}"
        return match[0]

    return _WORD.sub(written, text)


def _quoted(path: str) -> str:
    escaped = path.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _nothing_saved(name: str, library: Path, position: int | None) -> BadQuery:
    names = list(user_data.searches(library))
    more = ", ..." if len(names) > _SHOWN else ""
    hint = f"saved searches: {', '.join(names[:_SHOWN])}{more}" if names else ":save-search NAME saves the last query"
    return BadQuery(f"there is no saved search {query.shortened(name)}", hint=hint, position=position)
