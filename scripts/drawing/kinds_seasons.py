"""What a season brings: pumpkins, christmas trees and snowmen."""

from __future__ import annotations

import math

from drawing import setting
from drawing.canvas import Canvas, Pen, mix, scaled
from drawing.scene import Scene, kind


@kind(
    "pumpkin",
    ("pumpkin", "pumpkins"),
    ("orange pumpkin", "orange pumpkins"),
    ("halloween pumpkin", "halloween pumpkins"),
    phrases=("halloween", "october decoration", "a big orange vegetable", "a jack-o'-lantern", "pumpkins at harvest"),
    counts=(1, 1, 2, 3, 5),
    places=("table", "field"),
    family="plants",
)
def _pumpkin(canvas: Canvas, scene: Scene) -> None:
    rng = canvas.rng
    level = setting.indoors(canvas, scene) if scene.place == "table" else setting.outdoors(canvas, scene)
    for pen in setting.stand(canvas, scene, level, wide=1.15, tall=0.9, fill=0.6):
        tint = canvas.vary((236, 124, 26), 12)
        pen.shadow(0.55)
        for x in (-0.36, 0.36, -0.2, 0.2, 0.0):
            pen.ball(x, -0.36, 0.22, 0.36 - abs(x) * 0.14, canvas.vary(mix(tint, (200, 90, 20), abs(x)), 6))
        pen.blob([(-0.06, -0.66), (-0.04, -0.86), (0.1, -0.9), (0.06, -0.66)], (96, 116, 52))
        if rng.random() < 0.4:
            glow = (255, 214, 90) if rng.random() < 0.5 else (44, 26, 16)
            for side in (-1, 1):
                pen.shape([(side * 0.27, -0.42), (side * 0.17, -0.56), (side * 0.08, -0.42)], glow, shade=0.1)
            mouth = [
                (-0.3, -0.3),
                (-0.15, -0.22),
                (-0.08, -0.26),
                (0, -0.2),
                (0.08, -0.26),
                (0.15, -0.22),
                (0.3, -0.3),
                (0.15, -0.1),
                (-0.15, -0.1),
            ]
            pen.shape(mouth, glow, shade=0.1)


@kind(
    "christmas tree",
    ("christmas tree", "christmas trees"),
    ("decorated fir tree", "decorated fir trees"),
    phrases=(
        "christmas",
        "gifts under the tree",
        "presents",
        "a christmas party",
        "a decorated christmas tree",
        "a christmas tree with lights",
        "xmas tree",
    ),
    places=("room", "snow"),
    family="plants",
)
def _christmas(canvas: Canvas, scene: Scene) -> None:
    rng = canvas.rng
    if scene.place == "snow":
        level = setting.outdoors(
            canvas, Scene(scene.kind, weather="snow", time=rng.choice(("day", "night"))), level=0.62
        )
    else:
        level = setting.indoors(canvas, scene, table=False)
    canvas.light = (1.0, 1.0, 1.0)
    (pen,) = setting.stand(canvas, scene, level, wide=0.9, tall=1.1, fill=0.86)
    pen.shadow(0.4)
    pen.box(-0.05, -0.14, 0.05, 0, (94, 64, 42))
    for tier in range(5):
        y, half = -0.1 - tier * 0.17, 0.42 - tier * 0.07
        tint = scaled((30, 104, 58), 0.85 + 0.09 * tier)
        pen.shape(
            [(-half, y), (0, y - 0.34), (half, y), (half * 0.5, y + 0.04), (0, y), (-half * 0.5, y + 0.04)],
            tint,
            shade=0.3,
        )
    for _ in range(34):
        v = rng.random() ** 0.7
        x = rng.uniform(-0.36, 0.36) * v
        tint = rng.choice(((226, 40, 44), (250, 208, 70), (70, 120, 230), (246, 246, 240), (220, 90, 180)))
        pen.glow(x, -1.0 + 0.88 * v, 0.07, mix(tint, (255, 255, 255), 0.3), strength=0.8)
        pen.ball(x, -1.0 + 0.88 * v, 0.026, 0.026, tint)
    star = [
        (
            0.09 * (1 if i % 2 == 0 else 0.42) * math.sin(i * math.pi / 5),
            -1.1 - 0.09 * (1 if i % 2 == 0 else 0.42) * math.cos(i * math.pi / 5),
        )
        for i in range(10)
    ]
    pen.glow(0, -1.1, 0.25, (255, 230, 140), strength=0.8)
    pen.shape(star, (255, 222, 80), shade=0.1)
    for x in (-0.34, 0.24):
        tint = rng.choice(((200, 40, 50), (50, 90, 180), (240, 190, 60)))
        pen.box(x, -0.14, x + 0.18, 0.03, tint)
        pen.line([(x + 0.09, -0.14), (x + 0.09, 0.03)], 0.025, (250, 240, 220))


@kind(
    "snowman",
    ("snowman", "snowmen"),
    ("snow man", "snow men"),
    phrases=(
        "a snowman with a hat",
        "winter fun",
        "christmas snow",
        "a snowman with a carrot nose",
        "building a snowman",
    ),
    counts=(1, 1, 1, 2),
    times=("day", "day", "dusk", "night"),
    weathers=("snow",),
    places=("field", "forest", "mountains"),
    family="things",
)
def _snowman(canvas: Canvas, scene: Scene) -> None:
    rng = canvas.rng
    level = setting.outdoors(canvas, scene)
    for pen in setting.stand(canvas, scene, level, wide=1.1, tall=1.4, fill=0.78):
        _one_snowman(pen, rng.choice(((200, 40, 44), (40, 90, 170), (50, 130, 70), (230, 160, 40))))


def _one_snowman(pen: Pen, scarf: tuple[int, int, int]) -> None:
    white, coal = (248, 250, 254), (34, 34, 38)
    pen.shadow(0.5)
    for side in (-1, 1):
        pen.line([(side * 0.22, -0.72), (side * 0.55, -0.95)], 0.03, (96, 66, 44))
        pen.line([(side * 0.46, -0.89), (side * 0.58, -0.82)], 0.02, (96, 66, 44))
    pen.ball(0, -0.28, 0.38, 0.34, white)
    pen.ball(0, -0.7, 0.28, 0.26, white)
    pen.ball(0, -1.06, 0.2, 0.2, white)
    pen.blob([(-0.2, -0.92), (0, -0.85), (0.2, -0.92), (0.2, -0.84), (0, -0.77), (-0.2, -0.84)], scarf)
    pen.blob([(0.08, -0.84), (0.18, -0.84), (0.2, -0.56), (0.1, -0.56)], scaled(scarf, 0.88))
    for x in (-0.07, 0.07):
        pen.ball(x, -1.11, 0.022, 0.022, coal)
    pen.shape([(0, -1.07), (0.2, -1.02), (0, -1.01)], (240, 130, 40))
    for y in (-0.74, -0.64, -0.4):
        pen.ball(0.01, y, 0.026, 0.026, coal)
    pen.box(-0.24, -1.24, 0.24, -1.2, coal)
    pen.box(-0.15, -1.46, 0.15, -1.21, coal)
    pen.box(-0.15, -1.29, 0.15, -1.24, scarf)
