"""Owns reusing vectors of past queries, by everything that such a vector depends on.  Encodes nothing."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from photomap_cli._version import __version__
from photomap_cli.encoder import gpu
from photomap_cli.encoder.encoder_route import ENCODER, IMAGE_TOWER, TEXT_TOWER
from photomap_cli.library.query_cache import key

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from photomap_cli.encoder.interface import Tower
    from photomap_cli.encoder.residency import Residency
    from photomap_cli.library.query_cache import QueryCache
    from photomap_cli.library.store import Facts
    from photomap_cli.settings import Settings


class VectorCache:
    """The vectors of past queries over one library with one encoder.  One thread at a time.

    A vector is reused only for the same bytes, weights, version of photomap, hardware and precision: it is what
    encoding would give now, with the weights that made the library's vectors.  Which weights, hardware and precision
    those are is known once an encoder has been loaded.  Before, it is what the same settings gave last time on this
    host, with these weights if the library knows its own; so nothing has to be loaded to find out.

    A tower's vectors are as good as the encoder process's: which of the two would encode a term now is a
    matter of speed, and a repeated search keeps its vector.
    """

    def __init__(
        self, cache: QueryCache, catalog: Facts, residency: Residency, *, spec: str, settings: Settings
    ) -> None:
        self._cache, self._catalog, self._residency = cache, catalog, residency
        self._spec, self._settings = spec, settings
        self._noted = ""

    @property
    def is_on(self) -> bool:
        """Whether vectors are cached at all."""
        return self._settings.query_cache > 0

    def get(self, kind: Tower, contents: Sequence[bytes]) -> dict[bytes, NDArray[np.float32]]:
        """Return the cached vectors, (dim,) float32 of unit length, by content."""
        encoder_key = self._encoder_key() or self._cache.encoder_key(self._settings_key())
        found: dict[bytes, NDArray[np.float32]] = {}
        for by in filter(None, (self._tower_key(kind), encoder_key) if contents else ()):
            keys = self._keys(by, kind, [each for each in contents if each not in found])
            known = self._cache.get(keys.values()) if keys else {}
            found |= {content: known[each] for content, each in keys.items() if each in known}
        return found

    def keep(self, kind: Tower, vectors: Mapping[bytes, NDArray[np.float32]], *, by: str = ENCODER) -> None:
        """Cache what the loaded encoder or a tower has just made."""
        encoder_key = self._encoder_key() if by == ENCODER else self._tower_key(kind)
        if encoder_key is None or not self.is_on:
            return
        keys = self._keys(encoder_key, kind, vectors)
        self._cache.put({keys[content]: vector for content, vector in vectors.items()})
        if by == ENCODER and encoder_key != self._noted:
            self._cache.set_encoder_key(self._settings_key(), encoder_key)
            self._noted = encoder_key

    def _keys(self, encoder_key: str, kind: Tower, contents: Iterable[bytes]) -> dict[bytes, bytes]:
        whole = "\n".join((self._spec, __version__, encoder_key))
        return {content: key(whole, kind, content) for content in contents}

    def _encoder_key(self) -> str | None:
        """Return the encoder's hardware, precision and weights; None before it is loaded, or if its weights differ."""
        info, made_with = self._residency.snapshot().info, self._catalog.encoder
        if info is None or made_with is None or not made_with.has_weights_of(info):
            return None
        return "\n".join((info.device_name, info.dtype, info.fingerprint))

    def _tower_key(self, kind: Tower) -> str | None:
        """Return a tower's: float32 with the library's weights, the same on any hardware."""
        made_with, name = self._catalog.encoder, TEXT_TOWER if kind == "text" else IMAGE_TOWER
        return f"{name}\n{made_with.fingerprint}" if made_with and made_with.fingerprint else None

    def _settings_key(self) -> str:
        """Return what determines those, as far as is known without loading anything."""
        made_with = self._catalog.encoder
        weights = made_with.fingerprint if made_with else ""
        decisive = (self._spec, weights, self._settings.device, self._settings.precision, str(gpu.device_count()))
        return "\n".join((*decisive, platform.node()))
