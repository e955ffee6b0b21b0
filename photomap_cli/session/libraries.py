"""Owns opening a library, whatever stores it: no caller knows which kind it got.

Requests that scripts and status bars make all day about a library on this computer are answered without numpy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from photomap_cli import directories
from photomap_cli.errors import LibraryUnreachable

if TYPE_CHECKING:
    from photomap_cli.indexing.reindex import Reindex, Unfinished
    from photomap_cli.indexing.shared_reindex import SharedReindex
    from photomap_cli.library.shared.store import SharedLibrary
    from photomap_cli.library.store import Library
    from photomap_cli.records import Facets
    from photomap_cli.settings import Settings


def open_library(folder: Path, settings: Settings | None = None, *, create: bool = False) -> Library:
    """Open a library; a context manager.

    Args:
        folder: its folder, as `library.location` returns it.
        settings: None for those that `photomap config` shows.
        create: whether to create it if there is none.

    Raises:
        EmptyLibrary: there is none and `create` is False.
        BadSetting, LibraryUnusable.
    """
    if not is_shared(folder):
        from photomap_cli.vectors.local_library import LocalLibrary

        return LocalLibrary.open(folder, create=create)
    return open_shared(folder, settings, create=create)


def reindex(folder: Path, settings: Settings) -> Reindex | SharedReindex:
    """Return a rebuild of a library."""
    if is_shared(folder):
        from photomap_cli.indexing.shared_reindex import SharedReindex

        return SharedReindex(folder, lambda folder: open_shared(folder, settings, create=True))
    from photomap_cli.indexing.reindex import Reindex

    return Reindex(folder)


def unfinished(folder: Path, settings: Settings) -> Unfinished | None:
    """Return the unfinished rebuild of a library; None if there is none."""
    if is_shared(folder):
        from photomap_cli.indexing import shared_reindex

        return shared_reindex.unfinished(folder, lambda folder: open_shared(folder, settings, create=True))
    from photomap_cli.indexing import reindex

    return reindex.unfinished(folder)


def is_shared(folder: Path) -> bool:
    """Return whether a library is at an address, where other computers may write to it too."""
    return directories.address_in(folder) is not None


def facts(folder: Path) -> dict[str, Any]:
    """Return a library's `LibraryStatus` as JSON values; a missing library is empty.

    Raises LibraryUnusable.
    """
    if is_shared(folder):
        with status_reader(folder) as read:
            return read()
    from photomap_cli.library import stats

    return stats.facts(folder)


def facts_of_any_format(folder: Path) -> dict[str, Any]:
    """Return the same, even for a library made by another version of photomap."""
    with status_reader(folder) as read:
        return read()


@contextmanager
def status_reader(folder: Path) -> Iterator[Callable[[], dict[str, Any]]]:
    """Yield a function that returns the facts of a library of any format, and may be called repeatedly.

    While the server of a shared library doesn't answer, it returns the previous facts, with the reason as `error`.
    """
    if not is_shared(folder):
        from photomap_cli.library import stats

        yield lambda: stats.facts_of_any_format(folder)
        return
    known: dict[str, Any] = {}

    def read() -> dict[str, Any]:
        nonlocal known
        try:
            known = library.facts.status().to_json()
        except LibraryUnreachable as error:  # it may answer again
            if not known:
                raise
            return {**known, "error": error.to_json()}
        return known

    with open_shared(folder, create=True) as library:
        yield read


def facets(folder: Path) -> Facets:
    """Return the values that filters can have in a library.  Raises EmptyLibrary, LibraryUnusable."""
    if is_shared(folder):
        with open_shared(folder) as library:
            return library.facts.facets()
    from photomap_cli.library import facets

    return facets.read(folder)


def exists(folder: Path) -> bool:
    """Return whether there is a library.  Raises LibraryUnusable if that can't be checked."""
    if is_shared(folder):
        with open_shared(folder, create=True) as library:
            return library.facts.encoder is not None
    from photomap_cli.library.database import library_exists

    return library_exists(folder)


def covered(folder: Path) -> tuple[str, ...]:
    """Return this computer's folders that a library covers, or, for a shared one, the roots in the settings.

    Asks no server.
    """
    if is_shared(folder):
        from photomap_cli.library.shared.roots import Roots

        return Roots.of_settings(_users_settings().roots).folders
    from photomap_cli.library import stats

    return tuple(stats.facts(folder)["roots"])


def open_shared(folder: Path, settings: Settings | None = None, *, create: bool = False) -> SharedLibrary:
    """Open a shared library; arguments and errors are those of `open_library`."""
    from photomap_cli.library.shared.store import SharedLibrary

    return SharedLibrary.open(folder, directories.library_name(folder), settings or _users_settings(), create=create)


def _users_settings() -> Settings:
    from photomap_cli import settings

    return settings.load(directories.config_file()).values
