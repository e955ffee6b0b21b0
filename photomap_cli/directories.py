"""Owns where photomap's files belong on this platform: library, settings, history, sockets.  Creates nothing."""

from __future__ import annotations

import errno
import os
import re
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import platformdirs

from photomap_cli.errors import BadPath
from photomap_cli.pathnames import on_disk, real

APP = "photomap"
LASTING = Path(os.sep) if os.name == "posix" else Path(sys.base_prefix)
"""A permanent folder for long-lived processes, as the one they were started in can be removed or unmounted."""

_ADDRESSES = "shared"
_LONGEST_LABEL = 40  # letters; a file's name may have 255 bytes, and a letter four
_FOLDERS_IN_ENVIRONMENT = (
    *("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR"),
    *("TMPDIR", "TEMP", "TMP", "PHOTOMAP_LIBRARY", "PHOTOMAP_CONFIG", "PYTHONPYCACHEPREFIX"),
    *("HF_HOME", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_ASSETS_CACHE", "HF_XET_CACHE", "HF_TOKEN_PATH"),
    *("TORCH_HOME", "TORCHINDUCTOR_CACHE_DIR", "TRITON_CACHE_DIR", "TRANSFORMERS_CACHE"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
)
_LISTS_IN_ENVIRONMENT = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")

_NO_NAME = frozenset({errno.ENAMETOOLONG, errno.ELOOP, errno.EINVAL})

_started_in: Path | None = None  # set once this process has left that folder, unless it was already gone
_has_left = False


def working_directory() -> Path:
    """Return the folder that relative paths start from.  Raises BadPath if it was removed."""
    with suppress(OSError):
        if there := _started_in if _has_left else Path.cwd():
            return there
    raise BadPath("the current folder no longer exists", hint="change to another one")


def release_working_directory() -> None:
    """Stop this process from keeping a user's folder busy; `working_directory` still names the one it was started in.

    For processes that live long.  Relative folders in the environment become absolute ones.
    """
    global _started_in, _has_left
    os.environ.update(environment(os.environ))
    with suppress(BadPath):  # relative paths are refused from now on
        _started_in = working_directory()
    _has_left = True
    os.chdir(LASTING)


def environment(variables: Mapping[str, str]) -> dict[str, str]:
    """Return the environment for a process in another folder, with absolute paths."""
    changed = {name: _from_root(variables[name]) for name in _FOLDERS_IN_ENVIRONMENT if variables.get(name)}
    for name in _LISTS_IN_ENVIRONMENT:
        if variables.get(name):
            changed[name] = os.pathsep.join(map(_from_root, variables[name].split(os.pathsep)))
    return {**variables, **changed}


def _from_root(path: str) -> str:
    """Return a path from the root on; an address, or one in a folder that is gone or that begins with `~`, stays."""
    if Path(path).is_absolute() or path.startswith("~") or "://" in path:
        return path
    with suppress(BadPath):
        return os.path.normpath(working_directory() / path)
    return path


def absolute(path: Path) -> Path:
    """Return a path from the root on as the disk spells it, `~` and `..` taken out; links stay."""
    path = expanded(path)
    return Path(on_disk(os.path.normpath(path if path.is_absolute() else working_directory() / path)))


def expanded(path: Path) -> Path:
    """Return a path with the home folder that a `~` at its start means.  Raises BadPath if there is none."""
    try:
        return path.expanduser()
    except RuntimeError as error:
        name = path.parts[0]
        hint = "set HOME, or write the whole path" if name == "~" else f"./{name} is the file of that name"
        raise BadPath(f"{path}: there is no home folder {name}", hint=hint) from error


def library_directory(flag: Path | None = None) -> Path:
    """Return the library's absolute folder: the flag, else PHOTOMAP_LIBRARY, else the platform's data directory."""
    chosen = flag or os.environ.get("PHOTOMAP_LIBRARY") or platformdirs.user_data_path(APP) / "library"
    folder = absolute(Path(chosen))
    try:
        folder.lstat()
    except (OSError, ValueError) as error:
        if getattr(error, "errno", errno.EINVAL) in _NO_NAME:
            reason = getattr(error, "strerror", None) or error
            hint = "--library DIR" if flag else "change or unset PHOTOMAP_LIBRARY"
            raise BadPath(f"the library {str(folder)[:60]!r}: {str(reason).lower()}", hint=hint) from error
    return folder


def address_folder(address: str) -> Path:
    """Return the folder of this user's own files about the library at an address: albums, caches, thumbnails.

    It stands for the library wherever one is named by its folder.  An address is written in one way only.
    """
    name = re.sub(r"[^a-z0-9.+_-]", lambda found: f"%{ord(found[0]):02x}", address)
    return absolute(platformdirs.user_data_path(APP) / _ADDRESSES / name)


def address_in(folder: Path) -> str | None:
    """Return the address that a folder stands for; None for a library on this computer.  Looks at its name alone."""
    if folder.parent.name != _ADDRESSES or "%3a%2f%2f" not in folder.name:
        return None
    address = re.sub(r"%([0-9a-f]{2})", lambda found: chr(int(found[1], 16)), folder.name)
    return address if address_folder(address) == folder else None


def library_name(folder: Path) -> str:
    """Return what people call a library: its address, else its folder."""
    return address_in(folder) or str(folder)


def demo_directory() -> Path:
    """Return the folder of the demo's photos and library."""
    return absolute(platformdirs.user_data_path(APP) / "demo")


def config_file() -> Path:
    """Return the path of config.toml; `PHOTOMAP_CONFIG` names another one."""
    named = os.environ.get("PHOTOMAP_CONFIG")
    return absolute(Path(named) if named else platformdirs.user_config_path(APP) / "config.toml")


def cache_directory() -> Path:
    """Return the folder for caches that belong to no library."""
    return absolute(platformdirs.user_cache_path(APP))


def history_file() -> Path:
    """Return the file that keeps the prompt's history."""
    return absolute(platformdirs.user_state_path(APP) / "history")


def declined_file() -> Path:
    """Return the file with the folders that a search shouldn't offer to index."""
    return absolute(platformdirs.user_state_path(APP) / "not-indexed")


def log_file(library: Path) -> Path:
    """Return the log file of this library's background session."""
    readable = re.sub(r"[^\w.-]+", "_", address_in(library) or library.name)[:_LONGEST_LABEL]
    return absolute(platformdirs.user_log_path(APP)) / f"serve-{readable}-{library_key(library)}.log"


def library_key(library: Path) -> str:
    """Return what identifies this library, however its path is written."""
    import hashlib  # not needed to paint the prompt

    return hashlib.sha256(os.fsencode(real(str(library)))).hexdigest()[:16]


def runtime_directory() -> Path:
    """Return the folder of the live sessions' sockets: the same for every login of this user, and private."""
    if sys.platform == "win32":
        return platformdirs.user_runtime_path(APP)
    user = os.getuid()
    for usual in (os.environ.get("XDG_RUNTIME_DIR"), f"/run/user/{user}"):
        if usual and os.access(usual, os.W_OK | os.X_OK):
            return absolute(Path(usual)) / APP
    return Path(tempfile.gettempdir()) / f"{APP}-{user}"
