"""Makes what photomap and a peer are compared over: libraries of the same made-up photos, and small pictures."""

from __future__ import annotations

import contextlib
import io
import os
import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
from made_vectors import MadeVectors
from PIL import Image

from photomap_cli.library.catalog import Catalog
from photomap_cli.library.entities import NewPhoto

AT_ONCE, IN_A_FOLDER = 5_000, 500


def fill(library: Path, rclip: Path | None, root: Path, size: int) -> None:
    """Add made-up photos to our library and to rclip's file, and give them files, as both look for them."""
    made = MadeVectors(512)
    paths = [root / f"{number // IN_A_FOLDER:03}" / f"IMG_{number:06}.jpg" for number in range(size)]
    for number, path in enumerate(paths):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"photo %d" % number)
    with Catalog.open(library) as catalog:
        catalog.change_roots([str(root)])
        for first in range(0, size, AT_ONCE):
            some = paths[first : first + AT_ONCE]
            vectors, _ = made.photos(len(some))
            files = [path.stat() for path in some]
            catalog.commit_batch([_photo(*each) for each in zip(some, files, vectors, strict=True)])
            if rclip:
                _fill_rclip(rclip, some, files, vectors)
    if rclip:
        with contextlib.closing(sqlite3.connect(rclip)) as base:
            base.execute("DELETE FROM images WHERE filepath NOT LIKE ?", (f"{root}/%",))
            base.commit()
            base.execute("VACUUM")


def _photo(path: Path, file: os.stat_result, vector: np.ndarray) -> NewPhoto:
    facts: dict[str, Any] = {"taken_at": None, "width": 4000, "height": 3000, "camera": "Made Up 1", "extension": "jpg"}
    facts |= {"ctime_ns": file.st_ctime_ns, "inode": file.st_ino, "content_hash": os.urandom(16)}
    return NewPhoto(str(path), file.st_size, file.st_mtime_ns, vector=vector, **facts)


def _fill_rclip(base: Path, paths: list[Path], files: list[os.stat_result], vectors: np.ndarray) -> None:
    rows = [
        (str(path), file.st_mtime, file.st_size, vector.tobytes(), os.urandom(32).hex())
        for path, file, vector in zip(paths, files, vectors, strict=True)
    ]
    with contextlib.closing(sqlite3.connect(base)) as connection, connection:
        columns = "filepath, modified_at, size, vector, hash"
        connection.executemany(f"INSERT INTO images({columns}) VALUES (?, ?, ?, ?, ?)", rows)


def write_pictures(folder: Path, count: int, extension: str, side: int) -> bool:
    """Write noisy pictures of one kind; False if this Python can't."""
    try:
        pictures = [noisy_picture(1_000 + number, side, extension) for number in range(count)]
    except (ImportError, KeyError, OSError):
        return False
    folder.mkdir()
    for number, content in enumerate(pictures):
        (folder / f"IMG_{number:04}.{extension}").write_bytes(content)
    return True


def noisy_picture(seed: int, side: int, extension: str = "png") -> bytes:
    """Return a picture with soft colours and grain, three quarters as high as wide."""
    dice, size = np.random.default_rng(seed), (side, side * 3 // 4)
    soft = Image.fromarray(dice.integers(0, 255, (6, 8, 3), np.uint8)).resize(size, Image.Resampling.BICUBIC)
    pixels = np.asarray(soft).astype(np.int16) + dice.normal(0, 6, (size[1], size[0], 1)).astype(np.int16)
    if extension == "heic":
        import pillow_heif

        pillow_heif.register_heif_opener()
    written = io.BytesIO()
    kind = {"jpg": "JPEG", "png": "PNG", "webp": "WEBP", "heic": "HEIF"}[extension]
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(written, kind, quality=88)
    return written.getvalue()
