"""What must not change what is found: reading at a fraction of the size, how a file lies, whose colours it has."""

import io

import icc_profiles as profiles
import numpy as np
import pytest
from drawing.picture import make_picture
from PIL import Image
from test_decode import TURNED

from photomap_cli.encoder.process import EncoderProcess
from photomap_cli.images import decode as decode_module
from photomap_cli.images.decode import read_stream
from photomap_cli.images.preprocess import PixelFit

KINDS = ("cat", "beach", "pizza", "forest")


@pytest.fixture(scope="module")
def encoder():
    pytest.importorskip("open_clip")
    process = EncoderProcess("tiny", device="cpu")
    yield process
    process.close()


@pytest.fixture
def vector(encoder):
    info = encoder.load()

    def vector(image, **options):
        """Return what the encoder makes of a picture that goes through a file."""
        file = io.BytesIO()
        image.save(file, options.pop("format", "JPEG"), **{"quality": 92, **options})
        file.seek(0)
        return encoder.encode_images(np.asarray(read_stream(file, PixelFit.of(info)).image)[np.newaxis])[0]

    return vector


def grainy(image, seed):
    """Return a picture with the noise that a sensor adds, and stripes as fine as it can hold."""
    noise = np.random.default_rng(seed).normal(0, 12, (*image.size[::-1], 1)).astype(np.int16)
    pixels = np.asarray(image, np.int16) + noise
    pixels[::2, : image.width // 5] += 40
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


@pytest.mark.parametrize("kind", KINDS)
def test_reading_at_a_fraction_of_the_size_finds_the_same(vector, monkeypatch, kind):
    image = grainy(make_picture(kind, seed=3, size=(2000, 1500)), seed=3)
    reduced = vector(image)
    monkeypatch.setattr(decode_module, "draft_size", lambda size, *_, **__: size)
    assert 0.995 <= reduced @ vector(image) < 0.9999999  # not the same pixels, or nothing has been shown


@pytest.mark.parametrize("kind", KINDS[:2])
def test_all_orientations_of_a_picture_find_the_same(vector, kind):
    upright = make_picture(kind, seed=5, size=(800, 600))
    vectors = []
    for turn, way in TURNED.items():
        exif = Image.Exif()
        exif[0x0112] = turn
        vectors.append(vector(upright if way is None else upright.transpose(way), exif=exif.tobytes()))
    vectors = np.stack(vectors)
    assert (vectors @ vectors.T).min() >= 0.98
    assert vector(upright.transpose(Image.Transpose.ROTATE_180)) @ vectors[0] < 0.98  # the encoder sees which way is up


def test_a_photo_in_another_colour_space_finds_the_same(vector):
    image = make_picture("beach", seed=7, size=(320, 240))
    plain = vector(image, format="PNG")
    pixels = np.asarray(image, np.float64).reshape(-1, 3)
    # The pixels that look the same in Adobe RGB, which holds all of sRGB.
    linear = np.where(pixels / 255 <= 0.04045, pixels / 255 / 12.92, ((pixels / 255 + 0.055) / 1.055) ** 2.4)
    adobe = np.linalg.solve(profiles.ADOBE_RGB, profiles.SRGB @ linear.T).T.clip(0, 1) ** (1 / profiles.GAMMA)
    stored = Image.fromarray((255 * adobe).round().astype(np.uint8).reshape(240, 320, 3))
    tagged = vector(stored, format="PNG", icc_profile=profiles.rgb_profile(profiles.ADOBE_RGB))
    assert tagged @ plain >= 0.999
    assert tagged @ plain > vector(stored, format="PNG") @ plain
