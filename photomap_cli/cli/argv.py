"""Owns the preparation of a command line's words for Typer, and joining a search's words into a query.

Typer takes `-people` for an option, and global options only before the command; people write both anywhere.
"""

from __future__ import annotations

import re
from itertools import pairwise

from photomap_cli.cli import routing
from photomap_cli.cli.option_table import OPTIONS, Option
from photomap_cli.errors import UsageError
from photomap_cli.search.query_files import file_in_word, files_in_lines, is_folder

_HELP = "help"  # each command's own
_PLAIN_PATH = re.compile(r'(?:\.{1,2}/|/)[^\s"]+')
_OPERATORS = frozenset("+-–−")
_IN_FOLDER = re.compile(r'(-?in:)([^"]*\s[^"]*)', re.IGNORECASE)
_OF_TEXT = re.compile(r'([-–−]?(?:album|camera|lens|name):)([^"]*\s[^"]*)', re.IGNORECASE)
_MORE = re.compile(r"\s(?:[-+–−]|@@|#\d|[A-Za-z]+:)")  # in a word that is more of a query than one value
_FILTERS = re.compile(r"-[A-Za-z]+:\S")  # not a phrase to avoid, but a query that starts with a filter
_DASH = "\ue02d"  # a private-use character, which no query contains


def prepare(words: list[str]) -> list[str]:
    """Move global options to the front, and mark the words of a query that start with a dash.

    Words that don't start with a command are a `search`.  Raises UsageError for a word that looks like a mistyped one,
    and for an empty --library, as an unset shell variable gives.
    """
    front, rest = split_globals(words)
    if any(word == "--library=" or (word, value) == ("--library", "") for word, value in pairwise([*front, "-"])):
        raise UsageError("--library needs a folder", hint="leave it out to use your own library")
    rest = routing.with_command(rest)
    if rest[:1] in (["search"], ["browse"], ["map"]):
        rest = [rest[0], *_marked(rest[1:], OPTIONS[rest[0]])]
    return front + rest


def query_text(words: list[str], cwd: str) -> str:
    """Join the words of a search as the shell gave them into one query, undoing `prepare`'s marks.

    A word that names an existing file, relative to `cwd` or absolute, means that file, whatever its name contains.
    """
    words = [_unmarked(word) for word in words]
    pairs = zip(words, [*words[1:], "+"], strict=True)
    return " ".join(
        _as_file(word, after, cwd) or _requoted(word, cwd, is_query=len(words) == 1) for word, after in pairs
    )


def filters_text(words: list[str], cwd: str) -> str:
    """Join the words of filters without a search, as `query_text` joins a search's."""
    return " ".join(_requoted(_unmarked(word), cwd, is_query=False) for word in words)


def wants_json(words: list[str]) -> bool:
    """Return whether the command should print JSON, even if it fails before its options are read."""
    return "--json" in _before_double_dash(words)


def _before_double_dash(words: list[str]) -> list[str]:
    return words[: words.index("--")] if "--" in words else words


def split_globals(words: list[str]) -> tuple[list[str], list[str]]:
    """Take out the global options, wherever they are before a `--`."""
    front: list[str] = []
    rest: list[str] = []
    queue = list(words)
    while queue:
        word = queue.pop(0)
        if word == "--":
            return front, [*rest, word, *queue]
        option = OPTIONS[""].get(routing.spelling(word))
        if option is None or option.parameter == _HELP:
            rest.append(word)
        elif option.kind == "flag" or "=" in word:
            front.append(word)
        else:
            front += [word, *queue[:1]]
            del queue[:1]
    return front, rest


def _marked(words: list[str], options: dict[str, Option]) -> list[str]:
    """Mark the words that start with a single dash and aren't one of these options (`-k`, `-k3`)."""
    marked: list[str] = []
    previous = ""
    for number, word in enumerate(words):
        if word == "--":
            return marked + words[number:]
        is_value = previous in options and options[previous].kind != "flag"
        is_option = word.startswith("--") or word in options or (word[:2] in options and word[2:].isdecimal())
        marked.append(_DASH + word[1:] if word[:1] == "-" and len(word) > 1 and not (is_option or is_value) else word)
        previous = word
    return marked


def _unmarked(word: str) -> str:
    return "-" + word[1:] if word.startswith(_DASH) else word


def _as_file(word: str, after: str, cwd: str) -> str:
    """Return how a query names the file, or the lines of files, that a word names; empty if it names none.

    A plain path is unchanged, unless the next word would be taken as part of it.
    """
    if "\n" in word and (paths := files_in_lines(word, cwd)):
        return " ".join(f"@{_quoted(path)}" for path in paths)
    named = file_in_word(word, cwd)
    if named is None:
        return ""
    if _PLAIN_PATH.fullmatch(named.path) and after in _OPERATORS:
        return named.operator + named.path
    return f"{named.operator}@{_quoted(named.path)}"


def _requoted(word: str, cwd: str, *, is_query: bool) -> str:
    """Restore the quotes that the shell took from `-"red ball"`, and from `in:"My Photos"` if there is such a folder.

    Also those of `camera:"eos 40d"`, unless the word `is_query`: alone, it could just as well be `"camera:nikon dog"`.
    """
    if not is_query and (match := _OF_TEXT.fullmatch(word)) and not _MORE.search(match[2]):
        return match[1] + _quoted(match[2])
    if (match := _IN_FOLDER.fullmatch(word)) and is_folder(match[2], cwd):
        return match[1] + _quoted(match[2])
    if word[:1] in ("-", "+") and " " in word and not word[1:2].isspace() and not _is_query(word):
        return word[0] + _quoted(word[1:])
    return word


def _is_query(word: str) -> bool:
    """Return whether a word that starts with an operator is a query as it is, not a phrase that lost its quotes."""
    return '"' in word or bool(_FILTERS.match(word) or _MORE.search(word))


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
