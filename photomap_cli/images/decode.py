"""Owns reading a picture file: upright sRGB pixels of the encoder's size, a thumbnail, and the photo's facts.

Runs in the decode processes (`decode_worker.py`), so that a crashing decoder takes nothing else down; light, as
each of them imports it: numpy only where necessary.
"""

from __future__ import annotations

import io
import os
import stat
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from PIL import Image, ImageChops

from photomap_cli import files
from photomap_cli.errors import BadImage
from photomap_cli.images import exif, icc, raw, recovery, video, xmp
from photomap_cli.images.animation import representative_frame
from photomap_cli.images.bit_depth import GREYS, DeepColours, eight_bits
from photomap_cli.images.decode_errors import Damaged, translated_errors
from photomap_cli.images.exif import ExifTables
from photomap_cli.images.formats import extension, is_turned_by_decoder, kind, opened
from photomap_cli.images.memory_limits import default_max_megapixels
from photomap_cli.images.preprocess import draft_size, fitted, sides
from photomap_cli.library import file_identity
from photomap_cli.library.file_types import START_BYTES, is_video, is_video_name, video_extension

if TYPE_CHECKING:
    import numpy as np

    from photomap_cli.images.exif import PhotoFacts
    from photomap_cli.images.preprocess import PixelFit

ALONE_MEGAPIXELS = 64.0
"""Pictures above this size are decoded one at a time, so that all decoders together need less memory."""

PICTURES_OF_VIDEO = 4
"""A video's memory, as a multiple of a picture's, since its decoder keeps reference frames: 8K of 10 bits takes
650 MB."""

MOST_PIXELS_PER_BYTE = 10_000
"""A large picture in fewer bytes isn't real: deflate packs at most 8,240 one-bit pixels per byte, photos 5 to 100."""

MOST_AT_ONCE = 64 << 20
"""Pictures of up to this many bytes are read whole before decoding."""

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_PHOTOMETRIC, _WHITE_AT_ZERO = 262, 0
_large = threading.Lock()

# Method 0: 22.7 kB in 4.1 ms for 320 x 240 of noise; Pillow's default 4: 20.4 kB in 15.2 ms.
WEBP_QUALITY, WEBP_METHOD = 70, 0


Load = Callable[[Image.Image], Image.Image]
TurnOf = Callable[[Mapping[int, object], tuple[int, int]], int]
"""Returns a picture's orientation, from its main table and stored (width, height)."""


@contextmanager
def one_at_a_time(megapixels: float) -> Iterator[None]:
    """Wait until no other large picture is being decoded in this process."""
    with _large:
        yield


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How to read a picture.

    Attributes:
        max_megapixels: larger ones are refused; None for a limit by available memory.
        thumbnail_px: the longer side of the thumbnail to make too; 0 for none.
        alone: a lock for a picture of more than ALONE_MEGAPIXELS.
    """

    max_megapixels: float | None = None
    thumbnail_px: int = 0
    alone: Callable[[float], AbstractContextManager[None]] = one_at_a_time


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A picture that was read: RGB at the encoder's size, the photo's facts, the thumbnail as WebP or empty.

    `digest` is of the file's bytes; empty if it wasn't a file.  `sides` are a panorama's left and right.
    """

    image: Image.Image
    facts: PhotoFacts
    thumbnail: bytes
    digest: bytes = b""
    sides: Sequence[Image.Image] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """A picture ready for the encoder: pixels (h, w, 3) uint8, and the rest as in `Picture`; `sides` (n, h, w, 3)."""

    pixels: np.ndarray
    facts: PhotoFacts
    digest: bytes
    thumbnail: bytes = b""
    sides: Sequence[np.ndarray] = ()

    @property
    def views(self) -> list[np.ndarray]:
        """All that the encoder sees of it: the picture, then its sides."""
        return [self.pixels, *self.sides]


def _turn_by_exif(main: Mapping[int, object], _size: tuple[int, int]) -> int:
    return exif.orientation(main)


def read(path: Path, fit: PixelFit, options: ReadOptions | None = None) -> Picture:
    """Read a picture file.  Any thread; raises BadImage, whose message is only the reason, for any fault of the file.

    Of a damaged file, what can be seen is read, and its facts say so.
    Runs in this process, which a damaged file can crash; use DecodePool for untrusted files.
    """
    with translated_errors():
        info = path.stat()
        if not stat.S_ISREG(info.st_mode):
            raise BadImage("not a file")  # opening a pipe would wait
        if info.st_size == 0:
            raise BadImage("the file is empty")
        with path.open("rb") as on_disk:
            file = _at_once(path, on_disk, info.st_size)
            if raw.is_raw(path.name, kind(file)):
                picture = _read_preview(path, fit, options or ReadOptions())
            elif is_video(path.name, start := file.read(START_BYTES)):
                picture = _read_video(path, info.st_size, fit, options or ReadOptions())
                picture = replace(picture, facts=replace(picture.facts, extension=video_extension(start)))
            else:
                picture = read_stream(file, fit, options)
            file.seek(0)
            digest = file_identity.digest(file)  # not earlier, as a file that isn't a picture may have gigabytes
        now = path.stat()
        if (now.st_size, now.st_mtime_ns) != (info.st_size, info.st_mtime_ns):
            raise BadImage("changed while it was read")
        return replace(picture, digest=digest)


