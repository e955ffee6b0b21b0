"""Pictures drawn after the letters: what the screen shows, cell by cell, and what is written to it."""

from __future__ import annotations

import picture_decoders
import pyte
import pytest
from terminal_fakes import PaintedThumbnailer, colour_of

from photomap_cli.browse.canvas import Canvas
from photomap_cli.browse.grid import Box
from photomap_cli.browse.pictures import Picture, drawn
from photomap_cli.graphics.block_glyphs import HALVES
from photomap_cli.graphics.cells import Cells
from photomap_cli.graphics.iterm2 import Iterm2
from photomap_cli.graphics.kitty import Kitty
from photomap_cli.graphics.kitty_placeholders import PLACEHOLDER, KittyPlaceholders
from photomap_cli.graphics.sixel import Sixel

CELL = (10, 20)
PAINTERS = [
    Cells(HALVES, CELL),
    Sixel(CELL),
    Kitty(CELL),
    Iterm2(CELL, (0, 0, 0)),
    KittyPlaceholders(CELL),
]
LEFT, RIGHT = Box(0, 2, 16, 5), Box(17, 2, 16, 5)


def picture(path, box=LEFT):
    return Picture(path, box.columns, box.rows)


def pictures(painter, **boxes):
    """Return what belongs where: `left="/a.jpg"`."""
    places = {"left": LEFT, "right": RIGHT}
    wanted = {}
    for name, path in boxes.items():
        box = places[name]
        (thumbnail,) = PaintedThumbnailer().thumbnails([path])
        wanted[box] = (picture(path, box), drawn(thumbnail, picture(path, box), painter))
    return wanted


def all_blank(x, y):
    return True


@pytest.mark.parametrize("painter", PAINTERS, ids=lambda painter: painter.name)
class TestEveryWayOfDrawing:
    def test_a_picture_is_drawn_once_and_the_cursor_comes_back(self, painter):
        canvas, wanted = Canvas(painter), pictures(painter, left="/a.jpg")
        text = canvas.change(wanted, all_blank)
        assert text.startswith("\x1b7")
        assert text.endswith("\x1b[0m\x1b8")
        assert "\n" not in text  # it would scroll, or go to the first column
        assert canvas.change(wanted, all_blank) == ""

    def test_after_the_screen_was_erased_it_is_drawn_again(self, painter):
        canvas, wanted = Canvas(painter), pictures(painter, left="/a.jpg")
        first = canvas.change(wanted, all_blank)
        canvas.forget()
        assert len(canvas.change(wanted, all_blank)) == len(first)

    def test_only_what_has_changed_is_drawn(self, painter):
        canvas = Canvas(painter)
        canvas.change(pictures(painter, left="/a.jpg", right="/b.jpg"), all_blank)
        text = canvas.change(pictures(painter, left="/a.jpg", right="/c.jpg"), all_blank)
        assert "\x1b[3;18H" in text or "\x1b[4;18H" in text
        assert "\x1b[3;1H" not in text

    def test_a_picture_that_goes_is_taken_away(self, painter):
        canvas = Canvas(painter)
        canvas.change(pictures(painter, left="/a.jpg"), all_blank)
        text = canvas.change({}, all_blank)
        assert text.count("\x1b[X") == LEFT.columns * LEFT.rows
        assert ("a=d,d=P,x=1,y=3" in text) == (painter.name == "kitty")
        assert canvas.change({}, all_blank) == ""

    def test_a_menu_is_not_drawn_over_and_what_it_hid_comes_back(self, painter):
        canvas, wanted = Canvas(painter), pictures(painter, left="/a.jpg", right="/b.jpg")
        canvas.change(wanted, all_blank)
        over_left = lambda x, y: not (x < 5 and y < 4)  # noqa: E731
        hidden = canvas.change(wanted, over_left, has_menu=True)
        assert ("a=d,d=P" in hidden) == (painter.name == "kitty")  # else the picture would lie on the menu
        assert canvas.change(wanted, over_left, has_menu=True) == ""
        again = canvas.change(wanted, all_blank)
        assert "\x1b[3;1H" in again or "\x1b[4;1H" in again
        assert "\x1b[3;18H" not in again


@pytest.mark.parametrize("painter", PAINTERS, ids=lambda painter: painter.name)
def test_what_a_terminal_makes_of_it_is_the_photo_in_its_place(painter):
    text = Canvas(painter).change(pictures(painter, left="/a.jpg"), all_blank)
    if painter.name == "sixel":
        made = picture_decoders.sixel(text)
    elif painter.name == "iterm2":
        keys, made = picture_decoders.iterm2(text)
        assert int(keys["width"]) <= LEFT.columns
        assert int(keys["height"]) == LEFT.rows
    elif painter.name.startswith("kitty"):
        ((keys, made),) = picture_decoders.kitty(text)
        assert int(keys["c"]) <= LEFT.columns
        assert int(keys["r"]) == LEFT.rows
    else:
        screen = pyte.Screen(40, 10)
        pyte.Stream(screen).feed(text)
        made = picture_decoders.pixels_on(screen).crop((0, 4, 13, 14))
    assert made.convert("RGB").getpixel((made.width // 2, made.height // 2)) == pytest.approx(
        colour_of("/a.jpg"), abs=8
    )


def test_half_blocks_fill_their_places_and_nothing_else():
    painter = PAINTERS[0]
    screen = pyte.Screen(40, 10)
    stream = pyte.Stream(screen)
    for y in range(10):
        stream.feed(f"\x1b[{y + 1};1H{'.' * 40}")
    canvas = Canvas(painter)
    stream.feed(canvas.change(pictures(painter, left="/a.jpg", right="/b.jpg"), all_blank))
    inside = {(x, y) for box in (LEFT, RIGHT) for x in range(box.x, box.x + 16) for y in range(2, 7)}
    kept = {(x, y) for y, line in enumerate(screen.display) for x, letter in enumerate(line) if letter == "."}
    assert kept == {(x, y) for x in range(40) for y in range(10)} - inside
    stream.feed(canvas.change(pictures(painter, left="/b.jpg"), all_blank))
    assert set(screen.display[4][17:33]) == {" "}
    assert screen.buffer[4][20].bg == "default"


def test_what_letters_have_taken_is_not_erased():
    painter = PAINTERS[0]
    canvas = Canvas(painter)
    canvas.change(pictures(painter, left="/a.jpg"), all_blank)
    text = canvas.change({}, lambda x, y: y != 4)
    assert text.count("\x1b[X") == LEFT.columns * (LEFT.rows - 1)
    assert "\x1b[5;" not in text


def test_a_sixel_lies_above_its_caption_and_within_its_place():
    text = Canvas(Sixel(CELL)).change(pictures(Sixel(CELL), left="/a.jpg"), all_blank)
    width, height = map(int, text.partition('"1;1;')[2].partition("#")[0].split(";"))
    top = int(text.partition("\x1b[")[2].partition(";")[0])
    assert (top - 1) * 20 + height <= (LEFT.y + LEFT.rows) * 20
    assert width <= LEFT.columns * 10


def test_placeholders_stand_in_every_row_of_the_picture():
    text = Canvas(PAINTERS[4]).change(pictures(PAINTERS[4], left="/a.jpg"), all_blank)
    assert text.count(PLACEHOLDER) % 5 == 0
    assert text.count("\x1b_G") >= 1


def test_a_photo_that_cannot_be_shown_is_a_tile():
    drawing = drawn(PaintedThumbnailer().thumbnails(["/gone.jpg"])[0], picture("/gone.jpg"), PAINTERS[0])
    assert (drawing.rows, len(drawing.pieces)) == (5, 5)
