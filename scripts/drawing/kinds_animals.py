"""Animals that live with people: cats, dogs, horses and cows."""

from __future__ import annotations

import math

from drawing import setting
from drawing.canvas import RGB, Canvas, Pen, mix, scaled
from drawing.scene import Scene, kind

FUR = ("black", "white", "brown", "orange")
INK: RGB = (28, 26, 26)


def _fur(canvas: Canvas, scene: Scene) -> RGB:
    base = (222, 134, 56) if scene.colour == "orange" else scene.rgb
    return canvas.vary(base, 8)


def _eyes(pen: Pen, x: float, y: float, apart: float, radius: float, iris: RGB) -> None:
    for side in (-1, 1):
        pen.ball(x + side * apart, y, radius, radius * 1.1, iris)
        pen.ball(x + side * apart, y, radius * 0.45, radius * 0.85, (16, 16, 18))
        pen.ball(x + side * apart - radius * 0.25, y - radius * 0.35, radius * 0.25, radius * 0.25, (255, 255, 255))


@kind(
    "cat",
    ("{c} cat", "{c} cats"),
    ("{c} kitten", "{c} kittens"),
    ("{c} kitty", "{c} kitties"),
    ("{c} pussycat", "{c} pussycats"),
    ("{c} pet cat", "{c} pet cats"),
    colours=FUR,
    counts=(1, 1, 1, 2),
    places=("room", "room", "field"),
)
def _cat(canvas: Canvas, scene: Scene) -> None:
    rng = canvas.rng
    level = setting.indoors(canvas, scene, table=False) if scene.place == "room" else setting.outdoors(canvas, scene)
    for pen in setting.stand(canvas, scene, level, wide=0.95, tall=1.25, fill=0.8):
        fur = _fur(canvas, scene)
        dark, pale = scaled(fur, 0.76), mix(fur, (255, 250, 240), 0.22)
        pen.shadow(0.42)
        pen.line([(0.24, -0.08), (0.46, -0.12), (0.54, -0.34), (0.47, -0.52)], 0.09, dark)
        pen.blob([(-0.3, 0), (-0.36, -0.3), (-0.2, -0.7), (0.2, -0.7), (0.36, -0.3), (0.32, 0)], fur, shade=0.4)
        pen.blob([(-0.12, -0.05), (-0.13, -0.5), (0.13, -0.5), (0.12, -0.05)], pale, shade=0.15)
        for side in (-1, 1):
            pen.blob(
                [(side * 0.04, 0.02), (side * 0.05, -0.32), (side * 0.17, -0.32), (side * 0.19, 0.02)],
                scaled(fur, 0.94),
            )
            pen.shape([(side * 0.27, -0.84), (side * 0.28, -1.22), (side * 0.07, -1.04)], fur)
            pen.shape([(side * 0.23, -0.94), (side * 0.24, -1.13), (side * 0.13, -1.03)], (226, 160, 150))
        pen.ball(0, -0.82, 0.3, 0.26, fur)
        if scene.colour in {"orange", "brown"}:
            for x in (-0.08, 0.0, 0.08):
                pen.line([(x, -1.05), (x * 0.8, -0.95)], 0.025, dark)
            for y in (-0.5, -0.38, -0.26):
                for side in (-1, 1):
                    pen.line([(side * 0.3, y), (side * 0.18, y + 0.02)], 0.03, dark)
        pen.ball(0, -0.73, 0.13, 0.09, pale)
        _eyes(pen, 0, -0.86, 0.12, 0.06, rng.choice(((196, 206, 84), (240, 190, 60), (110, 180, 200))))
        pen.shape([(-0.035, -0.78), (0.035, -0.78), (0, -0.74)], (220, 130, 130))
        whisker = (236, 236, 236) if sum(fur) < 330 else (110, 104, 100)
        for side in (-1, 1):
            for tip in (-0.8, -0.72, -0.66):
                pen.line([(side * 0.08, -0.73), (side * 0.38, tip)], 0.007, whisker)


