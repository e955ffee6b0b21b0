"""Library: writes a folder of drawn photos like a real collection, with dates, cameras and rotations."""

from __future__ import annotations

import datetime
import random
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from PIL import ExifTags, Image

from drawing.picture import draw
from drawing.scene import COLOURS, KINDS, Kind, Scene, sample

PHOTOS = 120
QUALITY = 88
ROTATED_SHARE = 0.1  # of the photos are stored rotated, with an Orientation tag

# The first photos of these kinds have these colours, so that what a newcomer searches for is there.
FIRST_COLOURS = {
    "cat": ("black", "orange", "white"),
    "car": ("red", "blue", "yellow"),
    "dog": ("brown", "white", "black"),
    "balloons": ("red", "blue", "yellow"),
    "sailing boat": ("white", "red", "blue"),
}

# Orientation tag -> how the stored pixels are turned, so that a viewer who honours the tag turns them back.
STORED_TURN = {6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270, 3: Image.Transpose.ROTATE_180}


@dataclass(frozen=True)
class Camera:
    """A camera that never existed, with its way of naming files."""

    make: str
    model: str
    pattern: str


CAMERAS = (
    Camera("Lumira", "Lumira X20", "IMG_{number:04d}"),
    Camera("Orbis", "Orbis Phone 7", "PXL_{day:%Y%m%d}_{day:%H%M%S}"),
    Camera("Kestrel Optical", "KESTREL D450", "DSC{number:05d}"),
)


@dataclass(frozen=True)
class Album:
    """A folder: what its photos show, when they were taken, and how they are named."""

    name: str
    kinds: tuple[str, ...]
    first_day: datetime.date
    days: int
    camera: Camera


def _albums() -> tuple[Album, ...]:
    date, (compact, phone, reflex) = datetime.date, CAMERAS
    travel = ("car", "aeroplane", "train", "car", "road", "bus", "bridge", "car")
    return (
        Album(
            "2019 Norway",
            ("northern lights", "snowy mountains", "lake", "tent", "camp fire"),
            date(2019, 2, 8),
            12,
            reflex,
        ),
        Album(
            "2020/Garden",
            ("flower", "butterfly", "bird", "sunflowers", "field of flowers", "pumpkin", "apple"),
            date(2020, 4, 2),
            190,
            compact,
        ),
        Album("2021 Road trip", ("desert", "cactus", *travel, "lightning", "rainbow"), date(2021, 6, 11), 24, phone),
        Album(
            "Été à Nîmes",
            ("beach", "sunset", "sailing boat", "lighthouse", "fish", "ice cream", "umbrella"),
            date(2022, 7, 3),
            30,
            phone,
        ),
        Album(
            "Family/Birthdays",
            ("cake", "balloons", "portrait", "group of people", "cup", "pizza", "fruit bowl"),
            date(2023, 1, 14),
            300,
            compact,
        ),
        Album("Pets & animals", ("cat", "dog", "horse", "cow", "bird", "fish"), date(2023, 3, 5), 400, phone),
        Album(
            "Herbst 2024",
            ("autumn forest", "mushroom", "forest", "waterfall", "river", "windmill", "castle", "house"),
            date(2024, 9, 20),
            50,
            reflex,
        ),
        Album(
            "City",
            ("city at night", "city by day", "ferris wheel", "football", "bicycle", "clock", "guitar", "book"),
            date(2024, 5, 1),
            320,
            phone,
        ),
        Album(
            "Winter 2025",
            ("snowman", "christmas tree", "fireworks", "moon", "hot-air balloon", "kite"),
            date(2025, 1, 1),
            320,
            reflex,
        ),
    )


def write_demo_library(
    folder: Path, *, photos: int = PHOTOS, seed: int = 7, long_side: int = 960, quality: int = QUALITY
) -> list[Path]:
    """Write JPEG photos into sub-folders of `folder` and return their paths.

    The same arguments give the same files.  About 0.2 s a photo at 960 pixels on one core.
    """
    rng = random.Random(seed)
    albums, numbers = _albums(), dict.fromkeys(CAMERAS, 1200)
    seen: Counter[str] = Counter()
    paths = []
    for index in range(photos):
        album = albums[index % len(albums)]
        turn = index // len(albums)
        kind = KINDS[album.kinds[turn % len(album.kinds)]]
        scene = scene_for(kind, rng, seen[kind.name])
        seen[kind.name] += 1
        day = _moment(album, rng, scene)
        numbers[album.camera] += rng.randint(1, 9)
        name = album.camera.pattern.format(number=numbers[album.camera], day=day)
        path = folder / album.name / f"{name}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(path, draw(scene, _size(rng, long_side)), day, album.camera, _orientation(index, rng), quality)
        paths.append(path)
    return paths


def scene_for(kind: Kind, rng: random.Random, nth: int) -> Scene:
    """A scene for the nth photo (from 0) of a kind, going through its colours."""
    first = FIRST_COLOURS.get(kind.name, ())
    colours = [*first, *(c for c in COLOURS if c in kind.colours and c not in first)]
    start = 0 if first else rng.randrange(max(1, len(colours)))
    colour = colours[(start + nth) % len(colours)] if colours else None
    return sample(rng, kind_name=kind.name, colour=colour)


def _moment(album: Album, rng: random.Random, scene: Scene) -> datetime.datetime:
    hours = {"night": (21, 23), "dusk": (18, 20)}.get(scene.time, (9, 17))
    day = album.first_day + datetime.timedelta(days=rng.randrange(album.days))
    clock = datetime.time(rng.randint(*hours), rng.randrange(60), rng.randrange(60))
    return datetime.datetime.combine(day, clock)


def _size(rng: random.Random, long_side: int) -> tuple[int, int]:
    short = round(long_side * rng.choice((0.75, 0.75, 0.75, 2 / 3)))
    return (short, long_side) if rng.random() < 0.22 else (long_side, short)


def _orientation(index: int, rng: random.Random) -> int:
    first = {4: 6, 9: 8, 15: 3}  # even a small library holds one of each
    if index in first:
        return first[index]
    return rng.choice((6, 8, 3)) if rng.random() < ROTATED_SHARE else 1


def _write(
    path: Path, picture: Image.Image, day: datetime.datetime, camera: Camera, orientation: int, quality: int
) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = camera.make
    exif[ExifTags.Base.Model] = camera.model
    exif[ExifTags.Base.Orientation] = orientation
    stamp = f"{day:%Y:%m:%d %H:%M:%S}"
    exif[ExifTags.Base.DateTime] = stamp
    details = exif.get_ifd(ExifTags.IFD.Exif)
    details[ExifTags.Base.DateTimeOriginal] = stamp
    details[ExifTags.Base.DateTimeDigitized] = stamp
    stored = picture.transpose(STORED_TURN[orientation]) if orientation in STORED_TURN else picture
    stored.save(path, quality=quality, exif=exif)
