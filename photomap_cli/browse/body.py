"""Owns how the gallery's lines reach prompt_toolkit's screen: an unchanged line costs nothing while typing."""

from __future__ import annotations

import time
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from prompt_toolkit.application import get_app
from prompt_toolkit.layout import Window
from prompt_toolkit.layout.controls import FormattedTextControl
from prompt_toolkit.layout.mouse_handlers import MouseHandlers
from prompt_toolkit.layout.screen import Screen, WritePosition
from prompt_toolkit.mouse_events import MouseButton, MouseEventType

from photomap_cli.browse import events, view
from photomap_cli.browse.state import Notice

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from prompt_toolkit.key_binding.key_bindings import NotImplementedOrNone
    from prompt_toolkit.layout.screen import Char
    from prompt_toolkit.mouse_events import MouseEvent

    from photomap_cli.browse.events import Event
    from photomap_cli.browse.state import State

    Feed = Callable[[Event], None]
    Row = defaultdict[int, Char]
    Line = tuple[tuple[str, str], ...]

DOUBLE_CLICK_SECONDS = 0.4


class Body(Window):
    """The lines between the two at the top and the bar.

    prompt_toolkit builds every cell of the screen for each frame and compares it with the last one.  Here a line is
    turned into cells once, and rows that two frames share are left out of the comparison (`complete` puts them
    back): a key that only changes the query line costs one line, not a screen.

    Args:
        state: returns the current state.
        feed: takes events.
        is_covered: whether a menu may lie on the lines; it writes into their cells.
        clock: in seconds.
    """

    def __init__(
        self,
        state: Callable[[], State],
        feed: Feed,
        is_covered: Callable[[], bool],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(FormattedTextControl(focusable=True, show_cursor=False), height=lambda: _height(state()))
        self._state, self._feed, self._is_covered, self._clock = state, feed, is_covered, clock
        self._view = view.View()
        self._drawn_from: State | None = None
        self._lines: list[Line] = []
        self._rows: dict[tuple[Line, int], Row] = {}
        self._left_out: dict[int, Row] = {}
        self._clicked: tuple[int, int, float] = (-1, -1, 0.0)

    def write_to_screen(
        self,
        screen: Screen,
        mouse_handlers: MouseHandlers,
        write_position: WritePosition,
        parent_style: str,
        erase_bg: bool,
        z_index: int | None,
    ) -> None:
        """Put the lines onto the screen, as `Window` does."""
        top = write_position.ypos
        rows = self._rows_of(self._drawn_lines()[: write_position.height], write_position.width)
        is_covered = self._is_covered()
        for y, row in enumerate(rows, top):
            screen.data_buffer[y] = row.copy() if is_covered else row
            mouse_handlers.mouse_handlers[y] = defaultdict(lambda: self._mouse)
        if not is_covered:
            self._leave_out(screen, range(top, top + len(rows)))
        screen.width = max(screen.width, write_position.xpos + write_position.width)
        screen.height = max(screen.height, top + write_position.height)
        screen.visible_windows_to_write_positions[self] = write_position

    def complete(self, screen: Screen) -> None:
        """Put back the rows that were left out of the comparison with the previous frame."""
        screen.data_buffer.update(self._left_out)
        self._left_out = {}

    def _leave_out(self, screen: Screen, numbers: range) -> None:
        """Take rows that are unchanged since the previous frame out of both while they are compared."""
        app = get_app()
        before = app.renderer.last_rendered_screen
        if before is None or app.is_done or before is screen:
            return
        for y in numbers:
            row = screen.data_buffer[y]
            if before.data_buffer.get(y) is row:
                self._left_out[y] = row
                del screen.data_buffer[y], before.data_buffer[y]

    def _drawn_lines(self) -> list[Line]:
        """Return the lines; the previous ones while only other parts of the screen change."""
        state = self._state()
        drawn_from = replace(
            state, query="", references=(), earlier=(), generation=0, notice=Notice(), question=None, is_acting=False
        )
        if drawn_from != self._drawn_from:
            self._drawn_from, self._lines = drawn_from, [tuple(line) for line in self._view.body(state)]
        return self._lines

    def _rows_of(self, lines: Sequence[Line], width: int) -> list[Row]:
        """Return the cells of the lines; rows that the previous frame had are reused."""
        before, self._rows = self._rows, {}
        for line in lines:
            key = line, width
            if key not in self._rows:
                self._rows[key] = before.get(key) or _cells(line, width)
        return [self._rows[line, width] for line in lines]

    # -- the mouse -----------------------------------------------------------------------------------------------------

    def _mouse(self, mouse_event: MouseEvent) -> NotImplementedOrNone:
        """Report a click, a double click or a turn of the wheel."""
        match mouse_event.event_type:
            case MouseEventType.SCROLL_UP:
                self._feed(events.Wheeled(-1))
            case MouseEventType.SCROLL_DOWN:
                self._feed(events.Wheeled(1))
            case MouseEventType.MOUSE_UP if mouse_event.button in (MouseButton.LEFT, MouseButton.UNKNOWN):
                self._click(mouse_event.position.x, mouse_event.position.y)
        return None

    def _click(self, x: int, y: int) -> None:
        now = self._clock()
        is_double = self._clicked[:2] == (x, y) and now - self._clicked[2] < DOUBLE_CLICK_SECONDS
        self._clicked = (x, y, 0.0 if is_double else now)
        self._feed(events.Clicked(x, y, is_double=is_double))


def _height(state: State) -> int | None:
    """Return the height, so that prompt_toolkit needn't search for it row by row; None if there is no room."""
    return state.size.body_rows if state.size.is_enough else None


def _cells(line: Line, width: int) -> Row:
    """Return the cells of a line, as prompt_toolkit makes them."""
    screen = Screen()
    window = Window(FormattedTextControl([*line], show_cursor=False), height=1)
    window.write_to_screen(screen, MouseHandlers(), WritePosition(0, 0, width, 1), "", erase_bg=False, z_index=None)
    return screen.data_buffer[0]
