"""Owns how much clients may ask of a session, and say at once."""

from __future__ import annotations

from typing import NamedTuple


class Limits(NamedTuple):
    """What a session grants to its clients, who are this user's own processes.

    Attributes:
        clients: connections served at once; a prompt or a one-shot search has two.  The next is told so and hung up on.
            Each costs a thread that waits, some 50 KB.
        line_bytes: one request, or one reply.  A hit is some 250 bytes: 100,000, the most `search -k` takes, are 25 MB.
        seconds: how long a client may say nothing, or not read its reply, before it is hung up on.  `SessionClient`
            connects again by itself.
    """

    clients: int = 64
    line_bytes: int = 64 << 20
    seconds: float = 10.0


LIMITS = Limits()
