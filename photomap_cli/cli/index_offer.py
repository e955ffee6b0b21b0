"""Owns the offer to index a folder after a search in it found it isn't indexed; remembers a no."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from photomap_cli import directories, framing
from photomap_cli.cli import settings_cache
from photomap_cli.views.output import say

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from photomap_cli.settings import Settings


def is_possible() -> bool:
    """Return whether someone is there to read the question and answer it."""
    return all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr))


def accepted(library: Path, ask: Callable[[str], str] = input) -> bool:
    """Offer to index the current folder's photos, if it has any itself; return whether photos were added.

    Enter means no, and after a no the question isn't asked again for this folder.  Raises PhotomapError if
    indexing fails.
    """
    from photomap_cli.cli import first_run

    folder = directories.working_directory()
    if not is_possible() or not first_run.has_photos(folder) or str(folder) in _declined():
        return False
    if not _may_cover(library, folder):
        return False
    settings = settings_cache.load()
    if _agrees(f"Index {first_run.find_photos(folder, settings).words} now? [y/N] ", ask):
        return _index(library, folder, settings)
    return False


def _may_cover(library: Path, folder: Path) -> bool:
    """Whether a library can have the photos of a folder: a shared one has those of the roots in the settings."""
    from photomap_cli.session import libraries

    if not libraries.is_shared(library):
        return True
    return any(folder.is_relative_to(root) for root in libraries.covered(library))


def _agrees(question: str, ask: Callable[[str], str]) -> bool:
    try:
        answer = ask(question).strip().lower()
    except (EOFError, KeyboardInterrupt):  # the search itself is done
        say("", file=sys.stdout)
        return False
    if answer not in ("y", "yes"):
        _decline(directories.working_directory())
    return answer in ("y", "yes")


def _index(library: Path, folder: Path, settings: Settings) -> bool:
    from photomap_cli.cli.index_run import update_library
    from photomap_cli.indexing.index_options import IndexOptions
    from photomap_cli.views.index_report import write_report

    options = IndexOptions.of(settings)
    interrupted, report = update_library(library, settings, None, [folder], options, quiet=False)
    write_report(report, sys.stdout)
    return report.added > 0 and not interrupted


def _declined() -> list[str]:
    """Return the folders for which the answer was no."""
    kept = framing.read_file(directories.declined_file())
    folders = kept[0].get("folders") if kept else None
    return [each for each in folders if isinstance(each, str)] if isinstance(folders, list) else []


def _decline(folder: Path) -> None:
    """Remember the answer; if that fails, the question will be asked again."""
    with suppress(OSError):
        framing.write_file(directories.declined_file(), {"folders": [*_declined(), str(folder)]})
        say("You won't be asked about this folder again; `photomap index` adds it.", file=sys.stdout)
