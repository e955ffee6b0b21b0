"""Owns detecting what the terminal can draw: asks it once, if that is safe, and makes the matching painter."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TextIO

from photomap_cli.graphics import protocol_choice, terminal_query, tmux
from photomap_cli.graphics.protocol_choice import GraphicsProtocol, TerminalInfo

if TYPE_CHECKING:
    from photomap_cli.graphics.renderer import Renderer


@dataclass(frozen=True, slots=True)
class Display:
    """A detected terminal.

    Attributes:
        around: what is known of it.
        cell: pixels of a cell, across and down.
    """

    around: TerminalInfo
    cell: tuple[int, int] = protocol_choice.USUAL_CELL


def found(stdout: TextIO, environment: Mapping[str, str] = os.environ) -> Display:
    """Return the terminal of `stdout`, judging by the environment only."""
    return Display(TerminalInfo(environment, is_utf8=(stdout.encoding or "").lower().replace("-", "") == "utf8"))


def asked(display: Display, source: int, sink: int) -> Display:
    """Return the terminal after asking it; echo and line editing must be off.  Typed keys are in the answers."""
    around = display.around
    if not around.may_be_asked or sys.platform == "win32":
        return display
    over_ssh = any(name in around.environment for name in ("SSH_CONNECTION", "SSH_TTY"))
    timeout = terminal_query.TIMEOUT_OVER_SSH_SECONDS if over_ssh else terminal_query.TIMEOUT_SECONDS
    answers = terminal_query.TerminalReplies()
    with suppress(OSError):
        answers = terminal_query.ask(source, sink, seconds=timeout)
    around = replace(around, answers=answers, tmux_client=tmux.client(around.environment))
    return Display(around, protocol_choice.cell(around, terminal_query.cell_by_window(sink)))


def asked_between_commands(display: Display) -> Display:
    """Return the terminal after asking it for a short-lived command: typed keys belong to the shell."""
    from photomap_cli.graphics.tty_mode import TtyMode

    if sys.platform == "win32":
        return display
    try:
        terminal = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY)
    except OSError:
        return display
    try:
        with TtyMode(terminal):
            if terminal_query.waiting_keys(terminal):
                return display
            display = asked(display, terminal, terminal)
            terminal_query.give_back(terminal, display.around.answers.keys)
    finally:
        os.close(terminal)
    return display


def painter(way: GraphicsProtocol, display: Display) -> Renderer:
    """Return the renderer for this way of drawing on this terminal."""
    around, cell = display.around, display.cell
    match way:
        case GraphicsProtocol.SIXEL:
            from photomap_cli.graphics.sixel import MOST_COLOURS, Sixel

            return Sixel(cell, colours=around.answers.sixel_colours or MOST_COLOURS)
        case GraphicsProtocol.ITERM2:
            from photomap_cli.graphics.iterm2 import Iterm2

            return Iterm2(cell, protocol_choice.background(around))
        case GraphicsProtocol.KITTY:
            from photomap_cli.graphics.kitty import Kitty

            return Kitty(cell)
        case GraphicsProtocol.PLACEHOLDERS:
            from photomap_cli.graphics.kitty_placeholders import KittyPlaceholders

            return KittyPlaceholders(cell, wrap=tmux.wrap if around.is_multiplexed else str)
    return _cells(way, display)


def _cells(way: GraphicsProtocol, display: Display) -> Renderer:
    from photomap_cli.graphics import block_glyphs
    from photomap_cli.graphics.cells import Cells

    around = display.around
    glyphs = {
        GraphicsProtocol.OCTANTS: block_glyphs.OCTANTS,
        GraphicsProtocol.SEXTANTS: block_glyphs.SEXTANTS,
        GraphicsProtocol.QUADRANTS: block_glyphs.QUADRANTS,
    }.get(way, block_glyphs.HALVES)
    on_light = sum(protocol_choice.background(around)) > 3 * 127
    return Cells(glyphs, display.cell, colours=around.colours, on_light=on_light)
