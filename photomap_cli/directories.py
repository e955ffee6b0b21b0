"""Owns where photomap's files belong on this platform: library, settings, history, sockets.  Creates nothing."""

from __future__ import annotations

import os
import re
import sys
import tempfile
from pathlib import Path

import platformdirs

from photomap_cli.errors import BadPath

APP = "photomap"
_LONGEST_LABEL = 40  # letters; a file's name may have 255 bytes, and a letter four


def working_directory() -> Path:
    """Return the current folder.  Raises BadPath where somebody has removed it."""
    try:
        return Path.cwd()
    except OSError as error:
        raise BadPath("the current folder is not there any more", hint="change to another one") from error


def absolute(path: Path) -> Path:
    """Return a path from the root on, `~` and `..` taken out; links stay as the user wrote them."""
    path = path.expanduser()
    return Path(os.path.normpath(path if path.is_absolute() else working_directory() / path))


def library_directory(flag: Path | None = None) -> Path:
    """Return the library's absolute folder: the flag, else PHOTOMAP_LIBRARY, else the platform's data directory."""
    chosen = flag or os.environ.get("PHOTOMAP_LIBRARY") or platformdirs.user_data_path(APP) / "library"
    return absolute(Path(chosen))


def demo_directory() -> Path:
    """Return the folder of the demo's photos and library."""
    return platformdirs.user_data_path(APP) / "demo"


def config_file() -> Path:
    """Return the path of config.toml; `PHOTOMAP_CONFIG` names another one."""
    named = os.environ.get("PHOTOMAP_CONFIG")
    return Path(named).expanduser() if named else platformdirs.user_config_path(APP) / "config.toml"


def history_file() -> Path:
    """Return the file that keeps the prompt's history."""
    return platformdirs.user_state_path(APP) / "history"


def log_file(library: Path) -> Path:
    """Return the file that this library's session in the background writes its log to."""
    readable = re.sub(r"[^\w.-]", "_", library.name)[:_LONGEST_LABEL]
    return platformdirs.user_log_path(APP) / f"serve-{readable}-{library_key(library)}.log"


def library_key(library: Path) -> str:
    """Return what tells this library from every other one, however its path is written."""
    import hashlib  # the prompt is painted without it

    return hashlib.sha256(os.fsencode(os.path.realpath(library))).hexdigest()[:16]


def runtime_directory() -> Path:
    """Return the folder of the live sessions' sockets: the same for every login of this user, and nobody else's."""
    if sys.platform == "win32":
        return platformdirs.user_runtime_path(APP)
    user = os.getuid()
    for usual in (os.environ.get("XDG_RUNTIME_DIR"), f"/run/user/{user}"):
        if usual and os.access(usual, os.W_OK | os.X_OK):
            return Path(usual) / APP
    return Path(tempfile.gettempdir()) / f"{APP}-{user}"
