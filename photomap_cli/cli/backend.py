"""Owns how a one-shot command asks the library's live session, or one of its own, and what is shown meanwhile."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from photomap_cli import directories
from photomap_cli.cli.options import Globals, make_console
from photomap_cli.errors import PhotomapError, SessionGone, SessionSilent, UsageError
from photomap_cli.views.output import say

if TYPE_CHECKING:
    from photomap_cli.session.backend import Backend
    from photomap_cli.session.client import SessionClient
    from photomap_cli.session.session import Session

T = TypeVar("T")


def ask(
    given: Globals, question: Callable[[Backend], T], *, text: str, local: bool, words: Callable[[Backend], str]
) -> T:
    """Ask the live session, or load the encoder here; `words` describe progress if that takes long.

    Args:
        given: the options of every command.
        question: what is asked.
        text: the query in it; positions of errors refer to it.
        local: don't look for a live session.
        words: return what to show on standard error, if that is a terminal.
    """
    try:
        return _answer(given, question, local=local, words=words)
    except PhotomapError as error:
        error.text = text
        raise


def folder(named: str | None) -> str | None:
    """Return the `folder` of a request for --in.  Raises UsageError if it is empty."""
    if named == "":
        raise UsageError("--in needs a folder", hint="--in '*' searches the whole library")
    return named if named in (None, "*") else str(directories.absolute(Path(named)))


def tell(notices: Iterable[str], given: Globals) -> None:
    """Print notices on standard error, unless --quiet."""
    for notice in () if given.quiet else notices:
        say(f"photomap: {notice}")


def live_session(given: Globals) -> SessionClient | None:
    """Return a client of the library's live session, or None; tells the user while it doesn't answer.

    Raises:
        SessionSilent: it does not answer at all.
    """
    from photomap_cli.session import client

    return client.SessionClient.find(given.library, tell=lambda words: tell((words,), given))


def _answer(given: Globals, question: Callable[[Backend], T], *, local: bool, words: Callable[[Backend], str]) -> T:
    try:
        live = None if local else live_session(given)
        if live is not None:
            with live:
                return _waited_for(given, question, live, words)
    except (SessionSilent, SessionGone) as error:  # a library can be read without a session
        tell((f"{error.message}; answering without it",), given)
    with _session(given) as own:
        return _waited_for(given, question, own, words)


def _waited_for(
    given: Globals, question: Callable[[Backend], T], backend: Backend, words: Callable[[Backend], str]
) -> T:
    from photomap_cli.views.spinner import wait_for

    if given.quiet or not sys.stderr.isatty():
        return question(backend)
    return wait_for(lambda: question(backend), console=make_console(stderr=True), words=lambda: words(backend))


def _session(given: Globals) -> Session:
    from photomap_cli.session.session import Session

    return Session.open(given.library, given.settings().values)
