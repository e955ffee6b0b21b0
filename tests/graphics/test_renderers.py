"""What each way of drawing sends is decoded again and compared with the sheet."""

import io
import itertools
import re
import unicodedata
from itertools import pairwise

import pytest

pytest.importorskip("pyte")

import numpy as np
import picture_decoders as decoded
from PIL import Image, ImageChops, ImageStat

from photomap_cli.graphics.block_glyphs import HALVES, OCTANTS, QUADRANTS, SEXTANTS
from photomap_cli.graphics.cells import Cells, fit
from photomap_cli.graphics.contact_sheet import compose
from photomap_cli.graphics.iterm2 import Iterm2
from photomap_cli.graphics.kitty import Album, Kitty
from photomap_cli.graphics.kitty_placeholders import NUMBERS, KittyPlaceholders
from photomap_cli.graphics.layout import Layout
from photomap_cli.graphics.protocol_choice import ColourDepth
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


EVERY_GLYPHS = pytest.mark.parametrize("glyphs", [HALVES, QUADRANTS, SEXTANTS, OCTANTS], ids=lambda glyphs: glyphs.name)


@EVERY_GLYPHS
def test_every_pattern_has_one_character_and_is_that_of_its_name(glyphs):
    count = glyphs.width * glyphs.height
    assert len(glyphs.glyphs) == len(set(glyphs.glyphs)) == 1 << count
    assert sorted([*glyphs.patterns, *((1 << count) - 1 - pattern for pattern in glyphs.patterns)]) == list(
        range(1 << count)
    )
    for pattern, glyph in enumerate(glyphs.glyphs):
        kind, _, blocks = unicodedata.name(glyph, "").rpartition("-")
        if kind.endswith(("SEXTANT", "OCTANT")):
            assert pattern == sum(1 << int(block) - 1 for block in blocks)


@pytest.mark.parametrize(
    ("blocks", "glyph"),
    # As the standard's charts have them, first and last and at the places where the range leaves some out.
    [
        ("3", 0x1CD00), ("23", 0x1CD01), ("123", 0x1CD02), ("4", 0x1CD03), ("14", 0x1CD04), ("124", 0x1CD05),
        ("34", 0x1CD06), ("134", 0x1CD07), ("234", 0x1CD08), ("5", 0x1CD09), ("15", 0x1CD0A), ("25", 0x1CD0B),
        ("2345678", 0x1CDE5), ("1", 0x1CEA8), ("2", 0x1CEAB), ("7", 0x1CEA3), ("8", 0x1CEA0), ("35", 0x1FBE6),
        ("46", 0x1FBE7), ("12", 0x1FB82), ("123456", 0x1FB85), ("1234", 0x2580), ("1357", 0x258C), ("2468", 0x2590),
        ("5678", 0x2584), ("78", 0x2582), ("345678", 0x2586), ("13", 0x2598), ("24", 0x259D), ("57", 0x2596),
        ("1256", 0x1CD2A), ("3568", 0x1CDA0), ("", 0x20), ("12345678", 0x2588),
    ],
)  # fmt: skip
def test_octants_are_numbered_as_in_unicode(blocks, glyph):
    assert ord(OCTANTS.glyphs[sum(1 << int(block) - 1 for block in blocks)]) == glyph


def shown(text, sheet, glyphs):
    return decoded.blocks(text, sheet.columns, sheet.rows + 1, glyphs).crop((0, 0, *sheet.image.size))


@EVERY_GLYPHS
def test_blocks_are_the_sheets_pixels_and_the_gaps_are_the_terminals(glyphs):
    painter = Cells(glyphs)
    sheet = sheet_for(painter)
    text = painter.paint(sheet)
    assert text.count("\n") == sheet.rows
    image = shown(text, sheet, glyphs)
    assert image.getchannel("A").tobytes() == sheet.image.getchannel("A").tobytes()
    assert difference(image, sheet.image) < 2  # a cell that is not all there has one colour, also where a photo has two
    assert all(line.endswith("\x1b[0m") for line in text.splitlines())


