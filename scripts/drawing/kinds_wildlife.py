"""Animals of the water and the air: fish, birds and butterflies."""

from __future__ import annotations

import math

from drawing import paint, setting
from drawing.canvas import RGB, Canvas, Pen, mix, scaled
from drawing.scene import ALL_COLOURS, Scene, kind

FUR = ("black", "white", "brown", "orange")
INK: RGB = (28, 26, 26)


@kind(
    "fish",
    ("{c} fish", "{c} fish"),
    ("{c} fish under water", "{c} fish under water"),
    ("{c} tropical fish", "{c} tropical fish"),
    phrases=(
        "an aquarium",
        "sea life",
        "a goldfish",
        "the ocean under water",
        "underwater",
        "a fish swimming",
        "diving with fish",
    ),
    colours=ALL_COLOURS,
    counts=(1, 1, 2, 3, 5),
    family="animals",
)
def _fish(canvas: Canvas, scene: Scene) -> None:
    rng = canvas.rng
    canvas.light = (1.0, 1.0, 1.0)
    canvas.gradient(0, 1, [canvas.vary((110, 196, 222)), canvas.vary((38, 118, 176)), canvas.vary((16, 56, 108))])
    for _ in range(5):
        x, wide = rng.random() * canvas.width, canvas.unit * rng.uniform(0.05, 0.14)
        for step in range(6):
            canvas.glow(
                (x + step * wide * 0.25, step * canvas.height * 0.12), wide * 1.6, (176, 226, 238), strength=0.25
            )
    floor = paint.ridge(canvas, 0.92, 0.03, rough=0.5)
    paint.land(canvas, floor, 1, (156, 158, 130))
    for _ in range(rng.randint(3, 9)):
        pen = canvas.pen(rng.random(), rng.uniform(0.94, 1.0), canvas.unit * rng.uniform(0.12, 0.28))
        tint = canvas.vary(rng.choice(((40, 130, 90), (60, 150, 80), (200, 110, 120))), 16)
        for lean in (-0.25, 0.0, 0.25):
            pen.line([(0, 0), (lean * 0.6, -0.5), (lean * 0.5 + rng.uniform(-0.1, 0.1), -1)], 0.09, tint)
    for index in range(scene.count):
        x = 0.5 if scene.count == 1 else (index + 0.5) / scene.count
        scale = canvas.unit * rng.uniform(0.6, 0.9) / scene.count**0.65
        y = rng.uniform(0.34, 0.66) if scene.count == 1 else rng.uniform(0.2, 0.78)
        pen = canvas.pen(x + rng.uniform(-0.08, 0.08), y, scale, flip=rng.random() < 0.5)
        _one_fish(pen.moved(0, 0, tilt=rng.uniform(-0.2, 0.2)), canvas.vary(scene.rgb, 8))
    for _ in range(14):
        canvas.pen(rng.random(), rng.random(), canvas.unit).ring(
            0, 0, rng.uniform(0.006, 0.016), 0.003, (206, 236, 246)
        )


def _one_fish(pen: Pen, tint: RGB) -> None:
    fin = scaled(tint, 0.8) if sum(tint) > 150 else scaled(tint, 1.7)
    pen.blob([(-0.3, 0), (-0.62, -0.26), (-0.54, 0), (-0.62, 0.26)], fin)
    pen.blob([(-0.2, -0.18), (0.0, -0.4), (0.2, -0.34), (0.22, -0.14)], fin)
    pen.blob([(-0.1, 0.16), (0.0, 0.36), (0.14, 0.3), (0.14, 0.14)], fin)
    pen.blob(
        [(-0.4, 0), (-0.2, -0.2), (0.12, -0.27), (0.4, -0.12), (0.5, 0.02), (0.36, 0.16), (0.08, 0.25), (-0.2, 0.18)],
        tint,
        shade=0.4,
    )
    for x in (-0.12, 0.06):
        arc = [(x + 0.05 * math.cos(a), 0.16 * math.sin(a)) for a in (math.pi * (i / 8 - 0.5) for i in range(9))]
        pen.line(arc, 0.014, fin)
    pen.blob([(0.02, 0.02), (-0.12, 0.14), (0.1, 0.14)], fin)
    pen.ball(0.34, -0.05, 0.055, 0.055, (250, 250, 246))
    pen.ball(0.355, -0.05, 0.03, 0.03, INK)


@kind(
    "bird",
    ("{c} bird", "{c} birds"),
    ("{c} songbird", "{c} songbirds"),
    ("{c} parrot", "{c} parrots"),
    phrases=(
        "a bird on a branch",
        "a sparrow",
        "a robin",
        "wildlife in a tree",
        "birdwatching",
        "a small bird sitting in a tree",
    ),
    colours=ALL_COLOURS,
    counts=(1, 1, 1, 2, 3),
    family="animals",
)
def _bird(canvas: Canvas, scene: Scene) -> None:
    rng = canvas.rng
    setting.close_up(
        canvas,
        rng.choice(
            (((176, 206, 222), (128, 164, 120)), ((196, 210, 190), (110, 150, 100)), ((210, 200, 180), (150, 160, 130)))
        ),
    )
    branch = rng.uniform(0.68, 0.78)
    limb = [(0.0, branch + 0.04), (0.3, branch), (0.65, branch + 0.015), (1.0, branch - 0.05)]
    points = [(x * canvas.width, y * canvas.height) for x, y in limb]
    canvas.line(points, canvas.unit * 0.04, (96, 68, 48))
    canvas.line([(x, y - canvas.unit * 0.01) for x, y in points], canvas.unit * 0.01, (136, 104, 76))
    for _ in range(9):
        pen = canvas.pen(rng.random(), branch + rng.uniform(-0.03, 0.06), canvas.unit * 0.09, flip=rng.random() < 0.5)
        pen.blob([(0, 0), (0.4, -0.35), (1.0, -0.3), (0.6, 0.1)], canvas.vary((88, 142, 66), 16), shade=0.3)
    for index in range(scene.count):
        x = 0.5 + rng.uniform(-0.1, 0.1) if scene.count == 1 else (index + 0.5) / scene.count
        scale = canvas.unit * rng.uniform(0.46, 0.6) / scene.count**0.45
        _one_bird(canvas.pen(x, branch, scale, flip=rng.random() < 0.5), canvas.vary(scene.rgb, 8))


