"""Owns choosing a terminal's way of drawing: by its name first, by its abilities second.  Pure; asks nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from photomap_cli.graphics.terminal_query import TerminalReplies

USUAL_CELL = (10, 20)
_DARK = (0, 0, 0)

_BY_NAME = {  # how terminals' names for themselves start, in lower case
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
_NAMELESS = "xterm.js"  # embedded in many programs, which name themselves in TERM_PROGRAM
_PRINTS_QUESTIONS = frozenset({"Apple_Terminal"})
_SIXEL = 4
_PLACEHOLDERS_SINCE = (0, 28)
_VERSION = re.compile(r"\d{1,9}(?:\.\d{1,9})*")
_DRAW_QUADRANTS = ("WT_SESSION", "ALACRITTY_WINDOW_ID", "KONSOLE_VERSION")
_PLAIN_TERMS = frozenset({"", "dumb", "unknown"})
_OF_FEW_COLOURS = frozenset({"linux", "ansi", "cygwin", "vt100", "vt220", "rxvt"})


class GraphicsProtocol(Enum):
    """Ways of drawing."""

    PLACEHOLDERS = "kitty (placeholders)"
    KITTY = "kitty"
    ITERM2 = "iterm2"
    SIXEL = "sixel"
    OCTANTS = "octants"
    SEXTANTS = "sextants"
    QUADRANTS = "quadrants"
    BLOCKS = "blocks"


class ColourDepth(Enum):
    """How many colours a terminal's text has."""

    NONE = 0
    USUAL = 16
    INDEXED = 256
    ALL = 1 << 24


_DRAWS = (
    # How terminals' names start, and from which version on they draw such characters themselves; the best first.
    ("kitty", (0, 40), GraphicsProtocol.OCTANTS),
    ("kitty", (), GraphicsProtocol.SEXTANTS),
    ("xterm-kitty", (), GraphicsProtocol.SEXTANTS),  # as tmux names one that doesn't tell its version
    ("ghostty", (1, 2), GraphicsProtocol.OCTANTS),
    ("ghostty", (), GraphicsProtocol.SEXTANTS),
    ("xterm-ghostty", (), GraphicsProtocol.SEXTANTS),
    ("foot", (1, 20), GraphicsProtocol.OCTANTS),
    ("foot", (1, 7), GraphicsProtocol.SEXTANTS),
    ("vte", (7800,), GraphicsProtocol.OCTANTS),
    ("vte", (6200,), GraphicsProtocol.SEXTANTS),
    ("wezterm", (20210814,), GraphicsProtocol.SEXTANTS),
    ("contour", (), GraphicsProtocol.SEXTANTS),
    ("alacritty", (), GraphicsProtocol.QUADRANTS),
    ("konsole", (), GraphicsProtocol.QUADRANTS),
    ("iterm2", (), GraphicsProtocol.QUADRANTS),
)


@dataclass(frozen=True, slots=True)
class TmuxClient:
    """The terminal around a tmux.

    Attributes:
        name: as it answered tmux, with its version, else its terminfo entry.
        draws_placeholders: tmux passes kitty's pictures through, and it knows placeholders.
    """

    name: str = ""
    draws_placeholders: bool = False


@dataclass(frozen=True, slots=True)
class TerminalInfo:
    """What is known about the terminal, before and after asking it.

    Attributes:
        environment: this process's.
        is_utf8: whether output is encoded as UTF-8.
        answers: the terminal's answers; empty if it wasn't asked.
        tmux_client: the terminal around tmux; empty if there is none, or tmux doesn't know it.
    """

    environment: Mapping[str, str]
    is_utf8: bool = True
    answers: TerminalReplies = field(default_factory=TerminalReplies)
    tmux_client: TmuxClient = field(default_factory=TmuxClient)

    @property
    def draws_nothing(self) -> str:
        """Why nothing can be drawn here at all; empty if something can."""
        term = _term(self.environment)
        if term in _PLAIN_TERMS:
            return f"TERM={term} draws no pictures" if term else "without TERM there are no pictures"
        return "" if self.is_utf8 else "pictures need UTF-8"

    @property
    def may_be_asked(self) -> bool:
        """Whether the terminal answers queries, or at least doesn't print them."""
        env = self.environment
        return env.get("TERM", "") not in _PLAIN_TERMS | {"linux"} and env.get("TERM_PROGRAM") not in _PRINTS_QUESTIONS

    @property
    def is_multiplexed(self) -> bool:
        """Whether another program draws on the terminal for us; what the environment says of it may be outdated.

        What it says of that program may be outdated too: a terminal started from tmux isn't inside it.
        """
        env = self.environment
        if _family_by_name(self.answers.name):
            return False
        return bool(env.get("TMUX") or env.get("STY") or env.get("ZELLIJ")) or _term(env).startswith(("tmux", "screen"))

    @property
    def colours(self) -> ColourDepth:
        """How many colours text has."""
        env = self.environment
        if env.get("NO_COLOR"):
            return ColourDepth.NONE
        if _term(env) in _OF_FEW_COLOURS or _term(env).endswith(("-16color", "-color")):
            return ColourDepth.USUAL
        if env.get("STY"):  # screen garbles more colours; COLORTERM is the outer terminal's
            return ColourDepth.INDEXED
        named = self.family or self.answers.name.lower().startswith(("foot", "vte", "xterm", "contour", "alacritty"))
        in_tmux = bool(env.get("TMUX")) or _term(env).startswith("tmux")
        has_all = env.get("COLORTERM", "").lower() in ("truecolor", "24bit") or _term(env).endswith("-direct")
        return ColourDepth.ALL if has_all or named or in_tmux or "WT_SESSION" in env else ColourDepth.INDEXED

    @property
    def wraps_again(self) -> bool:
        """Whether lines too long for a narrowed window are rewrapped; other terminals cut them off."""
        env, name = self.environment, self.answers.name.lower()
        if env.get("STY"):
            return False
        named = name.startswith(_WRAP_AGAIN) or _term(env).startswith(("tmux", *_WRAP_AGAIN))
        return named or bool(self.family) or any(variable in env for variable in _OF_THOSE_THAT_WRAP_AGAIN)

    @property
    def family(self) -> str:
        """Which of the terminals with their own protocol this is; empty for all others."""
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
    if environment.get("LC_TERMINAL") == "iTerm2":  # is passed on over ssh
        return "iterm2"
    return "konsole" if environment.get("KONSOLE_VERSION") else ""


