"""What terminals answer to the questions, in order, and the environment that they give to their programs."""

from __future__ import annotations

from dataclasses import dataclass, field

from photomap_cli.graphics.protocol_choice import TmuxClient


@dataclass(frozen=True)
class Recorded:
    """One terminal."""

    answers: bytes
    way: str
    environment: dict[str, str] = field(default_factory=dict)
    tmux_client: TmuxClient = TmuxClient()  # noqa: RUF009  it is frozen


def _name(text):
    return f"\x1bP>|{text}\x1b\\".encode()


KITTY_OK = b"\x1b_Gi=4211;OK\x1b\\"
DARK, LIGHT = b"\x1b]11;rgb:1e1e/1e1e/2e2e\x1b\\", b"\x1b]11;rgb:ffff/ffff/dddd\x07"
NO_LIMITS, LIMITS = b"\x1b[?1;3;0S\x1b[?2;3;0S", b"\x1b[?1;0;256S\x1b[?2;0;1000;800S"
CELL = b"\x1b[6;20;10t"

TERMINALS = {
    "kitty": Recorded(
        KITTY_OK + _name("kitty(0.35.2)") + DARK + CELL + b"\x1b[?62;c",
        "kitty (placeholders)",
        {"TERM": "xterm-kitty", "KITTY_WINDOW_ID": "1", "COLORTERM": "truecolor"},
    ),
    "an old kitty": Recorded(
        KITTY_OK + _name("kitty(0.26.5)") + DARK + CELL + b"\x1b[?62;c", "kitty", {"TERM": "xterm-kitty"}
    ),
    "ghostty": Recorded(
        KITTY_OK + _name("ghostty 1.1.3") + DARK + CELL + b"\x1b[?62;22;52c",
        "kitty (placeholders)",
        {"TERM": "xterm-ghostty", "TERM_PROGRAM": "ghostty"},
    ),
    "ghostty over ssh": Recorded(
        KITTY_OK + _name("ghostty 1.1.3") + DARK + CELL + b"\x1b[?62;22;52c",
        "kitty (placeholders)",
        {"TERM": "xterm-256color", "SSH_CONNECTION": "x"},
    ),
    "konsole": Recorded(
        KITTY_OK + _name("Konsole 23.08.5") + DARK + CELL + b"\x1b[?62;1;4c",
        "kitty",
        {"KONSOLE_VERSION": "230805", "COLORTERM": "truecolor"},
    ),
    "an old konsole": Recorded(
        _name("Konsole 21.12.3") + DARK + b"\x1b[?62;1c", "quadrants", {"KONSOLE_VERSION": "211203"}
    ),
    "iterm2": Recorded(
        _name("iTerm2 3.5.10") + DARK + CELL + b"\x1b[?64;1;2;4;6;17;18;21;22c", "iterm2", {"TERM_PROGRAM": "iTerm.app"}
    ),
    "iterm2 over ssh": Recorded(
        DARK + b"\x1b[?64;1;2;4;6;17;18;21;22c", "iterm2", {"LC_TERMINAL": "iTerm2", "SSH_TTY": "/dev/pts/0"}
    ),
    "wezterm": Recorded(
        KITTY_OK + _name("WezTerm 20240203-110809-5046fc22") + DARK + CELL + b"\x1b[?65;4;6;18;22c",
        "iterm2",
        {"TERM_PROGRAM": "WezTerm"},
    ),
    "vs code": Recorded(
        _name("xterm.js(5.6.0-beta.98)") + DARK + LIMITS + CELL + b"\x1b[?62;4;9;22c",
        "iterm2",
        {"TERM_PROGRAM": "vscode", "COLORTERM": "truecolor"},
    ),
    "vs code without pictures": Recorded(
        _name("xterm.js(5.6.0-beta.98)") + DARK + b"\x1b[?1;2c", "quadrants", {"TERM_PROGRAM": "vscode"}
    ),
    "warp": Recorded(DARK + b"\x1b[?62;c", "iterm2", {"TERM_PROGRAM": "WarpTerminal"}),
    "mintty": Recorded(
        _name("mintty 3.7.0") + DARK + CELL + b"\x1b[?64;1;2;4;6;9;15;21;22;28;29c",
        "iterm2",
        {"TERM_PROGRAM": "mintty"},
    ),
    "foot": Recorded(_name("foot(1.16.2)") + DARK + LIMITS + CELL + b"\x1b[?62;4;22;28c", "sixel", {"TERM": "foot"}),
    "windows terminal": Recorded(
        LIGHT + CELL + b"\x1b[?61;4;6;7;14;21;22;23;24;28;32;42;52c", "sixel", {"WT_SESSION": "x"}
    ),
    "xterm as vt340": Recorded(
        _name("XTerm(379)") + LIGHT + LIMITS + CELL + b"\x1b[?63;1;2;4;6;9;15;16;22;28c", "sixel", {"TERM": "xterm"}
    ),
    "xterm": Recorded(
        _name("XTerm(379)") + LIGHT + NO_LIMITS + CELL + b"\x1b[?64;1;2;6;9;15;16;17;18;21;22;28c", "blocks"
    ),
    "vt132": Recorded(b"\x1b[?4;6c", "blocks"),
    "gnome terminal": Recorded(_name("VTE(7600)") + DARK + b"\x1b[?65;1;9c", "sextants", {"COLORTERM": "truecolor"}),
    "a newer gnome terminal": Recorded(_name("VTE(7802)") + DARK + b"\x1b[?65;1;9c", "octants"),
    "an old gnome terminal": Recorded(DARK + b"\x1b[?65;1;9c", "sextants", {"VTE_VERSION": "6401"}),
    "a very old gnome terminal": Recorded(DARK + b"\x1b[?65;1;9c", "blocks", {"VTE_VERSION": "5202"}),
    "alacritty": Recorded(DARK + b"\x1b[?6c", "quadrants", {"TERM": "alacritty"}),
    "windows terminal without sixel": Recorded(LIGHT + CELL + b"\x1b[?61;6;7c", "quadrants", {"WT_SESSION": "x"}),
    "contour": Recorded(_name("contour 0.4.0") + DARK + b"\x1b[?65;1c", "sextants", {"TERM": "contour"}),
    "tmux": Recorded(
        _name("tmux 3.3a") + b"\x1b[?1;2c",
        "blocks",
        {"TERM": "tmux-256color", "TMUX": "/s,1,0", "TERM_PROGRAM": "tmux"},
    ),
    "tmux with sixel": Recorded(
        _name("tmux 3.4") + CELL + b"\x1b[?1;2;4c", "sixel", {"TERM": "screen-256color", "TMUX": "/s,1,0"}
    ),
    "tmux that lets pictures through to kitty": Recorded(
        _name("tmux 3.4") + CELL + b"\x1b[?1;2;4c",
        "kitty (placeholders)",
        {"TERM": "tmux-256color", "TMUX": "/s,1,0"},
        TmuxClient("kitty(0.35.2)", draws_placeholders=True),
    ),
    "tmux that keeps pictures from kitty": Recorded(
        _name("tmux 3.4") + b"\x1b[?1;2c",
        "sextants",
        {"TERM": "tmux-256color", "TMUX": "/s,1,0"},
        TmuxClient("kitty(0.42.1)"),
    ),
    "tmux in gnome terminal": Recorded(
        _name("tmux 3.4") + b"\x1b[?1;2c",
        "sextants",
        {"TERM": "tmux-256color", "TMUX": "/s,1,0", "VTE_VERSION": "7802"},
        TmuxClient("VTE(7802)"),
    ),
    "tmux in xterm": Recorded(
        _name("tmux 3.4") + b"\x1b[?1;2c",
        "blocks",
        {"TERM": "tmux-256color", "TMUX": "/s,1,0", "VTE_VERSION": "7802"},
        TmuxClient("XTerm(379)"),
    ),
    "ssh from a tmux in kitty": Recorded(_name("tmux 3.4") + b"\x1b[?1;2c", "blocks", {"TERM": "tmux-256color"}),
    "kitty started from a tmux": Recorded(
        KITTY_OK + _name("kitty(0.35.2)") + CELL + b"\x1b[?62;c",
        "kitty (placeholders)",
        {"TERM": "xterm-kitty", "TMUX": "/s,1,0"},
    ),
    "screen in iterm2": Recorded(
        b"\x1b[?1;2c",
        "blocks",
        {"TERM": "screen", "STY": "1.pts", "TERM_PROGRAM": "iTerm.app", "COLORTERM": "truecolor"},
    ),
    "zellij in kitty": Recorded(
        b"\x1b[?62;4c", "sixel", {"TERM": "xterm-kitty", "ZELLIJ": "0", "KITTY_WINDOW_ID": "1"}
    ),
    "kitty started from vs code": Recorded(
        KITTY_OK + _name("kitty(0.35.2)") + b"\x1b[?62;c", "kitty (placeholders)", {"TERM_PROGRAM": "vscode"}
    ),
    "one that never answers": Recorded(b"", "blocks", {"KITTY_WINDOW_ID": "1"}),
}
