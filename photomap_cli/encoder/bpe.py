"""Owns CLIP's tokenizer without open_clip: its merges are in a table that is built once and memory-mapped.

open_clip unpacks its vocabulary and builds two dictionaries of 49,000 entries at every start (150-400 ms).  The table
is 0.8 MB in the cache directory, named by the vocabulary's digest; a query looks up the few dozen merges it needs.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import lru_cache
from hashlib import blake2b
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from photomap_cli import directories
from photomap_cli.errors import TowerUnfit
from photomap_cli.framing import read_file, write_file

if TYPE_CHECKING:
    from numpy.typing import NDArray

VOCABULARY_NAME = "bpe_simple_vocab_16e6.txt.gz"
SPECIAL = ("<start_of_text>", "<end_of_text>")
_MERGES = 49152 - 256 - 2  # the number of vocabulary lines that CLIP was trained with
_DIGEST_BYTES = 16
_ENTRY = np.dtype([("pair", "<u8"), ("rank", "<u4"), ("merged", "<u4")])
_NEVER = np.uint32(0xFFFFFFFF)
_KIND = {"merges": 1}

_CONTRACTIONS = "'s|'t|'re|'ve|'m|'ll|'d"
_PLAIN_WORDS = re.compile(rf"{'|'.join(SPECIAL)}|{_CONTRACTIONS}|[a-z]+|[0-9]|[^\sa-z0-9]+", re.IGNORECASE | re.ASCII)
_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)


class Tokenizer:
    """Turns a text into the token ids that open_clip's SimpleTokenizer gives.

    Args:
        table: the merges.
        context_length: the most token ids; more are cut off.
        clean: how open_clip prepares texts for this model: "lower", "whitespace" or "canonicalize".
    """

    def __init__(self, table: MergeTable, *, context_length: int, clean: str) -> None:
        self._table, self._context_length, self._clean = table, context_length, _CLEANERS[clean]
        self._special = {word: table.first_special + at for at, word in enumerate(SPECIAL)}

    def ids(self, text: str) -> list[int]:
        """Return a text's token ids, from the start-of-text to the end-of-text token."""
        start, end = self._special.values()
        found = [start]
        for word in _words(text, self._clean):
            found += self._ids_of(word)
            if len(found) >= self._context_length:
                break
        return [*found[: self._context_length - 1], end]

    def _ids_of(self, word: str) -> Sequence[int]:
        special = self._special.get(word)
        return self._table.merged(word.encode()) if special is None else (special,)


class MergeTable:
    """Which pairs of symbols merge into which symbol, and in which order.

    Symbols 0 to 255 are bytes, in CLIP's order; the next 256 are the same bytes at the end of a word.
    """

    def __init__(self, entries: NDArray[np.void]) -> None:
        self._pairs, self._ranks, self._merged = (np.ascontiguousarray(entries[name]) for name in _ENTRY.names or ())
        self.first_special = 2 * len(_BYTES) + _MERGES
        self._word = lru_cache(4096)(self._without_memory)

    def merged(self, word: bytes) -> tuple[int, ...]:
        """Return the symbols of a word."""
        return self._word(word)

    def _without_memory(self, word: bytes) -> tuple[int, ...]:
        symbols = [_SYMBOL[byte] for byte in word]
        symbols[-1] += len(_BYTES)
        while len(symbols) > 1:
            pairs = np.array(symbols[:-1], np.uint64) << np.uint64(32) | np.array(symbols[1:], np.uint64)
            places = np.minimum(np.searchsorted(self._pairs, pairs), len(self._pairs) - 1)
            ranks = np.where(self._pairs[places] == pairs, self._ranks[places], _NEVER)
            best = int(ranks.argmin())
            if ranks[best] == _NEVER:
                break
            symbols = _replaced(symbols, symbols[best], symbols[best + 1], int(self._merged[places[best]]))
        return tuple(symbols)


def _replaced(symbols: list[int], first: int, second: int, merged: int) -> list[int]:
    """Return the symbols with every occurrence of this pair merged, from the left."""
    result: list[int] = []
    at = 0
    while at < len(symbols):
        is_pair = symbols[at] == first and symbols[at + 1 : at + 2] == [second]
        result.append(merged if is_pair else symbols[at])
        at += 2 if is_pair else 1
    return result


