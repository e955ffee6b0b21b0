"""Setting: the place an object stands in, where on it the objects go, and what the weather lays over them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drawing import paint
from drawing.canvas import RGB, Canvas, Pen, mix, scaled

if TYPE_CHECKING:
    from drawing.scene import Scene

SNOW: tuple[RGB, RGB] = ((226, 233, 243), (246, 249, 253))
GRASS: tuple[RGB, RGB] = ((128, 164, 84), (82, 134, 52))
SAND: tuple[RGB, RGB] = ((236, 216, 172), (220, 192, 142))
WALLS: tuple[RGB, ...] = (
    (222, 210, 192),
    (196, 206, 208),
    (206, 190, 178),
    (178, 192, 178),
    (214, 206, 214),
    (170, 176, 190),
)
WOODS: tuple[RGB, ...] = ((150, 104, 66), (176, 134, 92), (112, 78, 54), (196, 166, 130))


def outdoors(canvas: Canvas, scene: Scene, *, level: float | None = None) -> float:
    """Paint the scene's place with its sky and return the fraction of the height where the ground begins."""
    rng = canvas.rng
    horizon = level if level is not None else rng.uniform(0.42, 0.58)
    colours = paint.sky(canvas, scene.mood, bottom=horizon + 0.06)
    haze = canvas.vary(colours[-1], 4)
    snowy = scene.weather == "snow"
    _DISTANCE.get(scene.place, _far_hills)(canvas, horizon, haze, snowy)
    floor = {"beach": SAND, "road": ((112, 112, 114), (88, 88, 92)), "city": ((142, 138, 134), (116, 112, 110))}
    far, near = SNOW if snowy else floor.get(scene.place, GRASS)
    paint.ground(canvas, horizon, mix(far, haze, 0.2), canvas.vary(near, 10))
    if scene.place == "road" and not snowy:
        _road_marks(canvas, horizon)
    if scene.mood == "night":
        canvas.light = (0.74, 0.76, 0.84)  # as if flash or lamps lit the foreground, so that its colour shows
    if scene.place in {"field", "forest", "mountains", ""} and not snowy:
        paint.tufts(canvas, horizon + 0.04, scaled((86, 136, 54), 0.7 if scene.mood == "night" else 1), 40)
    return horizon


def _far_hills(canvas: Canvas, level: float, haze: RGB, snowy: bool) -> None:
    near = (190, 204, 218) if snowy else (96, 138, 84)
    paint.hills(canvas, level, canvas.vary(near, 12), haze, layers=3, height=canvas.rng.uniform(0.04, 0.1))
    if canvas.rng.random() < 0.6:
        _far_trees(canvas, level, haze, snowy)


def _far_trees(canvas: Canvas, level: float, haze: RGB, snowy: bool) -> None:
    rng = canvas.rng
    for _ in range(rng.randint(5, 10)):
        pen = canvas.pen(rng.random(), level + rng.uniform(0.005, 0.03), canvas.unit * rng.uniform(0.08, 0.2))
        if snowy or rng.random() < 0.4:
            paint.conifer(pen, mix((42, 88, 62), haze, 0.25), snow=snowy)
        else:
            paint.broadleaf(pen, mix((66, 122, 56), haze, 0.25), dabs=14)


def _woods(canvas: Canvas, level: float, haze: RGB, snowy: bool) -> None:
    rng = canvas.rng
    for row in range(3):
        share = row / 2
        for index in range(9):
            x = (index + rng.uniform(-0.3, 0.3)) / 8
            size = canvas.unit * rng.uniform(0.3, 0.42) * (0.8 + 0.4 * share)
            colour = mix(haze, canvas.vary((44, 98, 58), 14), 0.45 + 0.5 * share)
            paint.conifer(canvas.pen(x, level + 0.01 + 0.02 * row, size), colour, snow=snowy)


def _peaks(canvas: Canvas, level: float, haze: RGB, snowy: bool) -> None:
    for share in (0.45, 0.75):
        line = paint.ridge(canvas, level - 0.12 * (1.4 - share), 0.14, rough=0.52)
        paint.land(canvas, line, level + 0.02, mix(haze, (104, 114, 136), share))
    _far_hills(canvas, level, haze, snowy)


