"""Owns videos: choosing a representative frame, and reading the container's facts; the only module that knows PyAV."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from photomap_cli.errors import BadImage
from photomap_cli.images import exif, heif
from photomap_cli.images.animation import ENOUGH
from photomap_cli.images.exif import ExifTables
from photomap_cli.images.visibility import contrast, small
from photomap_cli.library.file_types import START_BYTES
from photomap_cli.library.optional_decoders import how_to_read
from photomap_cli.library.signatures import is_boxed
from photomap_cli.library.timestamps import latest

if TYPE_CHECKING:
    from PIL import Image

WITHOUT_AV = f"a video: {how_to_read('video')}"

SECONDS = 5.0
"""How long to look for a frame, in seconds; after that the first one seen is used if none was better."""

_PLACES = 0.25, 0.5, 0.75
_MORE_PLACES = 0.1, 0.9, 0.0, 0.35, 0.65
"""Where to look, as fractions of the length; further places if the first ones show nothing."""

_MOST_ON_THE_WAY = 300
"""The most frames decoded on the way from a key frame to the wanted place."""

_NEARLY = 0.9
"""A frame with less than this share of the clearest one's contrast is fading in or out."""

_TURNS = {90: 8, 180: 3, 270: 6}
"""EXIF's orientation for degrees counterclockwise."""

_EARLIEST = datetime(1990, 1, 2, tzinfo=UTC)  # clocks that were never set start in 1904, 1970 or 1980
_POSITION = re.compile(r"([+-]\d+(?:\.\d+)?)([+-]\d+(?:\.\d+)?)")
_APPLE = "com.apple.quicktime."


@dataclass(frozen=True, slots=True)
class Still:
    """The representative frame of a video, at the wanted size, and the video's facts.

    Attributes:
        image: the frame as stored.
        size: its own (width, height).
        turn: its orientation, as in EXIF.
        tables: the container's facts.
        seconds: the video's length, or None.
        damage: what is wrong with the file, or None if nothing is.
    """

    image: Image.Image
    size: tuple[int, int]
    turn: int
    tables: ExifTables
    seconds: float | None
    damage: str | None


def still(
    path: Path, size_for: Callable[[tuple[int, int]], tuple[int, int]], clock: Callable[[], float] = time.monotonic
) -> Still:
    """Return a video's representative: a frame that shows something.

    `size_for` returns the wanted size for a (width, height), or raises if it is refused.  Raises
    BadImage, which says how to install PyAV if it is missing; PyAV's other errors pass through.
    """
    try:
        import av
    except ImportError as error:
        raise BadImage(WITHOUT_AV) from error
    av.logging.set_level(None)
    try:
        with av.open(str(path), metadata_errors="replace") as film:
            stream = _stream(film)
            size = _shown_size(stream)
            seen = _Search(film, stream, size_for(size), clock).representative_frame()
            turn = _TURNS.get(round(seen.rotation) % 360, 1)
            damage = f"{heif.TRUNCATED}; its beginning can be seen" if _is_cut(path) else None
            return Still(seen.image, size, turn, _tables(film, stream), _length(film, stream), damage)
    except (av.error.InvalidDataError, av.error.EOFError) as error:
        raise BadImage(heif.TRUNCATED if _is_cut(path) else "damaged, or in a format that can't be read") from error


def _is_cut(path: Path) -> bool:
    """Return whether a file made of boxes is truncated; for other files that can't be seen."""
    with path.open("rb") as file:
        return is_boxed(file.read(START_BYTES)) and heif.fault(file) == heif.TRUNCATED


def _stream(film: Any) -> Any:
    """Return a video's stream, set to be decoded by this thread only."""
    streams = [each for each in film.streams.video if each.codec_context is not None]
    stream = min(streams, key=_is_cover, default=None)
    if stream is None:
        raise BadImage("no pictures in it, or in a format that can't be read")
    stream.codec_context.thread_count = (
        1  # there is a process per core, and each thread takes memory for its own frames
    )
    return stream


def _is_cover(stream: Any) -> bool:
    """Return whether a stream is cover art, which counts only if there is nothing else."""
    return bool(stream.disposition & type(stream.disposition).attached_pic)


class _Seen(NamedTuple):
    """A frame, how much it shows, and by how many degrees to turn it."""

    contrast: float
    image: Image.Image
    rotation: float


