"""Photomap: find photos by what is in them, from the terminal, and from Python (docs/scripting.md).

The names below are imported when they are first used: `import photomap_cli` itself costs nothing.
"""

from __future__ import annotations

from photomap_cli._version import __version__ as __version__

TYPE_CHECKING = False  # type checkers take it for typing's, whose import costs more than `photomap --version`
if TYPE_CHECKING:
    from photomap_cli.errors import PhotomapError as PhotomapError
    from photomap_cli.library.location import library_directory as library_directory
    from photomap_cli.records import Hit as Hit
    from photomap_cli.records import SearchRequest as SearchRequest
    from photomap_cli.records import SearchResult as SearchResult
    from photomap_cli.records import SessionStatus as SessionStatus
    from photomap_cli.session.client import SessionClient as SessionClient
    from photomap_cli.session.session import Session as Session


_HOMES = {
    "Session": "session.session",
    "SessionClient": "session.client",
    "SearchRequest": "records",
    "SearchResult": "records",
    "Hit": "records",
    "SessionStatus": "records",
    "PhotomapError": "errors",
    "library_directory": "library.location",
}


def __getattr__(name: str) -> object:
    """Import one of the names above."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
