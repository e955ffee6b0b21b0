"""Things: balloons, umbrellas, books, guitars, clocks and fires."""

from __future__ import annotations

import math

from drawing import paint, setting
from drawing.canvas import Canvas, mix, scaled
from drawing.figures import figure
from drawing.scene import ALL_COLOURS, Scene, kind


@kind(
    "balloons",
    ("bunch of {c} balloons", "{c} balloons"),
    ("{c} party balloon", "{c} party balloons"),
    ("{c} balloon", "{c} balloons"),
    phrases=("balloons", "a celebration with balloons", "party balloons", "a party with balloons", "many balloons"),
    colours=ALL_COLOURS,
    counts=(7,),
    places=("sky", "room"),
)
def _balloons(canvas: Canvas, scene: Scene) -> None:
    rng = canvas.rng
    if scene.place == "sky":
        paint.sky(canvas, "day")
    else:
        setting.indoors(canvas, scene, table=False)
    number = rng.randint(4, 10)
    knot = (rng.uniform(0.4, 0.6) * canvas.width, rng.uniform(0.9, 1.02) * canvas.height)
    spots = []
    for index in range(number):
        a, r = index * 2.4 + rng.random(), math.sqrt((index + 0.4) / number)
        spots.append((0.5 + 0.3 * r * math.cos(a), 0.38 + 0.24 * r * math.sin(a)))
    radius = canvas.unit * rng.uniform(0.11, 0.15) * (7 / number) ** 0.3
    for x, y in spots:
        start = (x * canvas.width, y * canvas.height + radius * 1.2)
        bend = ((start[0] + knot[0]) / 2 + rng.uniform(-8, 8), (start[1] + knot[1]) / 2)
        canvas.line([start, bend, knot], canvas.unit * 0.003, (150, 150, 150))
    for x, y in spots:
        pen = canvas.pen(x, y, radius)
        tint = canvas.vary(scene.rgb, 10)
        pen.shape([(-0.12, 1.3), (0, 1.1), (0.12, 1.3)], scaled(tint, 0.8))
        pen.ball(0, 0, 0.95, 1.17, tint, gloss=0.9)


@kind(
    "umbrella",
    ("{c} umbrella", "{c} umbrellas"),
    ("{c} umbrella in the rain", "{c} umbrellas in the rain"),
    phrases=(
        "someone with an umbrella",
        "bad weather",
        "walking in the rain",
        "a person under an umbrella",
        "a rainy day with an umbrella",
    ),
    colours=ALL_COLOURS,
    counts=(1, 1, 1, 2),
    places=("city", "road", "field"),
    times=("day", "day", "night"),
    weathers=("rain",),
)
def _umbrella(canvas: Canvas, scene: Scene) -> None:
    level = setting.outdoors(canvas, scene)
    for pen in setting.stand(canvas, scene, level, wide=1.0, tall=1.35, fill=0.8):
        tint = canvas.vary(scene.rgb, 8)
        coat = canvas.vary(canvas.rng.choice(((84, 88, 104), (120, 104, 88), (70, 92, 84), (120, 60, 64))), 12)
        figure(pen.moved(0, 0, scale=0.88), coat, (52, 54, 66))
        pen.line([(0.2, -0.5), (0.2, -1.2)], 0.022, (70, 60, 56))
        pen.line([(0.1, -0.62), (0.2, -0.54)], 0.06, scaled(coat, 0.9))
        dome = [(0.08 + 0.56 * math.cos(a), -0.86 - 0.38 * math.sin(a)) for a in (math.pi * i / 20 for i in range(21))]
        scallops = []
        for index in range(4):
            x0 = -0.48 + 0.28 * index
            scallops += [(x0 + 0.07, -0.9), (x0 + 0.14, -0.92), (x0 + 0.21, -0.9), (x0 + 0.28, -0.86)]
        pen.shape([*dome, *scallops], tint, shade=0.35)
        for end in (-0.2, 0.08, 0.36):
            pen.line([(0.08, -1.24), (end, -0.87)], 0.01, scaled(tint, 0.72))
        pen.line([(0.08, -1.24), (0.08, -1.31)], 0.02, (60, 56, 54))


