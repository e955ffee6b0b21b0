"""Landmarks: lighthouses, bridges, windmills and ferris wheels."""

from __future__ import annotations

import math

from drawing import paint, setting
from drawing.canvas import COLOURED_LIGHTS, Canvas, mix, scaled
from drawing.scene import TIMES, Scene, kind

STONE = (168, 160, 148)


@kind(
    "lighthouse",
    ("lighthouse", "lighthouses"),
    ("striped lighthouse", "striped lighthouses"),
    phrases=("a lighthouse by the sea", "a beacon", "a lighthouse on a rock", "lighthouse on the coast"),
    times=TIMES,
    weathers=("clear", "clear", "cloudy", "rain"),
    family="city",
)
def _lighthouse(canvas: Canvas, scene: Scene) -> None:
    rng = canvas.rng
    level = rng.uniform(0.58, 0.72)
    paint.sky(canvas, scene.mood, bottom=level)
    paint.water(canvas, level, 1, (44, 104, 146), mirror=0.4)
    x = rng.uniform(0.28, 0.72)
    base = level + rng.uniform(0.02, 0.1)
    pen = canvas.pen(x, base, canvas.height * rng.uniform(0.42, 0.58))
    rocks = [(-0.75, 0.22), (-0.5, 0.06), (-0.2, -0.03), (0.25, -0.03), (0.5, 0.08), (0.85, 0.24)]
    pen.blob([*rocks, (0, 0.34)], canvas.vary((98, 92, 86), 12), shade=0.4)
    stripe = rng.choice(((200, 44, 44), (200, 44, 44), (40, 70, 140), (60, 60, 64)))
    for index in range(5):
        y0, y1 = -0.16 * index, -0.16 * (index + 1)
        a, b = 0.125 - 0.01 * index, 0.125 - 0.01 * (index + 1)
        tint = (244, 242, 236) if index % 2 else stripe
        pen.shape([(-a, y0), (-b, y1), (b, y1), (a, y0)], tint, shade=0.4)
    pen.box(-0.11, -0.83, 0.11, -0.8, (60, 60, 66))
    pen.box(-0.06, -0.93, 0.06, -0.83, (250, 232, 160))
    pen.shape([(-0.085, -0.93), (0, -1.02), (0.085, -0.93)], stripe)
    if scene.time != "day":
        side = rng.choice((-1, 1))
        beam = [(0.0, -0.88), (side * 1.7, -1.12), (side * 1.7, -0.72)]
        if scene.time == "night":
            for spread in (1.0, 0.5):
                points = [pen.at((bx, -0.88 + (by + 0.88) * spread)) for bx, by in beam]
                canvas.polygon(
                    points, mix((34, 46, 88), (255, 240, 180), 0.32 if spread == 1 else 0.5), shade=0, lit=False
                )
        pen.glow(0, -0.88, 0.3, (255, 240, 180), strength=1.2)


@kind(
    "bridge",
    ("bridge", "bridges"),
    ("bridge over a river", "bridges over a river"),
    phrases=(
        "a bridge over the water",
        "a viaduct",
        "a bridge across a river",
        "an arched bridge",
        "a suspension bridge",
        "a stone bridge",
    ),
    times=TIMES,
    weathers=("clear", "clear", "cloudy"),
    family="city",
)
def _bridge(canvas: Canvas, scene: Scene) -> None:
    rng = canvas.rng
    level = rng.uniform(0.5, 0.6)
    haze = paint.sky(canvas, scene.mood, bottom=level)[-1]
    paint.hills(canvas, level, (92, 130, 88), haze, layers=2, height=0.08)
    canvas.gradient(level, 1, [canvas.lit((88, 136, 150)), canvas.lit((58, 112, 140))])
    if rng.random() < 0.5:
        _arches(canvas, level)
    else:
        _suspension(canvas, level)
    paint.water(canvas, level + 0.04, 1, (58, 112, 140), mirror=0.7, waves=0.25)


def _arches(canvas: Canvas, level: float) -> None:
    rng = canvas.rng
    stone = canvas.vary(rng.choice((STONE, (176, 140, 112), (140, 136, 138))), 12)
    deck, foot = (level - rng.uniform(0.12, 0.2)) * canvas.height, (level + 0.045) * canvas.height
    spans = rng.randint(2, 4)
    step, offset = canvas.width / spans, rng.uniform(-0.3, 0.3)
    outline = [(0.0, deck), (float(canvas.width), deck), (float(canvas.width), foot)]
    for index in range(spans + 1, -2, -1):
        cx, half = (index + 0.5 + offset) * step, step * 0.4
        rise = (foot - deck) * 0.78
        outline += [(cx + half * math.cos(a), foot - rise * math.sin(a)) for a in (math.pi * i / 20 for i in range(21))]
    outline = [(min(max(x, 0), canvas.width), y) for x, y in outline]
    canvas.polygon([*outline, (0, foot)], stone, shade=0.3)
    canvas.line([(0, deck), (canvas.width, deck)], canvas.unit * 0.022, scaled(stone, 1.14))
    for post in range(24):
        x = post / 23 * canvas.width
        canvas.line([(x, deck), (x, deck - canvas.unit * 0.03)], canvas.unit * 0.008, scaled(stone, 0.9))
    rail = deck - canvas.unit * 0.03
    canvas.line([(0, rail), (canvas.width, rail)], canvas.unit * 0.008, scaled(stone, 1.05))


