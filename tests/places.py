"""The two places from which a session is asked: its own process, and another one."""

import contextlib

from photomap_cli.session.client import SessionClient
from photomap_cli.session.server import SessionServer, claim


@contextlib.contextmanager
def asked(session, place):
    """Give the session itself, or a client of its socket."""
    if place == "here":
        yield session
        return
    with (
        SessionServer(session, claim(session.catalog.folder)),
        SessionClient.find(session.catalog.folder) as remote,
    ):
        yield remote