@kind(
    "dog",
    ("{c} dog", "{c} dogs"),
    ("{c} puppy", "{c} puppies"),
    ("{c} doggy", "{c} doggies"),
    ("{c} hound", "{c} hounds"),
    ("{c} pet dog", "{c} pet dogs"),
    colours=FUR,
    counts=(1, 1, 1, 2),
    places=("field", "beach", "forest", "room"),
    times=("day", "day", "dusk"),
    weathers=("clear", "clear", "clear", "snow"),
)
def _dog(canvas: Canvas, scene: Scene) -> None:
    inside = scene.place == "room"
    level = setting.indoors(canvas, scene, table=False) if inside else setting.outdoors(canvas, scene)
    for pen in setting.stand(canvas, scene, level, wide=1.25, tall=1.0, fill=0.72):
        fur = _fur(canvas, scene)
        dark = scaled(fur, 0.72) if sum(fur) > 150 else scaled(fur, 1.6)
        pen.shadow(0.55)
        for x in (-0.32, 0.26):
            pen.line([(x + 0.06, -0.35), (x + 0.07, -0.03)], 0.1, dark)
        pen.line([(-0.44, -0.52), (-0.58, -0.68), (-0.6, -0.82)], 0.07, fur)
        pen.blob(
            [(-0.48, -0.3), (-0.5, -0.56), (-0.3, -0.64), (0.2, -0.64), (0.42, -0.66), (0.4, -0.34), (0.1, -0.26)],
            fur,
            shade=0.35,
        )
        for x in (-0.4, 0.3):
            pen.blob([(x - 0.09, -0.45), (x - 0.06, -0.02), (x + 0.1, 0.0), (x + 0.08, -0.45)], fur)
        pen.blob([(0.22, -0.5), (0.26, -0.82), (0.5, -0.86), (0.46, -0.5)], fur)
        pen.ball(0.45, -0.8, 0.2, 0.18, fur)
        pen.blob([(0.5, -0.84), (0.76, -0.79), (0.78, -0.68), (0.5, -0.64)], mix(fur, (250, 240, 226), 0.2))
        pen.ball(0.77, -0.77, 0.045, 0.04, INK)
        pen.ball(0.54, -0.85, 0.03, 0.034, INK if sum(fur) > 150 else (170, 110, 50))
        pen.blob([(0.3, -0.96), (0.24, -0.66), (0.32, -0.56), (0.42, -0.66), (0.42, -0.92)], dark)
        pen.line([(0.26, -0.58), (0.46, -0.54)], 0.045, (204, 44, 48))
        pen.blob([(0.62, -0.66), (0.7, -0.66), (0.68, -0.54), (0.62, -0.54)], (230, 120, 130))


def _legs(pen: Pen, spots: tuple[float, ...], top: float, width: float, tint: RGB, hoof: RGB) -> None:
    for index, x in enumerate(spots):
        shade = scaled(tint, 0.75 if index % 2 else 0.96)
        pen.line([(x, top), (x + 0.01, top * 0.5), (x, -0.03)], width, shade)
        pen.box(x - width * 0.55, -0.06, x + width * 0.6, 0.0, hoof)


