"""Owns the framing on a session's socket: one JSON object per line, both ways.  Knows nothing of its meaning."""

from __future__ import annotations

import json
from typing import Any

from photomap_cli.errors import ProtocolMismatch
from photomap_cli.session.limits import LIMITS

TWO_VERSIONS = "two versions of photomap are in use: restart the session, or search with --local"


def encode(message: dict[str, Any], most_bytes: int = LIMITS.line_bytes) -> bytes:
    """Return a message as one line, in ASCII: unpaired surrogates in file names survive.

    Raises:
        ProtocolMismatch: it is longer than the other end accepts.
    """
    line = json.dumps(message, separators=(",", ":")).encode("ascii") + b"\n"
    if len(line) > most_bytes:
        raise over_limit(most_bytes)
    return line


def decode(line: bytes) -> dict[str, Any]:
    """Return the message in a line.  Raises ProtocolMismatch if it holds none."""
    try:
        message = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ProtocolMismatch(f"a line is not JSON: {error}", hint=TWO_VERSIONS) from error
    if not isinstance(message, dict):
        raise ProtocolMismatch("a line isn't a JSON object", hint=TWO_VERSIONS)
    return message


def over_limit(most_bytes: int) -> ProtocolMismatch:
    """Return the error for a line that is too long."""
    return ProtocolMismatch(f"a line is over the limit of {most_bytes} bytes", hint="ask for less at once")
