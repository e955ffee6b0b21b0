"""Ways to travel: on the road, on rails, on water and in the air."""

from __future__ import annotations

import math

from drawing import paint, setting
from drawing.canvas import RGB, Canvas, Pen, mix, scaled
from drawing.scene import ALL_COLOURS, TIMES, WEATHERS, Scene, kind

TYRE: RGB = (26, 26, 28)
GLASS: RGB = (150, 190, 214)


def _wheel(pen: Pen, x: float, radius: float) -> None:
    pen.ball(x, -radius, radius, radius, TYRE)
    pen.ball(x, -radius, radius * 0.55, radius * 0.55, (176, 178, 184))
    pen.ball(x, -radius, radius * 0.18, radius * 0.18, (80, 80, 84))


@kind(
    "car",
    ("{c} car", "{c} cars"),
    ("{c} automobile", "{c} automobiles"),
    ("{c} auto", "{c} autos"),
    ("{c} sedan", "{c} sedans"),
    ("parked {c} car", "parked {c} cars"),
    colours=ALL_COLOURS,
    counts=(1, 1, 1, 2, 3),
    places=("road", "road", "city", "beach", "mountains", "forest"),
    times=TIMES,
    weathers=WEATHERS,
)
def _car(canvas: Canvas, scene: Scene) -> None:
    level = setting.outdoors(canvas, scene)
    tall = canvas.rng.choice((0.42, 0.46, 0.52))
    for pen in setting.stand(canvas, scene, level, wide=1.3, tall=0.6, fill=0.72):
        paint_rgb = canvas.vary(scene.rgb, 8)
        pen.shadow(0.62, strength=0.95)
        body = [
            (-0.58, -0.1),
            (-0.6, -0.24),
            (-0.55, -0.3),
            (-0.34, -0.32),
            (-0.2, -tall),
            (0.16, -tall),
            (0.34, -0.31),
        ]
        pen.blob([*body, (0.56, -0.27), (0.6, -0.2), (0.59, -0.1)], paint_rgb, shade=0.35)
        pen.blob([(-0.28, -0.31), (-0.17, -tall + 0.035), (-0.03, -tall + 0.03), (-0.03, -0.31)], GLASS, shade=0.3)
        pen.blob([(0.01, -0.31), (0.01, -tall + 0.03), (0.14, -tall + 0.035), (0.27, -0.31)], GLASS, shade=0.3)
        pen.line([(-0.01, -0.3), (-0.01, -0.12)], 0.008, scaled(paint_rgb, 0.7))
        pen.line([(-0.5, -0.29), (0.52, -0.27)], 0.012, mix(paint_rgb, (255, 255, 255), 0.4))
        pen.box(-0.57, -0.13, 0.58, -0.085, scaled(paint_rgb, 0.6))
        pen.ball(0.56, -0.22, 0.03, 0.03, (252, 244, 206))
        pen.ball(-0.575, -0.22, 0.025, 0.03, (210, 40, 40))
        for x in (-0.36, 0.37):
            _wheel(pen, x, 0.125)
        if scene.time == "night":
            pen.glow(0.66, -0.2, 0.3, (255, 240, 190), strength=1.1)


@kind(
    "bus",
    ("{c} bus", "{c} buses"),
    ("{c} coach", "{c} coaches"),
    colours=ALL_COLOURS,
    places=("road", "city", "city"),
    times=TIMES,
    weathers=WEATHERS,
    counts=(1, 1, 1, 2),
)
def _bus(canvas: Canvas, scene: Scene) -> None:
    level = setting.outdoors(canvas, scene)
    for pen in setting.stand(canvas, scene, level, wide=1.4, tall=0.75, fill=0.8):
        tint = canvas.vary(scene.rgb, 8)
        pen.shadow(0.68, strength=0.95)
        pen.blob([(-0.65, -0.08), (-0.65, -0.66), (0.65, -0.66), (0.65, -0.08)], tint, shade=0.15)
        pen.box(-0.62, -0.62, 0.62, -0.1, tint, shade=0.3)
        for index in range(6):
            x = -0.58 + index * 0.185
            pen.box(x, -0.56, x + 0.155, -0.34, GLASS, shade=0.3)
        pen.box(0.53, -0.56, 0.63, -0.3, GLASS)
        pen.box(0.36, -0.55, 0.5, -0.1, scaled(GLASS, 0.85))
        pen.line([(-0.63, -0.27), (0.34, -0.27)], 0.025, mix(tint, (255, 255, 255), 0.5))
        pen.ball(0.63, -0.16, 0.025, 0.025, (252, 244, 206))
        for x in (-0.4, 0.28):
            _wheel(pen, x, 0.11)


