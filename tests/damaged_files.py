"""Owns pictures in every format that can be written here, and ways to damage them.  The same in every run."""

from __future__ import annotations

import io
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import heic
import icc_profiles as profiles
import numpy as np
import tiffs
import videos
from PIL import Image, PngImagePlugin, features

if TYPE_CHECKING:
    from random import Random

TELLING = (b"\0", b"\1", b"\x7f", b"\x80", b"\xff")
"""Bytes that make the sizes, counts and offsets in headers nothing, huge or negative."""


def samples() -> dict[str, bytes]:
    """Return whole files by name; the suffix is that of their format."""
    files = {name: _saved(image, format, **options) for name, image, format, options in _pictures()}
    files["turned.heic"] = heic.LYING
    files["old.tiff"] = tiffs.old_jpeg(heic.upright())
    files["planes.tiff"] = tiffs.deep_planes(np.asarray(heic.upright()).astype(np.uint16) * 257)
    files["text.ppm"] = b"P3 16 12 255 " + b"7 200 90 " * (16 * 12)
    if find_spec("rawpy"):
        files["shown.dng"] = tiffs.raw_file(heic.upright(), turn=6, preview=heic.upright())
        files["seen.dng"] = tiffs.raw_file(heic.upright())
    if find_spec("pillow_jxl"):
        import pillow_jxl  # noqa: F401 - it teaches Pillow to write them

        files["shown.jxl"] = _saved(heic.upright(), "JXL", use_container=True)
    if find_spec("av"):
        files.update(_films())
    return files


def _films() -> Iterator[tuple[str, bytes]]:
    with TemporaryDirectory() as folder:
        for ending in ("mp4", "webm", "avi", "mts"):
            path = videos.made(Path(folder) / f"film.{ending}", [videos.faded(at / 10) for at in range(10)])
            yield path.name, path.read_bytes()


def damaged(random: Random, whole: bytes, other: bytes) -> bytes:
    """Return a file damaged in one to three ways; `other` is a file of perhaps another format to splice with."""
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        whole = random.choice(WAYS)(random, whole or b"\0", other)
    return whole


def flipped(random: Random, data: bytes, _other: bytes) -> bytes:
    """Flip a few bits."""
    spoilt = bytearray(data)
    for _ in range(random.choice((1, 2, 8, 32))):
        spoilt[random.randrange(len(spoilt))] ^= 1 << random.randrange(8)
    return bytes(spoilt)


def cut(random: Random, data: bytes, _other: bytes) -> bytes:
    """Leave out the end, or a piece."""
    start, end = _piece(random, data)
    return data[:start] + (data[end:] if random.random() < 0.5 else b"")


def spliced(random: Random, data: bytes, other: bytes) -> bytes:
    """Put a piece of another file, or of this one, in the place of a piece or between two."""
    source = random.choice((data, other))
    first, last = _piece(random, source)
    start, end = _piece(random, data)
    return data[:start] + source[first:last] + data[random.choice((start, end)) :]


def mistold(random: Random, data: bytes, _other: bytes) -> bytes:
    """Write another number over a field, most often one in the header."""
    width = random.choice((1, 2, 4, 8))
    at = random.randrange(random.choice((64, 600, len(data))))
    number = random.choice(TELLING) * width if random.random() < 0.6 else random.randbytes(width)
    return (data[:at] + number + data[at + width :])[: len(data)]


def swapped(random: Random, data: bytes, _other: bytes) -> bytes:
    """Exchange two fields of the header."""
    width = random.choice((1, 2, 4))
    first, second = sorted(random.sample(range(min(600, len(data) + 1)), 2)) if len(data) > 1 else (0, 0)
    one, two = data[first : first + width], data[second : second + width]
    spoilt = data[:first] + two + data[first + width :]
    return spoilt[:second] + one + spoilt[second + width :]


WAYS = (flipped, cut, spliced, mistold, swapped)


