"""Owns how a photo's path is shown: relative, harmless to a terminal, and as a link.  Opens no file."""

from __future__ import annotations

import os
import socket
from functools import cache
from pathlib import Path
from urllib.parse import quote

from photomap_cli.views.output import printable


def shown_path(path: str, cwd: Path) -> str:
    """Return the path relative to `cwd` if it is inside, else absolute; printable."""
    inside = Path(path).is_relative_to(cwd)
    return printable(os.path.relpath(path, cwd) if inside else path)


@cache
def _host() -> str:
    return socket.gethostname()


def file_link(path: str) -> str:
    """Return a `file://` address with the host's name, which terminals use to tell remote files from their own."""
    address = file_address(path)
    return address if os.name == "nt" else address.replace("file://", f"file://{_host()}", 1)


def file_address(path: str) -> str:
    """Return a `file:` address in any locale; `Path.as_uri` fails if the locale lacks a letter of the path."""
    whole = Path(path).absolute()
    return whole.as_uri() if os.name == "nt" else f"file://{quote(str(whole), errors='surrogateescape')}"