def _at_once(path: Path, file: BinaryIO, length: int) -> BinaryIO:
    """Return a file's bytes, read in one go and not in a hundred small ones.

    The file itself where it is large, or where a library reads it by its path anyway.
    """
    files.will_need(file.fileno(), min(length, MOST_AT_ONCE))
    if length > MOST_AT_ONCE or raw.is_raw(path.name) or is_video_name(path.name):
        return file
    return io.BytesIO(file.read())


def read_stream(
    file: BinaryIO, fit: PixelFit, options: ReadOptions | None = None, *, turn_of: TurnOf = _turn_by_exif
) -> Picture:
    """Read a picture from an open file or from bytes, like `read`; `turn_of` returns its orientation."""
    options = options or ReadOptions()
    try:
        with translated_errors():
            file = recovery.without_empty_end(file)
            return _read(file, fit, options, turn_of, _whole)
    except Damaged as damage:
        return _recovered(damage, file, fit, options, turn_of)


def _recovered(damage: Damaged, file: BinaryIO, fit: PixelFit, options: ReadOptions, turn_of: TurnOf) -> Picture:
    """Return what can be seen of a damaged picture, with the damage in its facts.  Raises BadImage for too little."""
    share, reason = 0.0, recovery.reason(file, damage.message)
    for attempt in recovery.attempts(file):
        with suppress(BadImage), translated_errors(), recovery.tolerant():
            picture = _read(attempt.file, fit, options, turn_of, attempt.load)
            share = max(share, attempt.share)
            if attempt.share >= recovery.LEAST_SHARE:
                told = f"{recovery.in_short(reason)}; {recovery.described(share)}"
                return replace(picture, facts=replace(picture.facts, damage=told))
    raise BadImage(f"{reason}; only {recovery.described(share)}" if share >= 0.01 else reason) from damage


def _read_preview(path: Path, fit: PixelFit, options: ReadOptions) -> Picture:
    """Read the preview that a camera put into its RAW file; the RAW's facts take precedence over the preview's."""
    shot = raw.preview(path)

    def turn_of(main: Mapping[int, object], size: tuple[int, int]) -> int:
        turn = exif.orientation(main)
        return shot.turn_of(size) if turn == 1 else turn

    picture = read_stream(io.BytesIO(shot.file), fit, options, turn_of=turn_of)
    with path.open("rb") as file:
        tables = _tables_of_raw(file)
    said = exif.facts(shot.size, tables, orientation=shot.turn_of(shot.size))
    stars = said.rating or picture.facts.rating
    if not exif.camera(tables.main):
        said = replace(picture.facts, width=said.width, height=said.height, orientation=said.orientation)
    said = replace(said, lens=said.lens or shot.lens, damage=picture.facts.damage, extension="", kind="raw")
    return replace(picture, facts=replace(said, rating=stars))


def _read_video(path: Path, length: int, fit: PixelFit, options: ReadOptions) -> Picture:
    """Read the frame that represents a video."""
    with ExitStack() as turn:

        def size_for(size: tuple[int, int]) -> tuple[int, int]:
            turn.enter_context(_turn_to_decode(size, length, options, at_once=PICTURES_OF_VIDEO))
            return draft_size(size, fit, longest_px=options.thumbnail_px)

        shot = video.still(path, size_for)
        facts = exif.facts(shot.size, shot.tables, orientation=shot.turn)
        facts = replace(facts, kind="video", seconds=shot.seconds, damage=shot.damage)
        return _picture(shot.image, shot.turn, facts, fit, options)


def _read(file: BinaryIO, fit: PixelFit, options: ReadOptions, turn_of: TurnOf, load: Load) -> Picture:
    """Read a picture; `load` decodes its pixels, and reports how much can be seen."""
    with opened(file) as image, _turn_to_decode(image.size, _length(file), options):
        size, turned, deep = image.size, _turned_by_loading(image), DeepColours.of(image)
        image.draft(None, draft_size(size, fit, longest_px=options.thumbnail_px))  # only JPEG can, at 1/2, 1/4 or 1/8
        loaded = load(image)
        tables = _tables(image)  # not earlier: a PNG's may come after its pixels
        turn = turn_of(tables.main, size)
        shown = deep.shown(loaded, partial(opened, file)) if deep else loaded
        facts = exif.facts(image.size[::-1] if turned >= 5 else size, tables, orientation=max(turn, turned))
        facts = replace(facts, extension=extension(image))
        return _picture(shown, turn, facts, fit, options)


