"""Owns settings without pydantic: the values last read from the same sources, kept in the cache directory.

Importing pydantic takes longer (0.15 s) than a search.  The cached values hold for the same config.toml (by inode,
size and times), the same PHOTOMAP_* variables and the same photomap; otherwise the settings are read and cached again.
"""

from __future__ import annotations

import os
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from photomap_cli import directories, files, framing
from photomap_cli._version import __version__

if TYPE_CHECKING:
    from photomap_cli.settings import Settings

_PREFIX = "PHOTOMAP_"
_SECRET = "PHOTOMAP_LIBRARY_TOKEN"
_DERIVED = ("thumbnail_cache_bytes", "megapixel_limit")  # attributes of settings other than their values


def is_set(name: str) -> bool:
    """Return whether a setting is set in the environment or in config.toml; True if that isn't certain."""
    if f"{_PREFIX}{name.upper()}" in os.environ:
        return True
    with suppress(OSError), files.reading(directories.config_file()) as config:
        return name.encode() in config.read()
    return False


class _Kept(SimpleNamespace):
    """Settings as plain values; anything else is read from the real ones."""

    def __getattr__(self, name: str) -> Any:
        return getattr(_read(), name)


def load() -> Settings:
    """Return the settings as `settings.load` does, without flags.  Raises BadSetting."""
    path, sources = directories.cache_directory() / "settings", _sources()
    kept = framing.read_file(path)
    if kept is not None and kept[0].get("sources") == sources:
        values = {name: tuple(value) if isinstance(value, list) else value for name, value in kept[0]["values"].items()}
        return cast("Settings", _Kept(**values))
    settings = _read()
    with suppress(OSError):
        derived = {name: getattr(settings, name) for name in _DERIVED}
        framing.write_file(path, {"sources": sources, "values": settings.model_dump(mode="json") | derived})
    return settings


def _read() -> Settings:
    from photomap_cli import settings

    return settings.load(directories.config_file()).values


def _sources() -> str:
    """Return a digest of all that the settings depend on."""
    config, code = directories.config_file(), Path(__file__).parents[1] / "settings.py"
    variables = sorted(
        each for each in os.environ.items() if each[0].upper().startswith(_PREFIX) and each[0].upper() != _SECRET
    )
    parts = (__version__, str(config), files.state(config), files.state(code), variables)
    return blake2b(repr(parts).encode(errors="surrogatepass"), digest_size=16).hexdigest()