@kind(
    "book",
    ("{c} book", "{c} books"),
    ("book with a {c} cover", "books with {c} covers"),
    ("{c} novel", "{c} novels"),
    phrases=("a book on a table", "literature", "a library book", "books", "reading", "a book to read"),
    colours=ALL_COLOURS,
    counts=(1, 1, 1, 3),
)
def _book(canvas: Canvas, scene: Scene) -> None:
    rng = canvas.rng
    level = setting.indoors(canvas, scene)
    if scene.count == 1:
        pen = canvas.pen(rng.uniform(0.4, 0.6), rng.uniform(0.86, 0.93), canvas.unit * rng.uniform(0.56, 0.7))
        pen = pen.moved(0, 0, tilt=rng.uniform(-0.08, 0.08))
        tint = canvas.vary(scene.rgb, 8)
        pen.shadow(0.5)
        pen.shape([(0.32, -0.96), (0.42, -0.92), (0.42, 0.02), (0.32, 0)], (240, 234, 218), shade=0.3)
        for index in range(4):
            pen.line([(0.34 + 0.02 * index, -0.93), (0.34 + 0.02 * index, 0.0)], 0.004, (196, 188, 168))
        pen.shape([(-0.38, -0.96), (0.33, -0.96), (0.33, 0), (-0.38, 0)], tint, shade=0.3)
        pen.box(-0.38, -0.96, -0.29, 0, scaled(tint, 0.72))
        ink = (250, 240, 214) if sum(scene.rgb) < 420 else (70, 56, 50)
        for y, half in ((-0.78, 0.22), (-0.7, 0.15), (-0.14, 0.12)):
            pen.line([(0.02 - half, y), (0.02 + half, y)], 0.03, ink)
        pen.ring(0.02, -0.42, 0.13, 0.02, ink)
        return
    y = level + (1 - level) * rng.uniform(0.5, 0.7)
    pen = canvas.pen(rng.uniform(0.42, 0.58), y, canvas.unit * rng.uniform(0.55, 0.7))
    pen.shadow(0.6)
    for index in range(scene.count):
        low, slip = -0.17 * index, rng.uniform(-0.07, 0.07)
        tint = canvas.vary(scene.rgb, 10)
        pen.box(-0.5 + slip, low - 0.16, 0.5 + slip, low, tint, shade=0.3)
        pen.box(-0.44 + slip, low - 0.13, 0.52 + slip, low - 0.03, (240, 234, 218))
        pen.box(-0.5 + slip, low - 0.16, -0.3 + slip, low, scaled(tint, 0.85))


@kind(
    "guitar",
    ("{c} guitar", "{c} guitars"),
    ("{c} acoustic guitar", "{c} acoustic guitars"),
    phrases=("a musical instrument", "a string instrument", "playing the guitar", "music", "guitar music"),
    colours=ALL_COLOURS,
)
def _guitar(canvas: Canvas, scene: Scene) -> None:
    rng = canvas.rng
    setting.indoors(canvas, scene, table=False)
    tint = canvas.vary(scene.rgb, 8)
    pen = canvas.pen(rng.uniform(0.42, 0.58), rng.uniform(0.92, 0.97), canvas.height * rng.uniform(0.66, 0.84))
    pen = pen.moved(0, 0, tilt=rng.uniform(-0.45, 0.45))
    pen.shadow(0.3)
    half = [
        (0, 0.02),
        (0.16, 0.0),
        (0.24, -0.12),
        (0.22, -0.24),
        (0.14, -0.32),
        (0.17, -0.42),
        (0.12, -0.52),
        (0, -0.53),
    ]
    outline = [*half, *[(-x, y) for x, y in reversed(half[1:-1])]]
    pen.moved(0.012, 0.008).blob(outline, scaled(tint, 0.5))
    pen.blob(outline, tint, shade=0.35)
    pen.ball(0, -0.35, 0.075, 0.075, (36, 26, 22))
    pen.ring(0, -0.35, 0.085, 0.012, mix(tint, (250, 230, 180), 0.6))
    pen.box(-0.03, -1.0, 0.03, -0.42, (76, 48, 34))
    for fret in range(8):
        pen.line([(-0.03, -0.95 + 0.06 * fret), (0.03, -0.95 + 0.06 * fret)], 0.005, (206, 200, 180))
    pen.shape([(-0.045, -1.0), (-0.055, -1.14), (0.055, -1.14), (0.045, -1.0)], (92, 58, 40))
    for side in (-1, 1):
        for peg in range(3):
            pen.ball(side * 0.065, -1.03 - 0.04 * peg, 0.014, 0.012, (214, 208, 196))
    pen.box(-0.08, -0.15, 0.08, -0.12, (66, 42, 30))
    for string in range(6):
        x = -0.02 + 0.008 * string
        pen.line([(x, -1.08), (x * 1.4, -0.13)], 0.002, (226, 220, 204))


