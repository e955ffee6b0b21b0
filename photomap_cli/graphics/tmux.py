"""Owns passing pictures through tmux: whether it allows that, to which terminal, and how to wrap them."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping

from photomap_cli.graphics.protocol_choice import TmuxClient

TIMEOUT_SECONDS = 1.0
_FORMAT = "#{allow-passthrough}\t#{client_termname}\t#{client_termtype}"
_KNOW_PLACEHOLDERS = ("kitty", "xterm-kitty", "ghostty", "xterm-ghostty")


def client(environment: Mapping[str, str]) -> TmuxClient:
    """Return the terminal around tmux; nameless if there is no tmux.

    This asks tmux, not the terminal, whose answer would come as keys, to whichever pane is active by then.
    """
    if not environment.get("TMUX"):
        return TmuxClient()
    try:
        done = subprocess.run(
            ["tmux", "display-message", "-p", _FORMAT],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return TmuxClient()
    return understood(done.stdout)


def understood(line: str) -> TmuxClient:
    """Parse what tmux says about its terminal."""
    allowed, *names = line.strip("\n").split("\t")
    knows = next((name for name in names if name.lower().startswith(_KNOW_PLACEHOLDERS)), "")
    best = next((name for name in reversed(names) if name), "")  # its answer, in preference to its terminfo entry
    return TmuxClient(best, draws_placeholders=bool(knows) and allowed in ("on", "all", "1", "2"))


def wrap(text: str) -> str:
    """Return an escape sequence wrapped for tmux to pass on."""
    doubled = text.replace("\x1b", "\x1b\x1b")
    return f"\x1bPtmux;{doubled}\x1b\\"