class _Search:
    """The search for a frame that shows something; frames are kept at the wanted `size`."""

    def __init__(self, film: Any, stream: Any, size: tuple[int, int], clock: Callable[[], float]) -> None:
        self._film, self._stream, self._size, self._clock = film, stream, size, clock
        self._end = clock() + SECONDS
        self._last: Any = None  # the time of the last frame examined

    def representative_frame(self) -> _Seen:
        """Return the first of three frames that isn't much less clear than the clearest; or the clearest of more."""
        seen: list[_Seen] = []
        for places in (_PLACES, _MORE_PLACES):
            seen += map(self._seen, self._frames(places))
            most = max((each.contrast for each in seen), default=0.0)
            if most >= ENOUGH:
                return next(each for each in seen if each.contrast >= most * _NEARLY)
        if not seen:
            raise BadImage("damaged: no picture in it can be decoded")
        return max(seen, key=lambda each: each.contrast)

    def _seen(self, frame: Any) -> _Seen:
        image = frame.to_image(width=self._size[0], height=self._size[1], interpolation="BICUBIC")
        return _Seen(contrast(small(image)), image, frame.rotation)

    def _frames(self, places: tuple[float, ...]) -> Iterator[Any]:
        """Yield the frames at some places, until the time is up; at least one, if there is one."""
        for place in places:
            if self._last is not None and self._clock() > self._end:
                return
            frame = None
            with suppress(Exception):  # nothing there, or damaged: try the next place
                frame = self._frame_at(place)
            if frame is not None:
                self._last = frame.pts
                yield frame

    def _frame_at(self, place: float) -> Any:
        """Return the frame at a place, or the key frame before it, unless it is the same as before."""
        wanted = self._seek(place)
        frame = None
        for number, frame in enumerate(self._film.decode(self._stream)):
            is_new = number == 0 and self._last is not None and frame.pts is not None and frame.pts > self._last
            if wanted is None or is_new or frame.pts is None or frame.pts >= wanted:
                break
            if number >= _MOST_ON_THE_WAY or self._clock() > self._end:
                break
        return frame

    def _seek(self, place: float) -> int | None:
        """Seek to the last key frame before a place; return the place in the stream's time base."""
        length, base = _length(self._film, self._stream), self._stream.time_base
        if length is None or not base:
            return None
        wanted = int((self._stream.start_time or 0) + place * length / float(base))
        self._film.seek(wanted, stream=self._stream)
        return wanted


def _length(film: Any, stream: Any) -> float | None:
    """Return a video's length in seconds; None if unknown."""
    of_stream = float((stream.duration or 0) * (stream.time_base or 0))
    return max(of_stream, (film.duration or 0) / 1e6) or None


def _shown_size(stream: Any) -> tuple[int, int]:
    """Return (width, height) as a video is shown: some formats have pixels that are wider than they are high."""
    width, height = stream.codec_context.width, stream.codec_context.height
    shown = round(width * (stream.sample_aspect_ratio or 1))
    return (shown if width / 4 <= shown <= width * 4 else width), height


def _tables(film: Any, stream: Any) -> ExifTables:
    """Return a container's facts in the form of EXIF tables."""
    told = {name.lower(): value for name, value in {**stream.metadata, **film.metadata}.items()}
    taken = _taken_at(told)
    make = told.get(f"{_APPLE}make") or told.get("com.android.manufacturer") or told.get("make")
    model = told.get(f"{_APPLE}model") or told.get("com.android.model") or told.get("model")
    return ExifTables(
        main={exif.MAKE: make, exif.MODEL: model},
        details={exif.TAKEN: f"{taken:%Y:%m:%d %H:%M:%S}"} if taken else {},
        place=_place(told.get(f"{_APPLE}location.iso6709") or told.get("location") or ""),
    )


def _taken_at(told: Mapping[str, str]) -> datetime | None:
    """Return when a recording began: on the camera's clock if known, else its UTC in the local time zone here."""
    for name, is_local in ((f"{_APPLE}creationdate", True), ("creation_time", False)):
        with suppress(ValueError, OverflowError, OSError):
            found = datetime.fromisoformat(told.get(name, ""))
            at = found if found.tzinfo else found.replace(tzinfo=UTC)
            shown = found if is_local else at.astimezone()
            if at >= _EARLIEST and shown.replace(tzinfo=None).isoformat() <= latest():
                return shown
    return None


def _place(text: str) -> dict[int, object]:
    """Return a place in ISO 6709 form as EXIF's GPS table."""
    if (found := _POSITION.match(text)) is None:
        return {}
    north, east = float(found[1]), float(found[2])
    return {
        **{exif.LATITUDE_SIDE: "N", exif.LATITUDE: (north,)},
        **{exif.LONGITUDE_SIDE: "E", exif.LONGITUDE: (east,)},
    }
