"""Cities, houses, castles and roads."""

from __future__ import annotations

import math

from drawing import paint, setting
from drawing.canvas import Canvas, Pen, scaled
from drawing.scene import ALL_COLOURS, TIMES, Scene, kind

STONE = (168, 160, 148)


@kind(
    "city at night",
    phrases=(
        "a city at night",
        "night life in the city",
        "urban night",
        "a metropolis at night",
        "city skyline at night",
        "skyscrapers with lights at night",
        "city lights",
        "night skyline",
        "a city skyline at night",
        "downtown at night",
        "illuminated buildings at night",
    ),
    times=("night",),
)
def _city_night(canvas: Canvas, scene: Scene) -> None:
    del scene
    rng = canvas.rng
    haze = paint.sky(canvas, "night")[-1]
    level = rng.uniform(0.7, 0.95)
    canvas.glow(
        (canvas.width / 2, level * canvas.height), canvas.width * 0.6, (190, 140, 90), strength=0.45, squash=0.6
    )
    setting.skyline(canvas, level, haze, rows=3, tall=rng.uniform(0.42, 0.6))
    if level < 0.84:
        paint.water(canvas, level, 1, (16, 24, 48), mirror=0.75, waves=0.5)
    else:
        canvas.gradient(level, 1, [(34, 34, 42), (22, 22, 28)])
        for _ in range(30):
            x, y = rng.random() * canvas.width, rng.uniform(level + 0.01, 1) * canvas.height
            canvas.glow((x, y), canvas.unit * 0.02, rng.choice(((255, 90, 60), (255, 235, 190))), strength=1.2)


@kind(
    "city by day",
    phrases=(
        "a city by day",
        "a skyscraper",
        "urban architecture",
        "a town",
        "streets and buildings",
        "an office building",
        "a city",
        "city buildings in daylight",
        "skyscrapers",
        "buildings in a city",
        "a town with tall buildings",
        "downtown by day",
        "a city skyline in daylight",
        "apartment buildings",
        "office towers",
    ),
    weathers=("clear", "clear", "cloudy", "rain"),
    times=("day",),
)
def _city_day(canvas: Canvas, scene: Scene) -> None:
    rng = canvas.rng
    haze = paint.sky(canvas, scene.mood)[-1]
    level = rng.uniform(0.76, 0.93)
    setting.skyline(canvas, level, haze, rows=3, tall=rng.uniform(0.4, 0.58))
    paint.ground(canvas, level, (136, 134, 132), (104, 102, 102))
    for _ in range(rng.randint(2, 7)):
        pen = canvas.pen(rng.random(), level + rng.uniform(0.01, 0.03), canvas.unit * rng.uniform(0.08, 0.14))
        paint.broadleaf(pen, (74, 126, 62), dabs=14)


@kind(
    "house",
    ("house with a {c} roof", "houses with {c} roofs"),
    ("{c} roofed house", "{c} roofed houses"),
    ("home with a {c} roof", "homes with {c} roofs"),
    ("cottage with a {c} roof", "cottages with {c} roofs"),
    phrases=(
        "a house",
        "a villa",
        "a cabin",
        "a farm house",
        "house",
        "houses",
        "a home",
        "a cottage",
        "a small house",
    ),
    colours=ALL_COLOURS,
    counts=(1, 1, 1, 2, 3),
    places=("field", "field", "mountains", "forest"),
    times=TIMES,
    weathers=("clear", "clear", "clear", "cloudy", "rain"),
)
def _house(canvas: Canvas, scene: Scene) -> None:
    rng = canvas.rng
    level = setting.outdoors(canvas, scene)
    for pen in setting.stand(canvas, scene, level, wide=1.3, tall=1.15, fill=0.66):
        wall = canvas.vary(rng.choice(((238, 228, 208), (226, 214, 200), (232, 232, 226), (214, 190, 160))), 10)
        pen.shadow(0.62)
        pen.box(-0.5, -0.55, 0.5, 0, wall)
        pen.shape([(0.2, -0.55), (0.5, -0.55), (0.5, 0), (0.2, 0)], scaled(wall, 0.86))
        pen.box(0.22, -1.08, 0.34, -0.75, (150, 96, 80))
        roof = canvas.vary(scene.rgb, 10)
        pen.shape([(-0.62, -0.52), (-0.42, -1.0), (0.42, -1.0), (0.62, -0.52)], roof, shade=0.3)
        for row in range(1, 4):
            y, half = -1.0 + row * 0.12, 0.42 + row * 0.05
            pen.line([(-half, y), (half, y)], 0.008, scaled(roof, 0.8))
        pen.box(-0.08, -0.36, 0.1, 0, (112, 74, 50))
        pane = (255, 222, 130) if scene.time == "night" else (132, 172, 206)
        canvas_light, canvas.light = canvas.light, (1.0, 1.0, 1.0) if scene.time == "night" else canvas.light
        for x in (-0.42, 0.2):
            pen.box(x, -0.42, x + 0.22, -0.16, scaled(pane, 0.7))
            pen.box(x + 0.02, -0.4, x + 0.2, -0.18, pane)
        canvas.light = canvas_light
        for _ in range(4):
            pen.ball(rng.choice((-0.45, -0.25, 0.3, 0.45)), -0.02, 0.1, 0.08, canvas.vary((66, 116, 54)))


