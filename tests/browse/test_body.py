"""The gallery's lines on prompt_toolkit's screen: what stays is neither made nor compared again."""

from __future__ import annotations

from dataclasses import replace

import pytest
from prompt_toolkit.application import Application
from prompt_toolkit.application.current import create_app_session, set_app
from prompt_toolkit.data_structures import Size as TerminalSize
from prompt_toolkit.input import DummyInput
from prompt_toolkit.layout import HSplit, Layout, Window
from prompt_toolkit.output import DummyOutput
from terminal_fakes import make_hit

from photomap_cli.browse import body, view
from photomap_cli.browse.body import Body
from photomap_cli.browse.grid import Size
from photomap_cli.browse.state import Focus, Mode, Notice, Results, State

COLUMNS, ROWS = 80, 24


class Written(DummyOutput):
    """Keeps what is written."""

    def __init__(self):
        self.text = ""

    def get_size(self):
        return TerminalSize(rows=ROWS, columns=COLUMNS)

    def write(self, data):
        self.text += data


class Frames:
    """Draws states one after the other, below two lines and above one."""

    def __init__(self):
        hits = tuple(make_hit(number) for number in range(1, 100))
        self.state = State(size=Size(COLUMNS, ROWS), results=Results("", hits, generation=1))
        self.output, self.has_menu, self.events = Written(), False, []
        self.body = Body(lambda: self.state, self.events.append, lambda: self.has_menu)
        above, below = Window(height=2), Window(height=1)
        with create_app_session(input=DummyInput(), output=self.output):
            self.app = Application(Layout(HSplit([above, self.body, below]), self.body), full_screen=True)

    def drawn(self, **changes):
        """Draw the state, changed so; returns what was written and the lines that stand on the screen."""
        self.state, self.output.text = replace(self.state, **changes), ""
        with set_app(self.app):
            self.app.renderer.render(self.app, self.app.layout)
        screen = self.app.renderer.last_rendered_screen
        self.body.complete(screen)
        cells = screen.data_buffer
        lines = ["".join(cells[y][x].char for x in range(COLUMNS)) for y in range(2, ROWS - 1)]
        return self.output.text, [line.rstrip() for line in lines]

    def expected(self):
        return ["".join(text for _, text in line).rstrip() for line in view.View().body(self.state)]


@pytest.fixture
def frames():
    return Frames()


@pytest.mark.parametrize(
    "change",
    [{"query": "beach"}, {"generation": 7}, {"notice": Notice("told")}, {"references": ("/p/1.jpg",)}],
    ids=lambda change: next(iter(change)),
)
def test_what_stands_elsewhere_makes_no_cell_and_no_line_again(frames, monkeypatch, change):
    frames.drawn()
    monkeypatch.setattr(view.View, "body", None)
    monkeypatch.setattr(body, "_cells", None)
    written, lines = frames.drawn(**change)
    assert written.strip() == ""
    monkeypatch.undo()
    assert lines == frames.expected()


@pytest.mark.parametrize(
    "change",
    [
        {"cursor": 2},
        {"cursor": 40, "top": 3},
        {"marks": ("/photos/0001.jpg",)},
        {"anchor": 3},
        {"zoom": 2},
        {"mode": Mode.LOOK},
        {"mode": Mode.KEYS},
        {"mode": Mode.TIMELINE},
        {"focus": Focus.PHOTOS},
        {"results": Results("x", (), generation=2)},
        {"results": Results("x", (), generation=2), "is_searching": True},
    ],
    ids=str,
)
def test_every_other_change_is_on_the_screen_and_can_be_taken_back(frames, change):
    before = frames.state
    frames.drawn()
    for state in (replace(before, **change), before):
        frames.state = state
        _, lines = frames.drawn()
        assert lines == frames.expected()


def test_only_lines_that_changed_are_made_into_cells(frames, monkeypatch):
    frames.drawn()
    made, cells = [], body._cells
    monkeypatch.setattr(body, "_cells", lambda line, width: made.append(line) or cells(line, width))
    frames.drawn(cursor=1)
    assert len(made) == 1, "the captions of the one row whose cursor moved"


def test_lines_are_whole_again_when_a_menu_that_lay_on_them_is_gone(frames):
    _, lines = frames.drawn()
    frames.has_menu = True
    frames.drawn(query="camera:")
    covered = frames.app.renderer.last_rendered_screen
    for y in range(2, 9):
        covered.data_buffer[y][5] = covered.data_buffer[2][0].__class__("M", "")
    frames.has_menu = False
    written, again = frames.drawn()
    assert again == lines
    assert written, "the cells below the menu are drawn"
    assert "M" not in written


def test_a_click_and_the_wheel_reach_the_state_from_every_row(frames):
    from prompt_toolkit.data_structures import Point
    from prompt_toolkit.mouse_events import MouseButton, MouseEvent, MouseEventType

    from photomap_cli.browse.events import Clicked, Wheeled

    frames.drawn()
    frames.drawn(query="b")
    handlers = frames.app.renderer.mouse_handlers.mouse_handlers
    for kind in (MouseEventType.MOUSE_UP, MouseEventType.SCROLL_DOWN):
        handlers[9][40](MouseEvent(Point(40, 9), kind, MouseButton.LEFT, frozenset()))
    assert frames.events == [Clicked(40, 9), Wheeled(1)]
