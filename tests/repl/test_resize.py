from cases import cases
from prompt_toolkit.layout.screen import Char, Screen

from photomap_cli.graphics.protocol_choice import TerminalInfo
from photomap_cli.graphics.terminal_query import TerminalReplies
from photomap_cli.repl.resize import rows_added


def drawn(*rows):
    screen = Screen()
    for y, row in enumerate(rows):
        x = 0
        for letter in row:
            cell = Char(letter)
            screen.data_buffer[y][x] = cell
            x += cell.width
    return screen


@cases(
    ("rows", "place", "columns", "added"),
    [
        (["photomap> dog"], (13, 0), 60, 0),
        (["x" * 90], (90, 0), 60, 1),
        (["x" * 90], (90, 0), 30, 2),  # just full: the cursor stays in the last row
        (["x" * 60], (60, 0), 60, 0),
        (["x" * 61], (61, 0), 60, 1),
        (["x" * 90], (60, 0), 60, 1),
        (["x" * 90], (10, 0), 60, 0),
        (["x" * 100, "y" * 20], (20, 1), 60, 1),
        (["x" * 100, "y" * 70], (70, 1), 30, 5),
        (["x" * 100, "", "y"], (1, 2), 50, 1),
        (["犬" * 50], (100, 0), 60, 1),
        (["x" * 20 + " " * 80, "y"], (1, 1), 60, 0),
        (["x"], (1, 0), 120, 0),
    ],
)
def test_rows_that_wrapping_adds_above_the_cursor(rows, place, columns, added):
    assert rows_added(drawn(*rows), *place, columns) == added


@cases(
    ("environment", "name", "wraps"),
    [
        ({"TERM": "xterm-256color"}, "XTerm(390)", False),
        ({"TERM": "xterm-256color"}, "", False),
        ({"TERM": "xterm-256color"}, "VTE(7006)", True),
        ({"TERM": "xterm-kitty"}, "kitty(0.35)", True),
        ({"TERM": "tmux-256color"}, "", True),
        ({"TERM": "screen-256color", "TMUX": "/tmp/tmux,1,0"}, "tmux 3.3a", True),
        ({"TERM": "screen", "STY": "1.x"}, "", False),
        ({"TERM": "xterm-256color", "WT_SESSION": "1"}, "", True),
        ({"TERM": "alacritty"}, "", True),
        ({"TERM": "foot"}, "foot(1.20)", True),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "iTerm.app"}, "iTerm2 3.5", True),
    ],
)
def test_which_terminals_wrap_again(environment, name, wraps):
    assert TerminalInfo(environment, answers=TerminalReplies(name=name)).wraps_again is wraps
