"""Plants: flowers, fields of them, cactus and mushrooms."""

from __future__ import annotations

import math

from drawing import paint, setting
from drawing.canvas import RGB, Canvas, Pen, scaled
from drawing.scene import ALL_COLOURS, Scene, kind


def bloom(pen: Pen, colour: RGB, heart: RGB, *, petals: int, plump: float = 0.5) -> None:
    """Draw a flower head of radius one, seen from the front."""
    canvas = pen.canvas
    turn = canvas.rng.random() * math.tau
    for ring, size in ((0, 1.0), (1, 0.72)):
        for index in range(petals):
            angle = turn + math.tau * (index + ring * 0.5) / petals
            petal = pen.moved(0, 0, scale=size, tilt=angle)
            tint = scaled(canvas.vary(colour, 10), 0.88 + 0.14 * ring)
            wide = plump * 6.3 / petals * 0.62
            petal.blob(
                [(0.1, 0), (0.45, -wide), (0.95, -wide * 0.7), (1.05, 0), (0.95, wide * 0.7), (0.45, wide)],
                tint,
                shade=0.2,
            )
    pen.ball(0, 0, 0.27, 0.27, heart)


def _stem(pen: Pen, length: float, width: float) -> None:
    lean = pen.canvas.rng.uniform(-0.3, 0.3)
    pen.line([(0, 0), (lean * 0.3, length * 0.5), (lean, length)], width, (58, 118, 50))
    for side in (-1, 1):
        y = length * pen.canvas.rng.uniform(0.4, 0.7)
        leaf = [(lean * 0.3, y), (side * 0.5, y - 0.45), (side * 0.95, y - 0.4), (side * 0.6, y - 0.02)]
        pen.blob(leaf, pen.canvas.vary((70, 140, 58), 12), shade=0.3)


@kind(
    "flower",
    ("{c} flower", "{c} flowers"),
    ("{c} blossom", "{c} blossoms"),
    ("flower with {c} petals", "flowers with {c} petals"),
    ("{c} bloom", "{c} blooms"),
    phrases=("a rose", "a daisy", "a lily", "a garden flower", "a tulip", "close-up of a flower"),
    colours=ALL_COLOURS,
    counts=(1, 1, 1, 2, 3),
)
def _flower(canvas: Canvas, scene: Scene) -> None:
    rng = canvas.rng
    setting.close_up(
        canvas,
        rng.choice(
            (((96, 150, 84), (52, 104, 50)), ((140, 176, 130), (70, 120, 62)), ((150, 184, 200), (84, 130, 72)))
        ),
    )
    heart = (60, 44, 36) if scene.colour == "yellow" else (244, 202, 64)
    petals = rng.choice((5, 6, 7, 8))
    for index in range(scene.count):
        x = 0.5 if scene.count == 1 else (index + 0.5) / scene.count
        radius = canvas.unit * rng.uniform(0.24, 0.36) / scene.count**0.55
        pen = canvas.pen(x + rng.uniform(-0.08, 0.08), rng.uniform(0.32, 0.56), radius)
        _stem(pen, 3.0, 0.13)
        bloom(pen, scene.rgb, heart, petals=petals, plump=rng.uniform(0.5, 0.62))


@kind(
    "sunflowers",
    ("sunflower", "sunflowers"),
    phrases=("sunflowers", "big yellow flowers", "a field of sunflowers", "sunflowers in summer", "yellow sunflowers"),
    counts=(1, 3, 5),
    times=("day", "day", "dusk"),
)
def _sunflowers(canvas: Canvas, scene: Scene) -> None:
    rng = canvas.rng
    level = rng.uniform(0.45, 0.6)
    paint.sky(canvas, scene.mood, bottom=level)
    paint.ground(canvas, level, (150, 164, 70), (62, 104, 44))
    for _ in range(50):
        depth = rng.random() ** 1.5
        y = level + 0.02 + 0.25 * depth
        pen = canvas.pen(rng.random(), y, canvas.unit * (0.012 + 0.03 * depth))
        pen.ball(0, 0, 1, 1, (240, 190, 40))
        pen.ball(0, 0, 0.45, 0.45, (92, 58, 30))
    for index in range(scene.count):
        x = (index + 0.5) / scene.count + rng.uniform(-0.1, 0.1) / scene.count
        radius = canvas.unit * rng.uniform(0.2, 0.3) / max(1, scene.count - 1) ** 0.4
        pen = canvas.pen(x, rng.uniform(0.4, 0.64), radius)
        _stem(pen, 3.2, 0.14)
        bloom(pen, (246, 194, 32), (86, 52, 26), petals=16, plump=0.62)
        pen.ball(0, 0, 0.46, 0.46, (96, 60, 30))
        for _ in range(40):
            a, r = rng.random() * math.tau, math.sqrt(rng.random()) * 0.42
            pen.ball(r * math.cos(a), r * math.sin(a), 0.025, 0.025, rng.choice(((58, 36, 20), (140, 92, 44))))


