"""Owns one HEIC picture, as nothing here can write one."""

from __future__ import annotations

from base64 import b64decode

import numpy as np
from PIL import Image

CORNERS = ((255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0), (0, 255, 255), (255, 255, 255))

LYING = b64decode(
    "AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAchtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAAADRpbG9jAA"
    "AAAERAAAIAAQAAAAAB7AABAAAAAAAAAGsAAgAAAAACVwABAAAAAAAAACQAAAA4aWluZgAAAAAAAgAAABVpbmZlAgAAAAABAABodmMxAAAAABVp"
    "bmZlAgAAAQACAABFeGlmAAAAAA5waXRtAAAAAAABAAABB2lwcnAAAADmaXBjbwAAAHZodmNDAQNwAAAAkAAAAAAAHvAA/P34+AAADwNgAAEAGE"
    "ABDAH//wNwAAADAJAAAAMAAAMAHroCQGEAAQAqQgEBA3AAAAMAkAAAAwAAAwAeoCCBBZbq5Ka5uAhoMCAAAAMDIAAAAwAhYgABAAZEAcFzwIkA"
    "AAATY29scm5jbHgAAQANAAaAAAAAFGlzcGUAAAAAAAAAQAAAAEAAAAAoY2xhcAAAACAAAAABAAAAMAAAAAH////gAAAAAv////AAAAACAAAAEH"
    "BpeGkAAAAAAwgICAAAAAlpcm90AwAAABlpcG1hAAAAAAAAAAEAAQaBAgMFhIYAAAAaaXJlZgAAAAAAAAAOY2RzYwACAAEAAQAAAJdtZGF0AAAA"
    "ZygBr1jm9Z5s7M5g45V60z2v1Gz7m/exITJ+AWKCEGc+tlgmbqMpa1cyia4yBQu4jLdrH6xTvDPzh2wpAHWERAn+b/1z7WdS7bOiQLq+V85eey"
    "QOJud33EsyQ7gj6AjbU+TwZ8azh3gAAAAGRXhpZgAATU0AKgAAAAgAAQESAAMAAAABAAYAAAAAAAA="
)
"""48 x 32 pixels, stored lying: a rotation box turns them upright, and the EXIF says once more how to turn them."""


def upright() -> Image.Image:
    """Return what LYING shows."""
    pixels = np.array(CORNERS, np.uint8).reshape(2, 3, 3)
    return Image.fromarray(pixels).resize((48, 32), Image.Resampling.BILINEAR)