@kind(
    "train",
    ("{c} train", "{c} trains"),
    ("{c} locomotive", "{c} locomotives"),
    phrases=("a railway", "a tram", "a subway", "a train journey", "a train on the tracks", "a train on rails"),
    colours=("red", "orange", "yellow", "green", "blue", "white", "black"),
    places=("field", "forest", "mountains"),
    times=TIMES,
    weathers=WEATHERS,
)
def _train(canvas: Canvas, scene: Scene) -> None:
    rng = canvas.rng
    level = setting.outdoors(canvas, scene)
    y = rng.uniform(max(level + 0.14, 0.66), 0.84)
    pen = canvas.pen(rng.uniform(0.62, 0.9), y, canvas.unit * rng.uniform(0.4, 0.55))
    pen.box(-4, 0.0, 3, 0.14, (122, 112, 104))
    for index in range(60):
        pen.box(-3 + index * 0.11, 0.02, -2.94 + index * 0.11, 0.12, (86, 66, 52), shade=0)
    for rail in (0.03, 0.09):
        pen.line([(-4, rail), (3, rail)], 0.018, (178, 178, 182))
    tint = canvas.vary(scene.rgb, 8)
    for car in range(3):
        left = -0.95 - car * 1.02
        pen.box(left, -0.46, left + 0.97, -0.06, tint, shade=0.3)
        pen.box(left, -0.5, left + 0.97, -0.44, (150, 152, 158))
        for index in range(5):
            pen.box(left + 0.07 + index * 0.18, -0.39, left + 0.2 + index * 0.18, -0.23, GLASS)
        for x in (0.15, 0.3, 0.68, 0.83):
            pen.ball(left + x, -0.03, 0.06, 0.06, TYRE)
    nose = [(0.02, -0.06), (0.02, -0.48), (0.16, -0.44), (0.34, -0.2), (0.34, -0.06)]
    pen.blob([(-0.15, -0.06), (-0.15, -0.5), *nose[1:]], tint, shade=0.3)
    pen.shape([(0.1, -0.42), (0.17, -0.4), (0.28, -0.26), (0.1, -0.26)], scaled(GLASS, 0.7))
    pen.box(-3, -0.16, 0.3, -0.12, mix(tint, (255, 255, 255), 0.6))
    pen.ball(0.31, -0.14, 0.025, 0.025, (255, 246, 200), gloss=1.0)


@kind(
    "aeroplane",
    ("aeroplane", "aeroplanes"),
    ("airplane", "airplanes"),
    ("plane", "planes"),
    ("aircraft", "aircraft"),
    ("jet", "jets"),
    phrases=("a plane in the sky", "a flight", "flying", "an airport", "an airliner flying", "an aeroplane in flight"),
    times=("day", "day", "dusk"),
    weathers=("clear", "clear", "cloudy"),
    counts=(1, 1, 1, 2),
)
def _plane(canvas: Canvas, scene: Scene) -> None:
    rng = canvas.rng
    paint.sky(canvas, scene.mood, sun=False)
    for index in range(scene.count):
        x = 0.5 if scene.count == 1 else 0.28 + 0.44 * index
        scale = canvas.unit * rng.uniform(0.55, 0.85) / scene.count**0.6
        tilt = rng.uniform(-0.35, 0.1)
        pen = canvas.pen(x + rng.uniform(-0.08, 0.08), rng.uniform(0.35, 0.65), scale, flip=rng.random() < 0.5)
        pen = pen.moved(0, 0, tilt=tilt if not pen.flip else -tilt)
        belly = rng.choice(((40, 80, 160), (190, 40, 50), (60, 130, 110), (236, 160, 40)))
        pen.shape([(0.02, -0.04), (-0.16, -0.26), (-0.08, -0.26), (0.18, -0.04)], (198, 204, 212))
        pen.blob([(-0.52, -0.07), (-0.6, -0.3), (-0.5, -0.3), (-0.36, -0.07)], belly)
        pen.blob(
            [(-0.56, -0.06), (0.4, -0.09), (0.52, -0.05), (0.58, 0.0), (0.46, 0.06), (-0.2, 0.07)],
            (246, 247, 250),
            shade=0.4,
        )
        for window in range(11):
            pen.ball(-0.32 + window * 0.065, -0.02, 0.012, 0.014, (70, 96, 130))
        pen.shape([(0.42, -0.06), (0.5, -0.04), (0.52, -0.015), (0.43, -0.02)], (60, 80, 110))
        pen.shape([(0.14, 0.03), (-0.22, 0.36), (-0.12, 0.37), (0.28, 0.04)], (214, 219, 226), shade=0.3)
        pen.blob([(0.02, 0.12), (0.02, 0.2), (0.14, 0.2), (0.14, 0.12)], scaled(belly, 0.9))
        pen.shape([(-0.46, -0.02), (-0.64, 0.1), (-0.56, 0.11), (-0.34, -0.01)], (206, 212, 220))


