"""Owns how a photo's path is shown: relative, harmless to a terminal, and as a link.  Opens no file."""

from __future__ import annotations

import os
import socket
import unicodedata
from functools import cache
from pathlib import Path
from urllib.parse import quote

# Direction overrides are format characters like the joiners inside emoji, but they can make `gpj.exe` read `exe.jpg`.
_DIRECTION = frozenset("\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_ESCAPED_CATEGORIES = frozenset({"Cc", "Cs", "Zl", "Zp"})
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\x1b": "\\e"}


def printable(text: str) -> str:
    r"""Return the text with control characters, undecodable bytes and direction overrides written as escapes.

    Example:
        an escape character becomes `\e`, a line end `\n`, a byte 0xff that is no UTF-8 `\xff`.
    """
    return text if text.isascii() and text.isprintable() else "".join(_escape(letter) for letter in text)


def _escape(letter: str) -> str:
    if letter not in _DIRECTION and unicodedata.category(letter) not in _ESCAPED_CATEGORIES:
        return letter
    code = ord(letter)
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    return _SHORT.get(letter) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")


def shown_path(path: str, cwd: Path) -> str:
    """Return the path relative to `cwd` where it lies inside, else absolute; printable."""
    inside = Path(path).is_relative_to(cwd)
    return printable(os.path.relpath(path, cwd) if inside else path)


@cache
def _host() -> str:
    return socket.gethostname()


def file_link(path: str) -> str:
    """Return a `file://` address with the host's name, which terminals use to tell remote files from their own."""
    address = file_address(path)
    return address if os.name == "nt" else address.replace("file://", f"file://{_host()}", 1)


def file_address(path: str) -> str:
    """Return a `file:` address, whatever the locale: `Path.as_uri` fails in one that lacks a letter of the path."""
    whole = Path(path).absolute()
    return whole.as_uri() if os.name == "nt" else f"file://{quote(str(whole), errors='surrogateescape')}"