def _sea(canvas: Canvas, level: float, haze: RGB, snowy: bool) -> None:
    del haze, snowy
    paint.water(canvas, level - 0.1, level + 0.01, canvas.vary((40, 124, 168), 14), mirror=0.35)


def _street(canvas: Canvas, level: float, haze: RGB, snowy: bool) -> None:
    del snowy
    skyline(canvas, level + 0.01, haze, rows=2)


def skyline(canvas: Canvas, level: float, haze: RGB, *, rows: int = 2, tall: float = 0.34) -> None:
    """Line up buildings with windows, lit at night, their feet at `level`."""
    rng, night = canvas.rng, canvas.light[0] < 0.65
    for row in range(rows):
        share = (row + 1) / rows
        x = -rng.random() * 0.08
        while x < 1:
            wide = rng.uniform(0.07, 0.15)
            wall = (
                (52, 54, 66)
                if night
                else rng.choice(((176, 160, 146), (150, 146, 148), (190, 150, 124), (120, 128, 140)))
            )
            high = rng.uniform(0.4, 1.0) * tall * (1.25 - 0.35 * share)
            colour = mix(haze, canvas.vary(wall, 14), 0.35 + 0.6 * share)
            building(canvas, (x, level - high, x + wide, level), colour, night=night)
            x += wide + rng.choice((0, 0, 0.01))


def building(canvas: Canvas, box: tuple[float, float, float, float], colour: RGB, *, night: bool) -> None:
    """Draw one facade with its windows; the box is in fractions of the picture."""
    x0, y0, x1, y1 = box[0] * canvas.width, box[1] * canvas.height, box[2] * canvas.width, box[3] * canvas.height
    canvas.polygon([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], colour, shade=0.25)
    rng, step = canvas.rng, canvas.unit * 0.034
    columns, rows = max(2, int((x1 - x0) / step)), max(2, int((y1 - y0) / (step * 1.4)))
    dx, dy = (x1 - x0) / (columns + 0.4), (y1 - y0) / (rows + 0.4)
    pane = canvas.lit(mix(colour, (70, 92, 122), 0.65))
    for column in range(columns):
        for row in range(rows):
            lit = night and rng.random() < 0.5
            fill = rng.choice(((255, 224, 140), (255, 206, 110), (250, 238, 190))) if lit else pane
            left, top = x0 + dx * (column + 0.4), y0 + dy * (row + 0.4)
            canvas.brush.rectangle([left, top, left + dx * 0.55, top + dy * 0.55], fill=fill)


_DISTANCE = {"forest": _woods, "mountains": _peaks, "beach": _sea, "city": _street, "road": _far_hills}


def _road_marks(canvas: Canvas, horizon: float) -> None:
    level = (horizon + 1) / 2 + canvas.rng.uniform(-0.04, 0.02)
    for index in range(-1, 6):
        x = (index / 5 + 0.02) * canvas.width
        y, half = level * canvas.height, canvas.height * 0.006
        points = [
            (x, y - half),
            (x + canvas.width * 0.09, y - half),
            (x + canvas.width * 0.085, y + half),
            (x - 6, y + half),
        ]
        canvas.polygon(points, (232, 230, 220), shade=0)