def _suspension(canvas: Canvas, level: float) -> None:
    rng = canvas.rng
    steel = canvas.vary(rng.choice(((186, 66, 48), (110, 118, 126), (150, 160, 168))), 10)
    deck, top = (level - 0.06) * canvas.height, (level - rng.uniform(0.28, 0.36)) * canvas.height
    towers = (0.22 * canvas.width, 0.78 * canvas.width)
    thin = canvas.unit * 0.005
    for x0, x1, low in (
        (-0.3 * canvas.width, towers[0], 1.0),
        (towers[0], towers[1], 0.9),
        (towers[1], 1.3 * canvas.width, 1.0),
    ):
        cable = []
        for index in range(25):
            u = index / 24
            sag = 1 - (2 * u - 1) ** 2
            cable.append((x0 + (x1 - x0) * u, top + (deck - top) * sag * low))
        canvas.line(cable, thin * 1.8, steel)
        for x, y in cable[1:-1]:
            canvas.line([(x, y), (x, deck)], thin * 0.6, steel)
    wide = canvas.unit * 0.022
    for x in towers:
        foot = (level + 0.05) * canvas.height
        canvas.polygon([(x - wide, foot), (x - wide, top - wide), (x + wide, top - wide), (x + wide, foot)], steel)
    canvas.polygon([(0, deck), (canvas.width, deck), (canvas.width, deck + wide), (0, deck + wide)], scaled(steel, 0.9))


@kind(
    "windmill",
    ("windmill", "windmills"),
    ("old mill with sails", "old mills with sails"),
    phrases=("a dutch windmill", "holland", "a mill", "windmill in a field"),
    places=("field",),
    counts=(1, 1, 1, 2),
    times=TIMES,
    weathers=("clear", "clear", "cloudy"),
    family="city",
)
def _windmill(canvas: Canvas, scene: Scene) -> None:
    rng = canvas.rng
    level = setting.outdoors(canvas, scene, level=rng.uniform(0.62, 0.74))
    for pen in setting.stand(canvas, scene, level, wide=1.1, tall=1.3, fill=0.78):
        wall = canvas.vary(rng.choice(((226, 218, 204), (150, 100, 72), (120, 118, 116))), 10)
        pen.shadow(0.4)
        pen.shape([(-0.26, 0), (-0.15, -0.75), (0.15, -0.75), (0.26, 0)], wall, shade=0.4)
        pen.blob([(-0.18, -0.73), (-0.15, -0.92), (0.15, -0.92), (0.18, -0.73)], (92, 64, 50), shade=0.3)
        pen.box(-0.06, -0.2, 0.06, 0, (84, 58, 42))
        pen.box(-0.04, -0.5, 0.04, -0.38, (92, 124, 152))
        turn = rng.random() * math.tau
        for index in range(4):
            arm = pen.moved(0, -0.8, tilt=turn + index * math.pi / 2)
            arm.shape([(0.03, -0.1), (0.03, -0.56), (0.15, -0.56), (0.15, -0.1)], (244, 240, 230), shade=0.1)
            for rung in range(5):
                arm.line([(0.03, -0.12 - rung * 0.1), (0.15, -0.12 - rung * 0.1)], 0.008, (130, 110, 90))
            arm.line([(0, 0), (0, -0.58)], 0.026, (84, 62, 46))
        pen.ball(0, -0.8, 0.045, 0.045, (70, 52, 42))


@kind(
    "ferris wheel",
    ("ferris wheel", "ferris wheels"),
    ("big wheel at the fair", "big wheels at the fair"),
    phrases=("a fairground with a ferris wheel", "a fair", "an attraction", "an amusement park"),
    times=TIMES,
    weathers=("clear", "clear", "cloudy"),
    places=("city", "field"),
    family="city",
)
def _ferris(canvas: Canvas, scene: Scene) -> None:
    rng = canvas.rng
    level = setting.outdoors(canvas, scene, level=rng.uniform(0.72, 0.84))
    (pen,) = setting.stand(canvas, scene, level, wide=1.05, tall=1.15, fill=0.82)
    steel = rng.choice(((236, 236, 240), (200, 70, 70), (90, 120, 170)))
    pen.shadow(0.4)
    pen.line([(-0.3, 0), (0, -0.58), (0.3, 0)], 0.03, scaled(steel, 0.8))
    if scene.time == "night":
        canvas.light = (1.0, 1.0, 1.0)
    cabins = rng.choice((10, 12, 14))
    turn = rng.random()
    for radius, width in ((0.46, 0.018), (0.4, 0.01)):
        pen.ring(0, -0.58, radius, width, steel)
    for index in range(cabins):
        angle = math.tau * (index + turn) / cabins
        x, y = 0.45 * math.cos(angle), -0.58 + 0.45 * math.sin(angle)
        pen.line([(0, -0.58), (x, y)], 0.008, steel)
        tint = COLOURED_LIGHTS[index % len(COLOURED_LIGHTS)]
        if scene.time == "night":
            pen.glow(x, y, 0.1, tint, strength=1.0)
        pen.box(x - 0.04, y, x + 0.04, y + 0.085, tint)
        pen.box(x - 0.028, y + 0.015, x + 0.028, y + 0.045, (226, 238, 246))
    pen.ball(0, -0.58, 0.05, 0.05, steel)