# Words ----------------------------------------------------------------------------------------------------------------


def _words(text: str, clean: Callable[[str], str]) -> Iterator[str]:
    if text.isascii() and text.isprintable() and "&" not in text:  # nothing to fix or unescape
        yield from _PLAIN_WORDS.findall(clean(text))
        return
    import html

    import ftfy

    mended = html.unescape(html.unescape(ftfy.fix_text(text)))
    yield from _any_words().findall(clean(mended))


@lru_cache(1)
def _any_words() -> re.Pattern[str]:
    import regex

    any_words: re.Pattern[str] = regex.compile(
        rf"{'|'.join(SPECIAL)}|{_CONTRACTIONS}|[\p{{L}}]+|[\p{{N}}]|[^\s\p{{L}}\p{{N}}]+", regex.IGNORECASE
    )
    return any_words


def _spaced(text: str) -> str:
    return " ".join(text.split())


def _canonical(text: str) -> str:
    return _spaced(text.strip().replace("_", " ").translate(_NO_PUNCTUATION).lower())


_CLEANERS: dict[str, Callable[[str], str]] = {
    "lower": lambda text: _spaced(text).lower(),
    "whitespace": _spaced,
    "canonicalize": _canonical,
}


# The table ------------------------------------------------------------------------------------------------------------


class _Byte(NamedTuple):
    byte: int
    letter: str


def _byte_letters() -> Iterator[_Byte]:
    """Yield the bytes in CLIP's order, each with the character that stands for it in the vocabulary."""
    shown = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    yield from (_Byte(byte, chr(byte)) for byte in shown)
    hidden = [byte for byte in range(256) if byte not in shown]
    yield from (_Byte(byte, chr(256 + at)) for at, byte in enumerate(hidden))


_BYTES = tuple(_byte_letters())
_SYMBOL = {each.byte: at for at, each in enumerate(_BYTES)}


def vocabulary_digest() -> str:
    """Return the digest of the installed open_clip's vocabulary, without importing open_clip."""
    return _digest(_vocabulary())


def table(digest: str) -> MergeTable:
    """Return the merges of the vocabulary with this digest, cached in the cache directory.

    Raises TowerUnfit if they aren't there and open_clip has another vocabulary.
    """
    path = directories.cache_directory() / f"merges-{digest}"
    kept = read_file(path)
    if kept is not None and kept[0] == _KIND:
        return MergeTable(np.frombuffer(kept[1], _ENTRY))
    packed = _vocabulary()
    if _digest(packed) != digest:
        raise TowerUnfit("open_clip's vocabulary has changed")
    entries = _entries(packed)
    with suppress(OSError):  # it is built again next time
        write_file(path, _KIND, entries.tobytes())
    return MergeTable(entries)


def _vocabulary() -> bytes:
    try:
        package = find_spec("open_clip")
        folders = package.submodule_search_locations if package else None
        return (Path(next(iter(folders or ()))) / VOCABULARY_NAME).read_bytes()
    except (ImportError, StopIteration, OSError) as error:
        raise TowerUnfit("open_clip's vocabulary isn't there") from error


def _digest(packed: bytes) -> str:
    return blake2b(packed, digest_size=_DIGEST_BYTES).hexdigest()


def _entries(packed: bytes) -> NDArray[np.void]:
    """Return the table for a vocabulary; of duplicate symbols or pairs the last counts, as in open_clip."""
    import gzip

    lines = gzip.decompress(packed).decode().split("\n")[1 : _MERGES + 1]
    merges = [tuple(line.split()) for line in lines]
    letters = [each.letter for each in _BYTES]
    names = [*letters, *(f"{letter}</w>" for letter in letters), *("".join(pair) for pair in merges)]
    number = {name: at for at, name in enumerate(names)}
    ranks = {(number[first], number[second]): at for at, (first, second) in enumerate(merges)}
    merged = {(number[first], number[second]): number[first + second] for first, second in merges}
    rows = [(first << 32 | second, rank, merged[first, second]) for (first, second), rank in ranks.items()]
    return np.sort(np.array(rows, _ENTRY), order="pair")
