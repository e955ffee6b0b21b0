"""Owns what a command line without a command means: a search for its words, unless the first looks mistyped."""

from __future__ import annotations

from photomap_cli.cli.option_table import COMMANDS, OPTIONS
from photomap_cli.errors import UsageError

_ASKS_FOR_HELP = {"help": "--help", "version": "--version"}
_ALIKE = 0.8  # difflib's ratio: 0.83 for serach and search, and for statue and status too
_FEWEST_LETTERS = 4
_LONGEST_TOLD = 60


def with_command(words: list[str]) -> list[str]:
    """Return the words of a command line, without global options, with the intended command in front.

    `black cat` and `--json cat` are searches; `serach cat` raises UsageError, whose hint names both ways out.
    """
    if not words or _is_general_option(words[0]):
        return words
    plain = _plain_words(words)
    if plain and plain[0] in COMMANDS:
        return words
    if plain and (meant := _meant(plain[0], is_alone=len(plain) == 1)):
        ways = " or ".join(f"`photomap {each}`" for each in meant)
        raise UsageError(f"there is no command {plain[0]!r}", hint=f"did you mean {ways}? {_searching(words)}")
    return ["search", *words]


def _is_general_option(word: str) -> bool:
    """Return whether the first word is an option that no search begins with; `-in:~/Work` is a filter."""
    is_filter = not word.startswith("--") and ":" in word
    return word[:1] == "-" and word not in ("-", "--") and not is_filter and not _is_search_option(word)


def spelling(word: str) -> str:
    """Return how an option is spelled in a word, which may hold its value too: `--in` of `--in=DIR`."""
    return word.partition("=")[0] if word.startswith("--") else word


def _is_search_option(word: str) -> bool:
    """Return whether a word is an option of `search` other than help: `--json`, `--in=DIR`, `-k`, `-k3`."""
    options = OPTIONS["search"]
    option = options.get(spelling(word)) or (options.get(word[:2]) if word[2:].isdecimal() else None)
    return option is not None and option.parameter != "help"


def _plain_words(words: list[str]) -> list[str]:
    """Return the words up to a `--` that are neither options nor their values."""
    ends = words.index("--") if "--" in words else len(words)
    takes_value = {name for name, option in OPTIONS["search"].items() if option.kind != "flag"}
    pairs = zip(words[:ends], ["", *words], strict=False)
    return [word for word, before in pairs if word[:1] != "-" and before not in takes_value]


def _meant(word: str, *, is_alone: bool) -> list[str]:
    """Return the commands that the first word may be a typo of; if words follow, only commands that take words."""
    if is_alone and word in _ASKS_FOR_HELP:
        return [_ASKS_FOR_HELP[word]]
    return [name for name, takes_words in COMMANDS.items() if (takes_words or is_alone) and _is_slip(word, name)]


def _is_slip(word: str, command: str) -> bool:
    """Return whether a word is nearly a command; a short one only with two letters swapped."""
    if not word.isalpha() or not (word[0] == command[0] or word[:2] == command[1::-1]):
        return False
    if len(word) == len(command) and _has_two_exchanged(word, command):
        return True
    if min(len(word), len(command) - 1) < _FEWEST_LETTERS:
        return False
    from difflib import SequenceMatcher

    return SequenceMatcher(None, word, command).ratio() >= _ALIKE


def _has_two_exchanged(word: str, command: str) -> bool:
    return any(
        command[:at] + command[at + 1] + command[at] + command[at + 2 :] == word for at in range(len(command) - 1)
    )


def _searching(words: list[str]) -> str:
    from shlex import join

    written = join(words)
    shown = written if len(written) <= _LONGEST_TOLD and written.isprintable() else "..."
    return f"`photomap search {shown}` searches for these words"
