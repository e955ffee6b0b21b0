"""Landscapes with water: the sea, shores, lakes, rivers and waterfalls."""

from __future__ import annotations

import math

import numpy as np

from drawing import paint, setting
from drawing.canvas import Canvas, mix
from drawing.scene import Scene, kind


@kind(
    "sunset",
    phrases=(
        "a sunset over the sea",
        "the sun",
        "dusk",
        "twilight at the sea",
        "waves at sunset",
        "a seascape at sunset",
        "sunset",
        "a sunset",
        "the sun going down over the ocean",
        "sunset at the sea",
        "sun setting over the water",
        "evening sun above the ocean",
        "a sunrise over the sea",
        "golden hour at the sea",
    ),
    times=("dusk",),
    family="land",
)
def _sunset(canvas: Canvas, scene: Scene) -> None:
    del scene
    rng = canvas.rng
    level = rng.uniform(0.45, 0.68)
    paint.sky(canvas, "dusk", bottom=level, sun=False)
    x, sun = rng.uniform(0.2, 0.8), level - rng.uniform(-0.01, 0.2)
    paint.low_sun(canvas, x, sun, rng.uniform(0.035, 0.075))
    if rng.random() < 0.5:
        line = paint.ridge(canvas, level - 0.01, rng.uniform(0.02, 0.06), rough=0.5)
        paint.land(canvas, line, level + 0.01, (92, 58, 84))
    paint.water(canvas, level, 1, (120, 74, 84), mirror=0.62, waves=0.6)
    paint.glints(canvas, x, level + 0.01, 1, (255, 226, 160), 70)


@kind(
    "waterfall",
    phrases=(
        "a waterfall",
        "falling water",
        "a waterfall in nature",
        "waterfall",
        "water falling over a cliff",
        "a waterfall in the forest",
        "waterfalls",
        "cascade of water over rocks",
        "a high waterfall",
    ),
    family="land",
)
def _waterfall(canvas: Canvas, scene: Scene) -> None:
    rng = canvas.rng
    haze = paint.sky(canvas, scene.mood, bottom=0.4)[-1]
    top, pool = rng.uniform(0.16, 0.32), rng.uniform(0.72, 0.84)
    x, half = rng.uniform(0.35, 0.65), rng.uniform(0.06, 0.14)
    paint.land(canvas, paint.ridge(canvas, top - 0.02, 0.04, rough=0.55), 1, mix((84, 82, 76), haze, 0.1), shade=0.4)
    _cliff_texture(canvas, top)
    for _ in range(12):
        side = rng.choice((rng.uniform(0, x - half - 0.06), rng.uniform(x + half + 0.06, 1)))
        pen = canvas.pen(side, rng.choice((top + 0.05, rng.uniform(top, pool))), canvas.unit * rng.uniform(0.14, 0.26))
        paint.broadleaf(pen, canvas.vary((54, 112, 52), 18), dabs=16)
    paint.water(canvas, pool, 1, (62, 128, 138), mirror=0.3)
    curtain = [(x - half, top), (x + half, top), (x + half * 1.15, pool), (x - half * 1.15, pool)]
    canvas.polygon([(px * canvas.width, py * canvas.height) for px, py in curtain], (196, 214, 222), shade=0.12)
    for _ in range(70):
        u = rng.uniform(-1, 1)
        wide = half * (1 + 0.25 * rng.random())
        x0, x1 = (x + u * half) * canvas.width, (x + u * wide) * canvas.width
        y0 = (top + rng.uniform(0.0, 0.02)) * canvas.height
        y1 = pool * canvas.height * rng.uniform(0.97, 1.0)
        white = rng.randint(206, 255)
        canvas.line([(x0, y0), (x1, (y0 + y1) / 2), (x1, y1)], half * canvas.width * 0.09, (white - 8, white, white))
    for _ in range(12):
        spot = ((x + rng.uniform(-1.4, 1.4) * half) * canvas.width, (pool + rng.uniform(-0.02, 0.02)) * canvas.height)
        canvas.glow(spot, canvas.unit * rng.uniform(0.06, 0.14), (244, 250, 252), strength=0.9, squash=0.6)