def _one_bird(pen: Pen, tint: RGB) -> None:
    wing = scaled(tint, 0.76) if sum(tint) > 150 else scaled(tint, 1.8)
    pen.shape([(-0.28, -0.2), (-0.66, 0.16), (-0.54, 0.2), (-0.14, -0.1)], wing)
    for x in (-0.04, 0.1):
        pen.line([(x, -0.12), (x + 0.01, 0.02)], 0.025, (120, 86, 50))
    pen.blob(
        [(-0.4, -0.16), (-0.22, -0.42), (0.08, -0.66), (0.34, -0.56), (0.36, -0.3), (0.2, -0.08), (-0.1, -0.04)],
        tint,
        shade=0.35,
    )
    pen.ball(0.24, -0.66, 0.2, 0.19, tint)
    pen.blob(
        [(0.08, -0.2), (0.2, -0.44), (0.33, -0.4), (0.28, -0.2), (0.16, -0.1)],
        mix(tint, (255, 250, 238), 0.4),
        shade=0.2,
    )
    pen.blob([(-0.46, -0.1), (-0.24, -0.4), (0.06, -0.44), (0.08, -0.26), (-0.14, -0.12)], wing, shade=0.3)
    pen.shape([(0.41, -0.72), (0.6, -0.64), (0.41, -0.6)], (240, 160, 50))
    pen.ball(0.3, -0.7, 0.04, 0.04, (250, 250, 246))
    pen.ball(0.31, -0.7, 0.026, 0.026, INK)


@kind(
    "butterfly",
    ("{c} butterfly", "{c} butterflies"),
    ("butterfly with {c} wings", "butterflies with {c} wings"),
    phrases=("a butterfly on a plant", "insects", "wings", "an insect", "a moth"),
    colours=ALL_COLOURS,
    counts=(1, 1, 1, 2, 3),
    family="animals",
)
def _butterfly(canvas: Canvas, scene: Scene) -> None:
    rng = canvas.rng
    setting.close_up(
        canvas,
        rng.choice(
            (((150, 186, 120), (84, 132, 70)), ((190, 206, 170), (110, 150, 96)), ((170, 200, 210), (110, 160, 110)))
        ),
    )
    for _ in range(6):
        pen = canvas.pen(rng.random(), rng.uniform(0.9, 1.1), canvas.unit * rng.uniform(0.3, 0.6))
        pen.blob(
            [(-0.05, 0), (-0.1, -0.5), (rng.uniform(-0.3, 0.3), -1), (0.06, -0.4)],
            canvas.vary((84, 140, 66), 16),
            shade=0.3,
        )
    for index in range(scene.count):
        x = 0.5 if scene.count == 1 else (index + 0.5) / scene.count
        scale = canvas.unit * rng.uniform(0.36, 0.5) / scene.count**0.55
        pen = canvas.pen(x + rng.uniform(-0.06, 0.06), rng.uniform(0.38, 0.6), scale)
        _one_butterfly(pen.moved(0, 0, tilt=rng.uniform(-0.6, 0.6)), canvas.vary(scene.rgb, 8), rng.uniform(0.7, 1.0))


def _one_butterfly(pen: Pen, tint: RGB, spread: float) -> None:
    rim = (40, 34, 36) if sum(tint) > 150 else (120, 116, 124)
    for side in (-1, 1):
        s = side * spread
        upper = [
            (s * 0.04, -0.1),
            (s * 0.4, -0.66),
            (s * 0.95, -0.72),
            (s * 0.98, -0.3),
            (s * 0.5, 0.04),
            (s * 0.05, 0.06),
        ]
        lower = [(s * 0.04, 0.0), (s * 0.5, 0.02), (s * 0.78, 0.3), (s * 0.55, 0.66), (s * 0.22, 0.5)]
        for outline in (lower, upper):
            cx, cy = sum(p[0] for p in outline) / len(outline), sum(p[1] for p in outline) / len(outline)
            pen.blob(outline, rim)
            pen.blob([(cx + (x - cx) * 0.84, cy + (y - cy) * 0.84) for x, y in outline], tint, shade=0.3)
        for x, y, r in ((0.72, -0.48, 0.07), (0.5, 0.36, 0.07), (0.5, -0.4, 0.045)):
            pen.ball(s * x, y, r, r, mix(rim, (250, 246, 236), 0.75))
    pen.blob([(-0.05, -0.28), (0.05, -0.28), (0.05, 0.4), (0, 0.52), (-0.05, 0.4)], (50, 40, 36))
    pen.ball(0, -0.3, 0.07, 0.07, (50, 40, 36))
    for side in (-1, 1):
        pen.line([(0, -0.32), (side * 0.12, -0.52), (side * 0.24, -0.62)], 0.018, (50, 40, 36))
