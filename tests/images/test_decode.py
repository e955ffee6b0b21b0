import hashlib
import io
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import permissions
import pytest
from cases import cases
from library_fakes import INFO, decode
from PIL import Image

from photomap_cli.errors import BadImage
from photomap_cli.images import decode as decode_module
from photomap_cli.images import memory_limits
from photomap_cli.images.decode import read_stream
from photomap_cli.images.preprocess import PixelFit

FIT = PixelFit((32, 32))
TURNED = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def asymmetric(size=(60, 40)):
    corners = Image.new("RGB", (3, 2))
    corners.putdata([(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0), (0, 255, 255), (255, 255, 255)])
    return corners.resize(size, Image.Resampling.BILINEAR)


def save(path, image, **options):
    image.save(path, **options)
    return path


def reason(path, **options):
    with pytest.raises(BadImage) as caught:
        decode(path, FIT, **options)
    assert "\n" not in caught.value.message
    return caught.value.message


@cases("suffix", ["jpg", "png", "webp", "tiff", "avif"])
@cases("turn", range(1, 9))
def test_all_orientations_give_the_same_picture(tmp_path, turn, suffix):
    if suffix == "avif" and "AVIF" not in Image.registered_extensions().values():
        return  # this Pillow writes none
    upright = asymmetric()
    stored = upright if TURNED[turn] is None else upright.transpose(TURNED[turn])
    exif = Image.Exif()
    exif[0x0112] = turn
    path = save(tmp_path / f"a.{suffix}", stored, exif=exif.tobytes())
    decoded = decode(path, PixelFit((32, 48), "squash"))
    expected = np.asarray(upright.resize((48, 32), Image.Resampling.BICUBIC), int)
    assert (decoded.facts.width, decoded.facts.height) == (60, 40)
    assert np.abs(decoded.pixels.astype(int) - expected).mean() < 6


def deep(mode):
    ramp = np.linspace(0, 65535, 40 * 40).reshape(40, 40)
    if mode == "F":
        return Image.fromarray((ramp / 65535).astype(np.float32))
    return Image.fromarray(ramp.astype(np.int32 if mode == "I" else np.uint16))


MODES = ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "I;16", "I", "F"]
WRITERS = {"CMYK": "tiff", "YCbCr": "jpg", "I": "tiff", "F": "tiff"}


@cases("mode", MODES)
def test_every_mode_becomes_rgb(tmp_path, mode):
    ramp = Image.fromarray(np.linspace(0, 255, 40 * 40).reshape(40, 40).astype(np.uint8))
    image = deep(mode) if mode in {"I;16", "I", "F"} else ramp.convert("RGB").convert(mode)
    decoded = decode(save(tmp_path / f"a.{WRITERS.get(mode, 'png')}", image), PixelFit((40, 40)))
    assert decoded.pixels.shape == (40, 40, 3)
    assert decoded.pixels.dtype == np.uint8
    expected = np.asarray(ramp, int)[..., None]
    assert np.abs(decoded.pixels - expected).mean() < {"1": 130, "P": 20}.get(mode, 6)
    assert decoded.pixels[0, 0].max() <= 8
    assert decoded.pixels[-1, -1].min() >= 245


def test_a_16_bit_pgm_is_not_white(tmp_path):
    values = np.linspace(0, 4095, 64).astype(">u2")
    (tmp_path / "a.pgm").write_bytes(b"P5 8 8 4095\n" + values.tobytes())
    pixels = decode(tmp_path / "a.pgm", PixelFit((8, 8))).pixels[..., 0]
    np.testing.assert_allclose(pixels.ravel(), np.linspace(0, 255, 64), atol=2)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "RGB"])
def test_transparency_lies_on_white(tmp_path, mode):
    image = Image.new("RGBA", (40, 40), (0, 0, 0, 0))
    image.paste((0, 0, 0, 255), (0, 0, 20, 40))
    options = {}
    if mode == "P":
        image, options = Image.new("P", (40, 40), 1), {"transparency": 1}
        image.putpalette([0, 0, 0, 9, 9, 9])
        image.paste(0, (0, 0, 20, 40))
    if mode == "RGB":
        image, options = Image.new("RGB", (40, 40), (9, 9, 9)), {"transparency": (9, 9, 9)}
        image.paste((0, 0, 0), (0, 0, 20, 40))
    pixels = decode(save(tmp_path / "a.png", image if mode in "PRGB" else image.convert(mode), **options), FIT).pixels
    assert pixels[:, :14].max() <= 5
    assert pixels[:, 18:].min() >= 250


