"""Owns the commands that hand results on: `:open :reveal :copy :paths :save`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, TextIO, cast

from rich.style import Style
from rich.text import Text

from photomap_cli.errors import UsageError
from photomap_cli.repl.commands import arguments, clipboard, desktop
from photomap_cli.views import export
from photomap_cli.views.filenames import file_link
from photomap_cli.views.formatting import photos
from photomap_cli.views.machine_output import write_paths
from photomap_cli.views.output import printable

if TYPE_CHECKING:
    from photomap_cli.records import Hit
    from photomap_cli.repl.state import SearchState


def open_results(state: SearchState, rest: str) -> None:
    """Open results in the desktop's viewer; without a desktop, print links to them."""
    for hit in arguments.hits(state, rest):
        _on_the_desktop(state, hit, desktop.open_photo, "opened")


def reveal(state: SearchState, rest: str) -> None:
    """Show results in the desktop's file manager."""
    for hit in arguments.hits(state, rest):
        _on_the_desktop(state, hit, desktop.reveal_photo, "shown in its folder:")


def _on_the_desktop(state: SearchState, hit: Hit, act: Callable[[str], None], done: str) -> None:
    desktop.require_there(hit.path)
    reason = desktop.why_no_desktop(sys.platform, os.environ)
    if not reason:
        act(hit.path)
        state.front.tell(f"{done} {printable(hit.path)}")
    elif state.console.is_terminal:
        state.front.tell(f"{reason}; path:")
        state.console.print(Text(printable(hit.path), Style(link=file_link(hit.path))), soft_wrap=True)
    else:
        raise UsageError(f"{reason}: {hit.path}", hint=":paths prints them all")


def copy(state: SearchState, rest: str) -> None:
    """Copy the paths of results to the clipboard; of all of them if no numbers are given."""
    terminal = state.console
    if not terminal.is_terminal:
        raise UsageError("there is no terminal to copy through", hint=":paths prints them")
    copied = arguments.hits(state, rest) if rest else list(state.require_shown())
    text = "\n".join(hit.path for hit in copied)
    way = clipboard.copy(text, cast("TextIO", terminal.file), platform=sys.platform, environment=os.environ)
    text = printable(copied[0].path) if len(copied) == 1 else f"{len(copied)} paths"
    state.front.tell(f"copied {text} (via {way})")


def paths(state: SearchState, rest: str) -> None:
    """Print the paths of the results."""
    if not state.console.is_terminal:
        write_paths(state.references, cast("TextIO", state.console.file))
        return
    for hit in state.require_shown():
        state.console.print(Text(printable(hit.path)), soft_wrap=True)


def save(state: SearchState, rest: str) -> None:
    """Save photos to a file: those given by number, else the marked ones, else the results; `-f` overwrites."""
    forced, name = arguments.option(rest, "-f")
    if not name:
        raise UsageError("which file?")
    hits, file = arguments.chosen(state, name)
    path = arguments.file(state.cwd, file)
    result = state.result_of(hits)
    export.save(result, path, as_page=state.front.page, over=bool(forced), hint=f":save -f {name} overwrites it")
    state.front.tell(f"{photos(len(hits))} saved to {printable(str(path))}")
