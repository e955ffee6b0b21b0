"""Skies, clouds, hills, ground, water and trees: what stands behind every outdoor scene."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Sequence

import numpy as np
from PIL import Image

from drawing.canvas import RGB, Canvas, Pen, mix, scaled

SKIES: dict[str, tuple[tuple[RGB, ...], ...]] = {
    "day": (
        ((70, 130, 210), (140, 190, 235), (205, 228, 243)),
        ((45, 110, 200), (115, 170, 225), (190, 215, 235)),
        ((105, 165, 225), (165, 205, 238), (225, 236, 240)),
    ),
    "dusk": (
        ((52, 48, 105), (150, 80, 120), (240, 135, 85), (255, 205, 120)),
        ((70, 85, 140), (200, 130, 130), (250, 170, 100), (255, 222, 150)),
        ((40, 34, 72), (165, 62, 80), (242, 110, 60), (255, 186, 92)),
    ),
    "night": (((5, 8, 24), (14, 22, 52), (34, 46, 88)), ((3, 5, 15), (10, 14, 36), (28, 30, 62))),
    "grey": (((120, 132, 150), (165, 174, 186), (206, 212, 216)), ((98, 108, 124), (146, 154, 164), (186, 190, 194))),
}
LIGHTS = {"day": (1.0, 1.0, 1.0), "dusk": (0.97, 0.86, 0.78), "night": (0.55, 0.58, 0.72), "grey": (0.9, 0.92, 0.96)}


LEAFY_PX = 250  # a tree larger than this shows single leaves


def sky(canvas: Canvas, mood: str, *, bottom: float = 1.0, sun: bool = True) -> tuple[RGB, ...]:
    """Paint a sky of a mood (day, dusk, night, grey), set the light, and return its colours from the top down."""
    rng = canvas.rng
    colours = tuple(canvas.vary(c, 8) for c in rng.choice(SKIES[mood]))
    canvas.light = (1.0, 1.0, 1.0)
    canvas.gradient(0, bottom, colours)
    if mood == "night":
        stars(canvas, bottom)
    if mood == "dusk" and sun:
        low_sun(canvas, rng.uniform(0.15, 0.85), bottom - rng.uniform(0.02, 0.12), rng.uniform(0.03, 0.055))
    if mood in {"day", "dusk"} and rng.random() < 0.75:
        clouds(canvas, bottom, mood, cover=rng.uniform(0.35, 0.6))
    if mood == "grey":
        clouds(canvas, bottom, mood, cover=0.85)
    canvas.light = LIGHTS[mood]
    return colours


def low_sun(canvas: Canvas, x: float, y: float, radius: float) -> None:
    """Put a low sun with its glow at fractions x, y."""
    centre = (x * canvas.width, y * canvas.height)
    canvas.glow(centre, canvas.unit * 0.75, (255, 190, 100), strength=0.8)
    canvas.glow(centre, canvas.unit * 0.28, (255, 232, 170), strength=1.0)
    r = radius * canvas.unit
    disc = (255, 246, 205)
    canvas.brush.ellipse([centre[0] - r, centre[1] - r, centre[0] + r, centre[1] + r], fill=disc)


def stars(canvas: Canvas, bottom: float, count: int = 90) -> None:
    """Scatter stars of different brightness."""
    rng = canvas.rng
    for _ in range(count):
        x, y = rng.random() * canvas.width, rng.random() ** 1.3 * bottom * canvas.height
        value = rng.randint(110, 255)
        r = canvas.unit * rng.choice((0.0012, 0.0018, 0.0028))
        canvas.brush.ellipse([x - r, y - r, x + r, y + r], fill=(value, value, min(255, value + 12)))


def clouds(canvas: Canvas, bottom: float, mood: str, *, cover: float) -> None:
    """Lay fractal clouds over the sky, shaded below."""
    high = max(2, int(bottom * canvas.height))
    shape = (max(8, high // 4), max(8, canvas.width // 4))
    field = canvas.noise((2, 3), shape, octaves=6)
    field = field * (1.0 - 0.25 * np.linspace(0, 1, shape[0], dtype=np.float32)[:, None])
    alpha = np.clip((field - (1 - cover) * 0.85) * 3.2, 0, 1) * 0.9
    tint, under = {
        "day": ((255, 255, 255), (168, 182, 202)),
        "dusk": ((255, 190, 150), (150, 84, 112)),
        "grey": ((216, 220, 226), (112, 120, 134)),
    }[mood]
    box = (0, 0, canvas.width, high)
    drop = max(1, shape[0] // 22)
    canvas.veil(under, np.roll(alpha, drop, axis=0) * 0.75, box)
    canvas.veil(tint, alpha, box)


def ridge(
    canvas: Canvas, level: float, height: float, *, rough: float = 0.5, steps: int = 64
) -> list[tuple[float, float]]:
    """A skyline in pixels, left to right, by midpoint displacement; `level` and `height` are fractions."""
    rng = canvas.rng
    heights = [rng.uniform(-1, 1), rng.uniform(-1, 1)]
    swing = 1.0
    while len(heights) < steps + 1:
        finer: list[float] = []
        for left, right in itertools.pairwise(heights):
            finer += [left, (left + right) / 2 + rng.uniform(-swing, swing)]
        heights = [*finer, heights[-1]]
        swing *= rough
    top = max(abs(h) for h in heights) or 1.0
    last = len(heights) - 1
    return [(i / last * canvas.width, (level - h / top * height) * canvas.height) for i, h in enumerate(heights)]


def land(
    canvas: Canvas, line: Sequence[tuple[float, float]], bottom: float, colour: RGB, *, shade: float = 0.3
) -> None:
    """Fill everything below a skyline."""
    floor = bottom * canvas.height
    canvas.polygon([*line, (canvas.width, floor), (0, floor)], colour, shade=shade)


def hills(canvas: Canvas, level: float, near: RGB, haze: RGB, *, layers: int = 3, height: float = 0.07) -> None:
    """Stack hills that fade into the haze with distance, ending at `level`."""
    for index in range(layers):
        share = index / max(1, layers - 1) if layers > 1 else 1.0
        top = level - (1 - share) * height * 1.3 - height * 0.4
        colour = mix(haze, near, 0.3 + 0.6 * share)
        land(canvas, ridge(canvas, top, height * 0.8, rough=0.45, steps=32), level + 0.02, colour)


def ground(canvas: Canvas, top: float, far: RGB, near: RGB, *, texture: float = 0.3) -> None:
    """Fill from `top` down with ground that is textured more coarsely towards the viewer."""
    canvas.gradient(top, 1.0, [canvas.lit(far), canvas.lit(near)])
    y0 = int(top * canvas.height)
    high = canvas.height - y0
    if high < 8 or texture == 0:
        return
    field = canvas.noise((6, 10), (max(8, high // 2), canvas.width // 2), octaves=4)
    box = (0, y0, canvas.width, canvas.height)
    canvas.veil(scaled(near, 0.55), np.clip((0.48 - field) * 3, 0, 1) * texture, box)
    canvas.veil(mix(far, (255, 255, 255), 0.3), np.clip((field - 0.58) * 3, 0, 1) * texture, box)


def tufts(canvas: Canvas, top: float, colour: RGB, count: int = 60) -> None:
    """Plant blades of grass, larger towards the viewer."""
    rng = canvas.rng
    for _ in range(count):
        depth = rng.random()
        x, y = rng.random() * canvas.width, (top + (1 - top) * depth) * canvas.height
        size = canvas.unit * (0.008 + 0.03 * depth)
        blade = canvas.vary(colour, 24)
        for lean in (-0.4, 0.0, 0.45):
            canvas.line([(x, y), (x + lean * size, y - size)], canvas.unit * 0.003, blade)


def water(canvas: Canvas, top: float, bottom: float, tint: RGB, *, mirror: float = 0.55, waves: float = 0.5) -> None:
    """Fill a band with water that reflects what is already painted above it."""
    y0, y1 = int(top * canvas.height), math.ceil(bottom * canvas.height)
    high, half = y1 - y0, canvas.width // 2
    if high < 4:
        return
    source = canvas.image.crop((0, max(0, y0 - high), canvas.width, y0)).transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    pixels = np.asarray(source.resize((half, high // 2), Image.Resampling.BOX), np.float32)
    rows = pixels.shape[0]
    depth = np.linspace(0.12, 1, rows, dtype=np.float32)[:, None]
    field = canvas.noise((5, 22), (rows, half), octaves=3)
    shift = ((field - 0.5) * waves * 0.12 * half * depth).astype(np.int32)
    columns = np.clip(np.arange(half)[None, :] + shift, 0, half - 1)
    bent = np.take_along_axis(pixels, columns[..., None], axis=1)
    base = np.asarray(canvas.lit(tint), np.float32) * (1.12 - 0.4 * depth[..., None])
    blend = bent * mirror + base * (1 - mirror)
    blend *= 1 + (field[..., None] - 0.5) * 0.55 * waves
    picture = Image.fromarray(np.clip(blend, 0, 255).astype(np.uint8))
    canvas.image.paste(picture.resize((canvas.width, high), Image.Resampling.BILINEAR), (0, y0))


def glints(canvas: Canvas, x: float, top: float, bottom: float, colour: RGB, count: int = 60) -> None:
    """Scatter the sun's or moon's path of light on water below x."""
    rng = canvas.rng
    for _ in range(count):
        depth = rng.random()
        y = (top + (bottom - top) * depth) * canvas.height
        cx = x * canvas.width + rng.gauss(0, 0.02 + 0.05 * depth) * canvas.unit
        half = canvas.unit * rng.uniform(0.006, 0.03) * (0.5 + depth)
        width = max(1.0, canvas.unit * 0.004 * (0.6 + depth))
        canvas.line([(cx - half, y), (cx + half, y)], width, canvas.vary(colour, 12), lit=False)


def broadleaf(pen: Pen, colour: RGB, *, dabs: int = 26) -> None:
    """Draw a leafy tree, one unit high."""
    rng, canvas = pen.canvas.rng, pen.canvas
    pen.shadow(0.35, strength=0.5)
    pen.shape([(-0.045, 0), (-0.025, -0.45), (0.025, -0.45), (0.05, 0)], (88, 62, 42))
    for index in range(dabs):
        share = index / dabs
        angle, reach = rng.random() * math.tau, math.sqrt(rng.random())
        x = reach * math.cos(angle) * 0.3 - 0.05 * share
        y = -0.64 + reach * math.sin(angle) * 0.26 - 0.07 * share
        radius = (0.15 - 0.08 * share) * pen.scale
        cx, cy = pen.at((x, y))
        shade = canvas.lit(canvas.vary(scaled(colour, 0.62 + 0.6 * share), 10))
        canvas.brush.ellipse([cx - radius, cy - radius, cx + radius, cy + radius], fill=shade)
    if pen.scale > LEAFY_PX:
        _leaves(pen, colour)


def _leaves(pen: Pen, colour: RGB) -> None:
    """Add the leaves that only a large picture shows; draws from a generator of its own, so that sizes agree."""
    canvas = pen.canvas
    rng = random.Random(int(pen.x / canvas.width * 1000))
    for index in range(260):
        share = index / 260
        angle, reach = rng.random() * math.tau, math.sqrt(rng.random())
        cx, cy = pen.at((reach * math.cos(angle) * 0.37 - 0.03, -0.66 + reach * math.sin(angle) * 0.32 - 0.04 * share))
        radius = pen.scale * rng.uniform(0.01, 0.03)
        light = 0.7 + 0.35 * (1 - (cy - pen.y + pen.scale) / pen.scale) + 0.25 * share
        shade = canvas.lit(scaled(colour, light * rng.uniform(0.85, 1.15)))
        canvas.brush.ellipse([cx - radius, cy - radius * 0.8, cx + radius, cy + radius * 0.8], fill=shade)


def conifer(pen: Pen, colour: RGB, *, snow: bool = False) -> None:
    """Draw a fir tree, one unit high."""
    pen.shadow(0.3, strength=0.5)
    pen.shape([(-0.03, 0), (-0.03, -0.2), (0.03, -0.2), (0.03, 0)], (78, 56, 40))
    for tier in range(4):
        base, half = -0.1 - tier * 0.2, 0.28 - tier * 0.055
        peak = base - 0.36 + tier * 0.02
        tint = scaled(colour, 0.8 + 0.12 * tier)
        pen.shape([(-half, base), (0, peak), (half, base), (half * 0.4, base + 0.03), (-half * 0.4, base + 0.03)], tint)
        if snow:
            pen.shape([(-half, base), (0, peak), (half * 0.5, base - 0.12), (0, base - 0.1)], (240, 244, 250))


def palm(pen: Pen) -> None:
    """Draw a palm, one unit high, leaning a little."""
    pen.shadow(0.3, strength=0.4)
    lean = pen.canvas.rng.uniform(-0.22, 0.22)
    trunk = [(lean * (i / 8) ** 2, -0.78 * i / 8) for i in range(9)]
    for (x0, y0), (x1, y1) in itertools.pairwise(trunk):
        pen.line([(x0, y0), (x1, y1)], 0.05 - 0.015 * abs(y0), (128, 98, 66))
    for index in range(9):
        angle = math.tau * index / 9 + pen.canvas.rng.uniform(-0.2, 0.2)
        dx, dy = math.cos(angle) * 0.36, math.sin(angle) * 0.2
        green = pen.canvas.vary((54, 128, 56), 20)
        tip = (lean + dx, -0.78 + dy + 0.1)
        pen.blob([(lean, -0.8), (lean + dx * 0.5, -0.9 + dy * 0.6), tip, (lean + dx * 0.45, -0.78 + dy * 0.6)], green)
