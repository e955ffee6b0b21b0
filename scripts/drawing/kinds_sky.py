"""What happens in the sky: moon, northern lights, rainbow, fireworks and lightning."""

from __future__ import annotations

import math

import numpy as np

from drawing import paint, setting
from drawing.canvas import COLOURED_LIGHTS, Canvas, mix
from drawing.scene import Scene, kind


@kind(
    "moon",
    phrases=(
        "the moon in the night sky",
        "stars",
        "the night sky",
        "astronomy",
        "space",
        "the moon",
        "a full moon",
        "moon and stars",
        "night sky with the moon",
        "the moon at night",
        "a starry night with moon",
        "starry sky",
        "moonlight",
    ),
    times=("night",),
)
def _moon(canvas: Canvas, scene: Scene) -> None:
    del scene
    rng = canvas.rng
    paint.sky(canvas, "night")
    paint.stars(canvas, 1.0, 140)
    x, y, r = rng.uniform(0.2, 0.8), rng.uniform(0.18, 0.5), rng.uniform(0.07, 0.17)
    canvas.light = (1.0, 1.0, 1.0)
    centre, radius = (x * canvas.width, y * canvas.height), r * canvas.unit
    canvas.glow(centre, radius * 4, (150, 165, 205), strength=0.75)
    canvas.brush.ellipse(
        [centre[0] - radius, centre[1] - radius, centre[0] + radius, centre[1] + radius], fill=(240, 238, 222)
    )
    for _ in range(7):
        angle, reach = rng.random() * math.tau, rng.random() * 0.7 * radius
        spot = (centre[0] + reach * math.cos(angle), centre[1] + reach * math.sin(angle))
        canvas.glow(spot, radius * rng.uniform(0.15, 0.35), (186, 184, 174), strength=0.8)
    if rng.random() < 0.7:
        for share in (0.5, 1.0):
            line = paint.ridge(canvas, 1.0 - 0.16 / (share + 0.5), 0.07, rough=0.5)
            paint.land(canvas, line, 1, mix((40, 48, 80), (8, 10, 20), share), shade=0.2)


@kind(
    "northern lights",
    phrases=(
        "the northern lights",
        "polar night in norway",
        "northern lights",
        "aurora borealis",
        "an aurora in the night sky",
        "green lights in the night sky",
        "polar lights",
        "aurora",
    ),
    times=("night",),
)
def _aurora(canvas: Canvas, scene: Scene) -> None:
    del scene
    rng = canvas.rng
    paint.sky(canvas, "night")
    canvas.light = (1.0, 1.0, 1.0)
    level = rng.uniform(0.68, 0.82)
    high, wide = 96, 128
    columns, rows = np.arange(wide) / wide, np.arange(high)[:, None] / high
    for tint in ((70, 240, 150), (60, 220, 170), rng.choice(((180, 90, 220), (90, 240, 130)))):
        wave = rng.uniform(0.4, 0.75) + 0.13 * np.sin(columns * rng.uniform(3, 8) + rng.random() * 6)
        wave = wave + 0.04 * np.sin(columns * rng.uniform(14, 26))
        above = wave[None, :] - rows
        curtain = np.where(above > 0, np.exp(-above * 4.5), np.exp(above * 30))
        streaks = 0.45 + 0.75 * canvas.noise((22, 1), (high, wide), octaves=2)
        canvas.veil(
            tint, (curtain * streaks * 0.8).astype(np.float32), (0, 0, canvas.width, int(level * canvas.height))
        )
    for share in (0.4, 1.0):
        line = paint.ridge(canvas, level - 0.06 * (1.5 - share), 0.06, rough=0.5)
        paint.land(canvas, line, 1, mix((34, 52, 66), (10, 14, 22), share), shade=0.2)
    if rng.random() < 0.6:
        paint.water(canvas, level + 0.06, 1, (16, 40, 48), mirror=0.75, waves=0.2)
    else:
        canvas.gradient(level + 0.06, 1, [(96, 128, 134), (60, 78, 96)])
        for _ in range(8):
            pen = canvas.pen(rng.random(), level + rng.uniform(0.07, 0.2), canvas.unit * rng.uniform(0.1, 0.2))
            paint.conifer(pen, (12, 24, 26))


@kind(
    "rainbow",
    phrases=(
        "a rainbow",
        "after the storm",
        "all colours in the sky",
        "rainbow",
        "a rainbow in the sky",
        "a colourful rainbow over the hills",
        "a rainbow over a field",
        "rainbow after the rain",
        "a colorful rainbow",
    ),
)
def _rainbow(canvas: Canvas, scene: Scene) -> None:
    rng = canvas.rng
    level = rng.uniform(0.62, 0.78)
    paint.sky(canvas, rng.choice(("day", "grey")), bottom=level + 0.05)
    high, wide = canvas.height // 2, canvas.width // 2
    y, x = np.mgrid[0:high, 0:wide].astype(np.float32)
    cx, cy, radius = (
        rng.uniform(0.3, 0.7) * wide,
        (level + rng.uniform(0, 0.1)) * high,
        rng.uniform(0.46, 0.62) * min(high, wide),
    )
    band = rng.uniform(0.09, 0.14) * min(high, wide)
    reach = (np.hypot(x - cx, y - cy) - radius + band) / band
    for index, tint in enumerate(COLOURED_LIGHTS):
        middle = 1 - (index + 0.5) / len(COLOURED_LIGHTS)
        alpha = np.clip(1 - np.abs(reach - middle) * len(COLOURED_LIGHTS) * 0.85, 0, 1) * 0.72
        canvas.veil(tint, alpha.astype(np.float32), (0, 0, canvas.width, canvas.height))
    paint.hills(canvas, level, (92, 140, 78), (190, 205, 215), layers=2, height=0.05)
    paint.ground(canvas, level, (118, 164, 80), (78, 134, 52))
    paint.tufts(canvas, level + 0.03, (90, 142, 58), 40)
    del scene


