"""Owns `photomap search` with pictures, in the terminal or on a page: when, by which settings, from which library."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from photomap_cli import directories
from photomap_cli.cli import backend, settings_cache
from photomap_cli.errors import BadPath, UsageError
from photomap_cli.views.previews import Previews

if TYPE_CHECKING:
    from rich.console import Console

    from photomap_cli.cli.options import Globals
    from photomap_cli.images.thumbnails import Thumbnailer
    from photomap_cli.records import SearchResult
    from photomap_cli.views.previews import Wait

T = TypeVar("T")

STANDARD_OUTPUT = "-"
"""Stands for standard output; a file with this name is `./-`."""

ALL_OF_THEM = "--paths prints all"


def show(result: SearchResult, given: Globals, console: Console, *, notices: Sequence[str], is_asked_for: bool) -> bool:
    """Draw as many of a search's photos as fit in the window, if the user wants that here.

    Returns whether it did; then the notices were told too, above the photos.
    """
    setting = given.settings().values.previews if settings_cache.is_set("previews") else "auto"
    if not result.hits or not (is_asked_for or setting == "on"):
        return False
    from photomap_cli.views.results import summary_line

    previews = Previews(console, partial(thumbnailer, given), setting=setting)
    previews.detect_between_commands()
    painter = previews.painter(is_asked_for=is_asked_for)
    if painter is None:
        backend.tell([reason] if (reason := previews.why_no_pictures(is_asked_for=is_asked_for)) else [], given)
        return False
    backend.tell(notices, given)
    total, count = len(result.hits), previews.show(result.hits, painter, waiting(given))
    page = replace(result, hits=result.hits[:count])
    console.print(summary_line(page, total=total, more=ALL_OF_THEM if count < total else ""))
    return True


def in_words(given: Globals, console: Console, setting: str) -> str:
    """Return how the prompt on this terminal shows results, after asking it."""
    previews = Previews(console, partial(thumbnailer, given), setting=setting)
    previews.detect_between_commands()
    return previews.in_words()


@dataclass(frozen=True, slots=True)
class PageFile:
    """Where --html puts a page: a file, or standard output if there is no path."""

    path: Path | None

    def save(self, what: str, pieces: Iterable[bytes]) -> tuple[str, ...]:
        """Write the page in pieces; return a notice about it, unless it goes to standard output."""
        from photomap_cli.views import export
        from photomap_cli.views.formatting import human_bytes

        if self.path is None:
            export.write_out(pieces, sys.stdout)
            return ()
        export.write(self.path, pieces)
        return (f"{what} saved to {self.path}, {human_bytes(self.path.stat().st_size)}",)


def page_file(named: str | None, *, over: bool, also_printed: Mapping[str, bool]) -> PageFile:
    """Return the file that --html names, checked before anything slow starts.

    Args:
        named: what was given; `-` is standard output.
        over: whether an existing file may be overwritten.
        also_printed: options that write to standard output too, and whether they were given.

    Raises:
        UsageError: there is --force without a file, or two outputs want standard output.
        BadPath: the file exists and --force isn't given, or its folder doesn't exist.
    """
    from photomap_cli.views.export import require_free

    if named is None:
        raise UsageError("--force is for --html", hint="--html FILE writes a page")
    if named == STANDARD_OUTPUT:
        if other := next((option for option, is_given in also_printed.items() if is_given), ""):
            raise UsageError(f"--html - and {other} both write to standard output", hint="name a file for the page")
        return PageFile(None)
    path = directories.absolute(Path(named))
    require_free(path, over=over, hint="--force overwrites it")
    if not os.path.isdir(path.parent):  # noqa: PTH112  Path fails at a name that is too long
        raise BadPath(f"{path.parent} isn't a folder", hint="make it first, or name another one")
    return PageFile(path)


def write_page(result: SearchResult, given: Globals, file: PageFile) -> tuple[str, ...]:
    """Write a search's photos to a page and return a notice about it."""
    from photomap_cli.views.formatting import photos
    from photomap_cli.views.html.contact_sheet import sheet_page

    return file.save(photos(len(result.hits)), sheet_page(result, partial(thumbnailer, given), waiting(given)))


def thumbnailer(given: Globals) -> Thumbnailer:
    """Return what makes the library's thumbnails."""
    from photomap_cli.images.thumbnails import Thumbnailer

    return Thumbnailer(given.library, lambda: given.settings().values)


def waiting(given: Globals) -> Wait:
    """Return how to wait for photos: with a line about it if someone sees that."""
    return _plainly if given.quiet or not sys.stderr.isatty() else _with_a_word


def _plainly(work: Callable[[], T]) -> T:
    return work()


def _with_a_word(work: Callable[[], T]) -> T:
    from photomap_cli.cli.options import make_console
    from photomap_cli.views.spinner import wait_for

    return wait_for(work, console=make_console(stderr=True), words=lambda: "reading photos…")
