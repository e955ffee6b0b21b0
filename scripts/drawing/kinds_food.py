"""Food and drink on a table."""

from __future__ import annotations

import math

from drawing import setting
from drawing.canvas import RGB, Canvas, Pen, mix, scaled
from drawing.scene import ALL_COLOURS, COLOURS, Scene, kind


def apple(pen: Pen, colour: RGB) -> None:
    """Draw an apple, one unit wide, standing at (0, 0)."""
    pen.shadow(0.5)
    body = [(0, -0.78), (-0.24, -0.88), (-0.48, -0.7), (-0.5, -0.4), (-0.34, -0.08), (-0.12, 0), (0, -0.03)]
    outline = [*body, (0.12, 0), (0.34, -0.08), (0.5, -0.4), (0.48, -0.7), (0.24, -0.88)]
    pen.blob(outline, colour, shade=0.5)
    pen.glow(-0.2, -0.62, 0.24, (255, 255, 255), strength=0.75)
    pen.line([(0, -0.76), (0.03, -0.9), (0.08, -1.0)], 0.05, (92, 62, 38))
    pen.blob([(0.05, -0.9), (0.18, -1.05), (0.38, -1.02), (0.22, -0.88)], (84, 150, 62))


@kind(
    "apple",
    ("{c} apple", "{c} apples"),
    phrases=("an apple on a table", "a healthy snack", "fruit on a table", "fresh apples"),
    colours=("red", "green", "yellow", "red", "green"),
    counts=(1, 1, 2, 3, 5),
)
def _apple(canvas: Canvas, scene: Scene) -> None:
    level = setting.indoors(canvas, scene)
    for pen in setting.stand(canvas, scene, level, wide=1.1, tall=1.05, fill=0.55, flip=False):
        apple(pen, canvas.vary(scene.rgb, 12))


@kind(
    "fruit bowl",
    ("bowl of fruit", "bowls of fruit"),
    ("fruit bowl", "fruit bowls"),
    phrases=(
        "fruit",
        "breakfast fruit",
        "oranges",
        "bananas",
        "healthy food",
        "fruits in a bowl",
        "a bowl with apples, bananas and oranges",
        "fresh fruit",
        "bananas and oranges",
    ),
)
def _fruit(canvas: Canvas, scene: Scene) -> None:
    rng = canvas.rng
    level = setting.indoors(canvas, scene)
    (pen,) = setting.stand(canvas, scene, level, wide=1.3, tall=1.0, fill=0.68)
    pen.shadow(0.55)
    for x, y in (
        (-0.34, -0.52),
        (0.34, -0.52),
        (-0.1, -0.66),
        (0.16, -0.64),
        (0.0, -0.48),
        (-0.2, -0.46),
        (0.24, -0.44),
    ):
        tint = rng.choice(((206, 40, 40), (242, 142, 32), (242, 142, 32), (120, 180, 60), (130, 60, 130)))
        pen.ball(x, y, 0.19, 0.18, canvas.vary(tint, 12), gloss=0.5)
    for index in range(3):
        start = 0.06 * index
        curve = [
            (-0.45 + start, -0.62),
            (-0.3 + start, -0.86),
            (0.05 + start, -0.94 + 0.03 * index),
            (0.34 + start, -0.8),
        ]
        pen.blob([*curve, (0.05 + start, -0.8), (-0.24 + start, -0.7)], (246, 212, 66), shade=0.25)
    dish = canvas.vary(rng.choice(((236, 236, 232), (96, 130, 170), (150, 104, 68))), 10)
    pen.blob(
        [(-0.64, -0.46), (-0.4, -0.08), (-0.2, 0), (0.2, 0), (0.4, -0.08), (0.64, -0.46), (0, -0.4)], dish, shade=0.45
    )
    pen.line([(-0.58, -0.43), (0, -0.39), (0.58, -0.43)], 0.025, mix(dish, (255, 255, 255), 0.5))