@kind(
    "fireworks",
    phrases=(
        "fireworks",
        "a celebration",
        "new year",
        "silvester",
        "fireworks in the night sky",
        "new year's eve fireworks",
        "a firework display",
        "colourful fireworks",
        "fireworks over the city",
        "exploding fireworks at night",
    ),
    times=("night",),
)
def _fireworks(canvas: Canvas, scene: Scene) -> None:
    del scene
    rng = canvas.rng
    haze = paint.sky(canvas, "night")[-1]
    level = rng.uniform(0.8, 0.92)
    for _ in range(rng.randint(2, 5)):
        _burst(canvas, rng.uniform(0.15, 0.85), rng.uniform(0.15, 0.52), rng.uniform(0.16, 0.3) * canvas.unit)
    if rng.random() < 0.6:
        setting.skyline(canvas, level, haze, rows=1, tall=0.16)
        paint.water(canvas, level, 1, (14, 20, 40), mirror=0.7, waves=0.5)


def _burst(canvas: Canvas, x: float, y: float, reach: float) -> None:
    rng = canvas.rng
    tint = rng.choice((*COLOURED_LIGHTS, (255, 220, 140), (255, 255, 240), (255, 130, 200)))
    cx, cy = x * canvas.width, y * canvas.height
    canvas.glow((cx, cy), reach * 1.3, tint, strength=0.35)
    rays = rng.randint(26, 40)
    for index in range(rays):
        angle, far = math.tau * index / rays + rng.uniform(-0.05, 0.05), reach * rng.uniform(0.75, 1.0)
        trail = []
        for step in range(4, 10):
            part = step / 9
            trail.append(
                (cx + far * part * math.cos(angle), cy + far * part * math.sin(angle) + 0.12 * reach * part**2)
            )
        canvas.line(trail, canvas.unit * 0.004, mix(tint, (20, 20, 50), 0.25), lit=False)
        canvas.line(trail[-2:], canvas.unit * 0.009, mix(tint, (255, 255, 255), 0.35), lit=False)


@kind(
    "lightning",
    phrases=(
        "lightning",
        "a storm",
        "bad weather",
        "a flash in the sky",
        "a lightning storm",
        "a bolt of lightning",
        "a thunderstorm",
        "lightning in a dark sky",
        "lightning strike at night",
        "thunder and lightning",
        "a storm with lightning",
    ),
    times=("night",),
)
def _lightning(canvas: Canvas, scene: Scene) -> None:
    del scene
    rng = canvas.rng
    canvas.light = (1.0, 1.0, 1.0)
    canvas.gradient(0, 1, [canvas.vary((30, 32, 52)), canvas.vary((74, 70, 104)), canvas.vary((112, 104, 130))])
    field = canvas.noise((2, 3), (canvas.height // 4, canvas.width // 4), octaves=5)
    box = (0, 0, canvas.width, int(canvas.height * 0.7))
    fade = np.linspace(1, 0, field.shape[0], dtype=np.float32)[:, None] ** 0.5
    canvas.veil((20, 20, 34), np.clip((field - 0.4) * 2.2, 0, 1) * 0.8 * fade, box)
    level = rng.uniform(0.8, 0.9)
    for _ in range(rng.randint(1, 3)):
        _bolt(canvas, rng.uniform(0.2, 0.8), rng.uniform(0.0, 0.12), level)
    paint.land(canvas, paint.ridge(canvas, level, 0.04, rough=0.5), 1, (20, 22, 30))


def _bolt(canvas: Canvas, x: float, top: float, bottom: float, width: float = 0.011) -> None:
    rng, y = canvas.rng, top
    points = [(x * canvas.width, y * canvas.height)]
    while y < bottom:
        x, y = x + rng.uniform(-0.06, 0.06), y + rng.uniform(0.03, 0.08)
        points.append((x * canvas.width, y * canvas.height))
        if width > 0.006 and rng.random() < 0.3:
            _bolt(canvas, x, y, min(bottom, y + rng.uniform(0.1, 0.25)), 0.005)
    for px, py in points[::2]:
        canvas.glow((px, py), canvas.unit * width * 12, (170, 160, 240), strength=0.5)
    canvas.line(points, canvas.unit * width * 1.8, (190, 180, 250), lit=False)
    canvas.line(points, canvas.unit * width * 0.9, (255, 254, 255), lit=False)