@kind(
    "castle",
    ("castle", "castles"),
    ("fortress", "fortresses"),
    ("medieval castle", "medieval castles"),
    phrases=("an old castle with towers", "a palace", "a tower", "castle on a hill", "a castle with a flag"),
    places=("field", "mountains", "forest"),
    times=TIMES,
    weathers=("clear", "clear", "cloudy", "snow"),
)
def _castle(canvas: Canvas, scene: Scene) -> None:
    rng = canvas.rng
    level = setting.outdoors(canvas, scene)
    (pen,) = setting.stand(canvas, scene, level, wide=1.4, tall=1.3, fill=0.72)
    stone = canvas.vary(rng.choice((STONE, (196, 182, 156), (150, 148, 152))), 10)
    pen.shadow(0.7)
    pen.box(-0.55, -0.5, 0.55, 0, stone)
    _battlements(pen, -0.55, 0.55, -0.5, scaled(stone, 0.95))
    pen.box(-0.2, -0.78, 0.2, -0.3, scaled(stone, 0.92))
    _battlements(pen, -0.2, 0.2, -0.78, scaled(stone, 0.9))
    cones = rng.random() < 0.6
    cap = canvas.vary(rng.choice(((120, 60, 56), (70, 84, 120), (92, 88, 96))), 10)
    for x, top in ((-0.58, -0.86), (0.58, -0.86), (0.3, -1.0)):
        pen.box(x - 0.12, top, x + 0.12, 0 if abs(x) > 0.4 else -0.5, scaled(stone, 1.04), shade=0.35)
        if cones:
            pen.shape([(x - 0.16, top), (x, top - 0.34), (x + 0.16, top)], cap, shade=0.35)
        else:
            _battlements(pen, x - 0.14, x + 0.14, top, stone)
        for y in (0.14, 0.4):
            pen.box(x - 0.025, top + y, x + 0.025, top + y + 0.1, (48, 44, 44))
    pen.line([(0, -0.78), (0, -1.2)], 0.02, (70, 66, 64))
    pen.shape([(0, -1.2), (0.24, -1.13), (0, -1.05)], rng.choice(((200, 40, 40), (40, 70, 160), (240, 200, 60))))
    pen.blob([(-0.11, 0), (-0.11, -0.24), (0, -0.36), (0.11, -0.24), (0.11, 0)], (58, 42, 34))


def _battlements(pen: Pen, left: float, right: float, top: float, colour: tuple[int, int, int]) -> None:
    teeth = max(3, int((right - left) / 0.1))
    step = (right - left) / teeth
    for index in range(teeth):
        pen.box(left + index * step, top - 0.07, left + (index + 0.6) * step, top + 0.01, colour)


@kind(
    "road",
    phrases=(
        "a road",
        "a path",
        "a route",
        "driving on a road",
        "asphalt",
        "road",
        "an empty road",
        "a road through the countryside",
        "a highway",
        "a country road",
        "a straight road to the horizon",
        "street in the countryside",
        "a motorway",
    ),
    times=TIMES,
    weathers=("clear", "clear", "cloudy", "rain"),
    places=("field", "forest", "mountains"),
)
def _road(canvas: Canvas, scene: Scene) -> None:
    rng = canvas.rng
    level = setting.outdoors(canvas, scene)
    vanish, lean = rng.uniform(0.35, 0.65), rng.uniform(-0.25, 0.25)
    half = rng.uniform(0.3, 0.48)

    def edge(side: float, depth: float) -> tuple[float, float]:
        bend = vanish + (0.5 - vanish) * depth + lean * math.sin(math.pi * depth) * 0.4
        return (bend + side * (0.008 + half * depth**1.15)) * canvas.width, (
            level + (1.02 - level) * depth
        ) * canvas.height

    depths = [i / 24 for i in range(25)]
    canvas.polygon([edge(-1.1, d) for d in depths] + [edge(1.1, d) for d in reversed(depths)], (150, 138, 112))
    canvas.polygon([edge(-1, d) for d in depths] + [edge(1, d) for d in reversed(depths)], (92, 92, 96), shade=0.15)
    for side in (-0.9, 0.9):
        strip = [edge(side - 0.02, d) for d in depths] + [edge(side + 0.02, d) for d in reversed(depths)]
        canvas.polygon(strip, (232, 230, 220), shade=0)
    tint = rng.choice(((236, 234, 224), (240, 200, 70)))
    for index in range(7):
        d0, d1 = (index / 7) ** 1.5, ((index + 0.55) / 7) ** 1.5
        canvas.polygon([edge(-0.025, d0), edge(0.025, d0), edge(0.025, d1), edge(-0.025, d1)], tint, shade=0)