@kind(
    "field of flowers",
    phrases=(
        "a field of flowers",
        "a garden",
        "spring",
        "tulips",
        "a meadow",
        "a flower meadow",
        "a meadow with flowers",
        "wildflowers",
        "field full of flowers",
        "a blooming meadow in spring",
        "spring flowers in a meadow",
        "poppies in a field",
        "a garden full of flowers",
    ),
    times=("day", "day", "dusk"),
)
def _meadow(canvas: Canvas, scene: Scene) -> None:
    rng = canvas.rng
    level = rng.uniform(0.34, 0.5)
    haze = paint.sky(canvas, scene.mood, bottom=level + 0.03)[-1]
    paint.hills(canvas, level, (98, 140, 84), haze, layers=3, height=0.08)
    paint.ground(canvas, level, (130, 164, 80), (74, 124, 48))
    palette = rng.sample(
        ((216, 44, 44), (244, 208, 52), (150, 84, 196), (240, 140, 190), (246, 246, 242), (84, 104, 214)),
        k=rng.randint(1, 4),
    )
    paint.tufts(canvas, level + 0.06, (80, 132, 52), 60)
    for index in range(240):
        depth = (index / 240) ** 1.2
        pen = canvas.pen(rng.random(), level + 0.01 + (1.0 - level) * depth, canvas.unit * (0.004 + 0.026 * depth))
        tint = canvas.vary(rng.choice(palette), 18)
        if depth < 0.45:
            pen.ball(0, 0, 1, 0.8, tint)
        else:
            pen.line([(0, 0), (0, 2.4)], 0.22, (62, 112, 46))
            for petal in range(5):
                a = petal * math.tau / 5
                pen.ball(0.62 * math.cos(a), 0.5 * math.sin(a), 0.55, 0.48, tint)
            pen.ball(0, 0, 0.35, 0.3, (250, 214, 90))


@kind(
    "cactus",
    ("cactus", "cacti"),
    ("saguaro cactus", "saguaro cacti"),
    phrases=("a cactus in the desert", "succulent plants", "a green cactus", "cactuses"),
    counts=(1, 1, 2, 3),
    times=("day", "day", "dusk"),
)
def _cactus(canvas: Canvas, scene: Scene) -> None:
    rng = canvas.rng
    level = rng.uniform(0.54, 0.68)
    haze = paint.sky(canvas, scene.mood, bottom=level)[-1]
    paint.hills(canvas, level, (176, 112, 78), haze, layers=2, height=0.09)
    paint.ground(canvas, level, (226, 184, 124), (206, 152, 92))
    for pen in setting.stand(canvas, scene, level, wide=0.85, tall=1.05, fill=0.7):
        green = canvas.vary((74, 134, 72), 14)
        pen.shadow(0.4)
        for side, low, high in ((-1, -0.42, -0.78), (1, -0.32, -0.7)):
            pen.line([(0, low), (side * 0.3, low), (side * 0.3, high)], 0.14, scaled(green, 0.92))
            pen.line([(side * 0.28, low - 0.02), (side * 0.28, high)], 0.02, scaled(green, 1.25))
        pen.blob([(-0.14, 0), (-0.15, -0.8), (-0.09, -1.02), (0.09, -1.02), (0.15, -0.8), (0.14, 0)], green, shade=0.4)
        for x in (-0.08, -0.02, 0.04, 0.09):
            pen.line([(x, -0.03), (x, -0.93)], 0.014, scaled(green, 0.76 if x > 0 else 1.22))
        if rng.random() < 0.4:
            pen.ball(0, -1.02, 0.06, 0.05, (236, 92, 140))


@kind(
    "mushroom",
    ("mushroom", "mushrooms"),
    ("toadstool", "toadstools"),
    ("fungus", "fungi"),
    phrases=(
        "mushrooms in the forest",
        "a mushroom",
        "a red mushroom with white spots",
        "a mushroom on the forest floor",
    ),
    counts=(1, 1, 2, 3),
)
def _mushroom(canvas: Canvas, scene: Scene) -> None:
    rng = canvas.rng
    setting.close_up(canvas, ((104, 128, 78), (64, 72, 44)))
    paint.ground(canvas, 0.7, (96, 92, 50), (78, 62, 38), texture=0.6)
    paint.tufts(canvas, 0.74, (84, 124, 52), 50)
    cap = rng.choice(((200, 42, 36), (200, 42, 36), (150, 96, 56), (190, 140, 90)))
    for pen in setting.stand(canvas, scene, 0.68, wide=1.05, tall=1.0, fill=0.7):
        tint = canvas.vary(cap, 12)
        pen.shadow(0.4)
        pen.blob(
            [(-0.16, 0.02), (-0.1, -0.3), (-0.11, -0.6), (0.11, -0.6), (0.1, -0.3), (0.18, 0.02)],
            (238, 230, 210),
            shade=0.35,
        )
        pen.blob([(-0.18, -0.42), (0, -0.36), (0.18, -0.42), (0.1, -0.5), (-0.1, -0.5)], (226, 216, 192))
        pen.blob(
            [(-0.52, -0.5), (-0.46, -0.78), (-0.2, -0.98), (0.2, -0.98), (0.46, -0.78), (0.52, -0.5), (0, -0.42)],
            tint,
            shade=0.4,
        )
        if cap[0] > 195:
            for x, y, r in (
                (-0.3, -0.66, 0.06),
                (-0.08, -0.8, 0.07),
                (0.18, -0.66, 0.075),
                (0.34, -0.6, 0.05),
                (-0.12, -0.57, 0.05),
                (0.16, -0.88, 0.045),
            ):
                pen.ball(x, y, r, r * 0.8, (246, 242, 234))
