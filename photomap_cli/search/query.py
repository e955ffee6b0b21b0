r"""Owns the query language: text -> `Query`.  Asks the disk only whether a text names a file.

    query  = { term | filter }
    term   = [op] [weight ":"] body         op: "+" or "-", standing alone or glued to a word
    body   = words | "quoted words" | image path | image address | #N
    filter = NAME:VALUE, with a name of `filter_values.py`, or min:SCORE; "-" in front negates

| text | terms (weight: body) and filters |
|---|---|
| `golden retriever` | 1: golden retriever |
| `2:golden retriever + ./pool.jpg - fruit` | 2: golden retriever, 1: image pool.jpg, -1: fruit |
| `dog on a beach -people -"red ball"` | 1: dog on a beach, -1: people, -1: red ball |
| `#3 + snow` | 1: result 3 of the last search, 1: snow |
| `https://example.org/dog.jpg at night` | 1: the picture at that address, 1: at night |
| `@"./Beach - 2020.jpg" at night` | 1: image Beach - 2020.jpg, 1: at night |
| `t-shirt`, `temperature -5`, `black / white` | one term of plain text |
| `sunset after:2023-06 -in:~/Work` | 1: sunset; taken at or after 1 June 2023; not below ~/Work |

A glued operator takes one word or one quoted phrase; a lone one everything up to the next operator.  An image path
begins with `./`, `../`, `~/`, `/`, `@` or `C:\` and also reaches to the next operator; `#N`, an address (`http://`,
`https://`) and a path in quotes after `@` are one word.  Each of the three begins a new term, even without an
operator.  A query has at most MOST_LETTERS, MOST_TERMS and MOST_FILTERS.  Quotes around the name of an existing file
mean that file, and so does a whole query that is such a name with an extension, whatever it contains.  Weights are
positive numbers up to 1,000,000.  Filters alone are a query too: they list what they leave.  AFTER keeps what was taken
at or after the start of its date, BEFORE what was taken earlier.
`query_format.py` writes a query back.
"""

from __future__ import annotations

import datetime
import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple
from urllib.parse import urlsplit

from photomap_cli.errors import BadQuery
from photomap_cli.records import FilterKind, PhotoFilter
from photomap_cli.search.filter_values import COMPARED, FILTER_VALUES, MIN, MIN_HINT, WHOLE_LIBRARY, Here, absolute
from photomap_cli.search.query_files import file_named

EXAMPLE = "example: dog on a beach -people after:2023"
MAX_WEIGHT = 1e6  # terms are summed in float32
MOST_LETTERS, MOST_TERMS, MOST_FILTERS = 100_000, 1_000, 100
"""Limits of a query: a thousand paths of a hundred letters.  SQLite takes some 900 conditions at once."""

MOST_VALUE_LETTERS = 4096
"""Limit of a filter's value, a path or an address: as for a path on Linux; SQLite refuses patterns of 50,000 bytes."""

_SHOWN_LETTERS = 60  # of what was typed, in a message
_MINUS = "-–−"
_TOKEN = re.compile(r'(?:[^\s"]|"(?:[^"\\]|\\.)*"|"(?P<open>.*))+')
_WEIGHT = re.compile(r"(\d+(?:\.\d+)?|\.\d+):(?=.)")
_NO_CHARACTER = re.compile("[\0\ud800-\udc7f\udd00-\udfff]")  # \udc80 to \udcff are bytes of a file name
_NUMBER = re.compile(r"[-+–−]\d+(\.\d+)?%?")
_PATH = re.compile(r"@.|\.{1,2}[/\\]|~[/\\]|/.|[A-Za-z]:[/\\]")
_ADDRESS = re.compile(r"https?://", re.IGNORECASE)
_REFERENCE = re.compile(r"#(\d+)")
_REFERENCE_DIGITS = 9
_PICTURE = re.compile(
    rf"(?:{_WEIGHT.pattern})?(?:{_PATH.pattern}|{_ADDRESS.pattern}|{_REFERENCE.pattern}$)", re.IGNORECASE
)
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_FILTER = re.compile(rf"([{_MINUS}]?)([A-Za-z]+):(?!//)(?=\S)")
_NO_VALUE = re.compile(rf"[{_MINUS}]?({'|'.join((*FILTER_VALUES, MIN))}):", re.IGNORECASE)