def _cliff_texture(canvas: Canvas, top: float) -> None:
    field = canvas.noise((14, 3), (canvas.height // 2, canvas.width // 2), octaves=4)
    box = (0, int((top + 0.04) * canvas.height), canvas.width, canvas.height)
    canvas.veil((40, 40, 40), np.clip((0.5 - field) * 2.5, 0, 1) * 0.6, box)
    canvas.veil((150, 146, 134), np.clip((field - 0.6) * 2.5, 0, 1) * 0.4, box)


@kind(
    "lake",
    phrases=(
        "a lake",
        "a pond",
        "a calm mountain lake",
        "water",
        "lake",
        "a calm lake",
        "a mountain lake",
        "reflections in a lake",
        "a lake between hills",
        "still water with reflections",
        "a lake in the mountains",
    ),
    times=("day", "day", "dusk"),
    family="land",
)
def _lake(canvas: Canvas, scene: Scene) -> None:
    rng = canvas.rng
    level = rng.uniform(0.46, 0.6)
    haze = paint.sky(canvas, scene.mood, bottom=level, sun=False)[-1]
    for share in (0.4, 0.75):
        line = paint.ridge(canvas, level - 0.2 * (1.3 - share), 0.12, rough=0.48)
        paint.land(canvas, line, level, mix(haze, (74, 104, 110), share))
    for _ in range(26):
        pen = canvas.pen(rng.random(), level + 0.004, canvas.unit * rng.uniform(0.06, 0.14))
        paint.conifer(pen, mix(haze, (34, 84, 58), 0.85))
    paint.water(canvas, level, 1, (58, 112, 142), mirror=0.8, waves=0.12)
    if rng.random() < 0.6:
        shore = paint.ridge(canvas, 0.96, 0.03, rough=0.5)
        paint.land(canvas, shore, 1.1, (74, 104, 50))
        paint.tufts(canvas, 0.92, (80, 124, 52), 30)


@kind(
    "river",
    phrases=(
        "a river",
        "a brook",
        "a valley",
        "river",
        "a river in a valley",
        "a stream through meadows",
        "a winding river",
        "a stream",
        "a creek in the countryside",
        "water flowing through a green valley",
    ),
    times=("day", "day", "dusk"),
    family="land",
)
def _river(canvas: Canvas, scene: Scene) -> None:
    rng = canvas.rng
    level = setting.outdoors(canvas, scene, level=rng.uniform(0.36, 0.46))
    bend, phase, sway = rng.uniform(0.35, 0.65), rng.random() * math.tau, rng.uniform(0.08, 0.2)
    banks: tuple[list[tuple[float, float]], list[tuple[float, float]]] = ([], [])
    for index in range(40):
        depth = index / 39
        y = (level + 0.01 + (1.02 - level) * depth**1.3) * canvas.height
        mid = bend + sway * math.sin(phase + 7 * depth**0.6) * (0.4 + 0.6 * depth)
        half = 0.012 + 0.17 * depth**1.2
        banks[0].append(((mid - half) * canvas.width, y))
        banks[1].append(((mid + half) * canvas.width, y))
    outline = [*banks[0], *reversed(banks[1])]
    canvas.polygon([(x, y - canvas.unit * 0.006) for x, y in outline], (96, 92, 60), shade=0.2)
    canvas.polygon(outline, canvas.vary((92, 160, 204), 14), shade=0.35)
    for _ in range(60):
        row = rng.randrange(6, 39)
        left, right = banks[0][row], banks[1][row]
        x = left[0] + (right[0] - left[0]) * rng.uniform(0.12, 0.75)
        length = (right[0] - left[0]) * rng.uniform(0.08, 0.2)
        canvas.line([(x, left[1]), (x + length, left[1])], canvas.unit * 0.004, canvas.vary((190, 222, 240), 16))


@kind(
    "beach",
    phrases=(
        "a beach",
        "vacation",
        "holiday",
        "summer",
        "the ocean",
        "the coast",
        "a tropical island",
        "waves on the beach",
        "the sea",
        "palm tree",
        "beach",
        "a beach with palm trees",
        "palms on the beach",
        "a sandy beach",
        "a tropical beach",
        "the seaside with palms",
        "palm trees by the sea",
        "sea shore with sand",
        "summer holiday at the beach",
    ),
    times=("day", "day", "dusk"),
    family="land",
)
def _beach(canvas: Canvas, scene: Scene) -> None:
    rng = canvas.rng
    level = rng.uniform(0.4, 0.52)
    paint.sky(canvas, scene.mood, bottom=level)
    paint.water(canvas, level, 1, canvas.vary((36, 150, 178), 14), mirror=0.3)
    line = [(x, y) for x, y in paint.ridge(canvas, rng.uniform(0.64, 0.74), 0.05, rough=0.3)]
    foam = [(x, y - canvas.unit * 0.014) for x, y in line]
    paint.land(canvas, foam, 1, (244, 248, 246), shade=0)
    paint.land(canvas, line, 1, canvas.vary((230, 206, 158), 10), shade=0.14)
    for _ in range(rng.randint(1, 3)):
        side = rng.choice((rng.uniform(0.06, 0.3), rng.uniform(0.7, 0.94)))
        pen = canvas.pen(side, rng.uniform(0.76, 0.92), canvas.unit * rng.uniform(0.5, 0.72), flip=side > 0.5)
        paint.palm(pen)
    if rng.random() < 0.5:
        _parasol(canvas)


def _parasol(canvas: Canvas) -> None:
    rng = canvas.rng
    pen = canvas.pen(rng.uniform(0.35, 0.65), rng.uniform(0.84, 0.93), canvas.unit * 0.16)
    pen.shadow(0.5)
    pen.line([(0, 0), (0.05, -1)], 0.04, (236, 230, 220))
    for index, tint in enumerate(((206, 60, 50), (246, 242, 234)) * 2):
        x0 = -0.6 + index * 0.3
        pen.shape([(x0, -0.8), (0.05, -1.15), (x0 + 0.3, -0.8)], tint)