@kind(
    "bicycle",
    ("{c} bicycle", "{c} bicycles"),
    ("{c} bike", "{c} bikes"),
    ("{c} cycle", "{c} cycles"),
    colours=ALL_COLOURS,
    places=("road", "field", "city", "beach", "forest"),
    times=("day", "day", "dusk"),
    weathers=("clear", "clear", "cloudy", "rain", "snow"),
    counts=(1, 1, 1, 2),
)
def _bicycle(canvas: Canvas, scene: Scene) -> None:
    level = setting.outdoors(canvas, scene)
    for pen in setting.stand(canvas, scene, level, wide=1.2, tall=0.8, fill=0.8):
        tint = canvas.vary(scene.rgb, 8)
        pen.shadow(0.6)
        for x in (-0.36, 0.36):
            for spoke in range(6):
                a = spoke * math.pi / 6
                dx, dy = 0.23 * math.cos(a), 0.23 * math.sin(a)
                pen.line([(x - dx, -0.25 - dy), (x + dx, -0.25 + dy)], 0.005, (170, 172, 176))
            pen.ring(x, -0.25, 0.25, 0.03, TYRE)
        rear, front, crank, seat, head = (-0.36, -0.25), (0.36, -0.25), (-0.04, -0.24), (-0.16, -0.6), (0.26, -0.58)
        for path in ([rear, crank, head, seat, crank], [rear, seat], [head, front]):
            pen.line(path, 0.05, tint)
        pen.line([seat, (-0.18, -0.68)], 0.03, (60, 60, 64))
        pen.blob([(-0.28, -0.7), (-0.26, -0.74), (-0.08, -0.72), (-0.1, -0.68)], (40, 34, 32))
        pen.line([head, (0.24, -0.68), (0.34, -0.72)], 0.03, (60, 60, 64))
        pen.ring(-0.04, -0.24, 0.06, 0.02, (70, 70, 74))
        pen.line([(-0.1, -0.2), (0.02, -0.28)], 0.02, (50, 50, 54))


@kind(
    "sailing boat",
    ("sailing boat with a {c} sail", "sailing boats with {c} sails"),
    ("sailboat with a {c} sail", "sailboats with {c} sails"),
    ("{c} sailboat", "{c} sailboats"),
    ("boat with a {c} sail", "boats with {c} sails"),
    phrases=(
        "a boat",
        "a ship",
        "sailing",
        "a yacht",
        "boat",
        "a sailing boat",
        "a yacht on the water",
        "boats on the sea",
        "a sailing ship",
    ),
    colours=ALL_COLOURS,
    counts=(1, 1, 1, 2, 3),
    times=TIMES,
    weathers=("clear", "clear", "clear", "cloudy"),
)
def _sailing(canvas: Canvas, scene: Scene) -> None:
    rng = canvas.rng
    level = rng.uniform(0.46, 0.64)
    haze = paint.sky(canvas, scene.mood, bottom=level)[-1]
    if rng.random() < 0.5:
        paint.hills(canvas, level, (86, 116, 118), haze, layers=2, height=0.04)
    paint.water(canvas, level, 1, canvas.vary((44, 116, 164), 14), mirror=0.45)
    for pen in setting.stand(canvas, scene, level, wide=1.05, tall=1.15, fill=0.68):
        pen = pen.moved(0, 0, tilt=rng.uniform(-0.06, 0.06))
        cloth = canvas.vary(scene.rgb, 8)
        pen.glow(0, 0.12, 0.5, scaled(canvas.lit(cloth), 0.6), strength=0.45)
        hull = rng.choice(((244, 244, 240), (120, 78, 50), (48, 66, 100)))
        pen.line([(-0.04, -0.1), (-0.04, -1.1)], 0.025, (110, 84, 62))
        pen.shape([(-0.01, -1.06), (0.16, -0.62), (0.4, -0.2), (-0.01, -0.2)], cloth, shade=0.3)
        pen.shape([(-0.07, -0.98), (-0.24, -0.6), (-0.4, -0.22), (-0.07, -0.22)], scaled(cloth, 0.88), shade=0.25)
        pen.blob([(-0.5, -0.14), (0.54, -0.17), (0.4, 0.05), (-0.36, 0.05)], hull, shade=0.35)
        pen.line([(-0.4, 0.05), (0.42, 0.05)], 0.02, (230, 240, 246))