@kind(
    "clock",
    ("clock", "clocks"),
    ("wall clock", "wall clocks"),
    ("round clock", "round clocks"),
    phrases=("a clock on the wall", "a watch", "an alarm clock", "time on a clock", "the time"),
)
def _clock(canvas: Canvas, scene: Scene) -> None:
    rng = canvas.rng
    setting.indoors(canvas, scene)
    frame = canvas.vary(rng.choice(((60, 60, 64), (130, 84, 50), (180, 60, 54), (214, 178, 90), (60, 90, 120))), 10)
    pen = canvas.pen(rng.uniform(0.36, 0.64), rng.uniform(0.38, 0.5), canvas.unit * rng.uniform(0.24, 0.36))
    canvas.glow(pen.at((0.08, 0.12)), pen.scale * 1.35, (20, 18, 18), strength=0.9)
    pen.ball(0, 0, 1.0, 1.0, frame)
    pen.oval(0, 0, 0.86, 0.86, (248, 246, 238))
    for mark in range(12):
        a = math.tau * mark / 12
        inner = 0.66 if mark % 3 == 0 else 0.73
        ends = [(inner * math.sin(a), -inner * math.cos(a)), (0.79 * math.sin(a), -0.79 * math.cos(a))]
        pen.line(ends, 0.06 if mark % 3 == 0 else 0.03, (44, 44, 48))
    hour = rng.random() * 12
    for turn, length, width in ((hour / 12, 0.42, 0.075), (hour % 1, 0.64, 0.05)):
        a = math.tau * turn
        pen.line(
            [(-0.1 * math.sin(a), 0.1 * math.cos(a)), (length * math.sin(a), -length * math.cos(a))],
            width,
            (34, 34, 38),
        )
    pen.ball(0, 0, 0.06, 0.06, (180, 44, 40))


@kind(
    "camp fire",
    ("camp fire", "camp fires"),
    ("campfire", "campfires"),
    ("bonfire", "bonfires"),
    ("fire", "fires"),
    phrases=(
        "a fire at night",
        "a warm fire",
        "burning",
        "burning wood",
        "flames in the dark",
        "a campfire in the woods",
    ),
    times=("night",),
)
def _fire(canvas: Canvas, scene: Scene) -> None:
    rng = canvas.rng
    level = setting.outdoors(
        canvas, Scene(scene.kind, place=rng.choice(("forest", "field")), time="night"), level=rng.uniform(0.5, 0.6)
    )
    canvas.light = (1.0, 1.0, 1.0)
    pen = canvas.pen(rng.uniform(0.35, 0.65), level + rng.uniform(0.22, 0.3), canvas.unit * rng.uniform(0.38, 0.56))
    pen.glow(0, -0.2, 1.6, (230, 110, 40), strength=0.55)
    pen.glow(0, -0.1, 0.9, (255, 160, 70), strength=0.6)
    for x0, y0, x1, y1 in ((-0.4, 0.02, 0.3, -0.12), (-0.3, -0.12, 0.42, 0.03), (-0.36, -0.04, 0.36, -0.05)):
        pen.line([(x0, y0), (x1, y1)], 0.1, canvas.vary((84, 52, 36), 10))
        pen.ball(x1, y1, 0.05, 0.05, (160, 112, 74))
    for size, tint in ((1.0, (232, 84, 26)), (0.76, (248, 140, 34)), (0.52, (254, 204, 70)), (0.28, (255, 246, 190))):
        for dx in (-0.16, 0.15, 0.0):
            high = (0.75 if dx == 0 else 0.5) * size * rng.uniform(0.85, 1.1)
            lean = rng.uniform(-0.06, 0.06)
            wide = 0.2 * size
            pen.blob(
                [
                    (dx - wide, -0.04),
                    (dx - wide * 0.9, -high * 0.4),
                    (dx + lean, -high * 1.15),
                    (dx + wide * 0.9, -high * 0.45),
                    (dx + wide, -0.04),
                ],
                tint,
                shade=0.1,
            )
    for _ in range(18):
        pen.ball(rng.gauss(0, 0.22), -rng.uniform(0.5, 1.4), 0.012, 0.012, (255, 190, 90))
