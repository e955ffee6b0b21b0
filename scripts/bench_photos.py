"""Draws photos for benchmarks of indexing: JPEGs of 12 megapixels that take as long to decode as a camera's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime
from pathlib import Path

import numpy as np
from drawing.picture import make_picture
from PIL import ExifTags, Image

SIZE = (4000, 3000)
KINDS = ("beach", "forest", "cat", "pizza", "snowy mountains", "car", "portrait", "city by day")
GRAIN = ((1, 4.0), (2, 6.0), (4, 8.0), (8, 8.0))  # size in pixels, amplitude; a photo is 3.8 MB at QUALITY
QUALITY = 92
DRAWN = 64  # further ones are copies with a comment


def write_photos(folder: Path, count: int) -> None:
    """Write JPEGs like a camera's: 12 megapixels, detail and grain at every scale, EXIF, some of them rotated."""
    folder.mkdir()
    drawn = min(count, DRAWN)
    with ProcessPoolExecutor(initializer=_make_grain) as pool:
        list(pool.map(_write_photo, [folder] * drawn, range(drawn)))
    write_others(sorted(folder.glob("*.jpg")), folder, range(drawn, count))


def write_others(drawn: Sequence[Path], folder: Path, numbers: Iterable[int]) -> None:
    """Write copies of JPEGs that differ by a comment only: different files that take as long to decode."""
    folder.mkdir(exist_ok=True)
    for number in numbers:
        content, note = drawn[number % len(drawn)].read_bytes(), f"photo {number}".encode()
        segment = b"\xff\xfe" + (len(note) + 2).to_bytes(2) + note
        (folder / f"IMG_{number:04}.jpg").write_bytes(content[:2] + segment + content[2:])


def _make_grain() -> None:
    global _grain
    dice = np.random.default_rng(1)
    layers = [Image.fromarray(dice.normal(0, g, (SIZE[1] // s, SIZE[0] // s)).astype(np.float32)) for s, g in GRAIN]
    _grain = sum(np.asarray(layer.resize(SIZE, Image.Resampling.BICUBIC)) for layer in layers).astype(np.int16)


def _write_photo(folder: Path, number: int) -> None:
    picture = make_picture(KINDS[number % len(KINDS)], seed=number, size=(SIZE[0] // 4, SIZE[1] // 4))
    pixels = np.asarray(picture.resize(SIZE, Image.Resampling.BICUBIC)).astype(np.int16)
    pixels += np.roll(_grain, (37 * number, 101 * number), (0, 1))[..., None]
    exif = Image.Exif()
    exif[ExifTags.Base.Make], exif[ExifTags.Base.Model] = "Lumira", "Lumira X20"
    exif[ExifTags.Base.Orientation] = 6 if number % 8 == 5 else 1
    stamp = datetime(2024, 5, 1, 9 + number % 9, number % 60).strftime("%Y:%m:%d %H:%M:%S")
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = stamp
    photo = Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
    photo.save(folder / f"IMG_{number:04}.jpg", quality=QUALITY, exif=exif)