@kind(
    "cake",
    ("cake with candles", "cakes with candles"),
    ("birthday cake", "birthday cakes"),
    ("cake", "cakes"),
    phrases=(
        "a birthday party cake",
        "a party",
        "sweets",
        "a chocolate cake",
        "celebrating a birthday",
        "birthday",
        "candles on a cake",
        "a dessert",
    ),
)
def _cake(canvas: Canvas, scene: Scene) -> None:
    rng = canvas.rng
    level = setting.indoors(canvas, scene)
    (pen,) = setting.stand(canvas, scene, level, wide=1.3, tall=1.0, fill=0.7)
    icing = canvas.vary(rng.choice(((250, 240, 232), (246, 190, 206), (112, 66, 44), (252, 226, 170))), 8)
    base = canvas.vary(rng.choice(((220, 160, 96), (126, 76, 48), (240, 210, 160))), 10)
    pen.shadow(0.68)
    pen.ball(0, -0.02, 0.68, 0.1, (238, 238, 240))
    for low, high, half in ((-0.03, -0.34, 0.52), (-0.34, -0.56, 0.36)):
        side = [
            (half * math.cos(a), low + 0.09 * half * 2 * math.sin(a)) for a in (math.pi * i / 12 for i in range(13))
        ]
        pen.shape([*side, (-half, high), (half, high)], base, shade=0.35)
        drip = [
            (
                half * math.cos(math.pi * i / 24),
                high + 0.11 * half * 2 * math.sin(math.pi * i / 24) + (0.07 if i % 3 else 0.0),
            )
            for i in range(25)
        ]
        pen.shape([*drip, (-half, high)], icing, shade=0.2)
        pen.oval(0, high, half, half * 0.19, scaled(icing, 1.05))
        for index in range(9):
            a = math.pi * (index + 0.5) / 9
            pen.ball(
                half * 0.93 * math.cos(a),
                low + 0.16 * half * math.sin(a) - 0.04,
                0.035,
                0.035,
                rng.choice(((206, 40, 56), (255, 250, 245))),
            )
    candles = rng.randint(3, 7)
    for index in range(candles):
        x = (index / (candles - 1) - 0.5) * 0.52
        tint = rng.choice(((226, 60, 70), (80, 130, 220), (250, 200, 70), (110, 190, 110)))
        y = -0.56 + 0.04 * math.cos(index * 2.4)
        pen.box(x - 0.016, y - 0.18, x + 0.016, y, tint)
        pen.glow(x, y - 0.24, 0.13, (255, 214, 120), strength=0.9)
        pen.blob(
            [(x - 0.022, y - 0.21), (x, y - 0.3), (x + 0.022, y - 0.21), (x, y - 0.18)], (255, 226, 110), shade=0.1
        )


