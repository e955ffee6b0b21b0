"""Pictures that show nothing the plain way: few bits of many in use, white on clear, films that begin black."""

import io
import struct
import zlib

import heic
import numpy as np
import pytest
import tiffs
from cases import cases
from PIL import Image, ImageDraw

from photomap_cli.images import animation
from photomap_cli.images.decode import ReadOptions, read_stream
from photomap_cli.images.preprocess import PixelFit

SIZE = (48, 32)
FIT = PixelFit(SIZE[::-1], "squash")


def saved(image, format, **options):
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def pixels(content):
    return np.asarray(read_stream(io.BytesIO(content), FIT).image, int)


def error(content, expected):
    return np.abs(pixels(content) - np.asarray(expected.convert("RGB"), int)).mean()


def deep(image, bits):
    """Return levels (h, w[, 3]) of so many bits."""
    return np.rint(np.asarray(image, float) * ((1 << bits) - 1) / 255).astype(np.uint16)


def deep_png(levels, *, kind):
    """Return a 16-bit PNG of levels (h, w, bands); kind 2 is RGB, 4 grey with alpha, 6 RGBA."""
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in levels)
    header = struct.pack(">IIBBBBB", levels.shape[1], levels.shape[0], 16, kind, 0, 0, 0)
    content = b"\x89PNG\r\n\x1a\n"
    for name, data in ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")):
        content += struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
    return content


# Bits in use


@cases("bits", [8, 10, 12, 14, 16])
@cases("format", ["PNG", "TIFF"])
def test_deep_greys_are_seen_by_the_bits_in_use(bits, format):
    grey = heic.upright().convert("L")
    assert error(saved(Image.fromarray(deep(grey, bits)), format), grey) < 2


@pytest.mark.parametrize("bits", [10, 12, 14, 16])
def test_deep_greys_that_count_from_white_are_too(bits):
    grey = heic.upright().convert("L")
    assert error(tiffs.greys_counted_from_white(65535 - (deep(grey, bits).max() - deep(grey, bits))), grey) < 2


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
def test_deep_colours_are_seen_by_the_bits_in_use(bits):
    levels = deep(heic.upright(), bits)
    opaque = np.full((*levels.shape[:2], 1), 65535)
    few = np.full((*levels.shape[:2], 1), (1 << bits) - 1)
    assert error(deep_png(levels, kind=2), heic.upright()) < 2
    assert error(deep_png(np.concatenate([levels, opaque], 2), kind=6), heic.upright()) < 2
    assert error(deep_png(np.concatenate([levels, few], 2), kind=6), heic.upright()) < 2
    assert bits < 12 or error(tiffs.deep_planes(levels), heic.upright()) < 10  # by the upper byte alone
    ppm = b"P6 %d %d 65535\n" % SIZE + levels.astype(">u2").tobytes()
    assert error(ppm, heic.upright()) < 2


def test_deep_greys_with_alpha_are_seen_too():
    grey = heic.upright().convert("L")
    levels = np.dstack([deep(grey, 12), np.full(SIZE[::-1], 65535, np.uint16)])
    assert error(deep_png(levels, kind=4), grey) < 12


def test_pixels_that_are_stuck_hide_nothing():
    grey = heic.upright().convert("L").resize((96, 64))
    levels = deep(grey, 12)
    levels[3, 3] = levels[40, 7] = 65535
    assert error(saved(Image.fromarray(levels), "PNG"), grey.resize(SIZE)) < 4


@pytest.mark.parametrize(
    "levels",
    [
        lambda grey: grey / 255,
        lambda grey: grey.astype(float),
        lambda grey: grey / 85,
        lambda grey: grey / 255 / 50,
        lambda grey: grey / 255 - 1,
        lambda grey: np.where(grey == grey.max(), np.inf, grey / 255),
    ],
    ids=["of 1", "of 255", "beyond 1", "dark", "below 0", "endless"],
)
def test_floats_of_any_range_are_seen(levels):
    grey = heic.upright().convert("L")
    content = saved(Image.fromarray(levels(np.asarray(grey)).astype(np.float32)), "TIFF")
    assert error(content, grey) < 15


def test_what_is_black_stays_black():
    for image in (Image.fromarray(np.zeros((32, 48), np.uint16)), Image.fromarray(np.full((32, 48), 2, np.uint16))):
        assert pixels(saved(image, "PNG")).max() <= 2
    assert pixels(deep_png(np.zeros((32, 48, 3), np.uint16), kind=2)).max() == 0


# On what the clear lies


