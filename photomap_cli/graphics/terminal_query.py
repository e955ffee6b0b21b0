"""Owns querying the terminal: all queries in one write, and the answers, typed keys included.

Every terminal answers the last query, so nobody waits for answers that won't come.
"""

from __future__ import annotations

import os
import re
import time
from contextlib import suppress
from dataclasses import dataclass

_KITTY = "\x1b_Gi=4211,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\"  # would you draw this pixel?
_NAME = "\x1b[>0q"
_BACKGROUND = "\x1b]11;?\x1b\\"
_SIXEL_COLOURS, _SIXEL_SIZE = "\x1b[?1;1;0S", "\x1b[?2;1;0S"
_CELL = "\x1b[16t"
_REMEMBER, _WIPE = "\x1b7", "\x1b8\x1b[J"  # a terminal that does not know the first one prints it
_LAST = "\x1b[c"
_ALL = (_REMEMBER, _KITTY, _NAME, _BACKGROUND, _SIXEL_COLOURS, _SIXEL_SIZE, _CELL, _WIPE, _LAST)
QUESTIONS = "".join(_ALL).encode("ascii")

TIMEOUT_SECONDS, TIMEOUT_OVER_SSH_SECONDS = 0.25, 1.0
"""A terminal here answers within a millisecond.  One that never does is waited for once."""

_ANSWERS = re.compile(
    rb"\x1b_G(?P<kitty>[^\x1b]*)\x1b\\"
    rb"|\x1bP>\|(?P<name>[^\x1b]*)\x1b\\"
    rb"|\x1b\]11;rgb:(?P<background>[0-9a-fA-F/]+)(?:\x07|\x1b\\)"
    rb"|\x1b\[\?1;0;(?P<colours>\d+)S"
    rb"|\x1b\[\?2;0;(?P<width>\d+);\d+S"
    rb"|\x1b\[\?[12];[1-9][\d;]*S"
    rb"|\x1b\[6;(?P<cell>\d+;\d+)t"
    rb"|\x1b\[\?(?P<attributes>[\d;]*)c"
)


@dataclass(frozen=True, slots=True)
class TerminalReplies:
    """What a terminal says of itself.

    Attributes:
        attributes: the extensions of its primary attributes (DA1); None if it did not answer at all.
        name: its name and version (XTVERSION), or empty.
        draws_kitty: it supports kitty's protocol.
        cell: pixels of a cell, across and down.
        background: its background colour, red, green and blue from 0 to 255.
        sixel_colours, sixel_width: how many colours, and how many pixels across, a sixel picture may have.
        keys: what was typed meanwhile, for the next reader.
    """

    attributes: frozenset[int] | None = None
    name: str = ""
    draws_kitty: bool = False
    cell: tuple[int, int] | None = None
    background: tuple[int, int, int] | None = None
    sixel_colours: int | None = None
    sixel_width: int | None = None
    keys: bytes = b""


def ask(source: int, sink: int, *, seconds: float) -> TerminalReplies:
    """Query the terminal on two file descriptors; the caller has turned off echo and line editing."""
    os.write(sink, QUESTIONS)
    return understood(_read(source, time.monotonic() + seconds))


def _read(source: int, deadline: float) -> bytes:
    """Return everything up to the last answer, or what has come by the deadline.

    This process may be late itself, so answers already there are still read; else they would be taken for keys.
    """
    import select

    data, left = b"", 1.0
    while left > 0 and not _is_complete(data):
        left = deadline - time.monotonic()
        if not select.select([source], [], [], max(0.0, left))[0]:
            break
        part = os.read(source, 4096)
        if not part:
            break
        data += part
    return data


def _is_complete(data: bytes) -> bool:
    return any(match["attributes"] is not None for match in _ANSWERS.finditer(data))


def understood(data: bytes) -> TerminalReplies:
    """Parse the terminal's answers; the rest are keys."""
    said: dict[str, bytes] = {}
    for match in _ANSWERS.finditer(data):
        said.update({name: text for name, text in match.groupdict().items() if text is not None})
    return TerminalReplies(
        attributes=frozenset(_numbers(said["attributes"])[1:]) if "attributes" in said else None,
        name=said.get("name", b"").decode("utf-8", "replace"),
        draws_kitty=said.get("kitty", b"").endswith(b";OK"),
        cell=_cell(said.get("cell", b"")),
        background=_colour(said.get("background", b"")),
        sixel_colours=next(iter(_numbers(said.get("colours", b""))), None),
        sixel_width=next(iter(_numbers(said.get("width", b""))), None),
        keys=without_answers(data),
    )


def without_answers(data: bytes) -> bytes:
    """Return the input without the answers."""
    return _ANSWERS.sub(b"", data)


def _numbers(text: bytes) -> list[int]:
    return [int(part) for part in text.split(b";") if part]


def _cell(text: bytes) -> tuple[int, int] | None:
    sides = _numbers(text)
    return (sides[1], sides[0]) if len(sides) == 2 and all(0 < side < 1000 for side in sides) else None


def _colour(text: bytes) -> tuple[int, int, int] | None:
    """Return `1e1e/1e1e/2e2e`, with one to four digits per part, as three bytes."""
    with suppress(ValueError):
        red, green, blue = (int(part, 16) * 255 // (16 ** len(part) - 1) for part in text.split(b"/"))
        return red, green, blue
    return None


def give_back(source: int, keys: bytes) -> None:
    """Put typed keys back into the terminal's queue, for the shell; they are lost if the system forbids that."""
    import fcntl
    import termios

    with suppress(OSError, AttributeError):
        for key in keys:
            fcntl.ioctl(source, termios.TIOCSTI, bytes([key]))


def cell_by_window(sink: int) -> tuple[int, int] | None:
    """Return a cell's pixels from the size of the window, which most terminals tell the system."""
    import fcntl
    import struct
    import termios

    with suppress(OSError):
        rows, columns, width, height = struct.unpack("HHHH", fcntl.ioctl(sink, termios.TIOCGWINSZ, bytes(8)))
        if rows and columns and width >= columns and height >= rows:
            return width // columns, height // rows
    return None


def waiting_keys(source: int) -> int:
    """Return how many typed keys are unread."""
    import fcntl
    import struct
    import termios

    with suppress(OSError):
        (count,) = struct.unpack("i", fcntl.ioctl(source, termios.FIONREAD, bytes(4)))
        return int(count)
    return 0
