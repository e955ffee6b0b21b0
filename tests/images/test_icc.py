import struct
import zlib

import icc_profiles as profiles
import numpy as np
import pytest
from cases import cases
from PIL import Image, ImageCms

from photomap_cli.images.decode import read
from photomap_cli.images.icc import in_srgb, rgb
from photomap_cli.images.preprocess import PixelFit

COLOURS = np.array(
    [
        (0, 0, 0),
        (255, 255, 255),
        (128, 128, 128),
        (200, 60, 40),
        (60, 180, 90),
        (30, 60, 160),
        (220, 200, 90),
        (90, 40, 110),
    ]
)


def patches():
    return Image.fromarray(COLOURS.astype(np.uint8).reshape(2, 4, 3)).resize((64, 32), Image.Resampling.NEAREST)


def colours_of(image):
    return np.asarray(image, int)[4::16, 4::16][:2, :4].reshape(-1, 3)


def read_back(path):
    return read(path, PixelFit((32, 64), "squash")).image


@cases("suffix", ["png", "jpg", "webp", "tiff", "avif"])
@cases("space", [profiles.DISPLAY_P3, profiles.ADOBE_RGB])
def test_a_wide_space_becomes_srgb(tmp_path, space, suffix):
    path = tmp_path / f"a.{suffix}"
    options = {"quality": 100, "icc_profile": profiles.rgb_profile(space)}
    patches().save(path, **options)
    expected = profiles.in_srgb(COLOURS, space)
    assert np.abs(expected - COLOURS).max() > 15  # there is something to be done
    np.testing.assert_allclose(colours_of(read_back(path)), expected, atol=2 if suffix in {"png", "tiff"} else 8)


@pytest.mark.parametrize("profile", [b"", b"no profile", profiles.rgb_profile(profiles.SRGB)[:200], None])
def test_a_damaged_profile_is_as_good_as_none(profile):
    np.testing.assert_array_equal(colours_of(in_srgb(patches(), profile)), COLOURS)


def test_srgb_itself_stays_as_it_is():
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    image = patches()
    assert in_srgb(image, profile) is image


def test_a_profile_of_another_space_than_the_pixels_is_not_followed():
    np.testing.assert_array_equal(colours_of(in_srgb(patches(), profiles.cmyk_profile((0, 0, 0)))), COLOURS)
    grey = patches().convert("L")
    np.testing.assert_array_equal(np.asarray(rgb(grey, profiles.rgb_profile(profiles.ADOBE_RGB)))[..., 0], grey)


@pytest.mark.parametrize("suffix", ["jpg", "tiff"])
def test_inks_look_as_their_press_prints_them(tmp_path, suffix):
    inks = Image.new("CMYK", (64, 32), (255, 0, 0, 0))
    inks.paste((0, 0, 0, 0), (32, 0, 64, 32))
    plain, printed = tmp_path / f"plain.{suffix}", tmp_path / f"printed.{suffix}"
    inks.save(plain)
    inks.save(printed, icc_profile=profiles.cmyk_profile(ink=(135, 208, 195)))  # L* 53, a* 80, b* 67: red
    assert read_back(plain).getpixel((8, 16)) == pytest.approx((0, 255, 255), abs=3)
    assert read_back(printed).getpixel((8, 16)) == pytest.approx((255, 0, 0), abs=12)
    assert read_back(printed).getpixel((56, 16)) == pytest.approx((255, 255, 255), abs=3)


def test_lab_is_read_without_a_profile(tmp_path):
    lab = Image.merge("LAB", [Image.new("L", (32, 32), value) for value in (135, 208, 195)])
    lab.save(tmp_path / "a.tiff")
    assert read_back(tmp_path / "a.tiff").getpixel((16, 16)) == pytest.approx((255, 0, 0), abs=12)


def test_transparency_and_palettes_keep_their_profile(tmp_path):
    profile = profiles.rgb_profile(profiles.ADOBE_RGB)
    expected = profiles.in_srgb(COLOURS, profiles.ADOBE_RGB)
    for mode in ("RGBA", "P"):
        patches().convert(mode, palette=Image.Palette.ADAPTIVE).save(tmp_path / "a.png", icc_profile=profile)
        np.testing.assert_allclose(colours_of(read_back(tmp_path / "a.png")), expected, atol=4)


def test_16_bits_a_channel_are_read(tmp_path):
    """Pillow writes no such PNG or TIFF."""
    values = np.linspace(0, 65535, 16 * 3).reshape(4, 4, 3).astype(">u2")
    (tmp_path / "a.ppm").write_bytes(b"P6 4 4 65535\n" + values.tobytes())
    (tmp_path / "a.png").write_bytes(_png16(values))
    for name in ("a.ppm", "a.png"):
        pixels = np.asarray(read(tmp_path / name, PixelFit((4, 4), "squash")).image, float)
        np.testing.assert_allclose(pixels, values / 257, atol=1)


def _png16(values):
    height, width, _ = values.shape
    rows = b"".join(b"\0" + row.tobytes() for row in values)
    header = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    png = b"\x89PNG\r\n\x1a\n"
    for kind, data in ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")):
        png += struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    return png
