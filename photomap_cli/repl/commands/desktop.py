"""Owns opening a photo in the desktop's viewer or file manager.  Prints nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

from photomap_cli.errors import BadPath, UsageError
from photomap_cli.library.paths import ELSEWHERE, is_elsewhere

MANAGER_SECONDS = 3.0  # a file manager may have to be started first


def require_there(path: str) -> None:
    """Raise BadPath if a photo's file is gone, or on another computer."""
    if is_elsewhere(path):
        raise BadPath(f"{path}: {ELSEWHERE}", hint="name its folder under [roots] in config.toml")
    if not Path(path).exists():
        raise BadPath(f"{path} is no longer there", hint="`photomap index` updates the library")


def open_photo(path: str) -> None:
    """Open a photo in the desktop's viewer, detached from this terminal.

    Raises:
        UsageError: nothing can open it.
    """
    if sys.platform == "win32":
        os.startfile(path)
    else:
        _start_detached([_opener(path), path])


def reveal_photo(path: str) -> None:
    """Show a photo in the desktop's file manager: selected if possible, else its folder.

    Raises:
        UsageError: nothing can show it.
    """
    if sys.platform == "win32":
        _start_detached(["explorer", f"/select,{path}"])
    elif sys.platform == "darwin":
        _start_detached([_opener(path), "-R", path])
    elif not _selected_by_the_file_manager(path):
        _start_detached([_opener(path), str(Path(path).parent)])


def _selected_by_the_file_manager(path: str) -> bool:
    """Ask by the D-Bus interface that Nautilus, Dolphin, Nemo, Thunar and others share; an address has no comma."""
    service = "org.freedesktop.FileManager1"
    command = ["dbus-send", "--session", "--print-reply", f"--dest={service}", "/org/freedesktop/FileManager1"]
    command += [f"{service}.ShowItems", f"array:string:{Path(path).as_uri()}", "string:"]
    return pipes_into(command, b"", seconds=MANAGER_SECONDS)


def pipes_into(command: list[str], data: bytes, *, seconds: float) -> bool:
    """Pass the data to a program of the desktop; returns whether it succeeded in time."""
    nowhere = subprocess.DEVNULL  # the program may keep running, and hold what it inherits
    try:
        done = subprocess.run(command, input=data, stdout=nowhere, stderr=nowhere, timeout=seconds, check=False)
    except (OSError, subprocess.SubprocessError):
        return False
    return done.returncode == 0


def why_no_desktop(platform: str, environment: Mapping[str, str]) -> str:
    """Return why the user wouldn't see anything opened, or an empty string."""
    if platform == "win32":
        return ""
    has_display = bool(environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"))
    if "SSH_CONNECTION" in environment and not has_display:
        return "no desktop over ssh"
    return "" if has_display or platform == "darwin" else "no desktop here"


def _opener(path: str) -> str:
    name = "open" if sys.platform == "darwin" else "xdg-open"
    if found := shutil.which(name):
        return found
    raise UsageError(f"{name} is not installed: {path}", hint="it is part of xdg-utils")


def _start_detached(command: list[str]) -> None:
    nowhere = subprocess.DEVNULL
    viewer = subprocess.Popen(command, stdin=nowhere, stdout=nowhere, stderr=nowhere, start_new_session=True)
    # The exit status must be collected, or a zombie stays as long as the prompt.
    threading.Thread(target=viewer.wait, name="photomap-viewer", daemon=True).start()
