"""What each format has of its own: ways to pack, to turn, to be clear, and to say where a photo was taken."""

import io
import struct
import sys
import zlib

import heic
import numpy as np
import pytest
import tiffs
from cases import cases
from PIL import Image, PngImagePlugin, features

from photomap_cli.errors import BadImage
from photomap_cli.images import formats
from photomap_cli.images.decode import read, read_stream
from photomap_cli.images.preprocess import PixelFit

SIZE = (48, 32)
FIT = PixelFit(SIZE[::-1], "squash")
LYING = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}
WRITERS = {"jpg": "JPEG", "png": "PNG", "webp": "WEBP", "tiff": "TIFF", "avif": "AVIF"}


def saved(image, format, **options):
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def read_bytes(content):
    return read_stream(io.BytesIO(content), FIT)


def error(picture, expected=None):
    expected = heic.upright() if expected is None else expected
    return np.abs(np.asarray(picture.image, int) - np.asarray(expected.convert("RGB"), int)).mean()


def needs(suffix):
    if suffix == "avif" and not features.check("avif"):
        pytest.skip("this Pillow reads no AVIF")


def reason(content):
    with pytest.raises(BadImage) as caught:
        read_bytes(content)
    return caught.value.message


# Ways to pack


@pytest.mark.parametrize(
    "packing", ["tiff_lzw", "tiff_adobe_deflate", "tiff_deflate", "packbits", "jpeg", "zstd", "lzma"]
)
def test_a_tiff_may_be_packed_in_many_ways(packing):
    assert error(read_bytes(saved(heic.upright(), "TIFF", compression=packing))) < 3


@pytest.mark.parametrize("packing", ["group3", "group4", "tiff_ccitt"])
def test_a_fax_in_a_tiff_is_read(packing):
    line = heic.upright().convert("1")
    assert error(read_bytes(saved(line, "TIFF", compression=packing)), line) == 0


def test_tiffs_of_other_programs_are_read_as_they_are_meant():
    image, grey = heic.upright(), heic.upright().convert("L")
    deep = np.asarray(grey).astype(np.uint16) * 257
    assert error(read_bytes(tiffs.old_jpeg(image))) < 6
    assert error(read_bytes(tiffs.deep_planes(np.asarray(image).astype(np.uint16) * 257))) == 0
    assert error(read_bytes(tiffs.greys_counted_from_white(deep)), grey) == 0


@pytest.mark.parametrize("format", ["TIFF", "MPO"])
def test_the_first_picture_of_many_counts(format):
    others = [Image.new("RGB", (50, 50), "red")] * 2
    assert error(read_bytes(saved(heic.upright(), format, save_all=True, append_images=others, quality=95))) < 3


@pytest.mark.parametrize("suffix", ["png", "webp", "tiff", "avif", "jp2"])
def test_what_is_clear_lies_on_white(suffix):
    needs(suffix)
    clear = heic.upright().convert("RGBA")
    clear.paste((0, 0, 0, 0), (0, 0, 24, 32))
    expected = heic.upright()
    expected.paste("white", (0, 0, 24, 32))
    format = {**WRITERS, "jp2": "JPEG2000"}[suffix]
    assert error(read_bytes(saved(clear, format, lossless=True, quality=100)), expected) < 4


# Ways to turn


def xmp(turn):
    tiff = f'xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="{turn}"'
    rdf = f'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description {tiff}/></rdf:RDF>'
    return f'<x:xmpmeta xmlns:x="adobe:ns:meta/">{rdf}</x:xmpmeta>'