def test_the_first_picture_of_an_animation_counts(tmp_path):
    frames = [Image.new("RGB", (40, 40), color) for color in ("red", "blue")]
    for name in ("a.gif", "a.webp", "a.png"):
        path = save(tmp_path / name, frames[0], save_all=True, append_images=frames[1:], lossless=True)
        assert decode(path, FIT).pixels[16, 16] == pytest.approx((255, 0, 0), abs=2)


def test_facts_come_from_exif(tmp_path):
    exif = Image.Exif()
    exif[0x010F], exif[0x0110], exif[0x0112] = "Canon", "Canon EOS 40D", 8
    exif.get_ifd(0x8769)[0x9003] = "2008:05:30 15:56:01"
    decoded = decode(save(tmp_path / "a.jpg", asymmetric(), exif=exif), FIT)
    assert (decoded.facts.width, decoded.facts.height) == (40, 60)
    assert (decoded.facts.taken_at, decoded.facts.camera) == ("2008-05-30T15:56:01", "Canon EOS 40D")


@pytest.mark.parametrize(
    "exif", [b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0garbage", b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + b"\1" * 40]
)
def test_damaged_exif_is_as_good_as_none(tmp_path, exif):
    decoded = decode(save(tmp_path / "a.jpg", asymmetric(), exif=exif), FIT)
    assert (decoded.facts.width, decoded.facts.taken_at, decoded.facts.camera) == (60, None, None)


def test_heic_is_read(tmp_path):
    pillow_heif = pytest.importorskip("pillow_heif", reason="nothing writes HEIC here: pip install pillow-heif")
    pillow_heif.from_pillow(asymmetric((64, 48))).save(tmp_path / "a.heic")
    assert decode(tmp_path / "a.heic", FIT).facts.width == 64


def test_a_file_is_what_it_holds_not_what_it_is_called(tmp_path):
    (tmp_path / "a.jpg").write_bytes(save(tmp_path / "b.png", asymmetric()).read_bytes())
    assert decode(tmp_path / "a.jpg", FIT).facts.width == 60


def test_bytes_are_decoded_like_files(tmp_path):
    path = save(tmp_path / "a.png", asymmetric())
    from_bytes = read_stream(io.BytesIO(path.read_bytes()), FIT)
    np.testing.assert_array_equal(np.asarray(from_bytes.image), decode(path, FIT).pixels)


# Faults


class CountedFile(io.FileIO):
    """A file that counts how often it is read."""

    reads = 0

    def readall(self):
        CountedFile.reads += 1
        return super().readall()

    def readinto(self, buffer):
        CountedFile.reads += 1
        return super().readinto(buffer)


MOST = decode_module.MOST_AT_ONCE


@pytest.mark.parametrize(("name", "most", "reads"), [("a.jpg", MOST, 1), ("a.jpg", 1, None), ("a.dng", MOST, None)])
def test_a_file_is_read_in_one_go_unless_it_is_large_or_for_libraw(tmp_path, monkeypatch, name, most, reads):
    path = tmp_path / name
    noise = np.random.default_rng(0).integers(0, 256, (600, 800, 3), np.uint8)
    Image.fromarray(noise).save(path, "JPEG", quality=95)
    digest = hashlib.sha256(path.read_bytes()).digest()[:16]
    opened = Path.open

    def counted(self, *how, **further):
        return io.BufferedReader(CountedFile(self)) if self == path else opened(self, *how, **further)

    monkeypatch.setattr(Path, "open", counted)
    monkeypatch.setattr(decode_module, "MOST_AT_ONCE", most)
    monkeypatch.setattr(CountedFile, "reads", 0)
    picture = decode_module.read(path, FIT)
    assert picture.digest == digest
    assert CountedFile.reads == reads if reads else CountedFile.reads > 10


def test_what_is_no_picture_is_refused_with_the_reason(tmp_path):
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "text.jpg").write_text("no picture")
    (tmp_path / "folder.jpg").mkdir()
    (tmp_path / "page.eps").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n")
    (tmp_path / "a.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 50)
    assert reason(tmp_path / "empty.jpg") == "the file is empty"
    assert reason(tmp_path / "text.jpg") == "not a picture, or in a format that can't be read"
    assert reason(tmp_path / "page.eps") == "not a picture, or in a format that can't be read"
    assert reason(tmp_path / "folder.jpg") == "not a file"
    assert reason(tmp_path / "gone.jpg") == "no such file or directory"
    assert reason(tmp_path / "a.heic")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the platform has no pipes in folders")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.jpg")
    assert reason(tmp_path / "a.jpg") == "not a file"