@kind(
    "hot-air balloon",
    ("{c} hot-air balloon", "{c} hot-air balloons"),
    ("{c} hot air balloon", "{c} hot air balloons"),
    phrases=("hot air balloons in the sky", "a hot air balloon over the hills", "ballooning"),
    colours=ALL_COLOURS,
    counts=(1, 1, 2, 3),
    times=("day", "day", "dusk"),
    weathers=("clear", "clear", "cloudy"),
)
def _hot_air(canvas: Canvas, scene: Scene) -> None:
    rng = canvas.rng
    level = rng.uniform(0.78, 0.92)
    haze = paint.sky(canvas, scene.mood, bottom=level)[-1]
    paint.hills(canvas, level, (92, 138, 82), haze, layers=3, height=0.07)
    paint.ground(canvas, level, (124, 160, 84), (90, 134, 60))
    for index in range(scene.count):
        x = 0.5 if scene.count == 1 else (index + 0.5) / scene.count
        scale = canvas.unit * rng.uniform(0.5, 0.72) / scene.count**0.55
        low = max(0.45, scale * 1.02 / canvas.height + 0.02)
        pen = canvas.pen(x + rng.uniform(-0.1, 0.1) / scene.count, rng.uniform(low, max(low, 0.8)), scale)
        tint = canvas.vary(scene.rgb, 8)
        pen.shape([(-0.16, -0.42), (-0.06, -0.16), (0.06, -0.16), (0.16, -0.42)], scaled(tint, 0.75))
        pen.ball(0, -0.62, 0.36, 0.36, tint, gloss=0.35)
        for half in (0.12, 0.25):
            for side in (-1, 1):
                arc = [
                    (side * half * math.cos(a), -0.62 - 0.355 * math.sin(a))
                    for a in (math.pi * (i / 12 - 0.5) for i in range(13))
                ]
                pen.line(arc, 0.009, scaled(tint, 0.72))
        for side in (-1, 1):
            pen.line([(side * 0.1, -0.3), (side * 0.05, -0.1)], 0.008, (70, 56, 44))
        pen.box(-0.065, -0.11, 0.065, 0, (140, 98, 58))


@kind(
    "tent",
    ("{c} tent", "{c} tents"),
    ("{c} camping tent", "{c} camping tents"),
    phrases=("camping", "hiking trip with a tent", "a campsite", "a camp in nature"),
    colours=ALL_COLOURS,
    counts=(1, 1, 1, 2, 3),
    places=("field", "forest", "mountains"),
    times=TIMES,
    weathers=("clear", "clear", "cloudy", "rain", "snow"),
)
def _tent(canvas: Canvas, scene: Scene) -> None:
    level = setting.outdoors(canvas, scene)
    for pen in setting.stand(canvas, scene, level, wide=1.3, tall=0.75, fill=0.62):
        tint = canvas.vary(scene.rgb, 8)
        pen.shadow(0.65)
        pen.shape([(-0.05, -0.66), (0.34, -0.6), (0.66, -0.05), (0.25, 0)], scaled(tint, 0.74), shade=0.2)
        pen.shape([(-0.55, 0), (-0.05, -0.68), (0.28, 0)], tint, shade=0.28)
        inside = (250, 206, 120) if scene.time == "night" else (56, 44, 42)
        pen.shape([(-0.24, 0), (-0.06, -0.46), (0.08, 0)], inside, shade=0.3)
        pen.shape([(0.08, 0), (-0.06, -0.46), (0.17, -0.04)], scaled(tint, 1.12))
        for x in (-0.72, 0.84):
            pen.line([(x, 0.02), (-0.05 if x < 0 else 0.34, -0.62)], 0.008, (220, 214, 200))
