"""Owns keeping the terminal's late answers to queries out of the line.  Sends no queries itself."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from photomap_cli.graphics.terminal_query import without_answers

if TYPE_CHECKING:
    from prompt_toolkit.input.vt100_parser import Vt100Parser

_BEGUN = re.compile(
    r"\x1b(?:_(?:G[^\x1b]*)?|P(?:>[^\x1b]*)?|\](?:1(?:1(?:;[^\x07\x1b]*)?)?)?|\[(?:[?6][\d;]*)?)?\x1b?\Z"
)
"""The beginning of an answer, which may arrive in pieces over a slow line.  A lone Escape counts: prompt_toolkit waits
for what follows it anyway."""


class ReplyFilter:
    """A prompt_toolkit parser that never sees the answers to our questions, however late they come."""

    def __init__(self, parser: Vt100Parser) -> None:
        self._parser, self._begun = parser, ""

    def feed(self, data: str) -> None:
        """Parse what was read, except answers; the beginning of an answer waits for its end."""
        text = without_answers((self._begun + data).encode("utf-8", "surrogateescape")).decode(
            "utf-8", "surrogateescape"
        )
        begun = _BEGUN.search(text)
        self._begun = begun[0] if begun else ""
        self._parser.feed(text[: begun.start()] if begun else text)

    def flush(self) -> None:
        """Parse what was held back, as nothing more is coming."""
        waited, self._begun = self._begun, ""
        self._parser.feed(waited)
        self._parser.flush()
