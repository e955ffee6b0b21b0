"""Landscapes on dry land: mountains, woods and deserts."""

from __future__ import annotations

import math

from drawing import paint
from drawing.canvas import RGB, Canvas, Point, mix, scaled
from drawing.scene import Scene, kind


@kind(
    "snowy mountains",
    phrases=(
        "snowy mountains",
        "peaks",
        "a winter landscape",
        "glacier",
        "hiking in the high mountains",
        "alpine landscape",
        "skiing",
        "mountains with snow",
        "a snowy mountain",
        "mountain peaks covered in snow",
        "snow-capped mountains",
        "mountains",
        "the alps",
        "high mountains in winter",
        "a mountain",
    ),
    times=("day", "day", "dusk"),
)
def _mountains(canvas: Canvas, scene: Scene) -> None:
    rng = canvas.rng
    haze = paint.sky(canvas, scene.mood, sun=False)[-1]
    level = rng.uniform(0.66, 0.82)
    paint.land(canvas, paint.ridge(canvas, level - 0.2, 0.1, rough=0.5), 1, mix(haze, (120, 132, 160), 0.4))
    for share, number in ((0.55, 5), (0.95, rng.randint(2, 4))):
        for index in range(number):
            x = (index + 0.5) / number + rng.uniform(-0.4, 0.4) / number
            top = level - rng.uniform(0.24, 0.5) * (1.1 if share > 0.9 else 0.85)
            _peak(canvas, (x, top), (level + 0.06), rng.uniform(0.8, 1.15) * 0.95 / number, haze, share)
    green = (224, 232, 242) if rng.random() < 0.4 else (70, 104, 66)
    paint.hills(canvas, level + 0.06, green, haze, layers=2, height=0.05)
    paint.ground(canvas, level + 0.06, scaled(green, 1.05), scaled(green, 0.85))
    for _ in range(rng.randint(4, 16)):
        pen = canvas.pen(rng.random(), level + rng.uniform(0.06, 0.16), canvas.unit * rng.uniform(0.07, 0.16))
        paint.conifer(pen, (36, 70, 56), snow=rng.random() < 0.4)


def _peak(canvas: Canvas, apex: Point, base: float, half: float, haze: RGB, share: float) -> None:
    """Draw one mountain with a sunny and a shaded face and snow down to a ragged line."""
    rng = canvas.rng
    rock = canvas.vary((96, 98, 112), 10)
    foot = (apex[0] + rng.uniform(-0.25, 0.35) * half, base)
    spine = _crag(canvas, apex, foot, 0.05)
    snow = rng.uniform(0.4, 0.8)
    for side, light, white in ((-1, 1.12, (250, 251, 254)), (1, 0.74, (186, 200, 226))):
        edge = _crag(canvas, apex, (apex[0] + side * half, base), 0.02)
        face = [*edge, *reversed(spine)]
        canvas.polygon(face, mix(haze, scaled(rock, light), share), shade=0.25)
        rows = int(len(edge) * snow)
        (x0, y0), (x1, y1) = edge[rows], spine[rows]
        teeth = []
        for tooth in range(9):
            u = tooth / 8
            drop = (rng.uniform(0.01, 0.05) if tooth % 2 else rng.uniform(-0.03, 0.0)) * canvas.height
            teeth.append((x0 + (x1 - x0) * u, y0 + (y1 - y0) * u + (drop if 0 < tooth < 8 else 0)))
        cap = [*edge[: rows + 1], *teeth, *reversed(spine[: rows + 1])]
        canvas.polygon(cap, mix(haze, white, min(1.0, share + 0.1)), shade=0.06)


def _crag(canvas: Canvas, start: Point, end: Point, rough: float) -> list[Point]:
    rng, points = canvas.rng, []
    for index in range(15):
        u = index / 14
        sway = rng.uniform(-rough, rough) * (0 < index < 14)
        x = start[0] + (end[0] - start[0]) * u + sway
        y = start[1] + (end[1] - start[1]) * (u**0.92) + sway * 0.3
        points.append((x * canvas.width, y * canvas.height))
    return points


