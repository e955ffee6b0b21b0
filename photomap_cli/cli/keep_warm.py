"""Owns leaving a session running after a search that found none, if the setting `keep_warm` asks for it."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from photomap_cli import directories
from photomap_cli.cli import settings_cache
from photomap_cli.errors import PhotomapError


def keep_session(library: Path) -> None:
    """Start a background session that ends after `keep_warm` seconds without a search; 0 = none.

    Doesn't wait; errors go to the session's log, as the search has been answered.
    """
    from photomap_cli.session import unix_socket

    seconds = settings_cache.load().keep_warm
    if not seconds or not unix_socket.HAS_SESSIONS:
        return
    from photomap_cli.session import daemon

    log = directories.log_file(library)
    words = ["--library", directories.library_name(library), "serve", "--log", str(log), "--for", f"{seconds:g}"]
    with suppress(PhotomapError):
        daemon.launch_without_waiting(words, log)
