"""Owns how much one client, and all of them together, may ask of a session: sizes, seconds, numbers."""

from __future__ import annotations

from typing import NamedTuple


class Limits(NamedTuple):
    """What a session grants to those at its door.

    Attributes:
        clients: connections served at once; a prompt or a one-shot search has two.  The next is told so and hung up on.
            Each costs a thread that waits, some 50 KB.
        request_bytes: JSON of one request.  A query is a few hundred bytes; one that names a hundred hits by the
            longest path that Linux allows is 0.4 MB, the longest there may be, in emoji, 1.2 MB.
        reply_bytes: JSON of one reply.  A hit is some 250 bytes: 100,000, the most `search -k` takes, are 25 MB.
            So much more than a request because its size is ours, and a request's is its sender's.
        request_seconds: time to deliver the next request whole, counted from connecting or from the last reply; so
            silence, half a frame and one byte a second all end here.  `SessionClient` connects again by itself.
        reply_seconds: time to take a reply whole, 25 MB in a fraction of a second.
    """

    clients: int = 64
    request_bytes: int = 2 << 20
    reply_bytes: int = 64 << 20
    request_seconds: float = 10.0
    reply_seconds: float = 10.0


LIMITS = Limits()
