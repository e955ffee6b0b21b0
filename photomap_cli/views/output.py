"""Owns text output to people: characters that could command a terminal, or mislead its reader, are escaped.  Light.

All text passes `say`, a console of `console.py`, or the prompt; output for programs is in `machine_output.py`.
"""

from __future__ import annotations

import re
import sys
from typing import TextIO

# Flags of regions like Scotland are written with invisible tags; elsewhere tags hide something.
_FLAG = "\U0001f3f4[\U000e0020-\U000e007e]{1,8}\U000e007f"
_ESCAPED = (
    "\x00-\x1f\x7f-\x9f"  # controls, C1 among them
    "\ud800-\udfff"  # bytes that aren't UTF-8
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # direction: `gpj.exe` may read `exe.jpg`
    "\u2028\u2029"  # line ends
    "\u180e\u200b\u2060-\u2065\u206a-\u206f\ufeff\ufff9-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"  # invisible
    "\U000e0000-\U000e00ff"  # tags; the joiners inside emoji and words stay
)
_PATTERN = re.compile(f"({_FLAG})|[{_ESCAPED}]")
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\x1b": "\\e"}


def printable(text: str) -> str:
    r"""Return the text with control characters, undecodable bytes, direction and invisible characters as escapes.

    Example:
        an escape character becomes `\e`, a line end `\n`, a byte 0xff that isn't UTF-8 `\xff`.
    """
    return text if text.isascii() and text.isprintable() else _PATTERN.sub(_escape, text)


def printable_lines(text: str) -> str:
    """Return the same for a text whose line ends are intended."""
    return "\n".join(map(printable, text.split("\n")))


def one_line(text: str) -> str:
    """Return a text of any length as one printable line."""
    return printable(re.sub(r"\s*\n\s*", " ", text.strip()))


def say(*lines: str, file: TextIO | None = None) -> None:
    """Print lines for people, on standard error or `file`."""
    stream = file or sys.stderr
    stream.write("".join(f"{printable(line)}\n" for line in lines))
    stream.flush()


def _escape(found: re.Match[str]) -> str:
    letter = found[0]
    if found[1]:
        return letter
    code = ord(letter)
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    return _SHORT.get(letter) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")
