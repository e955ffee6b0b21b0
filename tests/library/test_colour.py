import pytest
from PIL import Image, ImageCms

from photomap_cli.library.colour import in_srgb, rgb


def profile(name):
    return ImageCms.ImageCmsProfile(ImageCms.createProfile(name)).tobytes()


def test_srgb_and_no_profile_change_nothing():
    image = Image.new("RGB", (2, 2), (10, 200, 30))
    assert in_srgb(image, None) is image
    assert in_srgb(image, profile("sRGB")) is image


@pytest.mark.parametrize("broken", [b"", b"no profile", profile("LAB")], ids=["empty", "damaged", "of another space"])
def test_a_profile_that_does_not_fit_is_passed_over(broken):
    image = Image.new("RGB", (2, 2), (10, 200, 30))
    assert in_srgb(image, broken).getpixel((0, 0)) == (10, 200, 30)


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (Image.new("I;16", (1, 1), 65535), (255, 255, 255)),
        (Image.new("F", (1, 1), 0.5), (127, 127, 127)),
        (Image.new("RGBA", (1, 1), (255, 0, 0, 0)), (255, 255, 255)),
        (Image.new("L", (1, 1), 77), (77, 77, 77)),
        (Image.new("1", (1, 1), 1), (255, 255, 255)),
    ],
    ids=["16 bits", "floats", "transparent", "grey", "one bit"],
)
def test_every_mode_becomes_rgb(image, expected):
    made = rgb(image)
    assert made.mode == "RGB"
    assert made.getpixel((0, 0)) == expected
