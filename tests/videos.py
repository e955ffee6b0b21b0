"""Owns the videos that tests look at, made by PyAV: what is shown when, and what the container tells."""

from __future__ import annotations

from pathlib import Path

import heic
import numpy as np
import pytest
from PIL import Image

SIZE = (96, 64)
RATE = 10
CODECS = {"webm": "libvpx", "mts": "mpeg2video", "mpg": "mpeg1video"}
NO_DECODER = "no video decoder: pip install -e .[video]"

_AS_IT_IS = (1, 0, 0, 0, 1, 0, 0, 0, 0x4000)
_TO_THE_RIGHT = (0, 1, 0, -1, 0, 0, SIZE[1], 0, 0x4000)


def scene(size=SIZE):
    return heic.upright().resize(size)


def black(size=SIZE):
    return Image.new("RGB", size)


def faded(share, size=SIZE):
    return Image.blend(black(size), scene(size), share)


def made(path: Path, pictures=None, *, told=None, rate=RATE) -> Path:
    """Write a video of pictures, ten a second, or of two seconds of one; skip the test where nothing writes videos."""
    av = pytest.importorskip("av", reason=NO_DECODER)
    pictures = [scene()] * 20 if pictures is None else pictures
    rate = 25 if path.suffix in {".mts", ".mpg"} else rate
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w", options={"movflags": "use_metadata_tags"} if told else {}) as film:
        film.metadata.update(told or {})
        stream = film.add_stream(CODECS.get(path.suffix[1:].lower(), "mpeg4"), rate=rate)
        (stream.width, stream.height), stream.pix_fmt = pictures[0].size, "yuv420p"
        stream.bit_rate = 4_000_000
        for picture in pictures:
            film.mux(stream.encode(av.VideoFrame.from_ndarray(np.asarray(picture), format="rgb24")))
        film.mux(stream.encode())
    return path


def turned_to_the_right(path: Path) -> Path:
    """Have an MP4 say that it is to be turned, as phones do that were held upright."""
    content, before, after = path.read_bytes(), *map(_matrix, (_AS_IT_IS, _TO_THE_RIGHT))
    assert content.count(before, content.index(b"tkhd")) == 1
    at = content.index(before, content.index(b"tkhd"))
    path.write_bytes(content[:at] + after + content[at + len(after) :])
    return path


def sound(path: Path) -> Path:
    """Write a file that has no pictures."""
    av = pytest.importorskip("av", reason=NO_DECODER)
    with av.open(str(path), "w") as film:
        stream = film.add_stream("aac", rate=48000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.rate = 48000
        film.mux(stream.encode(frame))
        film.mux(stream.encode())
    return path


def _matrix(numbers) -> bytes:
    return b"".join((number << 16 & 0xFFFFFFFF).to_bytes(4) for number in numbers)
