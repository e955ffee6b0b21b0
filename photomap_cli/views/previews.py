"""Owns showing results as pictures: contact sheets, a large photo, and how.  `graphics/` draws."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, Self, TextIO, TypeVar, cast

from photomap_cli.errors import BadImage, UsageError
from photomap_cli.graphics import detection, protocol_choice
from photomap_cli.graphics.layout import GAP, ROWS_BELOW_RESULTS, row_layout, single_layout
from photomap_cli.graphics.protocol_choice import GraphicsProtocol
from photomap_cli.views.captions import captions, line_below

if TYPE_CHECKING:
    from rich.console import Console

    from photomap_cli.graphics.layout import Layout
    from photomap_cli.graphics.renderer import Renderer, Sheet
    from photomap_cli.records import Hit, Thumbnail

T = TypeVar("T")

_END_OF_SEQUENCE = "\x1b\\\x1b[0m\n"


class Thumbnailer(Protocol):
    """Provides thumbnails; a context manager.  See `photomap_cli.images.thumbnails`."""

    def thumbnails(self, paths: Sequence[str]) -> list[Thumbnail]:
        """Return a thumbnail of each of these photos."""

    def picture(self, path: str, *, long_side_px: int) -> Thumbnail:
        """Return one photo in this size."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_exc: object) -> None: ...


class Wait(Protocol):
    """Does slow work: with a line about it, and a way to stop waiting."""

    def __call__(self, work: Callable[[], T]) -> T:
        """Do the work and return its result."""


class Previews:
    """Pictures on one terminal.

    Attributes:
        setting: the value of the setting `previews`.
        open_thumbnailer: where thumbnails come from.
    """

    def __init__(
        self,
        console: Console,
        open_thumbnailer: Callable[[], Thumbnailer],
        *,
        setting: str = "auto",
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        self.setting = setting
        self.open_thumbnailer = open_thumbnailer
        self._console = console
        self._display = detection.found(sys.stdout, environment)
        self._painters: dict[GraphicsProtocol, Renderer] = {}
        self._is_excused = False

    def detect(self) -> bytes:
        """Ask the terminal, with its echo off, what it can draw; returns the keys typed meanwhile."""
        if not (sys.stdin.isatty() and sys.stdout.isatty()):
            return b""
        self._display = detection.asked(self._display, sys.stdin.fileno(), sys.stdout.fileno())
        return self._display.around.answers.keys

    def detect_between_commands(self) -> None:
        """Ask the terminal for a short-lived command."""
        self._display = detection.asked_between_commands(self._display)

    def wraps_again(self) -> bool:
        """Whether this terminal rewraps its lines when the window is narrowed."""
        return self._display.around.wraps_again

    def painter(self, *, is_asked_for: bool = False) -> Renderer | None:
        """Return the renderer for results, or None for a table; see `protocol_choice.choose`."""
        way = protocol_choice.choose(self.setting, self._display.around, is_asked_for=is_asked_for)
        if way is None or not self._console.is_terminal:
            return None
        if way not in self._painters:
            self._painters[way] = detection.painter(way, self._display)
        return self._painters[way]

    def in_words(self) -> str:
        """Return how results are shown: `as pictures: sixel (auto)`."""
        painter = self.painter()
        if painter:
            return f"results as pictures: {painter.name} ({self.setting})"
        reason = self._draws_nothing if self.setting == "on" else ""
        return f"results as a table ({self.setting}){reason and f': {reason}'}"

    def why_no_pictures(self, *, is_asked_for: bool = False) -> str:
        """Return once why pictures that the user wants can't be drawn on this terminal; afterwards an empty string."""
        wanted = (is_asked_for or self.setting == "on") and self._console.is_terminal and not self._is_excused
        self._is_excused |= wanted
        return self._draws_nothing if wanted else ""

    @property
    def _draws_nothing(self) -> str:
        return self._display.around.draws_nothing

    def show(self, hits: Sequence[Hit], painter: Renderer, wait: Wait) -> int:
        """Draw the rows of photos that fit into the window, with captions; return how many photos that is.

        Only one row's thumbnails are in memory at a time.
        """
        layout = row_layout(self._columns(painter), self._console.height, painter.grid, len(hits))
        room, shown = self._console.height - ROWS_BELOW_RESULTS, 0
        with self.open_thumbnailer() as thumbnailer:
            while shown < len(hits):
                row = hits[shown : shown + layout.count]
                thumbnails = wait(partial(thumbnailer.thumbnails, [hit.path for hit in row]))
                sheet, below = self._composed(thumbnails, layout, painter), captions(row, thumbnails, layout)
                room -= sheet.rows + below.plain.count("\n") + (GAP if shown else 0)
                if shown and room < 0:
                    break
                self._console.print("\n" * GAP if shown else "", end="")
                self._draw(sheet, painter)
                self._console.print(below, end="")
                shown += len(row)
        return shown

    def show_large(self, hit: Hit, wait: Wait, *, cwd: Path) -> None:
        """Draw a photo as large as fits on the screen.

        Raises:
            BadImage: it is gone or can't be read.
            UsageError: there is no terminal.
        """
        painter = self.painter(is_asked_for=True)
        if painter is None:
            raise UsageError(
                (self._console.is_terminal and self._draws_nothing) or "there is no terminal to show pictures on"
            )
        below, grid = line_below(hit, cwd), painter.grid
        layout = single_layout(self._columns(painter), self._console.height, len(self._console.render_lines(below)))
        long_side_px = max(layout.columns * grid.width, layout.rows * grid.height)
        with self.open_thumbnailer() as thumbnailer:
            thumbnail = wait(lambda: thumbnailer.picture(hit.path, long_side_px=long_side_px))
        if thumbnail.fault:
            raise BadImage(f"{hit.path}: {thumbnail.fault}", hint="`photomap index` updates the library")
        self._draw(self._composed([thumbnail], layout, painter), painter)
        self._console.print(below)

    def _columns(self, painter: Renderer) -> int:
        widest = self._display.around.answers.sixel_width
        limited = painter.name == GraphicsProtocol.SIXEL.value and widest
        return min(self._console.width, widest // painter.grid.width) if limited and widest else self._console.width

    def _composed(self, thumbnails: Sequence[Thumbnail], layout: Layout, painter: Renderer) -> Sheet:
        from photomap_cli.graphics.contact_sheet import compose  # loads Pillow, which isn't needed before

        return compose(thumbnails, layout, painter.grid)

    def _draw(self, sheet: Sheet, painter: Renderer) -> None:
        file = cast("TextIO", self._console.file)
        try:
            file.write(painter.paint(sheet))
            file.flush()
        except KeyboardInterrupt:  # maybe in the middle of a sequence, which would swallow all that follows
            file.write(_END_OF_SEQUENCE)
            raise