def _picture(image: Image.Image, turn: int, facts: PhotoFacts, fit: PixelFit, options: ReadOptions) -> Picture:
    """Return a decoded picture upright, in sRGB, at the wanted sizes."""
    profile = image.info.get("icc_profile")
    upright = _upright(icc.rgb(_black_at_zero(image), profile), turn)
    return Picture(
        icc.in_srgb(fitted(upright, fit), profile),
        facts,
        _webp(icc.in_srgb(_small(upright, options.thumbnail_px), profile)) if options.thumbnail_px else b"",
        sides=[icc.in_srgb(side, profile) for side in sides(upright, fit)],
    )


def _whole(image: Image.Image) -> Image.Image:
    """Decode a picture, or raise BadImage with what is wrong with it."""
    image.load()
    return representative_frame(image)


def _turned_by_loading(image: Image.Image) -> int:
    """Return the orientation that Pillow applies when loading, as for a TIFF, whose tag it then drops."""
    return exif.orientation(_tables(image).main) if image.format == "TIFF" else 1


def _black_at_zero(image: Image.Image) -> Image.Image:
    """Return a TIFF whose grey levels count from white inverted; Pillow does so only for 8 bits."""
    if image.mode not in GREYS or getattr(image, "tag_v2", {}).get(_PHOTOMETRIC) != _WHITE_AT_ZERO:
        return image
    return ImageChops.invert(eight_bits(image))


def _small(image: Image.Image, long_side_px: int) -> Image.Image:
    scale = min(1.0, long_side_px / max(image.size))
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    # Halve first if that leaves enough to average: 3.2 ms instead of 5.7 for 1000 x 750, 49 dB from doing it directly.
    return image.resize(size, Image.Resampling.BICUBIC, reducing_gap=1.5)


def _webp(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "WEBP", quality=WEBP_QUALITY, method=WEBP_METHOD)
    return file.getvalue()


def _upright(image: Image.Image, turn: int) -> Image.Image:
    return image.transpose(_TURNS[turn]) if turn in _TURNS else image


@contextmanager
def _turn_to_decode(size: tuple[int, int], length: int, options: ReadOptions, *, at_once: int = 1) -> Iterator[None]:
    """Refuse a picture that is too large by its header; make a large one wait until it may be decoded.

    `at_once` is its memory as a multiple of one picture's.
    """
    megapixels = size[0] * size[1] / 1e6
    most = options.max_megapixels or _max_megapixels()
    if megapixels > most:
        raise BadImage(f"too large: {megapixels:.0f} megapixels, the limit is {most:.0f} (max_image_megapixels)")
    if megapixels * at_once <= ALONE_MEGAPIXELS:
        yield
        return
    if megapixels * 1e6 > MOST_PIXELS_PER_BYTE * length:
        raise BadImage(f"damaged: {megapixels:.0f} megapixels in {length} bytes")
    with options.alone(megapixels * at_once):
        yield


def _length(file: BinaryIO) -> int:
    at, length = file.tell(), file.seek(0, os.SEEK_END)
    file.seek(at)
    return length


@cache
def _max_megapixels() -> float:
    return default_max_megapixels()


def _tables(image: Image.Image) -> ExifTables:
    """Return an open picture's EXIF; damaged tables count as missing."""
    tables = ExifTables()
    with suppress(Exception):
        tables = _all_tables(image.getexif())
    if is_turned_by_decoder(image):
        tables = replace(tables, main={tag: value for tag, value in tables.main.items() if tag != exif.ORIENTATION})
    return replace(tables, xmp=xmp.packet(image.info, tables.main))


def _tables_of_raw(file: BinaryIO) -> ExifTables:
    """Return the EXIF of a RAW file that keeps it in TIFFs, as most do; empty for others."""
    try:
        main, *others = [_all_tables(_tags(tiff)) for tiff in raw.tiffs(file)]
        return ExifTables(main.main, *(each.main for each in others), xmp=main.xmp) if others else main
    except Exception:
        return ExifTables()


def _tags(tiff: BinaryIO) -> Image.Exif:
    tags = Image.Exif()
    tags.load_from_fp(tiff)
    return tags


def _all_tables(tags: Image.Exif) -> ExifTables:
    main = dict(tags)
    places = dict(tags.get_ifd(exif.DETAILS)), dict(tags.get_ifd(exif.PLACE))
    return ExifTables(main, *places, xmp=xmp.packet({}, main))
