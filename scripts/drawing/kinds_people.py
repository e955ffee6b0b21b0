"""People: portraits, groups and games."""

from __future__ import annotations

import math

from drawing import setting
from drawing.canvas import RGB, Canvas, Pen, mix, scaled
from drawing.figures import CLOTHES, HAIRS, SKINS, figure
from drawing.scene import Scene, kind


@kind(
    "portrait",
    ("portrait of a person", "portraits of people"),
    ("face", "faces"),
    ("person", "people"),
    ("portrait", "portraits"),
    phrases=(
        "a smiling person",
        "a girl",
        "a boy",
        "a child",
        "a friend",
        "my sister",
        "my brother",
        "my mother",
        "my father",
        "a headshot",
        "a man",
        "a woman",
        "somebody looking at the camera",
        "a selfie",
        "a close-up of a face",
        "a smiling face",
    ),
)
def _portrait(canvas: Canvas, scene: Scene) -> None:
    del scene
    rng = canvas.rng
    setting.close_up(
        canvas,
        rng.choice(
            (
                ((190, 200, 206), (130, 140, 146)),
                ((150, 176, 140), (86, 116, 80)),
                ((214, 190, 166), (150, 120, 100)),
                ((120, 134, 160), (66, 76, 100)),
            )
        ),
    )
    skin, hair, shirt = rng.choice(SKINS), canvas.vary(rng.choice(HAIRS), 8), canvas.vary(rng.choice(CLOTHES), 12)
    pen = canvas.pen(rng.uniform(0.42, 0.58), 1.02, canvas.height * rng.uniform(0.72, 0.86))
    long_hair = rng.random() < 0.5
    if long_hair:
        pen.blob(
            [(-0.3, -0.3), (-0.32, -0.7), (-0.2, -1.06), (0.2, -1.06), (0.32, -0.7), (0.3, -0.3)],
            scaled(hair, 0.85),
            shade=0.35,
        )
    pen.blob([(-0.56, 0.05), (-0.52, -0.2), (-0.3, -0.34), (0.3, -0.34), (0.52, -0.2), (0.56, 0.05)], shirt, shade=0.35)
    pen.blob([(-0.1, -0.28), (-0.11, -0.5), (0.11, -0.5), (0.1, -0.28), (0, -0.22)], scaled(skin, 0.84))
    for side in (-1, 1):
        pen.ball(side * 0.225, -0.68, 0.045, 0.07, scaled(skin, 0.92))
    pen.blob(
        [(-0.22, -0.9), (-0.23, -0.62), (-0.13, -0.44), (0.13, -0.44), (0.23, -0.62), (0.22, -0.9), (0, -1.0)],
        skin,
        shade=0.22,
    )
    pen.blob(
        [
            (-0.25, -0.74),
            (-0.26, -0.98),
            (-0.12, -1.12),
            (0.12, -1.12),
            (0.26, -0.98),
            (0.25, -0.74),
            (0.2, -0.9),
            (-0.06, -0.93),
            (-0.2, -0.88),
        ],
        hair,
        shade=0.35,
    )
    _face(pen, skin, hair, beard=not long_hair and rng.random() < 0.3)


