"""What a viewer would show of a damaged picture is read, and told; what shows nothing is refused."""

import io
from functools import cache

import heic
import numpy as np
import pytest
import tiffs
from cases import cases
from PIL import Image, ImageFile, features

from photomap_cli.errors import BadImage
from photomap_cli.images.decode import ReadOptions, read_stream
from photomap_cli.images.preprocess import PixelFit

SIZE = (300, 200)
FIT = PixelFit(SIZE[::-1], "squash")

WRITERS = {
    "jpg": ("JPEG", {}),
    "progressive": ("JPEG", {"progressive": True}),
    "inks": ("JPEG", {"mode": "CMYK"}),
    "png": ("PNG", {}),
    "clear": ("PNG", {"mode": "RGBA"}),
    "gif": ("GIF", {"interlace": False}),
    "interlaced": ("GIF", {"interlace": True}),
    "tiff": ("TIFF", {}),
    "bmp": ("BMP", {}),
    "ppm": ("PPM", {}),
    "jp2": ("JPEG2000", {}),
    "tiles": ("JPEG2000", {"no_jp2": True, "tile_size": (64, 64)}),
    "webp": ("WEBP", {}),
    "lossless": ("WEBP", {"lossless": True}),
    "avif": ("AVIF", {}),
}
BY_PASSES = {"progressive", "interlaced", "jp2"}
"""What is in the file first is all of the picture, but coarse."""


@cache
def whole(name):
    if name == "avif" and not features.check("avif"):
        pytest.skip("this Pillow reads no AVIF")
    format, options = WRITERS[name]
    noise = np.random.default_rng(0).integers(40, 215, (*SIZE[::-1], 3)).astype(np.uint8)
    image = Image.fromarray(noise).convert(options.get("mode", "RGB"))
    file = io.BytesIO()
    image.save(file, format, **{key: value for key, value in options.items() if key != "mode"})
    return file.getvalue()


def cut(name, share):
    return whole(name)[: int(len(whole(name)) * share)]


def read(content, **options):
    return read_stream(io.BytesIO(content), FIT, ReadOptions(**options))


def reason(content):
    with pytest.raises(BadImage) as caught:
        read(content)
    return caught.value.message


def likeness(name, picture):
    """Return which share of the rows, by tens, is as in the whole file."""
    differences = np.abs(np.asarray(picture.image, int) - np.asarray(read(whole(name)).image, int))
    return np.mean(differences.reshape(20, -1).mean(axis=1) < 3)


@cases("name", WRITERS)
def test_a_picture_without_its_last_bytes_is_read(name):
    picture = read(whole(name)[:-2])
    assert (picture.facts.width, picture.facts.height) == SIZE
    assert likeness(name, picture) >= (0.9 if name == "avif" else 0.95)
    assert picture.facts.damage is None or " 9" in picture.facts.damage or "nearly all" in picture.facts.damage


@cases("name", WRITERS)
@cases(("share", "least"), [(0.9, 0.6), (0.5, 0.3)])
def test_half_a_picture_is_read_and_told(name, share, least):
    picture = read(cut(name, share))
    assert "of it can be seen" in picture.facts.damage
    assert picture.facts.damage.startswith(("truncated; ", "damaged: its pixels are missing or cannot be decoded; "))
    assert name in BY_PASSES or likeness(name, picture) >= least
    told = picture.facts.damage.split("; ")[1].split(" %")[0]
    assert name in BY_PASSES | {"tiles"} or float(told) / 100 == pytest.approx(likeness(name, picture), abs=0.15)


@cases("name", sorted(WRITERS.keys() - BY_PASSES - {"tiles"}))
def test_what_is_cut_before_there_is_anything_to_see_is_refused(name):
    assert "%" not in reason(cut(name, 0.05)) or "only" in reason(cut(name, 0.05))
    for length in (20, 60, 200):
        assert reason(whole(name)[:length])


