"""Owns what has to be done to the words of a command line before Typer reads them.  Pure.

Typer takes `-people` for an option, and global options only in front of the command; people write both anywhere.
"""

from __future__ import annotations

import re

_GLOBAL_FLAGS = frozenset({"--quiet", "-q", "--verbose", "-v"})
_GLOBAL_VALUES = frozenset({"--library"})
_SEARCH_SHORT = re.compile(r"-k(\d+)?|-0|-h")
_TAKES_VALUE = frozenset({"-k", "--limit", "--in", "--min-score", "--sort", "--html"})
_DASH = "\ue02d"  # a private character: no query holds it


def prepare(words: list[str]) -> list[str]:
    """Move global options to the front; in a `search` or `map`, mark what begins with a dash and is part of a query."""
    front, rest = split_globals(words)
    if rest[:1] in (["search"], ["map"]):
        rest = [rest[0], *_marked(rest[1:])]
    return front + rest


def query_text(words: list[str]) -> str:
    """Join the words of a search as the shell gave them into one query, undoing `prepare`'s marks."""
    return " ".join(_requoted(word) for word in words)


def wants_json(words: list[str]) -> bool:
    """Say whether the command shall print JSON, also when it fails before its options are read."""
    return "--json" in _before_double_dash(words)


def _before_double_dash(words: list[str]) -> list[str]:
    return words[: words.index("--")] if "--" in words else words


def split_globals(words: list[str]) -> tuple[list[str], list[str]]:
    """Take the global options out from wherever they stand before a `--`."""
    front: list[str] = []
    rest: list[str] = []
    queue = list(words)
    while queue:
        word = queue.pop(0)
        if word == "--":
            return front, [*rest, word, *queue]
        if word in _GLOBAL_FLAGS or word.startswith("--library="):
            front.append(word)
        elif word in _GLOBAL_VALUES and queue:
            front += [word, queue.pop(0)]
        else:
            rest.append(word)
    return front, rest


def _marked(words: list[str]) -> list[str]:
    """Mark the words that begin with one dash and are none of search's options."""
    marked: list[str] = []
    previous = ""
    for number, word in enumerate(words):
        if word == "--":
            return marked + words[number:]
        is_option = word.startswith("--") or _SEARCH_SHORT.fullmatch(word) or previous in _TAKES_VALUE
        marked.append(_DASH + word[1:] if word[:1] == "-" and len(word) > 1 and not is_option else word)
        previous = word
    return marked


def _requoted(word: str) -> str:
    """Give back a marked dash, and the quotes that the shell took from `-"red ball"`."""
    if word.startswith(_DASH):
        word = "-" + word[1:]
    if word[:1] in ("-", "+") and " " in word and word[1:2] not in ('"', " "):
        body = word[1:].replace("\\", "\\\\").replace('"', '\\"')
        return f'{word[0]}"{body}"'
    return word
