"""Owns putting the gallery together: its terminal, its library and its session."""

from __future__ import annotations

import os
import threading
from contextlib import closing, suppress
from functools import partial
from typing import TYPE_CHECKING

from photomap_cli import directories
from photomap_cli.browse import actions, terminal
from photomap_cli.browse.browser import Browser, Parts
from photomap_cli.browse.grid import Size
from photomap_cli.browse.state import Focus, State
from photomap_cli.graphics.protocol_choice import ColourDepth
from photomap_cli.graphics.tty_mode import TtyMode
from photomap_cli.repl.completion.facets import FacetCache
from photomap_cli.repl.connection import Connection
from photomap_cli.repl.history import PrivateHistory
from photomap_cli.repl.toolbar import Toolbar

if TYPE_CHECKING:
    from photomap_cli.browse.terminal import Terminal
    from photomap_cli.cli.interactive import LibraryHost
    from photomap_cli.job_control import Suspension
    from photomap_cli.records.browse import BrowseOutcome, BrowseRequest


def run_alone(host: LibraryHost, request: BrowseRequest) -> BrowseOutcome:
    """Show the gallery over a session of its own, or the live one, until the user leaves it.

    Raises:
        UsageError: there is no terminal that shows it.
    """
    connection = Connection(host.open_backend)
    with terminal.opened() as tty, closing(host):
        mode = TtyMode(tty.source, pause=connection.pause, resume=connection.resume)
        connection.postponed = mode.suspension.postponed
        with mode, closing(connection), terminal.left_sane(tty.file):  # Ctrl-Z waits until the session is closed
            threading.Thread(target=_warm, args=(connection,), name="photomap-warm", daemon=True).start()
            return _run(host, connection, request, tty, mode.suspension)


def run_inside(
    host: LibraryHost, connection: Connection, request: BrowseRequest, suspension: Suspension
) -> BrowseOutcome:
    """Show the gallery over the prompt's session until the user goes back to the prompt.

    Raises:
        UsageError: the terminal can't show it.
    """
    with terminal.opened() as tty, terminal.left_sane(tty.file):
        return _run(host, connection, request, tty, suspension)


def _warm(connection: Connection) -> None:
    with suppress(Exception):  # the first search will meet the same error and report it
        connection.backend().load()


def _run(
    host: LibraryHost, connection: Connection, request: BrowseRequest, tty: Terminal, suspension: Suspension
) -> BrowseOutcome:
    browser = _browser(host, connection, request, tty, suspension)
    host.subscribe(browser.repaint)
    with suspension.deferring(browser.stop_soon):
        return browser.run()


def _browser(
    host: LibraryHost, connection: Connection, request: BrowseRequest, tty: Terminal, suspension: Suspension
) -> Browser:
    display = tty.ask()
    has_colour = display.around.colours is not ColourDepth.NONE
    parts = Parts(
        connection=connection,
        request=request.search,
        open_thumbnailer=host.open_thumbnailer,
        painter=terminal.painter(display, host.settings().previews),
        history=PrivateHistory(directories.history_file()),
        facets=FacetCache(host.facets, partial(_photo_count, connection)),
        toolbar=lambda width: Toolbar(connection, width=width, has_colour=has_colour),
        input=tty.input,
        output=tty.output,
        suspend=suspension.stop,
        action_context=partial(
            actions.ActionContext,
            open_thumbnailer=host.open_thumbnailer,
            library=host.library,
            cwd=directories.working_directory(),
            takes_files=terminal.takes_files(display),
            environment=os.environ,
        ),
        has_colour=has_colour,
        has_all_colours=display.around.colours is ColourDepth.ALL,
    )
    return Browser(parts, _first_state(request), marks=request.marks)


def _first_state(request: BrowseRequest) -> State:
    """Return the initial state; the terminal's size isn't known yet."""
    search = request.search
    return State(
        Size(80, 24),
        is_choosing=request.is_choosing,
        query=search.text,
        references=search.references,
        focus=Focus.PHOTOS if search.text else Focus.QUERY,
        marks=tuple(hit.path for hit in request.marks),
    )


def _photo_count(connection: Connection) -> int | None:
    with suppress(Exception):  # the bar reports a lost session
        return connection.current.status().photos if connection.current else None
    return None
