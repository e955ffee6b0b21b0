"""Owns the suggestion for a query that found nothing because a shell took a filter's quotes: `camera:eos 40d`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from photomap_cli.errors import BadQuery
from photomap_cli.search.query import parse_filters

if TYPE_CHECKING:
    from collections.abc import Callable

    from photomap_cli.records import PhotoFilter

_MOST_WORDS = 6  # of a value, after its first one
_SPLIT = re.compile(r"""(?<!\S)(-?(?:camera|in|lens|name)):([^\s"]+)((?:\s+[^\s":@\#+–−-][^\s":]*)+)""", re.IGNORECASE)


def quoted_filter(text: str, *, cwd: str, finds: Callable[[PhotoFilter], bool]) -> str:
    """Return the quoted filter that finds photos if it includes the words after it; empty if there is none.

    Args:
        text: the query.
        cwd: absolute folder that relative paths start from.
        finds: returns whether any photo meets a filter.

    Example:
        `camera:eos 40d dog` becomes `camera:"eos 40d"` if a photo was taken with one.
    """
    for match in _SPLIT.finditer(text):
        behind = match[3].split()[:_MOST_WORDS]
        for count in range(len(behind), 0, -1):
            written = f'{match[1]}:"{" ".join((match[2], *behind[:count]))}"'
            try:
                if all(map(finds, parse_filters(written, cwd=cwd))):
                    return written
            except BadQuery:
                continue
    return ""
