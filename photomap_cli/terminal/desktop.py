"""Owns handing a photo to the desktop's viewer.  Waits for nothing and shows nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from photomap_cli.errors import BadPath, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping


def open_photo(path: str) -> None:
    """Open a photo in the desktop's viewer, detached from this terminal.

    Raises:
        BadPath: the file is gone.
        UsageError: there is no desktop to open it on; the message has the path.
    """
    if not Path(path).exists():
        raise BadPath(f"{path} is no longer there", hint="`photomap index` brings the library up to date")
    if reason := why_no_desktop(sys.platform, os.environ):
        raise UsageError(f"{reason}: {path}")
    if sys.platform == "win32":
        os.startfile(path)
    else:
        _start_detached([_opener(path), path])


def why_no_desktop(platform: str, environment: Mapping[str, str]) -> str:
    """Return why nothing can be opened for the user to see, or an empty string."""
    if platform == "win32":
        return ""
    has_display = bool(environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"))
    if "SSH_CONNECTION" in environment and not has_display:
        return "no display over ssh"
    return "" if has_display or platform == "darwin" else "no display here"


def _opener(path: str) -> str:
    name = "open" if sys.platform == "darwin" else "xdg-open"
    if found := shutil.which(name):
        return found
    raise UsageError(f"{name} is not installed: {path}", hint="it is part of xdg-utils")


def _start_detached(command: list[str]) -> None:
    nowhere = subprocess.DEVNULL
    viewer = subprocess.Popen(command, stdin=nowhere, stdout=nowhere, stderr=nowhere, start_new_session=True)
    # Somebody has to collect the exit status, or a zombie stays for as long as the prompt does.
    threading.Thread(target=viewer.wait, name="photomap-viewer", daemon=True).start()
