"""Owns what the faults of picture files are called: one line for people.  Opens nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from PIL import UnidentifiedImageError

from photomap_cli.errors import BadImage


class Damaged(BadImage):
    """A picture that breaks off, or has what no decoder understands: something of it may still be seen."""


NO_MEMORY = "not enough memory to decode it"

_LONGEST = 100
_CUT_SHORT = re.compile(r"truncated|unexpected end|premature|end of file", re.IGNORECASE)
_PLAINER = (
    (
        re.compile(r"decoder error -\d+"),
        "its pixels are missing or cannot be decoded",
    ),  # all that Pillow tells of libtiff's reasons
    (re.compile(r"MAX_TEXT_(CHUNK|MEMORY)"), "too much data besides its pixels"),
    (re.compile(r"Token too long|invalid literal for int"), "a number is malformed"),
)
"""What libraries say to programmers, and how to say it."""


@contextmanager
def faults_named() -> Iterator[None]:
    """Turn whatever a file makes a decoder raise into BadImage, or Damaged, whose message is the reason alone."""
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
    except Exception as error:  # decoders raise nearly every class there is
        raise Damaged(reason(error)) from error


def reason(error: Exception) -> str:
    """Return what an error of a decoder, or of the system, says of a file."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    said = error.args[0] if error.args else ""
    text = said.decode(errors="replace") if isinstance(said, bytes) else str(error)  # LibRaw's are bytes
    detail = "".join(char if char.isprintable() else " " for char in " ".join(text.split())) or type(error).__name__
    if _CUT_SHORT.search(detail):
        return "truncated"
    plainer = next((plain for pattern, plain in _PLAINER if pattern.search(detail)), detail[:_LONGEST])
    return f"damaged: {plainer}"