def drawing(ink, *, alpha=255):
    image = Image.new("RGBA", (200, 120), (*ink[:3], 0))
    ImageDraw.Draw(image).ellipse((60, 20, 140, 100), fill=(*ink[:3], alpha))
    return image


@pytest.mark.parametrize("ink", [(255, 255, 255), (240, 240, 235)])
@pytest.mark.parametrize("format", ["PNG", "WEBP", "GIF", "TIFF"])
def test_white_on_clear_is_seen(ink, format):
    shown = pixels(saved(drawing(ink), format, lossless=True))
    assert shown[16, 24].min() > 220
    assert shown[0, 0].max() < 30


@pytest.mark.parametrize("ink", [(0, 0, 0), (200, 30, 30), (120, 160, 120)])
def test_all_else_on_clear_lies_on_white(ink):
    shown = pixels(saved(drawing(ink), "PNG"))
    assert shown[0, 0].min() > 250
    assert np.abs(shown[16, 24] - ink).max() < 3


def test_grey_with_alpha_and_a_white_palette_are_seen_too():
    assert pixels(saved(drawing((255,) * 3).convert("LA"), "PNG"))[0, 0].max() < 30
    palette = Image.new("P", (48, 32), 0)
    palette.putpalette([255] * 6)
    palette.paste(1, (12, 8, 36, 24))
    shown = pixels(saved(palette, "PNG", transparency=0))
    assert (shown[0, 0].max() < 30, shown[16, 24].min() > 220) == (True, True)


def test_a_picture_whose_transparency_was_never_written_is_seen():
    picture = heic.upright().convert("RGBA")
    picture.putalpha(0)
    assert error(saved(picture, "PNG"), heic.upright()) == 0


def test_the_thumbnail_shows_what_the_encoder_sees():
    read = read_stream(io.BytesIO(saved(drawing((255, 255, 255)), "PNG")), FIT, ReadOptions(thumbnail_px=48))
    thumbnail = np.asarray(Image.open(io.BytesIO(read.thumbnail)).convert("RGB"), int)
    assert (thumbnail[0, 0].max() < 30, thumbnail[14, 24].min() > 200) == (True, True)


# Films


def film(format, *frames):
    return saved(frames[0], format, save_all=True, append_images=frames[1:], lossless=True, duration=40)


@cases("format", ["GIF", "WEBP", "PNG", "AVIF"])
@cases("blank", ["black", "white"])
@cases("count", [1, 3, 40])
def test_a_film_that_begins_blank_is_seen(format, blank, count):
    # No two are equal, as a writer leaves out what is.
    blanks = [Image.new("RGB", SIZE, blank) for _ in range(count)]
    for number, frame in enumerate(blanks):
        frame.putpixel((number, 0), (9, 9, 9) if blank == "black" else (240, 240, 240))
    shown = heic.upright(), heic.upright().rotate(180)
    content = film(format, *blanks, *shown)
    assert min(error(content, each) for each in shown) < 12


def test_a_film_that_fades_in_is_seen():
    steps = [heic.upright().point([round(level * part / 20) for level in range(256)] * 3) for part in range(21)]
    assert pixels(film("GIF", *steps)).std() > 0.9 * pixels(saved(steps[-1], "PNG")).std()


def test_a_film_that_fades_out_again_is_taken_where_it_is_clearest():
    steps = [heic.upright().point([round(level * part / 9) for level in range(256)] * 3) for part in (0, 3, 6, 9, 6, 3)]
    assert error(film("PNG", *steps), steps[3]) < 2


def test_the_first_picture_of_a_film_that_shows_something_counts():
    assert error(film("PNG", heic.upright(), heic.upright().rotate(180)), heic.upright()) < 2


def test_a_film_that_is_damaged_further_on_is_seen_by_what_is_before():
    black = [Image.new("RGB", SIZE, (level, 0, 0)) for level in range(4)]
    content = film("PNG", *black, heic.upright())
    at = content.rindex(b"fdAT") + 8
    spoilt = content[:at] + bytes(40) + content[at + 40 :]
    assert pixels(spoilt).max() < 12


def test_looking_for_a_picture_ends():
    times = iter(range(0, 1000, 3))
    black = [Image.new("RGB", SIZE, (level, 0, 0)) for level in range(30)]
    with Image.open(io.BytesIO(film("PNG", *black, heic.upright()))) as opened:
        found = animation.representative_frame(opened, lambda: float(next(times)))
    assert np.asarray(found.convert("RGB")).max() < 12