@cases("suffix", ["jpg", "png", "webp", "tiff"])
@cases("turn", LYING)
def test_a_turn_that_xmp_alone_tells_counts(suffix, turn):
    notes = PngImagePlugin.PngInfo()
    notes.add_itxt("XML:com.adobe.xmp", xmp(turn))
    told = {"png": {"pnginfo": notes}, "tiff": {"tiffinfo": {700: xmp(turn).encode()}}}
    options = told.get(suffix, {"xmp": xmp(turn).encode()})
    content = saved(heic.upright().transpose(LYING[turn]), WRITERS[suffix], quality=95, **options)
    picture = read_bytes(content)
    assert error(picture) < 6
    assert (picture.facts.width, picture.facts.height, picture.facts.orientation) == (*SIZE, turn)


@pytest.mark.parametrize("suffix", WRITERS)
def test_the_turn_is_among_the_facts(suffix):
    needs(suffix)
    tags = Image.Exif()
    tags[0x0112] = 6
    lying = heic.upright().transpose(LYING[6])
    facts = read_bytes(saved(lying, WRITERS[suffix], exif=tags.tobytes())).facts
    assert (facts.width, facts.height, facts.orientation) == (*SIZE, 6)


@pytest.mark.parametrize("name", ["a.heic", "a.jpg"])
def test_a_heic_is_turned_once_although_its_exif_says_so_too(tmp_path, name):
    (tmp_path / name).write_bytes(heic.LYING)
    picture = read(tmp_path / name, FIT)
    assert b"irot" in heic.LYING
    assert error(picture) < 12
    assert (picture.facts.width, picture.facts.height) == SIZE


# What they tell


@pytest.mark.parametrize("suffix", WRITERS)
def test_time_camera_lens_and_place_are_read_in_every_format(suffix):
    needs(suffix)
    tags = Image.Exif()
    tags[0x010F], tags[0x0110] = "Canon", "Canon EOS R5"
    tags.get_ifd(0x8769).update({0x9003: "2021:06:27 18:48:37", 0xA434: "RF50mm F1.8 STM"})
    tags.get_ifd(0x8825).update({1: "S", 2: (43.0, 28.0, 0.0), 3: "W", 4: (11.0, 53.0, 0.0)})
    facts = read_bytes(saved(heic.upright(), WRITERS[suffix], exif=tags.tobytes())).facts
    assert (facts.camera, facts.lens, facts.taken_at) == ("Canon EOS R5", "RF50mm F1.8 STM", "2021-06-27T18:48:37")
    assert (facts.latitude, facts.longitude) == pytest.approx((-43.4666667, -11.8833333))


# Faults


def png(*chunks, size=SIZE, rows=None):
    if rows is None:
        rows = b"".join(b"\0" + row.tobytes() for row in np.asarray(heic.upright()))
    header = struct.pack(">IIBBBBB", *size, 8, 2, 0, 0, 0)
    content = b"\x89PNG\r\n\x1a\n"
    for kind, data in ((b"IHDR", header), *chunks, (b"IDAT", zlib.compress(rows)), (b"IEND", b"")):
        content += struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    return content


def test_long_notes_beside_the_pixels_are_no_fault_and_bombs_are_told():
    long, bomb = (zlib.compress(bytes(size)) for size in (3 << 20, 80 << 20))
    assert error(read_bytes(png((b"zTXt", b"note\0\0" + long)))) == 0
    for chunk in ((b"zTXt", b"note\0\0" + bomb), (b"iTXt", b"note\0\1\0\0\0" + bomb), (b"iCCP", b"name\0\0" + bomb)):
        assert read_bytes(png(chunk)).facts.damage.startswith("damaged: too much data besides its pixels; ")
    assert reason(png(*[(b"zTXt", b"note\0\0" + long)] * 30)) == "damaged: too much data besides its pixels"