class TermKind(Enum):
    """The kinds of a term's body."""

    TEXT = "text"
    IMAGE = "image"
    ADDRESS = "address"
    REFERENCE = "reference"


@dataclass(frozen=True, slots=True)
class Term:
    """A term of a query.

    Attributes:
        kind: how to read `value`.
        value: words; an absolute path; an address; or the number N of `#N` as text.
        weight: how much it counts; negative to move away from it.
        position: offset in the query text, for error messages; ignored in comparisons.
    """

    kind: TermKind
    value: str
    weight: float = 1.0
    position: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed query: at least one term with a positive weight, or no terms: filters alone make a list.

    Equal to another query that means the same.
    """

    text: str = field(compare=False)
    terms: tuple[Term, ...]
    filters: tuple[PhotoFilter, ...] = ()
    min_score: float | None = None


class _Token(NamedTuple):
    text: str
    position: int


def parse(text: str, *, cwd: str, may_be_blank: bool = False, today: datetime.date | None = None) -> Query:
    """Parse a query.

    Args:
        text: what the user typed, on one line.
        cwd: absolute folder that relative paths start from.
        may_be_blank: an empty text lists all photos instead of being a mistake.
        today: the date that `after:7d` counts from; None for today.

    Raises:
        BadQuery: with the position of the mistake and a hint.
    """
    return _Parser(text, cwd, today).parse(may_be_blank=may_be_blank)


def parse_filters(text: str, *, cwd: str) -> tuple[PhotoFilter, ...]:
    """Parse filters without a search.  Raises BadQuery as `parse` does."""
    return _Parser(text, cwd).parse_filters()


class _Parser:
    """Collects terms and filters in one pass over the tokens."""

    def __init__(self, text: str, cwd: str, today: datetime.date | None = None) -> None:
        _require_most(len(text), MOST_LETTERS, "a query", "letters", MOST_LETTERS)
        self._text, self._cwd = text, cwd
        self._here = Here(cwd, today or datetime.date.today())
        self._terms: list[Term] = []
        self._filters: list[PhotoFilter] = []
        self._min_score: float | None = None
        self._min_position = 0
        self._words: list[_Token] = []
        self._sign = 1
        self._operator: int | None = None  # position of the lone operator whose term is being collected

    def parse(self, *, may_be_blank: bool) -> Query:
        if path := whole_file(self._text, self._cwd):
            return Query(self._text, (Term(TermKind.IMAGE, absolute(path, self._cwd)),))
        for token in _tokens(self._text):
            self._take(token)
        self._finish_term()
        self._require_sense(may_be_blank=may_be_blank)
        return Query(self._text, tuple(self._terms), tuple(self._filters), self._min_score)

    def _require_sense(self, *, may_be_blank: bool) -> None:
        """Raise BadQuery unless there is something to search for or to list."""
        if any(term.weight > 0 for term in self._terms):
            return
        if self._terms:
            missing, position = "nothing to search for, only what to avoid", self._terms[0].position
            raise BadQuery(missing, hint=EXAMPLE, position=position)
        if self._min_score is not None:
            raise BadQuery("min: needs something to search for", hint=EXAMPLE, position=self._min_position)
        if not self._filters and not may_be_blank:
            raise BadQuery("nothing to search for", hint=EXAMPLE, position=0)

    def parse_filters(self) -> tuple[PhotoFilter, ...]:
        for token in _tokens(self._text):
            if not _FILTER.match(token.text) or self._is_drive(token.text):
                raise BadQuery(
                    f"{shortened(token.text)} is not a filter",
                    hint="example: after:2023 camera:nikon",
                    position=token.position,
                )
            self._take(token)
            if self._min_score is not None:
                hint = "example: after:2023 camera:nikon"
                raise BadQuery("min: needs something to search for", hint=hint, position=token.position)
        return tuple(self._filters)

    def _take(self, token: _Token) -> None:
        text, position = token
        if text in ("+", *_MINUS):
            self._finish_term()
            self._sign, self._operator = (1 if text == "+" else -1), position
        elif (match := _FILTER.match(text)) and not self._is_drive(text):
            self._take_filter(match, text[match.end() :], position)
        elif _NO_VALUE.fullmatch(text):
            hint = "write it without a space, such as after:2023; quotes make text of it"
            if text.lstrip(_MINUS).lower().removesuffix(":") in COMPARED:
                hint = "write it without a space; in a shell, > and < need quotes: 'size:>12mp'"
            raise BadQuery(f"nothing follows {text}", hint=hint, position=position)
        elif text[0] in f"+{_MINUS}" and len(text) > 1 and not _NUMBER.fullmatch(text):
            self._finish_term()
            sign = 1 if text[0] == "+" else -1
            self._add_term([_Token(text[1:], position + 1)], sign)
        elif _PICTURE.match(text) or self._quoted_file(_weighed(text)[1]):
            if self._words:
                self._finish_term()
            self._words = [token]
            if not _PATH.match(body := _weighed(text)[1]) or _QUOTED.fullmatch(body.removeprefix("@")):
                self._finish_term()
        else:
            self._words.append(token)

    @staticmethod
    def _is_drive(text: str) -> bool:
        return len(text) > 2 and text[1] == ":" and text[2] in "/\\"

    def _finish_term(self) -> None:
        """Turn the words collected so far into a term; a lone operator must have some."""
        if self._words:
            self._add_term(self._words, self._sign)
        elif self._operator is not None:
            raise BadQuery("nothing follows the operator", hint=EXAMPLE, position=self._operator)
        self._words, self._sign, self._operator = [], 1, None

    def _add_term(self, words: list[_Token], sign: int) -> None:
        _require_most(len(self._terms) + 1, MOST_TERMS, "a query", "terms", words[0].position)
        self._terms.append(self._term(words, sign))

    def _term(self, words: list[_Token], sign: int) -> Term:
        position = words[0].position
        body = " ".join(word.text for word in words)
        weight, body = _weighed(body)
        if not 0 < weight <= MAX_WEIGHT:
            reason = "a weight of 0 does nothing" if weight == 0 else "the weight is too large"
            raise BadQuery(reason, hint=f"weights are positive numbers up to {MAX_WEIGHT:,.0f}", position=position)
        if reference := _REFERENCE.fullmatch(body):
            if len(reference[1]) > _REFERENCE_DIGITS:
                hint = "#N is a result of the last search at the prompt"
                raise BadQuery(f"there is no result {shortened(body)}", hint=hint, position=position)
            return Term(TermKind.REFERENCE, reference[1], sign * weight, position)
        if _ADDRESS.match(body) or _PATH.match(body):
            _require_most(len(body), MOST_VALUE_LETTERS, "a path or an address", "letters", position)
        if _ADDRESS.match(body):
            return Term(TermKind.ADDRESS, _address(body, position), sign * weight, position)
        if _PATH.match(body):
            path = absolute(unquoted(body.removeprefix("@")), self._cwd)
            return Term(TermKind.IMAGE, path, sign * weight, position)
        if quoted := self._quoted_file(body):
            return Term(TermKind.IMAGE, quoted, sign * weight, position)
        value = unquoted(body).strip()
        if not value:
            raise BadQuery("there is nothing inside the quotes", hint=EXAMPLE, position=position)
        return Term(TermKind.TEXT, value, sign * weight, position)

    def _quoted_file(self, body: str) -> str | None:
        """Return the absolute path of the file named in quotes, if the body is nothing else."""
        path = file_named(unquoted(body), self._cwd) if _QUOTED.fullmatch(body) else None
        return absolute(path, self._cwd) if path else None

    def _take_filter(self, match: re.Match[str], raw: str, position: int) -> None:
        negated, name, value = bool(match[1]), match[2].lower(), unquoted(raw)
        _require_most(len(self._filters) + 1, MOST_FILTERS, "a query", "filters", position)
        _require_most(len(value), MOST_VALUE_LETTERS, "a filter's value", "letters", position + match.end())
        if name == MIN:
            score = _score(value, negated, position)
            if self._min_score is None or score > self._min_score:  # all of them must hold
                self._min_score, self._min_position = score, position
            return
        if negated and (name, value) == ("in", WHOLE_LIBRARY):
            hint = "-in:DIR leaves out a folder"
            raise BadQuery("-in:* would leave out the whole library", hint=hint, position=position)
        known = FILTER_VALUES.get(name)
        if known is None:
            near = difflib.get_close_matches(name, [*FILTER_VALUES, MIN], 1)
            written = f"{near[0]}:{shortened(raw)}" if near else ""
            hint = f"did you mean {written}?" if near else f"filters: {', '.join(FILTER_VALUES)}, {MIN}"
            if '"' not in raw:
                hint += f'{"" if near else ";"} {"As" if near else "as"} text, write "{shortened(match[0] + raw)}"'
            raise BadQuery(f"there is no filter {shortened(name)}:", hint=hint, position=position)
        try:
            self._filters.append(PhotoFilter(FilterKind(name), known.read(value, self._here), negated))
        except ValueError as error:
            told = str(error).replace(value, shortened(value)) if value else str(error)
            raise BadQuery(told, hint=known.hint, position=position + match.end()) from None


def whole_file(text: str, cwd: str) -> str | None:
    r"""Return the path, relative to `cwd` or absolute, if a whole query is the name of a file with an extension.

    As `--paths` prints it, or as terminals paste it: in single quotes, or with a backslash before a blank.
    """
    bare = text[1:-1] if len(text) > 2 and text[0] == text[-1] == "'" else re.sub(r"\\(\W)", r"\1", text)
    written = dict.fromkeys((text, text.strip(), bare.strip()))
    return next((path for each in written if each and (path := file_named(each, cwd, needs_ending=True))), None)


def shortened(text: str) -> str:
    """Return the beginning of what was typed, for a message."""
    return text if len(text) <= _SHOWN_LETTERS else f"{text[: _SHOWN_LETTERS - 1]}…"


def _require_most(count: int, most: int, whose: str, what: str, position: int) -> None:
    if count > most:
        hint = "leave out some" if what == "letters" else f"search with fewer {what} at once"
        raise BadQuery(f"{whose} has at most {most:,} {what}", hint=hint, position=position)


def _tokens(text: str) -> Iterator[_Token]:
    """Split at spaces outside quotes."""
    if bad := _NO_CHARACTER.search(text):
        what = "a NUL character" if bad[0] == "\0" else "half a character"
        raise BadQuery(f"the query contains {what}", hint="take it out", position=bad.start())
    for match in _TOKEN.finditer(text):
        if match["open"] is not None:
            raise BadQuery(
                "a quote is not closed",
                hint='close it with ", or write \\" inside quotes',
                position=match.start("open") - 1,
            )
        yield _Token(match[0], match.start())


def unquoted(text: str) -> str:
    r"""Remove quotes; inside them `\"` and `\\` stand for `"` and `\`."""
    return re.sub(r'"((?:[^"\\]|\\.)*)"', lambda quoted: re.sub(r"\\([\"\\])", r"\1", quoted[1]), text)


def _weighed(body: str) -> tuple[float, str]:
    """Return the weight in front of a body, 1 if there is none, and the body without it."""
    match = _WEIGHT.match(body)
    return (float(match[1]), body[match.end() :]) if match else (1.0, body)


def _address(body: str, position: int) -> str:
    """Return a valid image address; whether there is a picture isn't known yet."""
    try:
        parts = urlsplit(body)
        is_whole = bool(parts.hostname) and parts.port != 0 and body.isprintable() and '"' not in body
    except ValueError:  # a port that isn't a number, a bracket that is not closed
        is_whole = False
    if not is_whole:
        raise BadQuery("this isn't a web address", hint="example: https://example.org/beach.jpg", position=position)
    if parts.username is not None:
        hint = "download the picture and give its path"
        raise BadQuery("an address with a user name in it isn't opened", hint=hint, position=position)
    return body


def _score(value: str, negated: bool, position: int) -> float:
    try:
        score = float(value)
    except ValueError:
        score = float("nan")
    if negated:
        raise BadQuery("min: can't be negated", hint=MIN_HINT, position=position)
    if not -1 <= score <= 1:
        told = f"min: takes a score from -1 to 1, not {shortened(value)!r}"
        raise BadQuery(told, hint=MIN_HINT, position=position)
    return score
