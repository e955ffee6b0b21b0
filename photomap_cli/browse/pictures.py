"""Owns pictures on their way to the screen: which are wanted, the thread that makes them, and a small cache."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from photomap_cli.browse.grid import look_layout
from photomap_cli.browse.state import Mode
from photomap_cli.graphics.layout import Layout
from photomap_cli.graphics.renderer import PixelRenderer
from photomap_cli.records import Thumbnail

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from photomap_cli.browse.grid import Box
    from photomap_cli.browse.state import State
    from photomap_cli.graphics.renderer import Renderer
    from photomap_cli.views.previews import Thumbnailer

KEPT_BYTES = 32 << 20
"""Size of the drawings kept: some thirty screens of half-blocks, or a screen or two of sixel."""

_AT_ONCE = 4  # photos: as many as there are decode processes at most
_LONG_SIDES_PX = (640, 1280, 2560)  # what is decoded for a look: a few sizes, as each has decode processes of its own


@dataclass(frozen=True, slots=True)
class Picture:
    """A photo at the size of a place; `is_large` if its file is decoded instead of showing the thumbnail."""

    path: str
    columns: int
    rows: int
    is_large: bool = False


@dataclass(frozen=True, slots=True)
class Drawing:
    """A picture as terminal output: one piece per row of cells, or a single piece for all of them."""

    pieces: tuple[str, ...]
    columns: int
    rows: int

    @property
    def size_bytes(self) -> int:
        """Its size in memory."""
        return sum(map(len, self.pieces)) + 200


def shown(state: State) -> dict[Box, tuple[Picture, ...]]:
    """Return which pictures may be drawn where, the best first."""
    if not state.size.is_enough:
        return {}
    match state.mode:
        case Mode.GRID:
            shape, visible = state.geometry, state.visible
            return {
                shape.box(place): (Picture(state.hits[number].path, shape.width, shape.height),)
                for place, number in enumerate(visible)
            }
        case Mode.LOOK:
            return dict(_looked_at(state))
        case _:
            return {}


def _looked_at(state: State) -> Iterator[tuple[Box, tuple[Picture, ...]]]:
    layout, hit = look_layout(state.size, state.cell, has_facts=state.has_facts), state.hit
    if hit is None:
        return
    if layout.facts != layout.photo:
        small = Picture(hit.path, layout.photo.columns, layout.photo.rows)
        yield layout.photo, (Picture(hit.path, small.columns, small.rows, is_large=True), small)
    for number, box in enumerate(layout.strip, state.cursor - len(layout.strip) // 2):
        if 0 <= number < len(state.hits):
            yield box, (Picture(state.hits[number].path, box.columns, box.rows),)


def wanted(state: State) -> list[Picture]:
    """Return the pictures to make, in order: what is shown, the nearest to the cursor first; then a screen ahead."""
    on_screen = [picture for pictures in shown(state).values() for picture in reversed(pictures)]
    if state.mode is not Mode.GRID:
        middle = state.hit.path if state.hit else ""
        return sorted(on_screen, key=lambda picture: (picture.path != middle, picture.is_large))
    shape, visible = state.geometry, state.visible
    near = [number for _, number in sorted((abs(number - state.cursor), number) for number in visible)]
    ahead = range(visible.stop, min(visible.stop + shape.count, len(state.hits)))
    behind = range(visible.start - 1, max(-1, visible.start - 1 - shape.columns), -1)
    numbers = (*near, *ahead, *behind) if on_screen else ()
    return [Picture(state.hits[number].path, shape.width, shape.height) for number in numbers]


class Pictures:
    """Makes the pictures that are wanted, on a thread of its own, and keeps the last ones.

    A picture that is no longer wanted when its turn comes is not decoded.

    Args:
        open_thumbnailer: where thumbnails come from.
        painter: draws them.
        on_made: called, on that thread, whenever there are new ones.
    """

    def __init__(
        self,
        open_thumbnailer: Callable[[], Thumbnailer],
        painter: Renderer,
        on_made: Callable[[], None],
        *,
        kept_bytes: int = KEPT_BYTES,
    ) -> None:
        self._open_thumbnailer, self._painter, self._on_made, self._most = (
            open_thumbnailer,
            painter,
            on_made,
            kept_bytes,
        )
        self._changed = threading.Condition()  # for all that follows
        self._wanted: Sequence[Picture] = ()
        self._kept: OrderedDict[Picture, Drawing] = OrderedDict()
        self._bytes = 0
        self._is_closed = False
        self._thread = threading.Thread(target=self._work, name="photomap-pictures", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def want(self, pictures: Sequence[Picture]) -> None:
        """Say which pictures are wanted now, the most wanted first; what was wanted before is forgotten."""
        with self._changed:
            if pictures != self._wanted:
                self._wanted = pictures
                self._changed.notify()

    def get(self, picture: Picture) -> Drawing | None:
        """Return a picture if it is there."""
        with self._changed:
            drawing = self._kept.get(picture)
            if drawing is not None:
                self._kept.move_to_end(picture)
            return drawing

    def forget(self) -> None:
        """Drop all pictures; they have to be sent again."""
        with self._changed:
            self._kept.clear()
            self._bytes = 0
            self._changed.notify()

    @property
    def kept_bytes(self) -> int:
        """How many bytes are kept."""
        return self._bytes

    def close(self, timeout: float = 1.0) -> None:
        """Stop making pictures; a decode in progress ends by itself."""
        with self._changed:
            self._is_closed = True
            self._changed.notify()
        if self._thread.is_alive():
            self._thread.join(timeout)

    def _work(self) -> None:
        with self._open_thumbnailer() as thumbnailer:
            while batch := self._next():
                made = self._made(thumbnailer, batch)
                with self._changed:
                    for picture, drawing in made:
                        self._keep(picture, drawing)
                self._on_made()

    def _next(self) -> list[Picture]:
        """Wait for pictures to make and return some of one kind; none at the end."""
        with self._changed:
            while not self._is_closed:
                missing = (picture for picture in self._wanted if picture not in self._kept)
                batch = list(islice(missing, _AT_ONCE))
                if batch:
                    return [batch[0]] if batch[0].is_large else [each for each in batch if not each.is_large]
                self._changed.wait()
            return []

    def _made(self, thumbnailer: Thumbnailer, batch: list[Picture]) -> list[tuple[Picture, Drawing]]:
        try:
            if batch[0].is_large:
                thumbnails = [thumbnailer.picture(batch[0].path, long_side_px=self._long_side_px(batch[0]))]
            else:
                thumbnails = thumbnailer.thumbnails([picture.path for picture in batch])
        except Exception as error:  # whatever it is, the photos that follow may be fine
            thumbnails = [Thumbnail(fault=str(error) or type(error).__name__)] * len(batch)
        return [
            (picture, drawn(thumbnail, picture, self._painter))
            for picture, thumbnail in zip(batch, thumbnails, strict=True)
        ]

    def _long_side_px(self, picture: Picture) -> int:
        grid = self._painter.grid
        needed = max(picture.columns * grid.width, picture.rows * grid.height)
        return next((side for side in _LONG_SIDES_PX if side >= needed), _LONG_SIDES_PX[-1])

    def _keep(self, picture: Picture, drawing: Drawing) -> None:
        if before := self._kept.pop(picture, None):
            self._bytes -= before.size_bytes
        self._kept[picture] = drawing
        self._bytes += drawing.size_bytes
        in_use = set(self._wanted)
        while self._bytes > self._most and len(self._kept) > 1:
            oldest = next(iter(self._kept))
            if oldest in in_use:  # only what is on the screen is left; dropping that would make it again forever
                return
            self._bytes -= self._kept.pop(oldest).size_bytes


def drawn(thumbnail: Thumbnail, picture: Picture, painter: Renderer) -> Drawing:
    """Return a photo as it is drawn in the size of its place."""
    from photomap_cli.graphics.contact_sheet import compose  # loads Pillow, which the first frame doesn't need

    sheet = compose([thumbnail], Layout(1, picture.columns, picture.rows), painter.grid)
    if isinstance(painter, PixelRenderer):
        return Drawing((painter.drawing(sheet),), sheet.columns, sheet.rows)
    return Drawing(tuple(painter.paint(sheet).split("\n")[: sheet.rows]), sheet.columns, sheet.rows)