def _piece(random: Random, data: bytes) -> tuple[int, int]:
    start = random.randrange(len(data) + 1)
    longest = random.choice((4, 64, len(data)))
    return start, min(len(data), start + random.randrange(longest + 1))


def _saved(image: Image.Image, format: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.copy().save(file, format, **options)  # JPEG leaves its settings in an image, and TIFF would take them
    return file.getvalue()


def _pictures() -> Iterator[tuple[str, Image.Image, str, dict[str, object]]]:
    grain = np.random.default_rng(1).integers(-20, 20, (36, 48, 3))
    image = Image.fromarray((np.asarray(heic.upright().resize((48, 36)), int) + grain).clip(0, 255).astype(np.uint8))
    grey, inks, line = image.convert("L"), image.convert("CMYK"), image.convert("1")
    palette, clear = image.quantize(32), image.copy()
    clear.putalpha(grey)
    deep = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Comment", "a note " * 20, zip=True)
    told = {"exif": _exif(), "icc_profile": profiles.rgb_profile(profiles.ADOBE_RGB)}

    yield "plain.jpg", image, "JPEG", told
    yield "progressive.jpg", image, "JPEG", {"progressive": True, "quality": 90}
    yield "inks.jpg", inks, "JPEG", {"icc_profile": profiles.cmyk_profile((135, 208, 195))}
    yield "grey.jpg", grey, "JPEG", {"restart_marker_blocks": 1}
    yield "two.jpg", image, "MPO", _film(image)
    yield "plain.png", image, "PNG", {**told, "pnginfo": notes}
    yield "palette.png", palette, "PNG", {"transparency": 3}
    yield "clear.png", clear, "PNG", {}
    yield "deep.png", deep, "PNG", {}
    yield "film.png", image, "PNG", _film(image)
    yield "lossy.webp", clear, "WEBP", told
    yield "lossless.webp", image, "WEBP", {"lossless": True}
    yield "film.webp", image, "WEBP", _film(image)
    yield "film.gif", image, "GIF", _film(image)
    yield "plain.gif", palette, "GIF", {"transparency": 3, "interlace": True}
    yield "plain.bmp", image, "BMP", {}
    yield "palette.bmp", palette, "BMP", {}
    yield "plain.jp2", image, "JPEG2000", {}
    yield "clear.jp2", clear, "JPEG2000", {"irreversible": True, "tile_size": (16, 16)}
    yield "bare.j2k", grey, "JPEG2000", {"no_jp2": True}
    yield "plain.ppm", image, "PPM", {}
    yield "deep.pgm", deep, "PPM", {}
    yield "line.pbm", line, "PPM", {}
    yield "plain.tiff", image, "TIFF", told
    yield "deep.tiff", deep, "TIFF", {}
    yield "pages.tiff", image, "TIFF", {**_film(image), "compression": "tiff_lzw"}
    yield "fax.tiff", line, "TIFF", {"compression": "group4"}
    for compression in ("tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg", "zstd", "lzma"):
        yield f"{compression}.tiff", inks if compression == "packbits" else image, "TIFF", {"compression": compression}
    if features.check("avif"):
        yield "plain.avif", image, "AVIF", told
        yield "film.avif", clear, "AVIF", _film(clear)


def _film(image: Image.Image) -> dict[str, object]:
    return {"save_all": True, "append_images": [image.transpose(turn) for turn in (0, 1)]}


def _exif() -> bytes:
    tags = Image.Exif()
    tags[0x010F], tags[0x0110], tags[0x0112] = "Canon", "Canon EOS 40D", 6
    tags.get_ifd(0x8769)[0x9003] = "2008:05:30 15:56:01"
    tags.get_ifd(0x8825).update({1: "N", 2: (43.0, 28.0, 2.8), 3: "E", 4: (11.0, 53.0, 6.4)})
    return tags.tobytes()