def test_a_file_without_permission_says_so(tmp_path):
    save(tmp_path / "a.jpg", asymmetric()).chmod(0)
    with permissions.obeyed():
        assert reason(tmp_path / "a.jpg") == "permission denied"


def bomb(path, width, height):
    """Write a PNG of a few bytes whose header promises width x height pixels."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(b"")), (b"IEND", b"")]
    packed = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    ]
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(packed))
    return path


def test_a_picture_beyond_the_limit_is_refused_by_its_header(tmp_path):
    assert reason(bomb(tmp_path / "a.png", 30_000, 30_000), max_megapixels=100) == (
        "too large: 900 megapixels, the limit is 100 (max_image_megapixels)"
    )
    assert reason(bomb(tmp_path / "b.png", 100_000, 100_000)).startswith("too large: 10000 megapixels")


def test_large_pictures_are_decoded_one_at_a_time(tmp_path, monkeypatch):
    monkeypatch.setattr(decode_module, "ALONE_MEGAPIXELS", 0.001)
    assert decode(save(tmp_path / "a.png", asymmetric()), FIT).facts.width == 60


@pytest.mark.parametrize(
    ("available", "megapixels"), [(0, 64), (24 * 100_000_000, 100), (24 * 500_000_000, 500), (1 << 40, 1024)]
)
def test_the_limit_follows_the_memory_there_is(monkeypatch, available, megapixels):
    monkeypatch.setattr(memory_limits, "available_memory", lambda: available)
    assert memory_limits.default_max_megapixels() == megapixels


# Fitting

SIZES = [(60, 40), (41, 77), (32, 32), (500, 33), (7, 9), (333, 1000), (1000, 1)]


def transform(mode, size, interpolation="bicubic"):
    pytest.importorskip("torchvision", exc_type=ImportError)
    from open_clip.transform import image_transform

    steps = image_transform(size, is_train=False, resize_mode=mode, interpolation=interpolation, fill_color=9)
    return lambda image: np.asarray(
        steps.transforms[1](steps.transforms[0](image)) if mode != "squash" else steps.transforms[0](image)
    )


@pytest.mark.parametrize("interpolation", ["bicubic", "bilinear"])
@pytest.mark.parametrize(
    ("mode", "target"), [("shortest", (32, 32)), ("longest", (32, 32)), ("squash", (32, 40)), ("longest", (24, 40))]
)
def test_pixels_are_those_of_open_clips_own_transform(tmp_path, mode, target, interpolation):
    expected = transform(mode, target, interpolation)
    for size in SIZES:
        if (mode == "longest" and min(size) == 1) or (mode == "shortest" and max(size) > 8 * min(size)):
            continue  # rounds to no pixels there; is cropped first here
        image = asymmetric(size)
        pixels = decode(save(tmp_path / "a.png", image), PixelFit(target, mode, interpolation, fill=9)).pixels
        np.testing.assert_array_equal(pixels, expected(image))


def test_a_target_that_is_no_square_is_filled(tmp_path):
    expected = transform("shortest", (24, 40))
    for size in SIZES[:3]:
        pixels = decode(save(tmp_path / "a.png", asymmetric(size)), PixelFit((24, 40))).pixels
        np.testing.assert_array_equal(pixels, expected(asymmetric(size)))


@pytest.mark.parametrize("size", [(1, 20_000), (20_000, 1), (1, 1)])
@pytest.mark.parametrize("mode", ["shortest", "longest", "squash"])
def test_strips_and_dots_are_fitted_too(tmp_path, mode, size):
    decoded = decode(save(tmp_path / "a.png", Image.new("RGB", size, "red")), PixelFit((32, 32), mode))
    assert decoded.pixels.shape == (32, 32, 3)
    assert (decoded.pixels[15:17, 15:17] == (255, 0, 0)).all(axis=2).any()


@pytest.mark.parametrize("mode", ["shortest", "longest", "squash"])
def test_a_jpeg_read_at_a_fraction_stays_close_to_the_whole(tmp_path, mode):
    image = asymmetric((1600, 1000))
    path, fit = save(tmp_path / "a.jpg", image, quality=95), PixelFit((64, 64), mode)
    decoded = decode(path, fit)
    assert (decoded.facts.width, decoded.facts.height) == (1600, 1000)
    whole = decode(save(tmp_path / "a.png", image), fit).pixels
    assert np.abs(decoded.pixels.astype(int) - whole).mean() < 2


def test_a_fit_is_made_from_the_encoder():
    assert PixelFit.of(INFO) == PixelFit((16, 16), "shortest", "bicubic", 0)