def test_a_header_that_promises_more_than_the_file_can_hold_is_refused():
    content = png(size=(10_000, 7_000), rows=b"")
    assert reason(content) == f"damaged: 70 megapixels in {len(content)} bytes"


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (png().replace(b"IHDR", b"IHDA"), "PNG"),
        (tiffs.old_jpeg(heic.upright())[:100], "TIFF"),
        (b"RIFF\0\0\0\0WEBPnone", "WebP"),
        (b"\0\0\0\x10ftypavif\0\0\0\0", "AVIF"),
        (b"\0\0\0\x10ftypheic\0\0\0\0", "HEIF"),
        (tiffs.directory_alone({256: ("I", [4]), 257: ("I", [4]), 259: ("H", [34712])}), "TIFF"),
    ],
    ids=["PNG", "old TIFF", "WebP", "AVIF", "HEIF", "packed TIFF"],
)
def test_a_file_that_is_known_but_cannot_be_read_says_what_it_is(content, kind):
    assert reason(content) == f"a {kind} file that is damaged, or in a format that can't be read"


# Stars


STARS = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description xmp:Rating="4"/></x:xmpmeta>'


def with_stars(format):
    if format == "PNG":
        notes = PngImagePlugin.PngInfo()
        notes.add_itxt("XML:com.adobe.xmp", STARS.decode())
        return saved(heic.upright(), format, pnginfo=notes)
    if format == "TIFF":
        return saved(heic.upright(), format, tiffinfo={700: STARS})
    return saved(heic.upright(), format, xmp=STARS)


@pytest.mark.parametrize("suffix", WRITERS)
def test_stars_are_read_in_every_format(suffix):
    needs(suffix)
    facts = read_bytes(with_stars(WRITERS[suffix])).facts
    assert (facts.rating, facts.kind) == (4, "photo")


# JPEG XL


def jxl(image, **options):
    pytest.importorskip("pillow_jxl", reason="no JPEG XL decoder: pip install -e .[jxl]")
    return saved(image, "JXL", **options)


def test_without_its_decoder_a_jpeg_xl_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_jxl", None)
    formats._prepare_jxl.cache_clear()
    for start in (b"\xff\n\7\7", b"\0\0\0\x0cJXL \r\n\x87\n"):
        assert reason(start + bytes(60)) == 'a JPEG XL file: pip install "photomap-cli[jxl]" reads JPEG XL'


def test_a_jpeg_xl_is_read_in_both_its_forms():
    for content in (jxl(heic.upright()), jxl(heic.upright(), use_container=True)):
        picture = read_bytes(content)
        assert error(picture) < 6
        assert (picture.facts.width, picture.facts.height, picture.facts.extension) == (*SIZE, "jxl")


def test_a_jpeg_xl_is_upright_whatever_its_exif_says_and_tells_the_rest():
    tags = Image.Exif()
    tags[0x0112], tags[0x010F], tags[0x0110] = 6, "Canon", "Canon EOS R5"
    picture = read_bytes(jxl(heic.upright(), exif=tags.tobytes()))
    assert error(picture) < 6
    assert (picture.facts.orientation, picture.facts.camera) == (1, "Canon EOS R5")


def test_a_jpeg_xl_that_is_a_jpeg_is_turned_as_that_says(tmp_path):
    pytest.importorskip("pillow_jxl", reason="no JPEG XL decoder: pip install -e .[jxl]")
    tags = Image.Exif()
    tags[0x0112] = 6
    heic.upright().transpose(LYING[6]).save(tmp_path / "a.jpg", quality=95, exif=tags.tobytes())
    with Image.open(tmp_path / "a.jpg") as lying:
        content = jxl(lying, lossless_jpeg=True)
    picture = read_bytes(content)
    assert error(picture) < 6
    assert (picture.facts.width, picture.facts.height, picture.facts.orientation) == (*SIZE, 6)


def test_a_jpeg_xl_that_is_cut_off_is_refused():
    content = jxl(Image.effect_noise((200, 200), 80).convert("RGB"))
    assert reason(content[: len(content) // 2]).startswith(("damaged", "truncated"))


def test_an_avif_file_without_a_decoder_says_what_is_missing(monkeypatch):
    monkeypatch.setattr(formats.features, "check", lambda _: False)
    assert reason(b"\0\0\0\x10ftypavif\0\0\0\0") == formats.WITHOUT_AVIF
