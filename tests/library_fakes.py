"""Owns what the library's tests share: an encoder without a model, pictures, and photos to add."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from PIL import Image

from photomap_cli.images.decode import Decoded, ReadOptions, read
from photomap_cli.images.preprocess import PixelFit
from photomap_cli.library.entities import STORED, LibraryEncoder, NewPhoto
from photomap_cli.library.file_identity import DIGEST_BYTES
from photomap_cli.records import EncoderInfo
from photomap_cli.vectors.file_header import Header
from photomap_cli.vectors.vector_file import FILE_NAME

DIM = 32
INFO = EncoderInfo("fake", DIM, (16, 16), "shortest", "bicubic", 0, "cpu", "cpu", "float32", False)
ENCODER = LibraryEncoder("fake", DIM, "float32")


class FakeEncoder:
    """Projects pixels to unit vectors: equal pictures are equal, others are not."""

    info = INFO
    _projection = np.random.default_rng(0).standard_normal((16 * 16 * 3, DIM)).astype(np.float32)

    def __init__(self):
        self.batches = []

    def encode_images(self, pixels):
        self.batches.append(len(pixels))
        flat = pixels.reshape(len(pixels), -1) / np.float32(255) - np.float32(0.4)
        vectors = np.stack([row @ self._projection for row in flat])  # one by one: the same to the bit in any batch
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


class InProcessDecoder:
    """Stands in for the decode processes, which take 0.1 s to start."""

    def __init__(self, *, max_megapixels=None, thumbnail_px=0, is_gentle=False):
        self._options = ReadOptions(max_megapixels, thumbnail_px)

    def __enter__(self):
        return self

    def __exit__(self, *_exc):
        pass

    def start(self, count):
        pass

    def decode(self, path, fit):
        picture = read(path, fit, self._options)
        sides = [np.asarray(each) for each in picture.sides]
        return Decoded(np.asarray(picture.image), picture.facts, picture.digest, picture.thumbnail, sides)


def decode(path, fit, **options):
    """Read a picture file as a decode process does, in this one."""
    return InProcessDecoder(**options).decode(path, fit)


def expected_blob(path: Path) -> bytes:
    """Return what the library should store for a picture, encoded alone."""
    pixels = decode(path, PixelFit.of(INFO)).pixels
    return FakeEncoder().encode_images(pixels[None])[0].astype(STORED).tobytes()


def unit_vectors(count: int, *, seed: int = 0, dim: int = DIM) -> np.ndarray:
    vectors = np.random.default_rng(seed).standard_normal((count, dim)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def similar(count: int, *, seed: int = 0) -> np.ndarray:
    """Return vectors as an encoder gives them: clusters on a cone, the same 50 for every seed."""
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(50).standard_normal((50, DIM)) + 2 * np.eye(1, DIM)
    vectors = (centres[rng.integers(0, 50, count)] + 0.3 * rng.standard_normal((count, DIM))).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def new_photo(path: str, vector: np.ndarray | None = None, **facts) -> NewPhoto:
    """Return a photo of four by three pixels; its file's content is like no other's."""
    values = {"size_bytes": 1, "mtime_ns": 0, "taken_at": None, "width": 4, "height": 3, "camera": None}
    values |= {"content_hash": hashlib.sha256(path.encode()).digest()[:DIGEST_BYTES], **facts}
    return NewPhoto(path=path, vector=unit_vectors(1)[0] if vector is None else vector, **values)


def picture(path: Path, seed: int, *, size: tuple[int, int] = (24, 18)) -> Path:
    """Write a picture of its own; the suffix says in which format."""
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(seed).integers(0, 256, (3, 4, 3), np.uint8)
    Image.fromarray(noise).resize(size, Image.Resampling.NEAREST).save(path)
    return path


def stored_vector(catalog, row: int) -> np.ndarray:
    """Return a photo's vector as the library has it."""
    return catalog.vectors([row])[row]


SIZE = DIM * 2


def rows_on_disk(folder):
    """Return what the row file has at each row."""
    content = (folder / FILE_NAME).read_bytes()
    header = Header.unpack(content)
    return {row: content[header.place_at(row) :][:SIZE] for row in range(header.next_row)}