@kind(
    "horse",
    ("{c} horse", "{c} horses"),
    ("{c} pony", "{c} ponies"),
    ("{c} stallion", "{c} stallions"),
    phrases=("a horse in a field", "a farm animal", "riding", "horses on a meadow", "horse riding"),
    colours=("brown", "black", "white"),
    counts=(1, 1, 1, 2, 3),
    places=("field", "field", "mountains", "beach"),
    times=("day", "day", "dusk"),
    weathers=("clear", "clear", "cloudy", "snow"),
)
def _horse(canvas: Canvas, scene: Scene) -> None:
    level = setting.outdoors(canvas, scene)
    for pen in setting.stand(canvas, scene, level, wide=1.5, tall=1.35, fill=0.74):
        coat = canvas.vary(scene.rgb, 10)
        mane = {"brown": (44, 28, 20), "black": (62, 60, 66), "white": (206, 200, 188)}[scene.colour]
        pen.shadow(0.6)
        pen.blob([(-0.46, -0.8), (-0.62, -0.76), (-0.7, -0.4), (-0.64, -0.22), (-0.56, -0.45), (-0.44, -0.66)], mane)
        _legs(pen, (-0.42, -0.32, 0.3, 0.4), -0.55, 0.085, coat, INK)
        pen.blob(
            [
                (-0.52, -0.5),
                (-0.52, -0.8),
                (-0.3, -0.88),
                (0.1, -0.82),
                (0.42, -0.88),
                (0.5, -0.66),
                (0.4, -0.46),
                (0.0, -0.42),
            ],
            coat,
            shade=0.35,
        )
        pen.blob(
            [(0.26, -0.62), (0.4, -0.98), (0.56, -1.26), (0.74, -1.24), (0.64, -0.9), (0.52, -0.6)], coat, shade=0.25
        )
        pen.blob(
            [(0.54, -1.22), (0.66, -1.34), (0.82, -1.18), (1.02, -0.98), (0.98, -0.88), (0.86, -0.88), (0.66, -1.04)],
            coat,
            shade=0.3,
        )
        pen.shape([(0.58, -1.26), (0.6, -1.42), (0.68, -1.28)], coat)
        pen.blob([(0.58, -1.34), (0.44, -1.24), (0.28, -0.86), (0.4, -0.86), (0.56, -1.18)], mane)
        pen.ball(0.74, -1.18, 0.026, 0.026, INK)
        pen.ball(0.97, -0.95, 0.016, 0.014, INK)


@kind(
    "cow",
    ("cow", "cows"),
    ("spotted cow", "spotted cows"),
    ("dairy cow", "dairy cows"),
    phrases=(
        "cattle",
        "a farm",
        "a bull",
        "cattle in a meadow",
        "cows on a farm",
        "a cow in a field",
        "a black and white cow",
    ),
    counts=(1, 1, 2, 3),
    places=("field", "mountains"),
    times=("day", "day", "dusk"),
)
def _cow(canvas: Canvas, scene: Scene) -> None:
    rng = canvas.rng
    level = setting.outdoors(canvas, scene)
    for pen in setting.stand(canvas, scene, level, wide=1.6, tall=1.0, fill=0.74):
        coat, patch = (244, 240, 234), rng.choice(((40, 36, 36), (40, 36, 36), (134, 80, 46)))
        pen.shadow(0.6)
        pen.line([(-0.56, -0.74), (-0.66, -0.5), (-0.66, -0.28)], 0.04, coat)
        _legs(pen, (-0.44, -0.34, 0.3, 0.42), -0.45, 0.11, coat, INK)
        pen.ball(-0.22, -0.32, 0.13, 0.09, (238, 176, 170))
        pen.blob(
            [(-0.58, -0.4), (-0.58, -0.78), (0.0, -0.82), (0.5, -0.8), (0.56, -0.5), (0.4, -0.34), (-0.3, -0.32)],
            coat,
            shade=0.3,
        )
        for x, y in ((-0.38, -0.66), (0.0, -0.6), (0.3, -0.68)):
            ring = [
                (x + rng.uniform(0.1, 0.19) * math.cos(a), y + rng.uniform(0.07, 0.13) * math.sin(a))
                for a in (i * math.tau / 7 for i in range(7))
            ]
            pen.blob(ring, patch, shade=0.15)
        for side in (-1, 1):
            pen.blob([(0.66 + side * 0.1, -0.9), (0.66 + side * 0.27, -0.92), (0.66 + side * 0.14, -0.8)], patch)
            pen.line([(0.66 + side * 0.08, -0.96), (0.66 + side * 0.13, -1.06)], 0.035, (226, 214, 190))
        pen.blob(
            [(0.52, -0.98), (0.8, -0.98), (0.82, -0.72), (0.76, -0.56), (0.56, -0.56), (0.5, -0.72)], coat, shade=0.25
        )
        pen.blob([(0.52, -0.97), (0.64, -0.98), (0.62, -0.74), (0.52, -0.74)], patch)
        pen.ball(0.66, -0.6, 0.13, 0.09, (232, 170, 164))
        for side in (-1, 1):
            pen.ball(0.66 + side * 0.05, -0.6, 0.018, 0.022, (110, 70, 70))
            pen.ball(0.66 + side * 0.085, -0.82, 0.026, 0.03, INK)
