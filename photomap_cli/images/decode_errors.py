"""Owns describing faults of picture files in one line for users.  Opens nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from PIL import UnidentifiedImageError

from photomap_cli.errors import BadImage


class Damaged(BadImage):
    """A picture that is truncated, or has data no decoder understands; some of it may still be visible."""


NO_MEMORY = "not enough memory to decode it"

_LONGEST = 100
_CUT_SHORT = re.compile(r"truncated|unexpected end|premature|end of file", re.IGNORECASE)
_PLAINER = (
    (
        re.compile(r"decoder error -\d+"),
        "its pixels are missing or cannot be decoded",
    ),  # all that Pillow reports of libtiff's reasons
    (re.compile(r"MAX_TEXT_(CHUNK|MEMORY)"), "too much data besides its pixels"),
    (re.compile(r"Token too long|invalid literal for int"), "a number is malformed"),
)
"""Libraries' messages for programmers, and how to put them for users."""


@contextmanager
def translated_errors() -> Iterator[None]:
    """Turn any exception of a decoder into BadImage, or Damaged, whose message is only the reason."""
    try:
        yield
    except BadImage:
        raise
    except UnidentifiedImageError as error:
        raise BadImage("not a picture, or in a format that can't be read") from error
    except MemoryError as error:
        raise BadImage(NO_MEMORY) from error
    except OSError as error:
        raise (BadImage if error.strerror else Damaged)(reason(error)) from error
    except Exception as error:  # decoders raise nearly every exception class
        raise Damaged(reason(error)) from error


def reason(error: Exception) -> str:
    """Return what a decoder's or system's error says about a file."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    said = error.args[0] if error.args else ""
    text = said.decode(errors="replace") if isinstance(said, bytes) else str(error)  # LibRaw's are bytes
    detail = "".join(char if char.isprintable() else " " for char in " ".join(text.split())) or type(error).__name__
    if _CUT_SHORT.search(detail):
        return "truncated"
    plainer = next((plain for pattern, plain in _PLAINER if pattern.search(detail)), detail[:_LONGEST])
    return f"damaged: {plainer}"