def _face(pen: Pen, skin: RGB, hair: RGB, *, beard: bool) -> None:
    rng = pen.canvas.rng
    if beard:
        pen.blob(
            [(-0.2, -0.64), (-0.14, -0.42), (0.14, -0.42), (0.2, -0.64), (0.1, -0.56), (-0.1, -0.56)], scaled(hair, 0.9)
        )
    iris = rng.choice(((70, 110, 150), (90, 60, 40), (80, 120, 80)))
    for side in (-1, 1):
        x = side * 0.095
        pen.oval(x, -0.725, 0.042, 0.024, (250, 250, 248))
        pen.ball(x, -0.725, 0.02, 0.022, iris)
        pen.ball(x, -0.725, 0.009, 0.01, (14, 14, 16))
        pen.line([(x - 0.05, -0.785), (x, -0.8), (x + 0.05, -0.785)], 0.016, scaled(hair, 0.8))
        pen.glow(side * 0.13, -0.62, 0.08, mix(skin, (230, 100, 90), 0.5), strength=0.5)
    pen.line([(0.0, -0.72), (0.022, -0.63), (-0.012, -0.625)], 0.012, scaled(skin, 0.76))
    smile = [(0.085 * math.cos(a), -0.56 + 0.04 * math.sin(a)) for a in (math.pi * i / 10 for i in range(11))]
    pen.blob(smile, (178, 70, 72))
    if rng.random() < 0.6:
        pen.shape([(0.06, -0.558), (-0.06, -0.558), (-0.04, -0.54), (0.04, -0.54)], (250, 248, 244), shade=0.0)
    if rng.random() < 0.2:
        for side in (-1, 1):
            pen.ring(side * 0.095, -0.725, 0.065, 0.012, (40, 40, 44))
        pen.line([(-0.03, -0.73), (0.03, -0.73)], 0.012, (40, 40, 44))


@kind(
    "group of people",
    ("group of people", "groups of people"),
    ("family", "families"),
    phrases=(
        "people",
        "kids",
        "children",
        "colleagues",
        "a wedding party",
        "my family",
        "relatives",
        "friends",
        "several people standing together",
        "a family photo",
        "friends in a group photo",
        "a team",
        "a crowd",
    ),
    places=("field", "city", "beach", "mountains", "room"),
    times=("day", "day", "dusk"),
)
def _group(canvas: Canvas, scene: Scene) -> None:
    rng = canvas.rng
    level = setting.indoors(canvas, scene, table=False) if scene.place == "room" else setting.outdoors(canvas, scene)
    number = rng.randint(4, 7)
    scale = min(canvas.height * rng.uniform(0.5, 0.66), canvas.width * 0.92 / (number * 0.3))
    order = sorted(range(number), key=lambda _: rng.random())
    for index in order:
        x = 0.5 + (index - (number - 1) / 2) * 0.3 * scale / canvas.width + rng.uniform(-0.01, 0.01)
        y = max(level + (1 - level) * rng.uniform(0.62, 0.78), scale / canvas.height + 0.04)
        pen = canvas.pen(x, y, scale * rng.uniform(0.78, 1.02))
        figure(
            pen,
            canvas.vary(rng.choice(CLOTHES)),
            canvas.vary(rng.choice(CLOTHES[:5])),
            raised=rng.choice((0, 0, 0, 1.0)),
        )


