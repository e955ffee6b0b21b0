"""Owns which letter stands for a symbol that a terminal's encoding lacks, so that shapes still tell.  Light."""

from __future__ import annotations

import codecs

ERRORS = "photomap.lookalikes"
"""The name under which Python's encoders find `_replaced`."""

_LOOKALIKES = dict(zip("●◐◑◌○✗✓│━─…→×·▀↑", "*%~.ox+|=-.>x-#^", strict=True))
_BRAILLE = range(0x2800, 0x2900)  # spinners


def register() -> None:
    """Make `errors=ERRORS` known to Python."""
    codecs.register_error(ERRORS, _replaced)


def fitting(text: str, encoding: str) -> str:
    """Return the text with lookalikes for what the encoding lacks; as many letters as before."""
    register()
    return text.encode(encoding, ERRORS).decode(encoding)


def _replaced(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        return codecs.replace_errors(error)
    return "".join(map(_lookalike, error.object[error.start : error.end])), error.end


def _lookalike(letter: str) -> str:
    return "-" if ord(letter) in _BRAILLE else _LOOKALIKES.get(letter, "?")
