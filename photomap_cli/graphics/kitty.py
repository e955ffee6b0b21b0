"""Owns kitty's graphics protocol: sending a picture, placing it at the cursor, and deleting old ones."""

from __future__ import annotations

import base64
import io
import secrets
from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from photomap_cli.graphics.renderer import Grid, in_place

if TYPE_CHECKING:
    from photomap_cli.graphics.renderer import Sheet

CHUNK_BYTES = 4096
"""The protocol's limit for one escape sequence."""

KEPT_BYTES = 64 << 20
"""Pixels that the terminal should keep for us: about a hundred rows of six; it drops pictures itself at 320 MB."""


class Album:
    """The pictures that the terminal holds for this process; the oldest are dropped first."""

    def __init__(self, kept_bytes: int = KEPT_BYTES) -> None:
        self._kept_bytes = kept_bytes
        self._held: deque[tuple[int, int]] = deque()

    def add(self, number: int, size: int) -> Iterator[str]:
        """Note a new picture of `size` bytes; yield the commands that delete older ones to make room."""
        self._held.append((number, size))
        while len(self._held) > 1 and sum(size for _, size in self._held) > self._kept_bytes:
            oldest, _ = self._held.popleft()
            yield command(f"a=d,d=I,i={oldest},q=2")


class KittyPictures:
    """Sends pictures and keeps track of them.

    Args:
        cell: pixels of a cell, across and down.
        album: what has been sent so far.
        wrap: wraps a command on its way to the terminal.
    """

    def __init__(
        self, cell: tuple[int, int], *, album: Album | None = None, wrap: Callable[[str], str] = lambda text: text
    ) -> None:
        self.grid = Grid(*cell)
        self._album = album or Album()
        self._wrap = wrap

    def sent(self, sheet: Sheet, number: int, action: str) -> str:
        """Return the commands that send a picture under this number, and delete those there is no room for."""
        image = sheet.image
        size = f"c={sheet.columns},r={sheet.rows}"
        deletions = self._album.add(number, image.width * image.height * 4)
        pieces = transmission(f"{action},f=100,i={number},{size},q=2", _png(sheet))
        return "".join(self._wrap(text) for text in (*deletions, *pieces))


class Kitty(KittyPictures):
    """Draws at the cursor, for Konsole and others that don't know placeholders."""

    name = "kitty"

    def paint(self, sheet: Sheet) -> str:
        """Return the picture and its place."""
        return in_place(self.drawing(sheet), sheet.rows)

    def drawing(self, sheet: Sheet) -> str:
        """Return the picture as PNG in pieces, placed without moving the cursor."""
        return self.sent(sheet, new_number(), "a=T,C=1")

    def removal(self, column: int, row: int) -> str:
        """Return the command that deletes the picture, as erasing its cells doesn't."""
        return self._wrap(command(f"a=d,d=P,x={column},y={row},q=2"))


def new_number() -> int:
    """Return a picture number that other processes are unlikely to use.

    Its lowest byte is never 0, its middle bytes always are; see `kitty_placeholders`.
    """
    return (1 + secrets.randbelow(255)) << 24 | 1 + secrets.randbelow(255)


def command(control: str, payload: str = "") -> str:
    """Return one graphics command."""
    return f"\x1b_G{control}{';' if payload else ''}{payload}\x1b\\"


def transmission(control: str, data: bytes) -> Iterator[str]:
    """Yield the commands that send `data`; the first has the control data."""
    text = base64.b64encode(data).decode("ascii")
    for start in range(0, len(text), CHUNK_BYTES):
        more = int(start + CHUNK_BYTES < len(text))
        yield command(f"{control},m={more}" if start == 0 else f"m={more},q=2", text[start : start + CHUNK_BYTES])


def _png(sheet: Sheet) -> bytes:
    file = io.BytesIO()
    sheet.image.save(file, "PNG", compress_level=1)  # 376 kB of a row of six in 16 ms; level 6: 364 in 62
    return file.getvalue()
