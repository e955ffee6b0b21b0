"""Owns what Tab offers: commands and their arguments, filters, paths, results, past queries.  Runs nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, Protocol

from prompt_toolkit.completion import Completer, Completion

from photomap_cli.pathnames import composed, key
from photomap_cli.records import Facets
from photomap_cli.repl.commands import help
from photomap_cli.repl.commands.arguments import path_begun, place_begun
from photomap_cli.repl.commands.registry import COMMANDS, Argument, find
from photomap_cli.repl.commands.settings import NAMES, values_of
from photomap_cli.repl.completion import facets, user_data
from photomap_cli.repl.completion.paths import files_to_write, folders, images
from photomap_cli.search.filter_values import FILTER_VALUES, MIN, about
from photomap_cli.views.export import ENDINGS
from photomap_cli.views.output import printable

if TYPE_CHECKING:
    from pathlib import Path

    from prompt_toolkit.completion import CompleteEvent
    from prompt_toolkit.document import Document

    from photomap_cli.records import Hit
    from photomap_cli.records.maps import PhotoMap
    from photomap_cli.repl.connection import Connection

FILTERS = (*FILTER_VALUES, MIN)
_WITH_A_MENU = ("#", "@@", *(f"{name}:" for name in FILTER_VALUES if name != "name"))
_WITH_BLANKS = ("in:", "camera:", "lens:", "album:")
_MOST_WORDS = 12  # how much of a query is searched for a path with unquoted blanks
_SCORES = ("0.20", "0.25", "0.30")
_HISTORY_OFFERED = 8
_PATH_START = re.compile(r"@|\.{1,2}/|~/|/")
_PREFIX = re.compile(r"[-+]?(?:\d+(?:\.\d+)?:)?")


class Front(Protocol):
    """Provides earlier lines."""

    def past_lines(self) -> Sequence[str]:
        """Return them, oldest first."""


class Conversation(Protocol):
    """What completion needs to know; a `SearchState` provides it."""

    @property
    def cwd(self) -> Path:
        """The folder that relative paths start from."""

    @property
    def shown(self) -> Sequence[Hit]:
        """The hits that `#N` reaches."""

    @property
    def drawn(self) -> PhotoMap | None:
        """The last map."""

    @property
    def connection(self) -> Connection:
        """The way to the backend."""

    @property
    def front(self) -> Front:
        """Provides earlier lines."""


class PromptCompleter(Completer):
    """Completes a line of the prompt; if it fails, it offers nothing."""

    def __init__(self, state: Conversation, read_facets: Callable[[], Facets] = Facets) -> None:
        self._state, self._facets = state, read_facets

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        """Return what may follow the text before the cursor."""
        try:
            return list(self._completions(document.text_before_cursor, is_asked_for=not complete_event.text_inserted))
        except Exception:
            return []

    def _completions(self, text: str, *, is_asked_for: bool) -> Iterator[Completion]:
        if text.startswith(":"):
            word, space, rest = text[1:].partition(" ")
            yield from self._arguments(word, rest) if space else _command_names(word)
            return
        yield from self._words(text, is_asked_for=is_asked_for)

    def _arguments(self, word: str, rest: str) -> Iterator[Completion]:
        command = find(word)
        match command.argument:
            case Argument.RESULT:
                yield from self._results(rest.rpartition(" ")[2].removeprefix("#"))
            case Argument.MARK:
                yield from _plain(("all", "none"), rest)
                yield from self._results(rest.rpartition(" ")[2].removeprefix("-").removeprefix("#"))
            case Argument.PLACE:
                place = place_begun(rest)
                yield from self._folders(place, path_begun(place))
            case Argument.ALBUM:
                name = place_begun(rest)
                yield from _described(name, user_data.named(name, user_data.albums(self._state)))
            case Argument.SEARCH:
                yield from _described(
                    (name := place_begun(rest)), user_data.named(name, user_data.searches(self._state))
                )
            case Argument.FOLDER:
                yield from _plain(("*",), rest)
                yield from self._folders(rest, path_begun(rest))
            case Argument.GROUP:
                yield from self._groups(rest)
            case Argument.COMMAND:
                yield from _command_names(rest, mark="")
                yield from _plain((*help.TOPICS[:1], help.ALL), rest)
            case Argument.FILE:
                name = rest.removeprefix("-f").lstrip() if rest.startswith("-f ") else rest
                yield from _replacing(name, files_to_write(path_begun(name), self._state.cwd, ENDINGS))
            case Argument.SETTING:
                yield from _settings(rest)
            case Argument.CHOICE:
                yield from _plain(command.choices, rest)
            case Argument.NONE:
                return

    def _groups(self, typed: str) -> Iterator[Completion]:
        drawn = self._state.drawn
        for cluster in drawn.clusters if drawn else ():
            if not typed or cluster.letter == typed or cluster.name.startswith(typed.lower()):
                yield Completion(
                    cluster.letter, -len(typed), display=cluster.letter, display_meta=printable(cluster.name)
                )

    def _words(self, text: str, *, is_asked_for: bool) -> Iterator[Completion]:
        *earlier, token = tokens(text)
        body = _body(token)
        if token.startswith("@@"):
            yield from _described(token, user_data.named(token, user_data.searches(self._state), mark="@@"))
        elif body.startswith("#"):
            yield from self._results(body[1:])
        elif _names_something(body):
            yield from self._named(body)
        else:
            yield from self._named_with_blanks(earlier)
            if is_asked_for:
                yield from _filter_names(body)
                yield from self._past(text)

    def _named(self, body: str) -> list[Completion]:
        """Offer what a path or the value of a filter may become."""
        if _PATH_START.match(body):
            return list(_replacing(body, images(body, self._state.cwd)))
        name, _, value = body.partition(":")
        return list(self._filter_values(name, value))

    def _named_with_blanks(self, earlier: Sequence[str]) -> list[Completion]:
        """Offer the same for one that continues after unquoted blanks, as in `./My pho` and `in:2019 nor`."""
        bodies = (body for body in map(_body, reversed(earlier)) if _names_something(body) and '"' not in body)
        return next(filter(None, map(self._named, bodies)), [])

    def _results(self, typed: str) -> Iterator[Completion]:
        for hit in self._state.shown:
            number = str(hit.rank)
            if number.startswith(typed):
                name = printable(PurePath(hit.path).name)
                yield Completion(number, -len(typed), display=f"#{number}", display_meta=name)

    def _filter_values(self, name: str, value: str) -> Iterator[Completion]:
        if name == "in":
            yield from _plain(("*",), value)
            yield from self._folders(value, value)
        elif name == MIN:
            yield from _plain(_SCORES, value)
        elif name == "album":
            yield from _described(value, user_data.named(value, user_data.albums(self._state)))
        else:
            yield from _described(value, facets.values(name, value, self._facets()))

    def _folders(self, typed: str, path: str) -> Iterator[Completion]:
        """Offer completions of `path` to replace `typed`: folders here, then those in the library."""
        here = list(_replacing(typed, folders(path, self._state.cwd)))
        yield from here
        seen = {composed(f"{self._state.cwd}/{completion.display_text.rstrip('/')}") for completion in here}
        anywhere = facets.folders(path, self._facets())
        yield from _described(typed, ((text, meta) for text, meta in anywhere if composed(text.strip('"')) not in seen))

    def _past(self, text: str) -> Iterator[Completion]:
        past = dict.fromkeys(reversed(self._state.front.past_lines()))
        begun = [line for line in past if line != text and key(line).startswith(key(text)) and line[:1] != ":"]
        for line in begun[:_HISTORY_OFFERED]:
            yield Completion(line, -len(text), display=printable(line), display_meta="before")


def tokens(text: str) -> list[str]:
    """Return the text from the start of each word on; words are separated by blanks outside double quotes."""
    quoted, starts = False, [0]
    for offset, letter in enumerate(text):
        if letter == '"':
            quoted = not quoted
        elif letter == " " and not quoted:
            starts.append(offset + 1)
    return [text[start:] for start in starts[-_MOST_WORDS:]]


def is_worth_a_menu(text: str) -> bool:
    """Return whether completions may pop up while typing: if the prompt knows all the choices."""
    *earlier, token = map(_body, tokens(text))
    goes_on = any((body.startswith(_WITH_BLANKS) or _PATH_START.match(body)) and '"' not in body for body in earlier)
    return text.startswith(":") or token.startswith(_WITH_A_MENU) or goes_on or bool(_PATH_START.match(token))


def _body(token: str) -> str:
    """Return a word without its operator and weight."""
    match = _PREFIX.match(token)
    return token[match.end() :] if match else token


def _names_something(body: str) -> bool:
    """Whether it is a path, or a filter whose value was begun."""
    name, colon, _ = body.partition(":")
    return bool(_PATH_START.match(body)) or (bool(colon) and name in FILTERS)


def _command_names(typed: str, *, mark: str = ":") -> Iterator[Completion]:
    for command in COMMANDS:
        if command.name.startswith(typed.lower()):
            space = " " if mark and command.argument is not Argument.NONE else ""
            summary = f"{command.usage}  {command.summary}".strip()
            yield Completion(command.name + space, -len(typed), display=mark + command.name, display_meta=summary)


def _filter_names(typed: str) -> Iterator[Completion]:
    for name in FILTERS if typed else ():
        if name.startswith(typed):
            yield Completion(f"{name}:", -len(typed), display_meta=about(name))


def _settings(typed: str) -> Iterator[Completion]:
    name, space, value = typed.partition(" ")
    if space:
        yield from _plain(values_of(name), value)
    else:
        names = sorted((choice for choice in NAMES if name in choice), key=lambda choice: not choice.startswith(name))
        yield from (Completion(f"{choice} ", -len(name), display=choice) for choice in names)


def _plain(choices: Iterable[str], typed: str) -> Iterator[Completion]:
    return (Completion(choice, -len(typed)) for choice in choices if choice.startswith(typed))


def _described(typed: str, values: Iterable[tuple[str, str]]) -> Iterator[Completion]:
    return (Completion(text, -len(typed), display_meta=meta) for text, meta in values)


def _replacing(typed: str, names: Iterable[tuple[str, str]]) -> Iterator[Completion]:
    return (Completion(text, -len(typed), display=display) for text, display in names)
