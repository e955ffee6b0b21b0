"""What each way of drawing sends is decoded again and compared with the sheet."""

import io
import re
from itertools import pairwise

import pytest

pytest.importorskip("pyte")

import picture_decoders as decoded
from PIL import Image, ImageChops, ImageStat

from photomap_cli.graphics.ascii import RAMP, Ascii
from photomap_cli.graphics.contact_sheet import compose
from photomap_cli.graphics.half_blocks import HalfBlocks
from photomap_cli.graphics.iterm2 import Iterm2
from photomap_cli.graphics.kitty import Album, Kitty
from photomap_cli.graphics.kitty_placeholders import NUMBERS, KittyPlaceholders
from photomap_cli.graphics.layout import Layout
from photomap_cli.graphics.renderer import Sheet
from photomap_cli.graphics.sixel import Sixel
from photomap_cli.graphics.tmux import wrap
from photomap_cli.records import Thumbnail

CELL = (10, 20)
LAYOUT = Layout(3, 12, 5)


def photo(size, colours):
    """A photo of two colours, one above the other."""
    image = Image.new("RGB", size, colours[0])
    image.paste(colours[1], (0, size[1] // 2, *size))
    file = io.BytesIO()
    image.save(file, "WEBP", lossless=True)
    return Thumbnail(file.getvalue())


PHOTOS = (
    photo((120, 80), ((250, 20, 20), (20, 20, 250))),
    photo((80, 120), ((20, 200, 20), (230, 230, 230))),
    Thumbnail(fault="no longer there"),
)


def sheet_for(painter):
    return compose(PHOTOS, LAYOUT, painter.grid)


def difference(one, other):
    """The mean distance of two pictures' pixels, from 0 to 255."""
    return sum(ImageStat.Stat(ImageChops.difference(one, other)).mean) / len(one.getbands())


def test_kitty_sends_the_sheet_itself_and_leaves_the_cursor_where_it_was_put():
    painter = Kitty(CELL)
    sheet = sheet_for(painter)
    rows, drawing = decoded.drawn_over(painter.paint(sheet))
    ((keys, image),) = decoded.kitty(drawing)
    assert rows == sheet.rows == 5
    assert {name: keys[name] for name in ("a", "C", "f", "c", "r", "q")} == {
        "a": "T",
        "C": "1",
        "f": "100",
        "c": str(sheet.columns),
        "r": "5",
        "q": "2",
    }
    assert image.mode == "RGBA"
    assert image.tobytes() == sheet.image.tobytes()


def test_a_large_picture_goes_in_pieces():
    noise = Image.effect_noise((300, 200), 90).convert("RGBA")
    text = Kitty(CELL).paint(Sheet(noise, 30, 10))
    assert text.count("\x1b_G") > 10
    ((keys, image),) = decoded.kitty(text)
    assert keys["m"] == "0"
    assert image.tobytes() == noise.tobytes()


def test_placeholders_cover_every_cell_once_and_name_the_picture_that_was_sent():
    painter = KittyPlaceholders(CELL)
    sheet = sheet_for(painter)
    text = painter.paint(sheet)
    ((keys, image),) = decoded.kitty(text)
    assert (keys["a"], keys["U"]) == ("T", "1")
    assert image.tobytes() == sheet.image.tobytes()
    assert decoded.placeholders(text) == {
        (row, column): (int(keys["i"]), row, column) for row in range(sheet.rows) for column in range(sheet.columns)
    }
    assert text.endswith("\x1b[39m\n")


def test_the_marks_are_the_protocols():
    assert len(NUMBERS) == len(set(NUMBERS)) == 297
    assert (NUMBERS[:3], NUMBERS[296]) == ("\u0305\u030d\u030e", "\U0001d244")
    assert all(one < other for one, other in pairwise(NUMBERS))


def test_through_tmux_each_command_is_wrapped_and_the_letters_are_not():
    painter = KittyPlaceholders(CELL, wrap=wrap)
    text = painter.paint(sheet_for(painter))
    inner = re.sub(r"\x1bPtmux;((?:[^\x1b]|\x1b\x1b)*)\x1b\\", lambda m: m[1].replace("\x1b\x1b", "\x1b"), text)
    assert "\x1bPtmux" not in inner
    ((keys, _),) = decoded.kitty(inner)
    assert {number for number, _, _ in decoded.placeholders(inner).values()} == {int(keys["i"])}


@pytest.mark.parametrize("kind", [Kitty, KittyPlaceholders])
def test_old_pictures_are_deleted_so_that_the_terminal_holds_a_bounded_number(kind):
    sheet = sheet_for(Kitty(CELL))
    size = sheet.image.width * sheet.image.height * 4
    painter = kind(CELL, album=Album(2 * size))
    sent, deleted = [], []
    for _ in range(5):
        for keys, _ in decoded.kitty(painter.paint(sheet)):
            (sent if keys["a"] == "T" else deleted).append(keys["i"])
            assert keys["a"] == "T" or keys["d"] == "I"
    assert len(set(sent)) == 5
    assert deleted == sent[:3]


def test_iterm2_sends_one_file_of_the_sheet_on_the_terminals_own_colour():
    painter = Iterm2(CELL, (250, 250, 210))
    sheet = sheet_for(painter)
    rows, drawing = decoded.drawn_over(painter.paint(sheet))
    keys, image = decoded.iterm2(drawing)
    assert keys["inline"] == "1"
    assert (int(keys["width"]), int(keys["height"])) == (sheet.columns, rows)
    expected = Image.new("RGB", sheet.image.size, (250, 250, 210))
    expected.paste(sheet.image, mask=sheet.image.getchannel("A"))
    assert image.format == "JPEG"
    assert difference(image, expected) < 2


def test_sixel_draws_the_sheet_and_nothing_between_the_photos():
    painter = Sixel(CELL)
    sheet = sheet_for(painter)
    rows, drawing = decoded.drawn_over(painter.paint(sheet))
    image = decoded.sixel(drawing)
    assert rows == 5
    assert image.size == sheet.image.size
    assert image.getchannel("A").tobytes() == sheet.image.getchannel("A").tobytes()
    assert difference(image.convert("RGB"), sheet.image.convert("RGB")) < 3


def test_sixel_keeps_to_the_colours_there_are():
    noise = Image.effect_noise((60, 40), 90).convert("RGBA")
    text = Sixel(CELL, colours=16).paint(Sheet(noise, 6, 2))
    assert len(set(re.findall(r"#(\d+);2;", text))) <= 16
    assert decoded.sixel(decoded.drawn_over(text)[1]).getchannel("A").getextrema() == (255, 255)


def test_blocks_are_the_sheets_pixels_and_the_gaps_are_the_terminals():
    painter = HalfBlocks()
    sheet = sheet_for(painter)
    text = painter.paint(sheet)
    assert text.count("\n") == sheet.rows
    image = decoded.blocks(text, sheet.columns, sheet.rows + 1).crop((0, 0, *sheet.image.size))
    assert image.tobytes() == sheet.image.tobytes()
    assert all(line.endswith("\x1b[0m") for line in text.splitlines())


def test_blocks_in_256_colours_are_the_nearest_of_them():
    painter = HalfBlocks(has_all_colours=False)
    sheet = sheet_for(painter)
    text = painter.paint(sheet)
    assert "38;2;" not in text
    assert "48;2;" not in text
    image = decoded.blocks(text, sheet.columns, sheet.rows + 1).crop((0, 0, *sheet.image.size))
    assert difference(image.convert("RGB"), sheet.image.convert("RGB")) < 16
    assert image.getchannel("A").tobytes() == sheet.image.getchannel("A").tobytes()


def test_letters_are_ascii_and_darker_where_the_photo_is():
    greys = Image.linear_gradient("L").resize((10, 5)).convert("RGBA")
    text = Ascii().paint(Sheet(greys, 10, 5))
    assert text.isascii()
    assert "\x1b" not in text
    inks = [RAMP.index(line[0]) if line else 0 for line in text.splitlines()]
    assert inks == sorted(inks)
    assert inks[-1] > inks[0]
    on_light = Ascii(on_light=True).paint(Sheet(greys, 10, 5))
    assert RAMP.index(on_light[0]) > RAMP.index(on_light.splitlines()[-1][0])
