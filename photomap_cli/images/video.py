"""Owns videos: the picture that stands for one, and what its container tells; alone here in knowing PyAV."""

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

if TYPE_CHECKING:
    from PIL import Image

WITHOUT_AV = f"a video: {how_to_read('video')}"

SECONDS = 5.0
"""How long to look for a picture; the first that was seen stands where nothing better was found by then."""

_PLACES = 0.25, 0.5, 0.75
_MORE_PLACES = 0.1, 0.9, 0.0, 0.35, 0.65
"""Where to look, as parts of the length; at the others where the first show nothing."""

_MOST_ON_THE_WAY = 300
"""So many pictures are decoded at most on the way from one that stands by itself to the place that is meant."""

_NEARLY = 0.9
"""A picture with less of the contrast of the clearest is one that fades in or out."""

_TURNS = {90: 8, 180: 3, 270: 6}
"""Degrees against the clock in EXIF's numbers."""

_EARLIEST = datetime(1990, 1, 2, tzinfo=UTC)  # clocks that were never set begin in 1904, 1970 or 1980
_POSITION = re.compile(r"([+-]\d+(?:\.\d+)?)([+-]\d+(?:\.\d+)?)")
_APPLE = "com.apple.quicktime."


@dataclass(frozen=True, slots=True)
class Still:
    """The picture that stands for a video, at the size that is wanted, and what is known of that.

    Attributes:
        image: as it is stored.
        size: its own (width, height).
        turn: how it has to be turned.
        tables: what the container tells.
        seconds: how long the video is, or None.
        damage: what is wrong with the file, or None.
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
    """Return what stands for a video: a picture from within that shows something.

    `size_for` says at which size one of a (width, height) is wanted, or raises what speaks against it.  Raises
    BadImage, which says how to get PyAV where it is not installed; others of PyAV's errors pass.
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
            seen = _Search(film, stream, size_for(size), clock).telling()
            turn = _TURNS.get(round(seen.rotation) % 360, 1)
            damage = f"{heif.TRUNCATED}; its beginning can be seen" if _is_cut(path) else None
            return Still(seen.image, size, turn, _tables(film, stream), _length(film, stream), damage)
    except (av.error.InvalidDataError, av.error.EOFError) as error:
        raise BadImage(heif.TRUNCATED if _is_cut(path) else "damaged, or in a format that can't be read") from error


def _is_cut(path: Path) -> bool:
    """Whether a file made of boxes ends before they do; of others that does not show."""
    with path.open("rb") as file:
        return is_boxed(file.read(START_BYTES)) and heif.fault(file) == heif.TRUNCATED


def _stream(film: Any) -> Any:
    """Return the pictures of a film, ready to be decoded by this thread alone."""
    streams = [each for each in film.streams.video if each.codec_context is not None]
    stream = min(streams, key=_is_cover, default=None)
    if stream is None:
        raise BadImage("no pictures in it, or in a format that can't be read")
    stream.codec_context.thread_count = 1  # there is a process a core; each thread takes memory for pictures of its own
    return stream


def _is_cover(stream: Any) -> bool:
    """Whether a stream is the one picture that stands on the box, which counts where there is nothing else."""
    return bool(stream.disposition & type(stream.disposition).attached_pic)


class _Seen(NamedTuple):
    """A picture of a film, how much it shows, and by how many degrees it has to be turned."""

    contrast: float
    image: Image.Image
    rotation: float


class _Search:
    """The search for the picture of a film that shows something; pictures are kept at the `size` that is wanted."""

    def __init__(self, film: Any, stream: Any, size: tuple[int, int], clock: Callable[[], float]) -> None:
        self._film, self._stream, self._size, self._clock = film, stream, size, clock
        self._end = clock() + SECONDS
        self._last: Any = None  # the time of the picture that was looked at last

    def telling(self) -> _Seen:
        """Return the first of three pictures that is not much less clear than the clearest; or the clearest of more."""
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
        """Yield the pictures at some places, as far as the time reaches; at least one, if there is one."""
        for place in places:
            if self._last is not None and self._clock() > self._end:
                return
            frame = None
            with suppress(Exception):  # nothing there, or damaged: the next place may do
                frame = self._frame_at(place)
            if frame is not None:
                self._last = frame.pts
                yield frame

    def _frame_at(self, place: float) -> Any:
        """Return the picture at a place, or the one before it that stands by itself, if that is another than before."""
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
        """Go to the last picture before a place that stands by itself; return the place in the stream's time."""
        length, base = _length(self._film, self._stream), self._stream.time_base
        if length is None or not base:
            return None
        wanted = int((self._stream.start_time or 0) + place * length / float(base))
        self._film.seek(wanted, stream=self._stream)
        return wanted


def _length(film: Any, stream: Any) -> float | None:
    """Return how many seconds a film takes; None where it does not say."""
    of_stream = float((stream.duration or 0) * (stream.time_base or 0))
    return max(of_stream, (film.duration or 0) / 1e6) or None


def _shown_size(stream: Any) -> tuple[int, int]:
    """Return (width, height) as a film is shown: in some formats pixels are wider than they are high."""
    width, height = stream.codec_context.width, stream.codec_context.height
    shown = round(width * (stream.sample_aspect_ratio or 1))
    return (shown if width / 4 <= shown <= width * 4 else width), height


def _tables(film: Any, stream: Any) -> ExifTables:
    """Return what a container tells, as EXIF would."""
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
    """Return when a film was begun: on the camera's clock, where it says that, else its UTC on the clock of here."""
    for name, is_local in ((f"{_APPLE}creationdate", True), ("creation_time", False)):
        with suppress(ValueError, OverflowError, OSError):
            found = datetime.fromisoformat(told.get(name, ""))
            at = found if found.tzinfo else found.replace(tzinfo=UTC)
            if _EARLIEST <= at <= datetime.now(UTC):
                return found if is_local else at.astimezone()
    return None


def _place(text: str) -> dict[int, object]:
    """Return a place in the form of ISO 6709 as EXIF would have it."""
    if (found := _POSITION.match(text)) is None:
        return {}
    north, east = float(found[1]), float(found[2])
    return {
        **{exif.LATITUDE_SIDE: "N", exif.LATITUDE: (north,)},
        **{exif.LONGITUDE_SIDE: "E", exif.LONGITUDE: (east,)},
    }
