"""Owns loading in the background what the next query needs."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from photomap_cli.errors import PhotomapError

if TYPE_CHECKING:
    from photomap_cli.encoder.encoder_route import EncoderRoute
    from photomap_cli.library.store import Searches


class Prewarming:
    """Loads what encodes words and maps the vectors, one load at a time; errors show in the status."""

    def __init__(self, words: EncoderRoute, vectors: Searches) -> None:
        self._words, self._vectors = words, vectors
        self._running = threading.Lock()

    def start(self) -> None:
        """Start on a new thread, unless it is already running."""
        if self._running.acquire(blocking=False):
            threading.Thread(target=self._load, name="prewarm", daemon=True).start()

    def _load(self) -> None:
        try:
            self._words.load()
            self._vectors.warm_up()
        except PhotomapError:
            return  # the snapshot's last_error has it
        finally:
            self._running.release()
