"""Owns the pictures on the screen, drawn after each frame of text into the cells that it leaves blank.

Every cell of a picture has its own colour, and prompt_toolkit keeps each cell it has ever drawn, with its style:
paging through 10,000 photos would fill the memory.  So it draws blanks there, in a style nothing else uses, and
knows nothing of what lies on them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from photomap_cli.graphics.renderer import PixelRenderer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from photomap_cli.browse.grid import Box
    from photomap_cli.browse.pictures import Drawing, Picture
    from photomap_cli.graphics.renderer import Renderer

    IsBlank = Callable[[int, int], bool]

_SAVE, _RESTORE, _PLAIN = "\x1b7", "\x1b8", "\x1b[0m"


class Canvas:
    """Knows which pictures are on the screen, and what to write to replace them."""

    def __init__(self, painter: Renderer) -> None:
        self._painter = painter
        self._shown: dict[Box, Picture] = {}
        self._covered: set[Box] = set()  # of these, where letters lie on a part

    def forget(self) -> None:
        """Note that the screen was erased, with every picture on it."""
        self._shown.clear()
        self._covered.clear()

    def change(
        self, pictures: Mapping[Box, tuple[Picture, Drawing]], is_blank: IsBlank, *, has_menu: bool = False
    ) -> str:
        """Return the bytes that erase pictures which no longer belong on the screen and draw those that do.

        Args:
            pictures: where which picture belongs.
            is_blank: whether the text has left a cell, given its column and row from 0, to a picture.
            has_menu: whether a menu may cover pictures; what it covers is drawn again once it is gone.
        """
        text = [self._covered_anew(box) for box in self._shown if has_menu and not _is_free(box, is_blank)]
        for box, shown in list(self._shown.items()):
            if box not in pictures or pictures[box][0] != shown:
                text.append(self._gone(box, is_blank, is_drawn_over=box in pictures and box not in self._covered))
        for box, (picture, drawing) in pictures.items():
            is_due = box not in self._shown or box in self._covered
            if is_due and not (has_menu and not _is_free(box, is_blank)):
                self._shown[box] = picture
                self._covered.discard(box)
                text.append(self._drawn(box, drawing))
        return f"{_SAVE}{''.join(text)}{_PLAIN}{_RESTORE}" if any(text) else ""

    def _covered_anew(self, box: Box) -> str:
        """Note that text covers a picture; a picture that would hide the text is erased."""
        if box in self._covered:
            return ""
        self._covered.add(box)
        return self._removal(box)

    def _gone(self, box: Box, is_blank: IsBlank, *, is_drawn_over: bool) -> str:
        """Forget a picture and return what erases it, unless another one covers all its cells."""
        del self._shown[box]
        self._covered.discard(box)
        if is_drawn_over and not isinstance(self._painter, PixelRenderer):
            return ""
        return self._removal(box) + "".join(_erased(box, is_blank))

    def _removal(self, box: Box) -> str:
        return self._painter.removal(box.x + 1, box.y + 1) if isinstance(self._painter, PixelRenderer) else ""

    def _drawn(self, box: Box, drawing: Drawing) -> str:
        """Draw a picture at the bottom of its place, above its caption."""
        top = box.y + box.rows - drawing.rows
        if isinstance(self._painter, PixelRenderer):
            return _at(box.x, top) + drawing.pieces[0]
        rest = max(0, box.columns - drawing.columns)
        lines = [f"{_at(box.x, y)}{_PLAIN}\x1b[{box.columns}X" for y in range(box.y, top)]
        for y, piece in enumerate(drawing.pieces, top):
            blank = f"{_at(box.x + drawing.columns, y)}{_PLAIN}\x1b[{rest}X" if rest else ""
            lines.append(f"{blank}{_at(box.x, y)}{piece}")
        return "".join(lines)


def _erased(box: Box, is_blank: IsBlank) -> Iterator[str]:
    """Yield what erases the cells of a place, except those that text occupies."""
    for y in range(box.y, box.y + box.rows):
        for x in range(box.x, box.x + box.columns):
            if is_blank(x, y):
                yield f"{_at(x, y)}{_PLAIN}\x1b[X" if x == box.x or not is_blank(x - 1, y) else "\x1b[C\x1b[X"


def _is_free(box: Box, is_blank: IsBlank) -> bool:
    return all(is_blank(x, y) for y in range(box.y, box.y + box.rows) for x in range(box.x, box.x + box.columns))


def _at(x: int, y: int) -> str:
    return f"\x1b[{y + 1};{x + 1}H"