def indoors(canvas: Canvas, scene: Scene, *, table: bool = True) -> float:
    """Paint a wall with soft window light, and a table or floor; return where that begins."""
    del scene
    rng = canvas.rng
    canvas.light = (1.0, 1.0, 1.0)
    wall = canvas.vary(rng.choice(WALLS), 16)
    edge = rng.uniform(0.5, 0.66)
    canvas.gradient(0, edge, [scaled(wall, 1.04), scaled(wall, 0.88)])
    x = rng.choice((0.1, 0.85)) * canvas.width
    canvas.glow((x, 0.1 * canvas.height), canvas.unit * 0.9, (255, 250, 235), strength=0.5)
    if rng.random() < 0.45:
        _window(canvas, edge)
    wood = canvas.vary(rng.choice(WOODS) if table else rng.choice((*WOODS, (150, 140, 136))), 12)
    canvas.gradient(edge, 1, [scaled(wood, 0.86), scaled(wood, 1.1)])
    high = canvas.height - int(edge * canvas.height)
    field = canvas.noise((3, 24), (max(8, high // 2), canvas.width // 2), octaves=2)
    canvas.veil(scaled(wood, 0.6), (field - 0.5) * 0.8, (0, canvas.height - high, canvas.width, canvas.height))
    canvas.glow((canvas.width / 2, edge * canvas.height), canvas.width * 0.7, (20, 16, 14), strength=0.3, squash=0.05)
    return edge


def _window(canvas: Canvas, edge: float) -> None:
    rng = canvas.rng
    pen = canvas.pen(rng.choice((0.16, 0.84)), edge - rng.uniform(0.1, 0.16), canvas.unit * 0.3)
    pen.box(-0.5, -1.05, 0.5, 0.05, (240, 238, 232))
    for x in (-0.44, 0.04):
        for y in (-0.99, -0.46):
            pen.box(x, y, x + 0.4, y + 0.45, canvas.vary((176, 208, 232), 10))


def close_up(canvas: Canvas, colours: tuple[RGB, RGB]) -> None:
    """Fill the picture with an out-of-focus background of two colours and soft spots of light."""
    rng = canvas.rng
    canvas.light = (1.0, 1.0, 1.0)
    canvas.gradient(0, 1, [canvas.vary(colours[0]), canvas.vary(colours[1])])
    for _ in range(14):
        tint = scaled(mix(*colours, rng.random()), rng.uniform(0.7, 1.35))
        spot = (rng.random() * canvas.width, rng.random() * canvas.height)
        canvas.glow(spot, canvas.unit * rng.uniform(0.1, 0.35), tint, strength=0.8)


def stand(
    canvas: Canvas,
    scene: Scene,
    horizon: float,
    *,
    wide: float = 1.0,
    tall: float = 1.0,
    fill: float = 0.62,
    flip: bool = True,
) -> list[Pen]:
    """Pens for the scene's objects on the ground, the farthest first.

    `wide` and `tall` are the object's extent in its own unit; `fill` is how much of the picture one object may take.
    """
    rng, count = canvas.rng, scene.count
    room = canvas.width * min(1.0, fill * 1.25) / max(1, count) ** 0.85
    scale = min(room / wide, canvas.height * fill / tall) * rng.uniform(0.72, 1.0)
    pens = []
    for index in range(count):
        spread = 0.5 if count == 1 else (index + 0.5) / count
        x = spread + rng.uniform(-0.14, 0.14) / count
        y = horizon + (1 - horizon) * rng.uniform(0.42, 0.86)
        size = scale * (0.78 + 0.22 * (y - horizon) / (1 - horizon)) if count > 1 else scale
        y = min(0.97, max(y, size * tall / canvas.height + 0.03))
        pens.append(canvas.pen(x, y, size, flip=flip and rng.random() < 0.5))
    return sorted(pens, key=lambda pen: pen.y)


def fall(canvas: Canvas, weather: str) -> None:
    """Let rain or snow fall over everything already painted."""
    rng = canvas.rng
    if weather == "rain":
        for _ in range(110):
            x, y = rng.random() * canvas.width * 1.1, rng.random() * canvas.height
            length = canvas.unit * rng.uniform(0.03, 0.07)
            width = canvas.unit * rng.uniform(0.002, 0.004)
            canvas.line([(x, y), (x - length * 0.25, y + length)], width, canvas.vary((196, 208, 222), 20), lit=False)
    if weather == "snow":
        for _ in range(120):
            x, y = rng.random() * canvas.width, rng.random() * canvas.height
            r = canvas.unit * rng.choice((0.003, 0.005, 0.005, 0.009))
            canvas.brush.ellipse([x - r, y - r, x + r, y + r], fill=(250, 252, 255))