def test_nothing_is_told_of_a_whole_picture():
    for name in WRITERS:
        assert read(whole(name)).facts.damage is None


def test_what_is_missing_is_not_what_a_decoder_makes_up():
    for name in ("webp", "avif"):
        half = np.asarray(read(cut(name, 0.5)).image, int)
        assert np.abs(half[-40:] - 128).max() <= 1


def test_a_heic_is_read_as_far_as_it_goes():
    picture = read_stream(io.BytesIO(heic.LYING[:-20]), PixelFit((32, 48), "squash"))
    assert picture.facts.damage == "truncated; nearly all of it can be seen"
    assert reason(heic.LYING[:-200]).startswith("truncated")


def test_a_picture_damaged_in_the_middle_is_read_up_to_there():
    spoilt = bytearray(whole("png"))
    spoilt[len(spoilt) // 2 : len(spoilt) // 2 + 400] = bytes(400)
    picture = read(bytes(spoilt))
    assert picture.facts.damage.startswith("damaged: ")
    assert likeness("png", picture) > 0.4


def test_the_thumbnail_shows_what_there_is():
    thumbnail = Image.open(io.BytesIO(read(cut("jpg", 0.5), thumbnail_px=100).thumbnail))
    assert thumbnail.size == (100, 67)


def test_a_film_that_breaks_off_is_read():
    frames = [Image.fromarray(np.full((40, 60, 3), level, np.uint8)) for level in (0, 1)]
    frames += [heic.upright().resize((60, 40)).rotate(turn) for turn in range(0, 80, 4)]
    file = io.BytesIO()
    frames[0].save(file, "WEBP", save_all=True, append_images=frames[1:], lossless=True)
    for share in (0.9, 0.5, 0.3):
        picture = read(file.getvalue()[: int(len(file.getvalue()) * share)])
        assert np.asarray(picture.image).std() > 30
        assert picture.facts.damage == "truncated; nearly all of it can be seen"
    assert reason(file.getvalue()[:100]) == "truncated"


@pytest.mark.parametrize("packing", ["tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg"])
def test_a_tiff_that_lacks_the_last_of_its_table_is_read(packing):
    file = io.BytesIO()
    Image.open(io.BytesIO(whole("png"))).save(file, "TIFF", compression=packing)
    picture = read(file.getvalue()[:-2])
    assert picture.facts.damage.startswith("damaged")
    assert likeness("png", picture) > (0.6 if packing != "jpeg" else -1)


def test_a_tiff_that_lacks_its_table_is_refused():
    content = tiffs.old_jpeg(Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)))
    assert reason(content[: len(content) // 2])  # its table is at the end


def test_pillow_is_as_strict_as_before():
    read(cut("jpg", 0.5))
    assert ImageFile.LOAD_TRUNCATED_IMAGES is False


@pytest.mark.parametrize("name", sorted(WRITERS.keys() - BY_PASSES - {"tiff", "bmp", "ppm", "avif"}))
def test_what_was_never_copied_is_missing_though_the_file_is_long_enough(name):
    content = cut(name, 0.5)
    picture = read(content + bytes(max(5000, len(whole(name)) - len(content))))
    assert picture.facts.damage.startswith("truncated; ")
    assert likeness(name, picture) >= 0.3


def test_zeros_after_the_end_are_no_damage():
    for name in WRITERS:
        assert read(whole(name) + bytes(10_000)).facts.damage is None


@pytest.mark.parametrize("claimed", [0xFFFFFFFE, 0, 4])
def test_a_length_that_lies_is_not_believed(claimed):
    content = bytearray(cut("webp", 0.5))
    content[4:8] = claimed.to_bytes(4, "little")
    assert reason(bytes(content))


def test_what_is_no_picture_is_refused_as_before():
    assert reason(b"no picture") == "not a picture, or in a format that can't be read"
    assert reason(b"\xff\xd8\xff") == "a JPEG file that is damaged, or in a format that can't be read"
