"""A page of results fits the window: whole rows, best first, with the next prompt and its bar below."""

import io
import itertools
import re
from dataclasses import replace
from pathlib import Path

from cases import cases
from rich.console import Console
from terminal_fakes import PaintedThumbnailer, make_hit, make_result

from photomap_cli.graphics.cells import Cells
from photomap_cli.graphics.kitty_placeholders import KittyPlaceholders
from photomap_cli.records import Timings
from photomap_cli.repl.connection import Connection
from photomap_cli.repl.tty_frontend import TtyFrontend
from photomap_cli.views.previews import Previews

SIZES = [(120, 40), (80, 24), (50, 20), (200, 60), (132, 43), (57, 21), (100, 30), (300, 25)]
WAYS = ["off", "kitty", "iterm2", "sixel", "octants", "sextants", "quadrants", "blocks"]
PROMPT = ("photomap> ", "● VRAM 352 MB")
CWD = Path("/photos")


class Faulty(PaintedThumbnailer):
    """Every photo is gone."""

    def thumbnails(self, paths):
        return super().thumbnails([f"{path} gone" for path in paths])


def screen(size, way, gallery=PaintedThumbnailer):
    width, height = size
    console = Console(
        file=io.StringIO(), width=width, height=height, force_terminal=True, highlight=False, color_system="256"
    )
    previews = Previews(console, gallery, setting=way, environment={"TERM": "xterm-256color"})
    return TtyFrontend(console, Connection(lambda: None), cwd=CWD, past=list, previews=previews)


def shown(screen, result, *, total=None, more=False):
    """Show what fits of a result; return how many that is, and the text."""
    file = screen.console.file
    start = file.tell()
    count = screen.show(result, total=total or len(result.hits), more=more)
    file.seek(start)
    return count, file.read()


def ranks(text):
    """Return the numbers in a table or below pictures, which stand before a score."""
    plain = re.sub(r"\x1b\][^\x1b]*\x1b\\\\|\x1b\[[\d;]*[a-zA-Z]", "", text)
    return [int(rank) for rank in re.findall(r"(?<![\w.])(\d+) {1,2}0\.\d\d\d", plain)]


@cases("way", WAYS)
@cases("size", SIZES)
@cases("count", [1, 7, 10, 100])
def test_a_page_fits_the_window_with_the_next_prompt_at_every_size_and_in_every_way(size, way, count):
    number, text = shown(screen(size, way), make_result(count))
    assert text.count("\n") + len(PROMPT) <= size[1]
    assert ranks(text) == list(range(1, number + 1))
    last = re.sub(r"\x1b\[[\d;]*[a-zA-Z]", "", text.splitlines()[-1])
    partly = f"1-{number} of {count} · :more" if number > 1 else f"1 of {count} · :more"
    assert last.startswith(partly if number < count else f"{count} photo")


@cases("way", WAYS)
@cases("size", SIZES[:3])
def test_the_pages_together_have_every_result_once(size, way):
    page, result, seen = screen(size, way), make_result(23), []
    while len(seen) < 23:
        _, text = shown(page, replace(result, hits=result.hits[len(seen) :]), total=23)
        assert text.count("\n") + len(PROMPT) <= size[1]
        seen += ranks(text)
    assert seen == list(range(1, 24))


@cases("size", SIZES)
def test_no_further_photo_would_have_fitted(size):
    for way in ("off", "blocks", "kitty"):
        page = screen(size, way)
        count, text = shown(page, make_result(100))
        row = 1 if way == "off" else text.count("\n")  # of pictures: at least one of several
        assert text.count("\n") + len(PROMPT) + row > size[1], way
        assert count >= 2


@cases("way", ["kitty", "octants", "sextants", "blocks"])
@cases("size", SIZES)
def test_photos_that_are_gone_take_a_line_more(size, way):
    _, text = shown(screen(size, way, Faulty), make_result(100))
    assert text.count("\n") + len(PROMPT) <= size[1]
    assert ranks(text)[0] == 1


@cases("size", [(50, 20), (20, 10), (10, 6), (1, 1)])
@cases("way", WAYS)
def test_a_window_that_is_too_small_shows_something(size, way):
    count, _ = shown(screen(size, way), make_result(10))
    assert count >= 1


@cases("size", SIZES)
def test_paths_of_several_lines_in_a_table_count_as_such(size):
    hits = tuple(make_hit(rank, f"/photos/{'long/way/' * rank}{rank}.jpg") for rank in range(1, 31))
    count, text = shown(screen(size, "off"), replace(make_result(), hits=hits))
    assert text.count("\n") + len(PROMPT) <= size[1]
    assert ranks(text) == list(range(1, count + 1))


def test_what_is_told_below_stays_on_one_line():
    result = make_result(10, served_by="session 4242", timings=Timings(load=2100.0, reload=20.0))
    for way in ("off", "blocks"):
        _, text = shown(screen((50, 20), way), result)
        assert "session 4242" not in text
        assert text.count("\n") + len(PROMPT) <= 20


@cases("way", ["off", "sextants", "kitty"])
def test_every_size_from_50x20_holds_a_page_of_whole_rows_and_the_prompt(way, monkeypatch):
    for painter in (Cells, KittyPlaceholders):  # what is drawn does not matter, the rows that it takes do
        monkeypatch.setattr(painter, "paint", lambda self, sheet: "\n" * sheet.rows)
    for columns, rows in itertools.product(range(50, 141, 9), range(20, 61, 4)):
        number, text = shown(screen((columns, rows), way), make_result(10))
        assert text.count("\n") + len(PROMPT) <= rows, (columns, rows)
        assert ranks(text) == list(range(1, number + 1)), (columns, rows)


def test_a_dumb_terminal_is_told_once_that_it_draws_no_pictures():
    page = screen((80, 24), "on")
    page.previews = Previews(page.console, PaintedThumbnailer, setting="on", environment={"TERM": "dumb"})
    texts = [shown(page, make_result(3))[1] for _ in range(2)]
    assert ["TERM=dumb draws no pictures" in text for text in texts] == [True, False]
