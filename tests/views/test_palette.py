"""Words in colour can be read whatever is behind them; the bar and the menu bring a background of their own."""

import io
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from cases import cases
from rich.console import Console
from rich.style import Style
from terminal_fakes import EVERY_STATE, PaintedThumbnailer, make_result

from photomap_cli.graphics.layout import Layout
from photomap_cli.records import Check, CheckState
from photomap_cli.repl.commands import registry
from photomap_cli.repl.connection import Connection
from photomap_cli.repl.state import SearchState
from photomap_cli.repl.toolbar import Toolbar
from photomap_cli.repl.tty_frontend import TtyFrontend
from photomap_cli.views import doctor, palette, results
from photomap_cli.views.captions import captions
from photomap_cli.views.previews import Previews
from photomap_cli.views.status_table import status_table

LEGIBLE = 2.3  # the least that groups of a map have; words have 3.4
TERMINALS_OWN = re.compile(r"\x1b\[(?:[\d;]*;)?(?:3[2367]|9[0-7])[;m]")
"""Green, yellow, cyan, white and the bright ones: what they look like is the terminal's, mostly light."""
EXACT = re.compile(r"[34]8;2;\d+;\d+;\d+")


@pytest.fixture(autouse=True)
def _unused_styles():
    """Have every style as if nothing had been drawn yet: Rich keeps the codes of its first use."""
    for remembered in (Style.parse, Style._add, Style.normalize):
        remembered.cache_clear()


def brightness(colour):
    channels = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return sum(weight * value for weight, value in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one, other):
    darker, lighter = sorted((brightness(one), brightness(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("colour", [palette.ACCENT, palette.GOOD, palette.NOTE])
def test_words_stand_out_from_white_and_from_black(colour):
    assert contrast(colour, "#ffffff") > 3.4
    assert contrast(colour, "#000000") > 3.4


@cases("colour", palette.COLOURS)
def test_so_do_the_groups_of_a_map(colour):
    assert contrast(colour, "#ffffff") > LEGIBLE
    assert contrast(colour, "#000000") > LEGIBLE


def drawn(draw):
    console = Console(file=io.StringIO(), width=100, force_terminal=True, color_system="truecolor", highlight=False)
    draw(console)
    return EXACT.sub("0", console.file.getvalue())


def front(console):
    connection = Connection(lambda: None)
    return TtyFrontend(console, connection, cwd=Path("/p"), past=list, previews=Previews(console, PaintedThumbnailer))


def help_on(console):
    registry.answer(SearchState(Connection(lambda: None), front(console), cwd=Path("/p"), limit=3), ":help")


def captioned(console):
    hits = make_result().hits
    thumbnails = PaintedThumbnailer().thumbnails([hit.path for hit in hits])
    console.print(captions(hits, thumbnails, Layout(len(hits), 24, 8)))


@pytest.mark.parametrize(
    "draw",
    [
        lambda console: console.print(results.table(make_result(), Path("/p"))),
        captioned,
        help_on,
        lambda console: front(console).tell("no more results"),
        lambda console: console.print(status_table(EVERY_STATE, None)),
        lambda console: [console.print(doctor.line(Check("disk", state, "well"))) for state in CheckState],
    ],
    ids=["table", "captions", "help", "note", "status", "doctor"],
)
def test_what_is_printed_leaves_no_colour_to_the_terminal_that_could_be_too_light(draw):
    text = drawn(draw)
    assert "\x1b[" in text
    assert not TERMINALS_OWN.search(text)


def test_the_bar_changes_no_colour_of_what_is_printed():
    for status in EVERY_STATE:
        Toolbar(SimpleNamespace(current=SimpleNamespace(status=lambda: status), trouble=None), width=lambda: 100)()  # noqa: B023
    assert not TERMINALS_OWN.search(drawn(lambda console: console.print(status_table(EVERY_STATE, None))))
    assert not TERMINALS_OWN.search(drawn(lambda console: front(console).tell("no more results")))


def test_a_bad_colour_is_found():
    assert TERMINALS_OWN.search(drawn(lambda console: console.print("[bold cyan]1[/] dog")))
