"""Owns which way of drawing suits a terminal: its name first, what it can do second.  Pure; asks nobody."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from photomap_cli.graphics.terminal_query import TerminalReplies

if TYPE_CHECKING:
    from collections.abc import Mapping

USUAL_CELL = (10, 20)
_DARK = (0, 0, 0)

_BY_NAME = {  # as terminals begin their own names, in lower case
    "kitty": "kitty",
    "ghostty": "kitty",
    "iterm2": "iterm2",
    "wezterm": "iterm2",
    "mintty": "iterm2",
    "warp": "iterm2",
    "konsole": "konsole",
}
_BY_PROGRAM = {
    "ghostty": "kitty",
    "iTerm.app": "iterm2",
    "WezTerm": "iterm2",
    "WarpTerminal": "iterm2",
    "mintty": "iterm2",
    "vscode": "vscode",
}
_WRAP_AGAIN = ("tmux", "vte", "foot", "alacritty", "contour", "xterm.js", "xterm-kitty", "xterm-ghostty")
_OF_THOSE_THAT_WRAP_AGAIN = ("TMUX", "ZELLIJ", "VTE_VERSION", "WT_SESSION", "ALACRITTY_WINDOW_ID")
_NAMELESS = "xterm.js"  # a part of many programs, which say who they are in TERM_PROGRAM
_PRINTS_QUESTIONS = frozenset({"Apple_Terminal"})
_SIXEL = 4
_KITTY_VERSION, _PLACEHOLDERS_SINCE = re.compile(r"kitty\((\d+)\.(\d+)"), (0, 28)
_PLAIN_TERMS = frozenset({"", "dumb", "unknown"})


class GraphicsProtocol(Enum):
    """Ways of drawing."""

    PLACEHOLDERS = "kitty (placeholders)"
    KITTY = "kitty"
    ITERM2 = "iterm2"
    SIXEL = "sixel"
    BLOCKS = "blocks"
    ASCII = "ascii"


@dataclass(frozen=True, slots=True)
class TerminalInfo:
    """What is known of the terminal before and after it was asked.

    Attributes:
        environment: this process's.
        is_utf8: whether what is written leaves as UTF-8.
        answers: what the terminal said; nothing if it was not asked.
        tmux_client: the kind of terminal that tmux lets pictures through to; empty if there is none.
    """

    environment: Mapping[str, str]
    is_utf8: bool = True
    answers: TerminalReplies = field(default_factory=TerminalReplies)
    tmux_client: str = ""

    @property
    def is_plain(self) -> bool:
        """Whether there shall be neither colour nor anything but ASCII."""
        env = self.environment
        return bool(env.get("NO_COLOR")) or env.get("TERM", "") in _PLAIN_TERMS or not self.is_utf8

    @property
    def may_be_asked(self) -> bool:
        """Whether the terminal answers questions, or at least does not print them."""
        env = self.environment
        return env.get("TERM", "") not in _PLAIN_TERMS | {"linux"} and env.get("TERM_PROGRAM") not in _PRINTS_QUESTIONS

    @property
    def is_multiplexed(self) -> bool:
        """Whether another program draws on the terminal for us: what the environment says of it may be long past.

        And so may what it says of that program: a terminal started from a tmux is not in it.
        """
        env = self.environment
        if _family_by_name(self.answers.name):
            return False
        return bool(env.get("TMUX") or env.get("STY") or env.get("ZELLIJ")) or _term(env).startswith(("tmux", "screen"))

    @property
    def has_all_colours(self) -> bool:
        """Whether colours of 24 bits are understood."""
        env = self.environment
        if env.get("STY"):  # screen is the one that turns them into nonsense; COLORTERM is the outer terminal's
            return False
        named = self.family or self.answers.name.lower().startswith(("foot", "vte", "xterm", "contour", "alacritty"))
        in_tmux = bool(env.get("TMUX")) or _term(env).startswith("tmux")
        return (
            env.get("COLORTERM", "").lower() in ("truecolor", "24bit") or bool(named) or in_tmux or "WT_SESSION" in env
        )

    @property
    def wraps_again(self) -> bool:
        """Whether lines that are too long for a narrowed window are wrapped; elsewhere they are cut off."""
        env, name = self.environment, self.answers.name.lower()
        if env.get("STY"):
            return False
        named = name.startswith(_WRAP_AGAIN) or _term(env).startswith(("tmux", *_WRAP_AGAIN))
        return named or bool(self.family) or any(variable in env for variable in _OF_THOSE_THAT_WRAP_AGAIN)

    @property
    def family(self) -> str:
        """Which of the terminals with ways of their own this is; empty for all others."""
        name = self.answers.name
        if (name and not name.startswith(_NAMELESS)) or self.is_multiplexed:
            return _family_by_name(name)
        return _family_by_environment(self.environment)


def _term(environment: Mapping[str, str]) -> str:
    return environment.get("TERM", "")


def _family_by_name(name: str) -> str:
    return next((family for start, family in _BY_NAME.items() if name.lower().startswith(start)), "")


def _family_by_environment(environment: Mapping[str, str]) -> str:
    if family := _BY_PROGRAM.get(environment.get("TERM_PROGRAM", "")):
        return family
    if environment.get("KITTY_WINDOW_ID") or _term(environment) in ("xterm-kitty", "xterm-ghostty"):
        return "kitty"
    if environment.get("LC_TERMINAL") == "iTerm2":  # comes along over ssh
        return "iterm2"
    return "konsole" if environment.get("KONSOLE_VERSION") else ""


def way(setting: str, around: TerminalInfo, *, is_asked_for: bool) -> GraphicsProtocol | None:
    """Return how to draw, or None for no pictures.

    Args:
        setting: as the setting `previews` has it.
        around: the terminal.
        is_asked_for: the user wants pictures now (`--preview`, `:show`), whatever the terminal is.
    """
    if setting == "off" and not is_asked_for:
        return None
    if setting == "kitty":
        return _kitty(around)
    if setting in ("iterm2", "sixel", "blocks", "ascii"):
        return GraphicsProtocol(setting)
    if around.is_plain:
        return GraphicsProtocol.ASCII if is_asked_for or setting == "on" else None
    return _best(around)


def _kitty(around: TerminalInfo) -> GraphicsProtocol:
    """Return placeholders for those that know them, and for where nothing else gets through; else the plain way."""
    version = _KITTY_VERSION.match(around.answers.name)
    is_old = version is not None and (int(version[1]), int(version[2])) < _PLACEHOLDERS_SINCE
    return (
        GraphicsProtocol.PLACEHOLDERS
        if around.is_multiplexed or (around.family == "kitty" and not is_old)
        else GraphicsProtocol.KITTY
    )


def _best(around: TerminalInfo) -> GraphicsProtocol:
    answers = around.answers
    if answers.attributes is None:  # a recorder, a pipe to somewhere: no place for pictures, whatever its name
        return GraphicsProtocol.BLOCKS
    draws_sixel = _SIXEL in answers.attributes
    if around.is_multiplexed:
        return (
            GraphicsProtocol.PLACEHOLDERS
            if around.tmux_client
            else GraphicsProtocol.SIXEL
            if draws_sixel
            else GraphicsProtocol.BLOCKS
        )
    match around.family:
        case "kitty":
            return _kitty(around)
        case "iterm2":
            return GraphicsProtocol.ITERM2
        case "vscode" if draws_sixel:  # it says so when pictures are switched on
            return GraphicsProtocol.ITERM2
    if answers.draws_kitty:
        return GraphicsProtocol.KITTY
    return GraphicsProtocol.SIXEL if draws_sixel else GraphicsProtocol.BLOCKS


def cell(around: TerminalInfo, by_window: tuple[int, int] | None) -> tuple[int, int]:
    """Return a cell's pixels: as the terminal says, as its window says, or as most are."""
    return around.answers.cell or by_window or USUAL_CELL


def background(around: TerminalInfo) -> tuple[int, int, int]:
    """Return the colour behind the text; black where the terminal does not say."""
    return around.answers.background or _DARK
