"""Owns framing: how a message is sent over a pipe or stored in a file.  Knows nothing of its meaning.

A frame is two big-endian uint32 lengths, a JSON object in UTF-8, and a binary payload (empty in most frames).  In a
file its CRC follows.
"""

from __future__ import annotations

import io
import json
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from photomap_cli import files
from photomap_cli.errors import ProtocolMismatch

_LENGTHS = struct.Struct(">II")
_CHECK = struct.Struct(">I")
_FIRST_CHUNK_BYTES, _LAST_CHUNK_BYTES = 64 << 10, 1 << 20
MAX_JSON_BYTES = 16 << 20
MAX_PAYLOAD_BYTES = 1 << 30


class Writable(Protocol):
    """Where frames go; `write` writes everything it is given."""

    def write(self, data: Any, /) -> Any:
        """Write all bytes."""

    def flush(self) -> None:
        """Flush them."""


def write_frame(
    stream: Writable,
    message: dict[str, Any],
    payload: bytes | memoryview = b"",
    *,
    max_json_bytes: int = MAX_JSON_BYTES,
) -> None:
    """Send one frame.  `message` must be JSON values; unpaired surrogates in file names survive.

    Raises:
        ProtocolMismatch: the JSON is longer than the other end accepts; nothing was sent.
    """
    stream.write(frame(message, len(payload), max_json_bytes=max_json_bytes))
    if payload:
        stream.write(payload)
    stream.flush()


def frame(message: dict[str, Any], payload_bytes: int = 0, *, max_json_bytes: int = MAX_JSON_BYTES) -> bytes:
    """Return a frame as bytes, without its payload.  Raises as `write_frame`."""
    text = json.dumps(message, separators=(",", ":")).encode("ascii")
    if len(text) > max_json_bytes:
        raise ProtocolMismatch(_over_limit(len(text), max_json_bytes))
    return _LENGTHS.pack(len(text), payload_bytes) + text


def read_frame(
    read: Callable[[int], bytes],
    *,
    max_json_bytes: int = MAX_JSON_BYTES,
    max_payload_bytes: int = MAX_PAYLOAD_BYTES,
) -> tuple[dict[str, Any], bytes] | None:
    """Return the next message and its payload, or None at a clean end between two frames.

    Args:
        read: returns up to n bytes; b"" at the end.
        max_json_bytes, max_payload_bytes: larger frames are refused before any of them is read.

    Raises:
        ProtocolMismatch: the stream ends inside a frame, a length is over its limit, or the JSON isn't an object.
    """
    first = read(_LENGTHS.size)
    if not first:
        return None
    json_bytes, payload_bytes = _LENGTHS.unpack(first + _exactly(read, _LENGTHS.size - len(first)))
    if json_bytes > max_json_bytes or payload_bytes > max_payload_bytes:
        raise ProtocolMismatch(_over_limit(json_bytes + payload_bytes, max_json_bytes + max_payload_bytes))
    try:
        message = json.loads(_exactly(read, json_bytes))
    except (ValueError, RecursionError) as error:
        raise ProtocolMismatch(f"a frame holds no JSON: {error}") from error
    if not isinstance(message, dict):
        raise ProtocolMismatch("a frame isn't a JSON object")
    return message, _exactly(read, payload_bytes)


def write_file(path: Path, message: dict[str, Any], payload: bytes = b"") -> None:
    """Write a frame to its own file, readable only by its owner, completely or not at all.  Raises OSError."""
    content = io.BytesIO()
    write_frame(content, message, payload)
    files.make_folder(path.parent)
    with files.replacing(path) as file:
        file.write(content.getvalue() + _CHECK.pack(zlib.crc32(content.getvalue())))


def read_file(path: Path, *, max_bytes: int = MAX_JSON_BYTES) -> tuple[dict[str, Any], bytes] | None:
    """Return the frame in a file; None if there is no file, or it is damaged or longer than `max_bytes`."""
    try:
        with files.reading(path) as file:
            content = file.read(max_bytes + 1)
        frame, check = content[: -_CHECK.size], content[-_CHECK.size :]
        if len(content) > max_bytes or len(content) < _CHECK.size or _CHECK.unpack(check)[0] != zlib.crc32(frame):
            return None
        return read_frame(io.BytesIO(frame).read)
    except (OSError, ProtocolMismatch):
        return None


def _exactly(read: Callable[[int], bytes], count: int) -> bytes:
    """Read exactly `count` bytes.

    Reads at most as much at once as has come so far: a claimed length must cost its sender as much as us.
    """
    parts = bytearray()
    while len(parts) < count:
        chunk = min(max(_FIRST_CHUNK_BYTES, len(parts)), _LAST_CHUNK_BYTES)
        part = read(min(count - len(parts), chunk))
        if not part:
            raise ProtocolMismatch("the stream ended inside a frame")
        parts += part
    return bytes(parts)


def _over_limit(count: int, limit: int) -> str:
    return f"a frame of {count} bytes is over the limit of {limit}"
