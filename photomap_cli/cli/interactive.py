"""Owns what `photomap` alone does: the prompt, or answers to standard input line by line where there is no terminal."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING

from photomap_cli import directories
from photomap_cli.errors import PhotomapError
from photomap_cli.repl.pipe_frontend import has_screen, run_lines

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from photomap_cli.images.thumbnails import Thumbnailer
    from photomap_cli.records import Facets
    from photomap_cli.session.backend import Backend
    from photomap_cli.settings import Settings


def converse(library: Path, *, is_demo: bool = False) -> int:
    """Talk until the user leaves or the input ends; returns the exit status.

    The demo's photos are what it is about, not those where the user happens to stand.

    Raises:
        BadSetting: a setting is refused; at the prompt after its first paint, since reading them takes 0.15 s.
    """
    directories.leave()
    subscribers: list[Callable[[], None]] = []

    def on_change() -> None:
        for tell in subscribers:
            tell()

    def open_backend() -> Backend:
        from photomap_cli.session.attach import attach_or_open

        return attach_or_open(library, _settings(), kind="repl", on_change=on_change)

    if not has_screen(sys.stdin, sys.stdout):
        open_gallery = partial(_open_gallery, library)
        return run_lines(
            open_backend, open_gallery=open_gallery, cwd=directories.working_directory(), limit=_settings().results
        )
    if not _has_photos(library) and not _is_welcome(library):
        return 0
    return _at_the_prompt(library, open_backend, subscribers.append, is_demo=is_demo)


def _has_photos(library: Path) -> bool:
    """Whether there is anything to search, or something wrong that the prompt will tell: 8 ms before its paint."""
    from photomap_cli.library.stats import facts

    try:
        return library.is_dir() and facts(library)["photos"] > 0
    except PhotomapError:
        return True


def _is_welcome(library: Path) -> bool:
    from photomap_cli.cli import first_run

    return first_run.offer(library, _settings())


def _at_the_prompt(
    library: Path,
    open_backend: Callable[[], Backend],
    subscribe: Callable[[Callable[[], None]], None],
    *,
    is_demo: bool,
) -> int:
    from photomap_cli.repl.repl import Choices, Repl
    from photomap_cli.views.console import console_on
    from photomap_cli.views.previews import Previews

    def choices() -> Choices:
        settings = _settings()
        return Choices(
            limit=settings.results,
            prewarm=settings.prewarm,
            previews=settings.previews,
            keys=settings.keys,
            min_score=settings.min_score,
            folder="*" if is_demo else None,
        )

    def read_words() -> Facets:
        from photomap_cli.library import facets

        return facets.read(library)

    def usual_folder() -> str:
        from photomap_cli.library import paths, stats

        return paths.part(str(directories.working_directory()), stats.facts(library)["roots"])

    console = console_on()
    return Repl(
        open_backend,
        console=console,
        previews=Previews(console, partial(_open_gallery, library)),
        cwd=directories.working_directory(),
        history_path=directories.history_file(),
        choices=choices,
        first_note=str if is_demo else partial(_note_on_folder, library),
        read_usual_folder=usual_folder,
        read_words=read_words,
        subscribe=subscribe,
    ).run()


def _note_on_folder(library: Path) -> str:
    from photomap_cli.cli import first_run

    return first_run.note_on(directories.working_directory(), library)


def _open_gallery(library: Path) -> Thumbnailer:
    from photomap_cli.images.thumbnails import Thumbnailer

    return Thumbnailer(library, _settings)


def _settings() -> Settings:
    from photomap_cli.cli import settings_cache

    return settings_cache.load()
