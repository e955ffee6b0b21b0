"""Picture: draws a scene with its weather, then gives it the look of a photograph."""

from __future__ import annotations

import importlib
import random

import numpy as np
from PIL import Image

from drawing import setting
from drawing.canvas import OVERSAMPLING, Canvas
from drawing.scene import KINDS, Scene, sample

# Importing a module of kinds registers them.
MODULES = (
    "land",
    "waters",
    "sky",
    "city",
    "landmarks",
    "travel",
    "plants",
    "seasons",
    "food",
    "things",
    "animals",
    "wildlife",
    "people",
)
for _module in MODULES:
    importlib.import_module(f"drawing.kinds_{_module}")


def draw(scene: Scene, size: tuple[int, int]) -> Image.Image:
    """Draw a scene at (width, height).  The same scene and size give the same pixels."""
    canvas = Canvas(size, random.Random(scene.seed))
    KINDS[scene.kind].draw(canvas, scene)
    setting.fall(canvas, scene.weather)
    return develop(canvas)


def make_picture(
    kind_name: str, *, colour: str | None = None, seed: int = 0, size: tuple[int, int] = (256, 192)
) -> Image.Image:
    """Draw one picture of a kind; everything not asked for is chosen by `seed`."""
    return draw(sample(random.Random(seed), kind_name=kind_name, colour=colour), size)


def develop(canvas: Canvas) -> Image.Image:
    """Bring the canvas to its final size with a lens's vignette, a little grain, and its own exposure."""
    rng = canvas.rng
    pixels = np.asarray(canvas.image.reduce(OVERSAMPLING), np.float32)
    high, wide = pixels.shape[:2]
    dice = np.random.default_rng(rng.getrandbits(32))
    x, y = np.linspace(-1, 1, wide, dtype=np.float32), np.linspace(-1, 1, high, dtype=np.float32)
    fall = 1 - rng.uniform(0.04, 0.16) * (x[None, :] ** 2 + y[:, None] ** 2) / 2
    gain = np.float32(rng.uniform(0.92, 1.06))
    warmth = np.asarray([1 + rng.uniform(-0.03, 0.04), 1.0, 1 + rng.uniform(-0.04, 0.03)], np.float32)
    grain = dice.standard_normal((high, wide), dtype=np.float32) * np.float32(rng.uniform(1.0, 3.0))
    pixels = pixels * (fall * gain)[..., None] * warmth + grain[..., None]
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