def choose(setting: str, around: TerminalInfo, *, is_asked_for: bool) -> GraphicsProtocol | None:
    """Return the way of drawing, or None for no pictures.

    Args:
        setting: the value of the setting `previews`.
        around: the terminal.
        is_asked_for: the user wants pictures now (`--preview`, `:show`), whatever the terminal is.
    """
    if setting == "off" and not is_asked_for:
        return None
    if setting == "kitty":
        return _kitty(around)
    if setting not in ("auto", "on", "off"):
        return GraphicsProtocol(setting)
    if around.draws_nothing:
        return None
    if around.colours is ColourDepth.NONE:
        return _cells(around) if is_asked_for or setting == "on" else None
    return _best(around)


def _kitty(around: TerminalInfo) -> GraphicsProtocol:
    """Return placeholders for terminals that know them, or if nothing else gets through; else the plain protocol."""
    name = around.answers.name
    is_old = name.startswith("kitty(") and _version(name) < _PLACEHOLDERS_SINCE
    return (
        GraphicsProtocol.PLACEHOLDERS
        if around.is_multiplexed or (around.family == "kitty" and not is_old)
        else GraphicsProtocol.KITTY
    )


def _best(around: TerminalInfo) -> GraphicsProtocol:
    answers = around.answers
    if answers.attributes is None:  # a recorder or a pipe: not for pictures, whatever its name
        return GraphicsProtocol.BLOCKS
    draws_sixel = _SIXEL in answers.attributes
    if around.is_multiplexed:
        if around.tmux_client.draws_placeholders:
            return GraphicsProtocol.PLACEHOLDERS
        return GraphicsProtocol.SIXEL if draws_sixel else _cells(around)
    match around.family:
        case "kitty":
            return _kitty(around)
        case "iterm2":
            return GraphicsProtocol.ITERM2
        case "vscode" if draws_sixel:  # it reports that when pictures are turned on
            return GraphicsProtocol.ITERM2
    if answers.draws_kitty:
        return GraphicsProtocol.KITTY
    return GraphicsProtocol.SIXEL if draws_sixel else _cells(around)


def _cells(around: TerminalInfo) -> GraphicsProtocol:
    """Return the finest block characters that this terminal draws itself; a font's rarely fit together."""
    if around.answers.attributes is None:
        return GraphicsProtocol.BLOCKS
    if around.is_multiplexed:
        glyphs = _finest(around.tmux_client.name)
        # tmux takes character widths from the system's tables, which may be older than octants.
        return GraphicsProtocol.SEXTANTS if glyphs is GraphicsProtocol.OCTANTS else glyphs
    if (name := around.answers.name) and not name.startswith(_NAMELESS):
        return _finest(name)
    env = around.environment
    if version := env.get("VTE_VERSION", ""):
        return _finest(f"vte({version})")
    draws_quadrants = any(variable in env for variable in _DRAW_QUADRANTS) or _term(env).startswith("alacritty")
    return GraphicsProtocol.QUADRANTS if draws_quadrants or name else GraphicsProtocol.BLOCKS


def _finest(name: str) -> GraphicsProtocol:
    """Return the glyphs that a terminal of this name and version draws; the name is its answer, or tmux's."""
    version = _version(name)
    drawn = (way for start, since, way in _DRAWS if name.lower().startswith(start) and version >= since)
    return next(drawn, GraphicsProtocol.BLOCKS)


def _version(name: str) -> tuple[int, ...]:
    """Return the version in `kitty(0.35.2)` as 0, 35, 2; empty if there is none."""
    return tuple(int(part) for part in (_VERSION.search(name) or [""])[0].split(".") if part)


def cell(around: TerminalInfo, by_window: tuple[int, int] | None) -> tuple[int, int]:
    """Return a cell's pixels: as the terminal says, as its window size says, or as is usual."""
    return around.answers.cell or by_window or USUAL_CELL


def background(around: TerminalInfo) -> tuple[int, int, int]:
    """Return the background colour; black if the terminal doesn't tell."""
    return around.answers.background or _DARK
