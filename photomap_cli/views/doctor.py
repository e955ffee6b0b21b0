"""Owns how `photomap doctor` prints checks, and its check of the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from rich.text import Text

from photomap_cli.records import Check, CheckState
from photomap_cli.views.output import printable
from photomap_cli.views.palette import GOOD, NOTE

if TYPE_CHECKING:
    from rich.console import Console

_MARKS = {CheckState.OK: ("✓", GOOD), CheckState.ADVICE: ("!", NOTE), CheckState.FAULT: ("✗", "bold red")}
_COLOURS = {"truecolor": "24-bit colour", "256": "256 colours", "standard": "16 colours", "windows": "16 colours"}


def terminal(console: Console, environment: Mapping[str, str]) -> Check:
    """Return what the terminal can do, and what would make it do more."""
    if not console.is_terminal:
        return Check("terminal", CheckState.OK, "none: plain lines")
    name = environment.get("TERM", "unknown")
    if console.encoding.lower().replace("-", "") != "utf8":
        hint = "set LANG to a UTF-8 locale, such as C.UTF-8"
        return Check("terminal", CheckState.ADVICE, f"{name}, {console.encoding}: no ● ◐ ○ in the bar", hint)
    if name == "dumb":
        return Check("terminal", CheckState.ADVICE, "TERM is dumb: no colour, no bar", "set TERM, or use another one")
    colours = _COLOURS.get(console.color_system or "", "no colour")
    return Check("terminal", CheckState.OK, f"{name}, {console.width}×{console.height}, {colours}")


def line(check: Check) -> Text:
    """Return a check as a line, followed by what to do, if anything."""
    mark, style = _MARKS[check.state]
    text = Text.assemble((mark, style), f" {printable(check.subject)}: {printable(check.message)}")
    return text.append(f"\n  hint: {printable(check.hint)}", "dim") if check.hint else text
