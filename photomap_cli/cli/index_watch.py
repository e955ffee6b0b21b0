"""`photomap index --watch`: an index run, and another one whenever something has changed.  Knows no Typer."""

from __future__ import annotations

import signal
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from photomap_cli import directories
from photomap_cli.cli.exit_status import FOUND, INTERRUPTED
from photomap_cli.cli.index_run import run_index
from photomap_cli.errors import LibraryBusy, PhotomapError
from photomap_cli.views.errors import error_line
from photomap_cli.views.output import say

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from photomap_cli.indexing.folder_watch import FolderWatch
    from photomap_cli.indexing.index_options import IndexOptions
    from photomap_cli.records import IndexReport
    from photomap_cli.session.session import Session
    from photomap_cli.settings import Settings

STEP_SECONDS, AFTER_FAILURE_SECONDS = 5.0, 60.0
SHARE = 100
"""The time between two looks, as a multiple of the CPU time of one."""


def keep_fresh(
    folder: Path,
    values: Settings,
    encoder: str | None,
    paths: Sequence[Path],
    options: IndexOptions,
    *,
    quiet: bool,
    tell: Callable[[IndexReport], None],
) -> int:
    """Bring these paths up to date, and keep them up to date until Ctrl-C or SIGTERM; returns the exit status.

    One session does it all, so its encoder is released while nothing happens.  `tell` prints a report.
    """
    from photomap_cli.indexing.folder_watch import FolderWatch
    from photomap_cli.indexing.roots import resolved
    from photomap_cli.indexing.scan import ScanRules
    from photomap_cli.session.session import Session

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    wanted = list(paths) or [directories.working_directory()]
    with Session.open(folder, values, encoder=encoder, create=True) as session:
        roots = resolved(wanted, known=session.catalog.roots())
        watch = FolderWatch(lambda root: ScanRules(options.exclude, options.hidden, (root,)))
        watch.look(roots)  # before the first run, so that no change falls between the two
        interrupted, report = run_index(session, wanted, options, quiet=quiet)
        tell(report)
        if interrupted:
            return INTERRUPTED
        if not quiet:
            say(f"photomap: watching {', '.join(roots)}; Ctrl-C ends it")
        try:
            _watch(session, watch, roots, replace(options, bases=roots), quiet=quiet, tell=tell)
        except KeyboardInterrupt:
            if not quiet:
                say("photomap: ended")
    return FOUND


def _watch(
    session: Session,
    watch: FolderWatch,
    roots: Sequence[str],
    options: IndexOptions,
    *,
    quiet: bool,
    tell: Callable[[IndexReport], None],
) -> None:
    """Look for changes and index them, until KeyboardInterrupt."""
    from photomap_cli.indexing.folder_watch import QUIET_SECONDS

    options = replace(options, young_seconds=QUIET_SECONDS, prune=False, recheck=False)
    sleeping, pause = threading.Event(), 0.0
    while not sleeping.wait(pause):
        worked = time.thread_time()
        changed = watch.look(roots)
        pause = max(STEP_SECONDS if watch.is_settled else QUIET_SECONDS, SHARE * (time.thread_time() - worked))
        if not changed:
            continue
        try:
            if _index(session, changed, options, quiet=quiet, tell=tell):
                raise KeyboardInterrupt
        except LibraryBusy:  # another run, or a session that has found them as well
            watch.report(changed)
        except PhotomapError as error:
            say(f"photomap: {error_line(error)}")
            watch.report(changed)
            pause = AFTER_FAILURE_SECONDS


def _index(
    session: Session,
    changed: Sequence[str],
    options: IndexOptions,
    *,
    quiet: bool,
    tell: Callable[[IndexReport], None],
) -> bool:
    """Index some folders and report what changed, if anything; return whether it was interrupted."""
    from pathlib import Path

    there = [path for path in map(Path, changed) if path.exists()]
    if not there:
        return False
    interrupted, report = run_index(session, there, options, quiet=quiet)
    if report.added or report.updated or report.moved or report.removed or report.failures:
        tell(report)
    return interrupted
