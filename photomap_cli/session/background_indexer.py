"""Owns indexing in the background of a session: it checks the library's folders and indexes what has changed.

Nobody waits for this, so queries go first, decoders run at low priority, and the encoder is woken at most once a minute
and released as if unused.  Photos are removed and moved as `photomap index` would, by the rules of its last run.
"""

from __future__ import annotations

import logging
import os
import time
from contextlib import closing
from typing import TYPE_CHECKING

from photomap_cli import processors
from photomap_cli.errors import LibraryBusy, PhotomapError
from photomap_cli.indexing import mounts
from photomap_cli.indexing.folder_watch import QUIET_SECONDS, FolderWatch
from photomap_cli.indexing.index_options import IndexOptions
from photomap_cli.indexing.scan import ScanRules
from photomap_cli.records import ResidencyState
from photomap_cli.session.image_encoder import ImageEncoder

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Sequence

    from photomap_cli.session.session import Session

STEP_SECONDS, NETWORK_STEP_SECONDS = 5.0, 60.0
SHARE = 100
"""The least time between two looks, as a multiple of the CPU time of one."""

WAKE_SECONDS = 60.0
"""How often an idle encoder may be woken for new photos, in seconds."""

MOST_FOLDERS = 50
"""If more folders have changed, everything is scanned."""

_BATCH, _JOBS = 8, max(1, processors.usable() // 4)
_YIELD_SECONDS = 0.05

log = logging.getLogger(__name__)


class _NotNow(Exception):
    """The session is closing, or the encoder must not be used now."""


class BackgroundIndexer:
    """Keeps a session's library up to date, on one thread.

    Args:
        session: gives the library, its encoder, and whether queries wait.
        stop: set when the session is closing.
        clock: time.
    """

    def __init__(self, session: Session, stop: threading.Event, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._session, self._stop, self._clock = session, stop, clock
        self._watches = {is_remote: FolderWatch(self._rules, clock) for is_remote in (False, True)}
        self._next_look = {False: 0.0, True: 0.0}
        self._woken = -WAKE_SECONDS
        self._is_first = True

    def run(self) -> None:
        """Look repeatedly until told to stop."""
        pause = 0.0
        while not self._stop.wait(pause):
            try:
                pause = self.look()
            except Exception as error:
                if self._stop.is_set():
                    return
                log.warning("looking for new photos failed: %s", error)
                pause = NETWORK_STEP_SECONDS

    def look(self) -> float:
        """Look once, and index what has changed and is no longer changing; return the seconds until the next look."""
        roots = self._session.catalog.roots()
        remote = mounts.remote(roots) if self._session.settings.watch == "auto" else frozenset()
        for is_remote, watch in self._watches.items():
            began, worked = self._clock(), time.thread_time()
            if began < self._next_look[is_remote]:
                continue
            changed = watch.look([root for root in roots if (root in remote) is is_remote])
            step = NETWORK_STEP_SECONDS if is_remote else STEP_SECONDS if watch.is_settled else QUIET_SECONDS
            self._next_look[is_remote] = began + max(step, SHARE * (time.thread_time() - worked))
            if changed and not self._is_first:
                self._index(changed, roots, watch)
        if self._is_first:  # what changed while there was no session
            self._index(roots, roots, self._watches[False])
            self._is_first = False
        return max(_YIELD_SECONDS, min(self._next_look.values()) - self._clock())

    def _index(self, changed: Sequence[str], roots: Sequence[str], watch: FolderWatch) -> None:
        for root in roots:
            inside = [each for each in changed if each == root or each.startswith(root.rstrip(os.sep) + os.sep)]
            if not inside or not os.path.exists(root):  # noqa: PTH110
                continue
            try:
                self._index_below(root, [root] if len(inside) > MOST_FOLDERS else inside)
            except LibraryBusy:
                watch.report(inside)
            except _NotNow:
                watch.report(inside)
                return

    def _index_below(self, root: str, folders: Sequence[str]) -> None:
        """Index some folders of a root, counting new photos as they come."""
        from pathlib import Path

        session, rules = self._session, self._rules(root)
        offloads = session.residency.snapshot().offloads
        options = IndexOptions.of(
            session.settings,
            exclude=rules.exclude,
            hidden=rules.hidden,
            bases=(root,),
            jobs=_JOBS,
            batch_size=_BATCH,
            young_seconds=QUIET_SECONDS,
            is_gentle=True,
        )
        indexer = session.indexer(options, lambda: self._encoder(offloads), lambda: self._require_leave(offloads))
        added = 0
        try:
            paths = [Path(folder) for folder in folders if os.path.isdir(folder)]  # noqa: PTH112
            with session.in_background(), closing(indexer.run(paths)) as events:
                for _ in events:
                    self._require_leave(offloads)
                    if indexer.report.added > added:
                        session.note_new(indexer.report.added - added)
                        added = indexer.report.added
        except PhotomapError as error:
            if isinstance(error, LibraryBusy):
                raise
            log.warning("new photos could not be indexed: %s", error)
        finally:
            session.note_new(indexer.report.added - added)

    def _rules(self, root: str) -> ScanRules:
        """Return what the last run over a root left out; if that isn't stored, what the settings say."""
        exclude, hidden = self._session.library.writes.runs.rules(root) or (self._session.settings.exclude, False)
        return ScanRules(exclude, hidden, (root,))

    def _encoder(self, offloads: int) -> ImageEncoder:
        snapshot = self._session.residency.snapshot()
        is_awake = snapshot.state is ResidencyState.VRAM or (
            snapshot.state is ResidencyState.RAM and snapshot.info is not None and not snapshot.info.can_offload
        )
        if not is_awake:
            if self._clock() - self._woken < WAKE_SECONDS:
                raise _NotNow
            self._woken = self._clock()
        return ImageEncoder(self._session.residency, lambda: self._require_leave(offloads))

    def _require_leave(self, offloads: int) -> None:
        """Wait while queries are being answered.  Raises _NotNow if the session closes or the encoder was offloaded."""
        while self._session.is_answering and not self._stop.wait(_YIELD_SECONDS):
            pass
        if self._stop.is_set() or self._session.residency.snapshot().offloads != offloads:
            raise _NotNow
