"""Owns how much of a text an encoder reads before its context ends.  Knows no tokenizer."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable

MOST_LETTERS = 1_000
"""Longer texts are cut before an encoder gets them: 77 tokens are some 350 letters, and CLIP's tokenizer takes 8 s for
one word of 10,000."""

_MORE = " and one more word"
_FIRST_GUESS = 64


def letters_read(text: str, tokens_of: Callable[[str], list[int]]) -> int:
    """Return how many letters of a text count: all, unless some shorter beginning gives the same tokens.

    Args:
        text: what is to be encoded.
        tokens_of: the tokens of a text, cut off where the context ends.
    """
    whole = tokens_of(text)
    if tokens_of(text + _MORE) != whole:
        return len(text)
    most = _FIRST_GUESS
    while most < len(text) and tokens_of(text[:most]) != whole:
        most *= 2
    read = bisect_left(range(min(most, len(text))), True, key=lambda count: tokens_of(text[:count]) == whole)
    return read if any(map(str.isalnum, text[read:])) else len(text)
