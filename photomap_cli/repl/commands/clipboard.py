"""Owns copying text to the user's clipboard: by a program of this desktop, tmux, or the terminal (OSC 52).

Over ssh only the terminal's clipboard is the user's: the sequence takes the same way as all output.
"""

from __future__ import annotations

import base64
import os
import shutil
from collections.abc import Iterator, Mapping
from typing import TextIO

from photomap_cli.errors import UsageError
from photomap_cli.repl.commands.desktop import pipes_into

MOST_BYTES = 74_000  # in base64 just under the 100,000 characters that xterm takes
TIMEOUT_SECONDS = 2.0
_SCREEN_PIECE = 200  # GNU screen doesn't pass on longer sequences


def copy(text: str, terminal: TextIO, *, platform: str, environment: Mapping[str, str]) -> str:
    """Put a text on the clipboard, as the bytes of its paths, and return how.

    Raises:
        UsageError: it is too long for a terminal, and there is no other way.
    """
    data = os.fsencode(text)
    for command in _programs(platform, environment):
        if _fed(command, data):
            return command[0]
    if environment.get("TMUX") and _fed(["tmux", "load-buffer", "-w", "-"], data):
        return "tmux and its terminal"
    if len(data) > MOST_BYTES:
        raise UsageError(f"{len(data):,} bytes are too much for a terminal's clipboard", hint=":save FILE.txt")
    terminal.write(sequence(data, environment))
    terminal.flush()
    return "the terminal, OSC 52"


def sequence(data: bytes, environment: Mapping[str, str]) -> str:
    """Return what to print so that the terminal puts the data on its clipboard.

    If TERM names tmux or screen without their variables, it is that of the other end of ssh: it may be either, or
    the plain sequence may be allowed, so it gets all of them; each ignores the others'.
    """
    plain = f"\x1b]52;c;{base64.b64encode(data).decode()}\x07"
    if environment.get("STY"):
        return _through_screen(plain)
    if environment.get("TERM", "").startswith(("tmux", "screen")):
        doubled = plain.replace("\x1b", "\x1b\x1b")
        return f"{plain}\x1bPtmux;{doubled}\x1b\\"
    return plain


def _through_screen(plain: str) -> str:
    pieces = (plain[start : start + _SCREEN_PIECE] for start in range(0, len(plain), _SCREEN_PIECE))
    return "".join(f"\x1bP{piece}\x1b\\" for piece in pieces)


def _programs(platform: str, environment: Mapping[str, str]) -> Iterator[list[str]]:
    """Yield the programs that reach this desktop's clipboard; none over ssh, where nobody sees it."""
    if "SSH_CONNECTION" in environment:
        return
    if platform == "darwin":
        yield ["pbcopy"]
    if platform == "win32":
        yield ["clip"]
    if environment.get("WAYLAND_DISPLAY"):
        yield ["wl-copy"]
    if environment.get("DISPLAY"):
        yield ["xclip", "-selection", "clipboard"]
        yield ["xsel", "--clipboard", "--input"]


def _fed(command: list[str], data: bytes) -> bool:
    """Pass the data to a program; returns whether it accepted them."""
    return shutil.which(command[0]) is not None and pipes_into(command, data, seconds=TIMEOUT_SECONDS)
