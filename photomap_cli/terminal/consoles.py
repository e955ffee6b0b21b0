"""Owns the consoles that are printed on: which stream, how many colours.  Prints nothing."""

from __future__ import annotations

import os

from rich.console import Console

_HAVE_16 = frozenset({"linux", "eterm-color"})


def console_on(*, stderr: bool = False) -> Console:
    """Return a console on standard output, or on standard error.

    Rich takes a TERM without a number, such as the `xterm` of containers, for 16 colours.  All these terminals but few
    have 256; prompt_toolkit says so too, and colours are to be the same in both.
    """
    console = Console(stderr=stderr, highlight=False)
    has_more = console.color_system == "standard" and os.environ.get("TERM", "") not in _HAVE_16
    return Console(stderr=stderr, highlight=False, color_system="256") if has_more else console
