"""Owns the limits on what clients may ask of a session."""

from __future__ import annotations

from typing import NamedTuple


class Limits(NamedTuple):
    """The limits of a session's clients, which are this user's own processes.

    Attributes:
        clients: connections at once; a prompt or one-shot search has two.  The next is refused with a reason.
            Each costs a waiting thread, some 50 KB.
        line_bytes: of a request or reply.  A hit is some 250 bytes: 100,000, the most `search -k` takes, are 25 MB.
        seconds: how long a client may be silent, or not read its reply, before it is disconnected.  `SessionClient`
            connects again by itself.
    """

    clients: int = 64
    line_bytes: int = 64 << 20
    seconds: float = 10.0


LIMITS = Limits()
