"""Owns providing thumbnails: from the cache, else made from the file.  Shows nothing."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Self

from photomap_cli import processors
from photomap_cli.errors import BadImage
from photomap_cli.images.thumbnail_cache import THUMBNAIL_PX, ThumbnailCache
from photomap_cli.library.file_identity import mtime_ns
from photomap_cli.library.paths import ELSEWHERE, is_elsewhere
from photomap_cli.records import Thumbnail

if TYPE_CHECKING:
    from photomap_cli.images.decode_pool import DecodePool
    from photomap_cli.settings import Settings

GONE = "no longer there"
_MOST_PROCESSES = 4


class Thumbnailer:
    """Provides pictures of a library's photos.  A context manager; any thread may use it.

    Files are decoded in child processes, which start when first needed and end with the context.

    Args:
        folder: the library's.
        settings: returns the settings; called before the first decode, not for cached thumbnails.
    """

    def __init__(self, folder: Path, settings: Callable[[], Settings]) -> None:
        self._folder, self._settings = folder, settings
        self._lock = threading.Lock()  # for what follows
        self._pools: dict[int, DecodePool] = {}
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        with self._lock:
            self._closed = True
        for pool in self._pools.values():
            pool.close()

    def thumbnails(self, paths: Sequence[str]) -> list[Thumbnail]:
        """Return each photo's thumbnail, or what is wrong with its file; newly made ones are cached."""
        times = {path: _changed_at(path) for path in paths}
        found = self._cached(times)
        if missing := [path for path in times if path not in found]:
            made = dict(zip(missing, self._decoded(missing, THUMBNAIL_PX), strict=True))
            self._keep([(path, times[path], made[path].webp) for path in missing if made[path].webp])
            found |= made
        return [found[path] for path in paths]

    def picture(self, path: str, *, long_side_px: int) -> Thumbnail:
        """Return a photo whose longer side is `long_side_px` or the photo's own; from the cache if large enough."""
        if long_side_px <= THUMBNAIL_PX or _changed_at(path) is None:
            return self.thumbnails([path])[0]
        return self._decoded([path], long_side_px)[0]

    def _cached(self, times: dict[str, int | None]) -> dict[str, Thumbnail]:
        found: dict[str, Thumbnail] = {}
        with ThumbnailCache(self._folder, max_bytes=0) as cache:
            for path, time in times.items():
                if time is None:
                    found[path] = Thumbnail(fault=ELSEWHERE if is_elsewhere(path) else GONE)
                elif webp := cache.get(path, time):
                    found[path] = Thumbnail(webp)
        return found

    def _keep(self, made: Sequence[tuple[str, int | None, bytes]]) -> None:
        still_true = [(path, time, webp) for path, time, webp in made if time is not None and time == _changed_at(path)]
        with ThumbnailCache(self._folder, max_bytes=self._settings().thumbnail_cache_bytes) as cache:
            cache.put(still_true)

    def _decoded(self, paths: Sequence[str], long_side_px: int) -> list[Thumbnail]:
        pool = self._pool(long_side_px)
        with ThreadPoolExecutor(min(len(paths), processors.usable(), _MOST_PROCESSES)) as threads:
            return list(threads.map(lambda path: _thumbnail(pool, path), paths))

    def _pool(self, long_side_px: int) -> DecodePool:
        from photomap_cli.images.decode_pool import DecodePool  # with numpy: 0.1 s

        with self._lock:
            if long_side_px not in self._pools:
                pool = DecodePool(max_megapixels=self._settings().megapixel_limit, thumbnail_px=long_side_px)
                self._pools[long_side_px] = pool
                if self._closed:
                    pool.close()
            return self._pools[long_side_px]


def _thumbnail(pool: DecodePool, path: str) -> Thumbnail:
    from photomap_cli.images.preprocess import PixelFit

    try:
        return Thumbnail(pool.decode(Path(path), PixelFit((8, 8), "squash")).thumbnail)
    except BadImage as error:
        return Thumbnail(fault=error.message)


def _changed_at(path: str) -> int | None:
    """Return a file's time of change in nanoseconds; None if it is gone, or this locale can't encode its name."""
    if is_elsewhere(path):
        return None
    try:
        return mtime_ns(os.stat(path))  # noqa: PTH116  a name that isn't UTF-8 need not become a Path
    except (OSError, UnicodeError):
        return None