def test_half_blocks_are_exact():
    sheet = sheet_for(Cells(HALVES))
    assert shown(Cells(HALVES).paint(sheet), sheet, HALVES).tobytes() == sheet.image.tobytes()


@EVERY_GLYPHS
def test_a_cells_two_colours_are_those_with_the_least_error(glyphs):
    rng = np.random.default_rng(7)
    count = glyphs.width * glyphs.height
    cells = rng.integers(0, 256, (40, count, 3)).astype(np.float32)
    fitted = fit(cells, np.ones((40, count), dtype=bool), glyphs)
    for number, pixels in enumerate(cells):
        inked = fitted.patterns[number] >> np.arange(count) & 1
        found = np.where(inked[:, None], fitted.ink[number], fitted.paper[number])
        assert ((found - pixels) ** 2).sum() == pytest.approx(least_error(pixels), rel=1e-4)


def least_error(pixels):
    """The least squared error of two colours, by trying every division."""
    errors = []
    for division in itertools.product((False, True), repeat=len(pixels)):
        parts = [part for part in (pixels[np.array(division)], pixels[~np.array(division)]) if len(part)]
        errors.append(sum(((part - part.mean(0)) ** 2).sum() for part in parts))
    return min(errors)


@EVERY_GLYPHS
@pytest.mark.parametrize(
    ("colours", "escapes", "most"), [(ColourDepth.INDEXED, "[34]8;5;", 16), (ColourDepth.USUAL, r"(?:[349]|10)\d", 90)]
)
def test_where_colours_are_few_the_nearest_are_taken(colours, escapes, most, glyphs):
    painter = Cells(glyphs, colours=colours)
    sheet = sheet_for(painter)
    text = painter.paint(sheet)
    assert "8;2;" not in text
    changes = [
        change
        for sequence in re.findall(r"\x1b\[([\d;]+)m", text)
        for change in re.findall(r"\d+(?:;5;\d+)?", sequence)
    ]
    assert {change for change in changes if not re.match(escapes, change)} <= {"0", "39", "49"}
    if colours is ColourDepth.INDEXED:
        image = shown(text, sheet, glyphs)
        assert difference(image.convert("RGB"), sheet.image.convert("RGB")) < most
        assert image.getchannel("A").tobytes() == sheet.image.getchannel("A").tobytes()


def test_of_sixteen_colours_points_of_several_make_those_between():
    grey = Sheet(Image.new("RGBA", (40, 20), (64, 64, 64)), 20, 5)
    text = Cells(OCTANTS, colours=ColourDepth.USUAL).paint(grey)
    told = set(re.findall(r"\d+", text))
    assert told & {"30", "40"}, "black"
    assert told & {"90", "100"}, "grey"


@EVERY_GLYPHS
def test_without_colours_there_is_no_escape_sequence_and_ink_is_light(glyphs):
    size = (10 * glyphs.width, 5 * glyphs.height)
    greys = Sheet(Image.linear_gradient("L").resize(size).convert("RGBA"), 10, 5)
    texts = [Cells(glyphs, colours=ColourDepth.NONE, on_light=on_light).paint(greys) for on_light in (False, True)]
    assert all("\x1b" not in text and text.count("\n") == 5 for text in texts)
    inks = [
        [sum(glyphs.glyphs.index(letter).bit_count() for letter in line) for line in text.splitlines()]
        for text in texts
    ]
    assert inks[0][0] < inks[0][2] < inks[0][4]
    assert inks[1][0] > inks[1][2] > inks[1][4]


def test_a_sheet_of_many_cells_is_fitted_in_parts_that_fit_together():
    noise = Sheet(Image.effect_noise((60, 90), 90).convert("RGBA"), 30, 30)
    whole = Cells(SEXTANTS).paint(noise)
    rows = [Cells(SEXTANTS).paint(Sheet(noise.image.crop((0, y, 60, y + 3)), 30, 1)) for y in range(0, 90, 3)]
    assert whole == "".join(rows)
