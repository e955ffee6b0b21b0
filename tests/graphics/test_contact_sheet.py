import pytest
from cases import cases
from terminal_fakes import colour_of, painted

from photomap_cli.graphics.contact_sheet import compose
from photomap_cli.graphics.layout import GAP, Layout, row_layout, single_layout
from photomap_cli.graphics.renderer import Grid
from photomap_cli.records import Thumbnail

PIXELS, HALVES, LETTERS = Grid(10, 20), Grid(1, 2), Grid(1, 1, 0.5)


@pytest.mark.parametrize(
    ("columns", "pixels", "halves"),
    [
        (120, (6, 19), (4, 29)),
        (80, (4, 19), (3, 26)),
        (40, (2, 19), (2, 19)),
        (20, (1, 20), (1, 20)),
        (1, (1, 1), (1, 1)),
    ],
)
def test_how_many_stand_side_by_side(columns, pixels, halves):
    fine, coarse = row_layout(columns, 40, PIXELS), row_layout(columns, 40, HALVES)
    assert (fine.count, fine.columns) == pixels
    assert (coarse.count, coarse.columns) == halves


@cases("grid", [PIXELS, HALVES, LETTERS])
@cases("columns", range(1, 400, 7))
def test_a_row_never_needs_more_than_the_screen_has(columns, grid):
    layout = row_layout(columns, 24, grid)
    assert layout.count * (layout.columns + GAP) - GAP <= columns
    assert 1 <= layout.rows <= 24 - len(("figures", "names", "summary", "prompt", "bar"))
    assert single_layout(columns, 3) == Layout(1, columns, 1)


@pytest.mark.parametrize("grid", [PIXELS, HALVES, LETTERS])
def test_photos_stand_in_their_places_in_their_colours(grid):
    paths = ["/a.jpg", "/b.jpg", "/c.jpg"]
    layout = Layout(3, 20, 12)
    sheet = compose([painted(path, (320, 240)) for path in paths], layout, grid)
    assert sheet.image.size == (sheet.columns * grid.width, sheet.rows * grid.height)
    assert sheet.columns == 3 * 20 + 2 * GAP
    for number, path in enumerate(paths):
        left, bottom = number * (20 + GAP) * grid.width, sheet.image.height - 1
        assert sheet.image.getpixel((left + 2, bottom)) == (*colour_of(path), 255)
        if number:
            assert sheet.image.getpixel((left - 1, bottom))[3] == 0


@pytest.mark.parametrize(
    ("sides", "columns", "rows"), [((320, 240), 20, 8), ((240, 320), 18, 12), ((320, 32), 20, 1), ((3, 320), 1, 12)]
)
def test_a_sheet_is_no_larger_than_its_photos(sides, columns, rows):
    sheet = compose([painted("/a.jpg", sides)], Layout(1, 20, 12), PIXELS)
    assert (sheet.columns, sheet.rows) == (columns, rows)


@pytest.mark.parametrize("webp", [b"", b"damaged", painted("/a.jpg", (99, 99)).webp[:40]])
def test_what_cannot_be_shown_is_an_empty_tile(webp):
    sheet = compose([Thumbnail(webp), painted("/b.jpg", (320, 240))], Layout(2, 20, 12), PIXELS)
    red, green, blue, there = sheet.image.getpixel((100, sheet.image.height - 70))
    assert red == green == blue
    assert there == 255