def _trees(canvas: Canvas, greens: tuple[RGB, ...], *, firs: float, haze: RGB) -> None:
    rng = canvas.rng
    for row in range(4):
        share = row / 3
        for index in range(7 - row):
            x = (index + rng.uniform(-0.35, 0.35)) / (6 - row) if row < 6 else rng.random()
            size = canvas.unit * (0.34 + 0.3 * share) * rng.uniform(0.8, 1.15)
            pen = canvas.pen(x, 0.56 + 0.13 * row + rng.uniform(-0.02, 0.02), size)
            colour = mix(haze, canvas.vary(rng.choice(greens), 16), 0.55 + 0.45 * share)
            if rng.random() < firs:
                paint.conifer(pen, colour)
            else:
                paint.broadleaf(pen, colour, dabs=30)


@kind(
    "forest",
    phrases=(
        "a forest",
        "a tree",
        "the jungle",
        "hiking in the woods",
        "nature with green trees",
        "forest",
        "trees in a forest",
        "green woods",
        "many trees",
        "trees",
        "a forest with tall trees",
        "woodland",
        "fir trees in the woods",
    ),
    times=("day", "day", "dusk"),
)
def _forest(canvas: Canvas, scene: Scene) -> None:
    haze = paint.sky(canvas, scene.mood, bottom=0.6)[-1]
    paint.ground(canvas, 0.5, (120, 150, 84), (66, 104, 48), texture=0.5)
    greens = ((46, 104, 58), (62, 128, 54), (36, 86, 56), (84, 138, 62))
    _trees(canvas, greens, firs=canvas.rng.choice((0.25, 0.6, 0.95)), haze=haze)


@kind(
    "autumn forest",
    phrases=(
        "an autumn forest",
        "autumn colours",
        "a colourful forest",
        "red leaves",
        "october",
        "a forest in autumn",
        "autumn trees",
        "fall foliage",
        "autumn leaves",
        "orange and red trees",
        "trees with golden leaves",
        "woods in fall",
        "autumn",
    ),
    times=("day", "day", "dusk"),
)
def _autumn(canvas: Canvas, scene: Scene) -> None:
    haze = paint.sky(canvas, scene.mood, bottom=0.6)[-1]
    paint.ground(canvas, 0.5, (190, 150, 84), (150, 92, 44), texture=0.6)
    leaves = ((214, 104, 34), (226, 158, 42), (186, 62, 36), (204, 132, 40), (150, 110, 40))
    _trees(canvas, leaves, firs=0.0, haze=haze)
    for _ in range(70):
        x, y = canvas.rng.random(), canvas.rng.uniform(0.62, 1)
        canvas.pen(x, y, canvas.unit).oval(0, 0, 0.012, 0.006, canvas.vary(canvas.rng.choice(leaves), 20))


@kind(
    "desert",
    phrases=(
        "a desert",
        "hot and dry land",
        "sand",
        "desert dunes",
        "sand dunes in the desert",
        "the desert",
        "dunes",
        "sand dunes",
        "a sandy desert",
        "desert landscape",
        "the sahara",
    ),
    times=("day", "day", "dusk"),
)
def _desert(canvas: Canvas, scene: Scene) -> None:
    rng = canvas.rng
    haze = paint.sky(canvas, scene.mood, bottom=0.7)[-1]
    sand = canvas.vary(rng.choice(((222, 170, 98), (234, 190, 122), (206, 138, 80))), 10)
    level, layers = rng.uniform(0.38, 0.56), 5
    for layer in range(layers):
        share = layer / (layers - 1)
        y = level + (1.0 - level) * share * 0.8
        crest = rng.uniform(0.15, 0.85) * canvas.width
        line = [(0.0, 0.0)] * 41
        for index in range(41):
            x = index / 40 * canvas.width
            reach = abs(x - crest) / canvas.width
            line[index] = (x, (y + 0.2 * reach**1.4 + 0.01 * math.sin(index / 3)) * canvas.height)
        paint.land(canvas, line, 1, mix(haze, sand, 0.5 + 0.5 * share), shade=0.25)
        tip = min(line, key=lambda p: p[1])
        side = [p for p in line if p[0] >= tip[0]]
        foot = (tip[0] + rng.uniform(0.02, 0.12) * canvas.width, canvas.height * 1.0)
        shaded = mix(haze, scaled(sand, 0.68), 0.5 + 0.5 * share)
        if len(side) > 2:
            canvas.polygon([*side, (canvas.width, canvas.height), foot], shaded, shade=0.2)
    field = canvas.noise((4, 30), (canvas.height // 2, canvas.width // 2), octaves=2)
    y0 = int((level + 0.1) * canvas.height)
    canvas.veil(scaled(sand, 0.6), (field - 0.55) * 0.6, (0, y0, canvas.width, canvas.height))