@kind(
    "pizza",
    ("pizza", "pizzas"),
    ("pepperoni pizza", "pepperoni pizzas"),
    phrases=(
        "pizza",
        "dinner",
        "lunch",
        "fast food",
        "a restaurant meal",
        "a pizza with cheese and tomato",
        "italian food",
        "a pizza on a plate",
    ),
)
def _pizza(canvas: Canvas, scene: Scene) -> None:
    del scene
    rng = canvas.rng
    wood = canvas.vary(rng.choice(setting.WOODS), 12)
    canvas.light = (1.0, 1.0, 1.0)
    canvas.gradient(0, 1, [scaled(wood, 0.9), scaled(wood, 1.08)])
    field = canvas.noise((3, 24), (canvas.height // 2, canvas.width // 2), octaves=2)
    canvas.veil(scaled(wood, 0.6), (field - 0.5) * 0.8, (0, 0, canvas.width, canvas.height))
    pen = canvas.pen(rng.uniform(0.42, 0.58), rng.uniform(0.44, 0.56), canvas.unit * rng.uniform(0.34, 0.46))
    squash = rng.uniform(0.72, 1.0)
    canvas.glow(pen.at((0.06, 0.1)), pen.scale * 1.4, (10, 8, 6), strength=1.0, squash=squash)
    pen.oval(0, 0, 1.04, 1.04 * squash, (232, 232, 228))
    pen.oval(0, 0, 0.96, 0.96 * squash, (204, 146, 78))
    pen.oval(0, 0, 0.84, 0.84 * squash, (190, 60, 34))
    pen.oval(0, 0, 0.81, 0.81 * squash, (246, 204, 104))
    for _ in range(34):
        a, r = rng.random() * math.tau, math.sqrt(rng.random()) * 0.72
        tint = rng.choice(((252, 226, 150), (236, 176, 80), (214, 92, 48)))
        pen.oval(r * math.cos(a), r * math.sin(a) * squash, 0.08, 0.06, tint, turn=a)
    for index in range(rng.randint(8, 13)):
        a, r = index * 2.4, math.sqrt((index + 0.5) / 13) * 0.72
        pen.ball(r * math.cos(a), r * math.sin(a) * squash, 0.12, 0.12 * squash, canvas.vary((182, 44, 36), 12))
    for _ in range(rng.randint(3, 9)):
        a, r = rng.random() * math.tau, rng.random() * 0.65
        pen.oval(r * math.cos(a), r * math.sin(a) * squash, 0.1, 0.045, (60, 130, 56), turn=a * 3)
    for index in range(4):
        a = index * math.pi / 4 + 0.3
        dx, dy = 0.95 * math.cos(a), 0.95 * squash * math.sin(a)
        pen.line([(-dx, -dy), (dx, dy)], 0.012, (160, 96, 48))


@kind(
    "cup",
    ("{c} cup of coffee", "{c} cups of coffee"),
    ("{c} coffee cup", "{c} coffee cups"),
    ("{c} mug", "{c} mugs"),
    ("{c} cup", "{c} cups"),
    ("{c} cup of tea", "{c} cups of tea"),
    phrases=(
        "coffee",
        "breakfast",
        "espresso",
        "cappuccino",
        "tea",
        "a hot chocolate",
        "a cafe",
        "hot coffee",
        "a hot drink",
        "coffee on a table",
    ),
    colours=ALL_COLOURS,
    counts=(1, 1, 1, 2),
)
def _cup(canvas: Canvas, scene: Scene) -> None:
    level = setting.indoors(canvas, scene)
    for pen in setting.stand(canvas, scene, level, wide=1.35, tall=0.85, fill=0.6):
        tint = canvas.vary(scene.rgb, 8)
        pen.shadow(0.6)
        pen.oval(0, -0.02, 0.6, 0.11, (232, 230, 226))
        pen.oval(0, -0.035, 0.4, 0.065, (210, 208, 204))
        pen.ring(0.4, -0.36, 0.17, 0.065, scaled(tint, 0.85))
        pen.blob(
            [(-0.42, -0.66), (-0.4, -0.3), (-0.26, -0.04), (0.26, -0.04), (0.4, -0.3), (0.42, -0.66)], tint, shade=0.45
        )
        pen.oval(0, -0.63, 0.405, 0.1, scaled(mix(tint, (255, 255, 255), 0.25), 1.0))
        pen.oval(0, -0.62, 0.36, 0.075, (74, 42, 24))
        pen.oval(-0.08, -0.63, 0.16, 0.03, (150, 100, 62))
        for index in range(3):
            x = -0.16 + 0.16 * index
            for step in range(5):
                drift = 0.05 * math.sin(step * 1.3 + index)
                pen.glow(x + drift, -0.76 - step * 0.09, 0.09, (255, 255, 255), strength=0.4 - 0.05 * step)


@kind(
    "ice cream",
    ("ice cream", "ice creams"),
    ("ice cream cone", "ice cream cones"),
    ("gelato cone", "gelato cones"),
    phrases=("ice cream", "a cold dessert", "a summer snack", "an ice cream cone in summer", "scoops of ice cream"),
    counts=(1, 1, 2),
)
def _ice_cream(canvas: Canvas, scene: Scene) -> None:
    rng = canvas.rng
    setting.close_up(
        canvas,
        rng.choice(
            (((170, 210, 232), (236, 216, 180)), ((240, 214, 222), (206, 226, 220)), ((150, 200, 220), (90, 160, 190)))
        ),
    )
    for index in range(scene.count):
        x = 0.5 if scene.count == 1 else 0.28 + 0.44 * index
        pen = canvas.pen(
            x + rng.uniform(-0.05, 0.05),
            rng.uniform(0.9, 0.96),
            canvas.height * rng.uniform(0.68, 0.84) / scene.count**0.3,
        )
        pen.shape([(-0.19, -0.55), (0, 0), (0.19, -0.55)], (222, 164, 92), shade=0.4)
        for line in range(5):
            t = line / 5
            pen.line(
                [(-0.19 + 0.19 * t, -0.55 + 0.55 * t), (0.04 + 0.15 * (1 - t), -0.55 + 0.3 * (t - 0.1))],
                0.008,
                (176, 116, 58),
            )
            pen.line(
                [(0.19 - 0.19 * t, -0.55 + 0.55 * t), (-0.04 - 0.15 * (1 - t), -0.55 + 0.3 * (t - 0.1))],
                0.008,
                (176, 116, 58),
            )
        flavours = rng.sample([COLOURS["pink"], (250, 236, 196), (104, 64, 42), (166, 216, 170), (250, 214, 110)], k=3)
        for scoop in range(rng.randint(1, 3)):
            y, radius = -0.66 - 0.17 * scoop, 0.2 - 0.02 * scoop
            pen.ball(0, y, radius, radius * 0.92, canvas.vary(flavours[scoop], 8), gloss=0.25)
            for drop in range(5):
                pen.ball((drop - 2) * radius * 0.42, y + radius * 0.72, 0.055, 0.045, flavours[scoop])
