"""Owns who answers a one-shot command: the library's live session, else a session of its own; and the wait for it."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING, TypeVar

from photomap_cli.cli.app import Globals, make_console

if TYPE_CHECKING:
    from collections.abc import Callable

    from photomap_cli.session.backend import Backend
    from photomap_cli.session.session import Session

T = TypeVar("T")


def ask(given: Globals, question: Callable[[Backend], T], *, local: bool, words: Callable[[Backend], str]) -> T:
    """Put a question to the live session, else load the encoder here; `words` say what goes on while that takes long.

    Args:
        given: the options of every command.
        question: what is asked.
        local: do not look for a live session.
        words: shown on standard error, where that is a terminal.
    """
    from photomap_cli.session import client
    from photomap_cli.terminal.waiting import wait_for

    with ExitStack() as opened:
        live = None if local else client.find(given.library)
        backend: Backend = opened.enter_context(live) if live else opened.enter_context(_session(given))
        if given.quiet or not sys.stderr.isatty():
            return question(backend)
        console = make_console(stderr=True)
        return wait_for(lambda: question(backend), console=console, words=lambda: words(backend))


def _session(given: Globals) -> Session:
    from photomap_cli.session.session import Session

    return Session.open(given.library, given.settings().values)