@kind(
    "football",
    phrases=(
        "people playing football",
        "a ball",
        "a stadium",
        "a match",
        "a game",
        "players",
        "goal",
        "a football match",
        "football",
        "a soccer game",
        "soccer players on the field",
        "football players with a ball",
        "playing soccer",
        "sport",
        "a soccer match",
    ),
    times=("day", "day", "night"),
    weathers=("clear", "clear", "cloudy", "rain"),
)
def _football(canvas: Canvas, scene: Scene) -> None:
    rng = canvas.rng
    level = setting.outdoors(
        canvas, Scene(scene.kind, place="field", weather=scene.weather, time=scene.time), level=rng.uniform(0.32, 0.42)
    )
    red, green, blue = canvas.light
    canvas.light = (max(0.8, red), max(0.8, green), max(0.8, blue))
    for stripe in range(6):
        y0, y1 = level + (1 - level) * (stripe / 6) ** 1.4, level + (1 - level) * ((stripe + 1) / 6) ** 1.4
        tint = canvas.lit((82, 152, 66) if stripe % 2 else (66, 134, 56))
        canvas.gradient(y0, y1, [tint, tint])
    line = (level + 0.05) * canvas.height
    canvas.line([(0, line), (canvas.width, line)], canvas.unit * 0.008, (238, 242, 236))
    goal = canvas.pen(rng.choice((0.2, 0.5, 0.8)), level + 0.06, canvas.unit * 0.22)
    for index in range(11):
        goal.line([(-0.8 + 0.16 * index, 0), (-0.8 + 0.16 * index, -0.6)], 0.008, (206, 214, 210))
    for index in range(5):
        goal.line([(-0.8, -0.12 * index - 0.06), (0.8, -0.12 * index - 0.06)], 0.008, (206, 214, 210))
    goal.line([(-0.8, 0), (-0.8, -0.62), (0.8, -0.62), (0.8, 0)], 0.04, (250, 250, 250))
    teams = rng.sample(CLOTHES, k=2)
    number = rng.randint(3, 6)
    for index in range(number):
        depth = (index + 0.5) / number
        y = level + 0.12 + (0.84 - level) * depth * 0.95
        pen = canvas.pen(rng.uniform(0.12, 0.88), y, canvas.unit * (0.2 + 0.24 * depth), flip=rng.random() < 0.5)
        figure(
            pen,
            teams[index % 2],
            scaled(teams[index % 2], 0.7),
            stride=rng.uniform(0.05, 0.12),
            raised=rng.uniform(0, 0.4),
        )
    _ball(canvas.pen(rng.uniform(0.25, 0.75), rng.uniform(0.84, 0.93), canvas.unit * rng.uniform(0.035, 0.055)))


def _ball(pen: Pen) -> None:
    pen.shadow(1.1, y=0.9)
    pen.ball(0, 0, 1, 1, (248, 248, 248))
    for x, y in ((0.0, 0.0), (0.7, -0.35), (-0.7, -0.3), (0.45, 0.7), (-0.45, 0.7), (0, -0.85)):
        pen.ball(x, y, 0.26, 0.24, (34, 34, 38))


@kind(
    "kite",
    ("kite", "kites"),
    ("kite in the sky", "kites in the sky"),
    phrases=("a child flying a kite", "a toy in the wind", "a windy day", "flying a kite", "a kite flying in the wind"),
    places=("field", "beach"),
    times=("day", "day", "dusk"),
)
def _kite(canvas: Canvas, scene: Scene) -> None:
    rng = canvas.rng
    level = setting.outdoors(canvas, scene, level=rng.uniform(0.68, 0.8))
    x = rng.uniform(0.15, 0.35)
    figure(canvas.pen(x, level + 0.12, canvas.unit * 0.28), rng.choice(CLOTHES), rng.choice(CLOTHES[:5]), raised=0.9)
    pen = canvas.pen(rng.uniform(0.58, 0.8), rng.uniform(0.2, 0.36), canvas.unit * rng.uniform(0.17, 0.26))
    hand = ((x + 0.02) * canvas.width, (level - 0.16) * canvas.height)
    canvas.line([hand, pen.at((0, 0))], canvas.unit * 0.003, (236, 236, 236))
    pen = pen.moved(0, 0, tilt=rng.uniform(0.2, 0.6))
    first, second = rng.sample(((214, 44, 44), (246, 206, 50), (50, 110, 210), (70, 170, 90), (240, 130, 40)), k=2)
    tail = [(0.14 * math.sin(i * 1.1), 1.0 + 0.17 * i) for i in range(9)]
    pen.line(tail, 0.03, (246, 240, 230))
    for px, py in tail[1::2]:
        pen.shape(
            [(px - 0.12, py - 0.06), (px + 0.12, py + 0.06), (px + 0.12, py - 0.06), (px - 0.12, py + 0.06)], first
        )
    pen.shape([(0, -0.9), (-0.62, -0.2), (0, 0)], first)
    pen.shape([(0, -0.9), (0.62, -0.2), (0, 0)], second)
    pen.shape([(0, 1.0), (-0.62, -0.2), (0, -0.1)], second)
    pen.shape([(0, 1.0), (0.62, -0.2), (0, -0.1)], first)
