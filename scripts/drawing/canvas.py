"""Canvas and Pen: shaded shapes with smooth edges.  Knows nothing of what is drawn with them."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw

if TYPE_CHECKING:
    import random

    from numpy.typing import NDArray

RGB = tuple[int, int, int]
Point = tuple[float, float]

COLOURED_LIGHTS: tuple[RGB, ...] = (
    (244, 60, 60),
    (250, 150, 50),
    (250, 232, 80),
    (80, 210, 100),
    (70, 140, 250),
    (160, 90, 230),
)
OVERSAMPLING = 2
FLAT_PX = 9  # smaller shapes are filled flat, as shading wouldn't show


def mix(first: RGB, second: RGB, share: float) -> RGB:
    """Blend two colours; a share of 0 gives the first, 1 the second."""
    return clamp(tuple(a + (b - a) * share for a, b in zip(first, second, strict=True)))


def scaled(colour: RGB, factor: float) -> RGB:
    """Darken (factor < 1) or lighten a colour."""
    return clamp(tuple(c * factor for c in colour))


def clamp(values: Iterable[float]) -> RGB:
    """Round and limit three numbers to 0..255."""
    r, g, b = (max(0, min(255, int(v))) for v in values)
    return r, g, b


def smooth(points: Sequence[Point], rounds: int = 2) -> list[Point]:
    """Round off the corners of a closed outline (Chaikin's corner cutting)."""
    outline = list(points)
    for _ in range(rounds):
        cut: list[Point] = []
        for (ax, ay), (bx, by) in zip(outline, outline[1:] + outline[:1], strict=True):
            cut += [(0.75 * ax + 0.25 * bx, 0.75 * ay + 0.25 * by), (0.25 * ax + 0.75 * bx, 0.25 * ay + 0.75 * by)]
        outline = cut
    return outline


@functools.cache
def _sphere() -> NDArray[np.float32]:
    """Brightness over a lit sphere, (32, 32), light from the upper left."""
    y, x = np.mgrid[-1:1:32j, -1:1:32j]
    z = np.sqrt(np.clip(1 - x * x - y * y, 0, 1))
    lambert = np.clip((-0.45 * x - 0.6 * y + 0.66 * z), 0, 1)
    return np.asarray(0.5 + 0.72 * lambert, np.float32)


@functools.cache
def _halo() -> Image.Image:
    """A soft disc of light, (64, 64)."""
    y, x = np.mgrid[-1:1:64j, -1:1:64j]
    fall = np.clip(1 - np.sqrt(x * x + y * y), 0, 1) ** 2
    return Image.fromarray((fall * 255).astype(np.uint8))


class Canvas:
    """A picture in progress, kept larger than asked for so that edges come out smooth."""

    def __init__(self, size: tuple[int, int], rng: random.Random) -> None:
        """Start a black picture; `size` is that of the finished one."""
        self.size = size
        self.width, self.height = size[0] * OVERSAMPLING, size[1] * OVERSAMPLING
        self.unit = min(self.width, self.height)
        self.rng = rng
        self.image = Image.new("RGB", (self.width, self.height))
        self.brush = ImageDraw.Draw(self.image)
        self.light = (1.0, 1.0, 1.0)

    def lit(self, colour: RGB) -> RGB:
        """The colour as this scene's light shows it."""
        return clamp(c * f for c, f in zip(colour, self.light, strict=True))

    def vary(self, colour: RGB, amount: int = 14) -> RGB:
        """A colour near the given one."""
        shift = self.rng.randint(-amount, amount)
        return clamp(c + shift + self.rng.randint(-amount // 2, amount // 2) for c in colour)

    def noise(self, cells: tuple[int, int], shape: tuple[int, int], *, octaves: int = 4) -> NDArray[np.float32]:
        """Fractal noise of (height, width) `shape`, 0..1, starting from cells (across, down)."""
        dice = np.random.default_rng(self.rng.getrandbits(32))
        total = np.zeros(shape, np.float32)
        for octave in range(octaves):
            across, down = cells[0] * 2**octave + 1, cells[1] * 2**octave + 1
            if across > 2 * shape[1] or down > 2 * shape[0]:
                break
            grid = Image.fromarray(dice.random((down, across), dtype=np.float32))
            layer = np.asarray(grid.resize((shape[1], shape[0]), Image.Resampling.BICUBIC))
            total += layer * 0.5 ** (octave + 1)
        low, high = float(total.min()), float(total.max())
        return (total - low) / max(high - low, 1e-6)

    def _box(self, xs: Sequence[float], ys: Sequence[float]) -> tuple[int, int, int, int] | None:
        left, top = max(0, math.floor(min(xs))), max(0, math.floor(min(ys)))
        right, bottom = min(self.width, math.ceil(max(xs)) + 1), min(self.height, math.ceil(max(ys)) + 1)
        return (left, top, right, bottom) if right > left and bottom > top else None

    def polygon(self, points: Sequence[Point], colour: RGB, *, shade: float = 0.22, lit: bool = True) -> None:
        """Fill an outline, lighter at its upper left and darker at its lower right."""
        colour = self.lit(colour) if lit else colour
        box = self._box([p[0] for p in points], [p[1] for p in points])
        if box is None:
            return
        wide, high = box[2] - box[0], box[3] - box[1]
        if shade == 0 or max(wide, high) < FLAT_PX:
            self.brush.polygon(points, fill=colour)
            return
        mask = Image.new("L", (wide, high))
        ImageDraw.Draw(mask).polygon([(x - box[0], y - box[1]) for x, y in points], fill=255)
        self.image.paste(self._ramp(colour, shade, (wide, high)), box[:2], mask)

    @staticmethod
    def _ramp(colour: RGB, shade: float, size: tuple[int, int]) -> Image.Image:
        corners = Image.new("RGB", (2, 2))
        bright, dark = scaled(colour, 1 + shade * 0.6), scaled(colour, 1 - shade)
        corners.putpixel((0, 0), bright)
        corners.putpixel((1, 0), colour)
        corners.putpixel((0, 1), scaled(colour, 1 - shade * 0.6))
        corners.putpixel((1, 1), dark)
        return corners.resize(size, Image.Resampling.BILINEAR)

    def ball(self, centre: Point, rx: float, ry: float, colour: RGB, *, gloss: float = 0.0) -> None:
        """Draw an ellipse shaded like a sphere, with a highlight where `gloss` > 0."""
        (cx, cy), colour = centre, self.lit(colour)
        if rx < FLAT_PX / 2:
            self.brush.ellipse([cx - rx, cy - ry, cx + rx, cy + ry], fill=colour)
            return
        wide, high = int(2 * rx) + 2, int(2 * ry) + 2
        shaded = np.clip(_sphere()[..., None] * np.asarray(colour, np.float32), 0, 255).astype(np.uint8)
        fill = Image.fromarray(shaded).resize((wide, high), Image.Resampling.BILINEAR)
        mask = Image.new("L", (wide, high))
        ImageDraw.Draw(mask).ellipse([0.5, 0.5, wide - 1.5, high - 1.5], fill=255)
        self.image.paste(fill, (int(cx - rx), int(cy - ry)), mask)
        if gloss:
            self.glow((cx - rx * 0.35, cy - ry * 0.4), min(rx, ry) * 0.45, (255, 255, 255), strength=gloss)

    def glow(self, centre: Point, radius: float, colour: RGB, *, strength: float = 1.0, squash: float = 1.0) -> None:
        """Lay soft light (or, with a dark colour, soft shadow) over a place."""
        wide, high = max(2, int(2 * radius)), max(2, int(2 * radius * squash))
        mask = _halo().resize((wide, high), Image.Resampling.BILINEAR)
        if strength != 1.0:
            mask = mask.point([min(255, int(v * strength)) for v in range(256)])
        self.image.paste(colour, (int(centre[0] - wide / 2), int(centre[1] - high / 2)), mask)

    def line(self, points: Sequence[Point], width: float, colour: RGB, *, lit: bool = True) -> None:
        """Draw a line with round joints and ends."""
        colour = self.lit(colour) if lit else colour
        self.brush.line(list(points), fill=colour, width=max(1, round(width)), joint="curve")
        radius = width / 2
        if radius > 1.5:
            for x, y in (points[0], points[-1]):
                self.brush.ellipse([x - radius, y - radius, x + radius, y + radius], fill=colour)

    def gradient(self, top: float, bottom: float, colours: Sequence[RGB]) -> None:
        """Fill the full width from `top` to `bottom` (fractions of the height) with a vertical gradient."""
        y0, y1 = int(top * self.height), math.ceil(bottom * self.height)
        if y1 <= y0:
            return
        stops = np.asarray(colours, np.float32)
        at = np.linspace(0, len(stops) - 1, 128)
        strip = np.stack([np.interp(at, np.arange(len(stops)), stops[:, c]) for c in range(3)], -1)
        fill = Image.fromarray(strip.astype(np.uint8)[:, None, :])
        self.image.paste(fill.resize((self.width, y1 - y0), Image.Resampling.BILINEAR), (0, y0))

    def veil(self, colour: RGB, alpha: NDArray[np.float32], box: tuple[int, int, int, int]) -> None:
        """Lay a colour over a box (pixels) with an opacity map 0..1 of any resolution."""
        mask = Image.fromarray((np.clip(alpha, 0, 1) * 255).astype(np.uint8))
        mask = mask.resize((box[2] - box[0], box[3] - box[1]), Image.Resampling.BILINEAR)
        self.image.paste(self.lit(colour), box[:2], mask)

    def pen(self, x: float, y: float, scale: float, *, flip: bool = False, tilt: float = 0.0) -> Pen:
        """A pen whose (0, 0) lies at fractions x, y of the picture; `scale` is its unit in pixels."""
        return Pen(self, x * self.width, y * self.height, scale, flip, tilt)


@dataclass(frozen=True)
class Pen:
    """Draws in an object's own coordinates: y grows downwards, (0, 0) is where the object stands."""

    canvas: Canvas
    x: float
    y: float
    scale: float
    flip: bool = False
    tilt: float = 0.0

    def at(self, point: Point) -> Point:
        """The pixel of a point in the object's coordinates."""
        px, py = point
        px = -px if self.flip else px
        if self.tilt:
            cos, sin = math.cos(self.tilt), math.sin(self.tilt)
            px, py = px * cos - py * sin, px * sin + py * cos
        return self.x + px * self.scale, self.y + py * self.scale

    def moved(self, x: float, y: float, *, scale: float = 1.0, tilt: float = 0.0, flip: bool = False) -> Pen:
        """A pen for a part of this object."""
        px, py = self.at((x, y))
        return Pen(self.canvas, px, py, self.scale * scale, self.flip != flip, self.tilt + tilt)

    def shape(self, points: Sequence[Point], colour: RGB, *, shade: float = 0.22) -> None:
        """Fill a shape with straight edges."""
        self.canvas.polygon([self.at(p) for p in points], colour, shade=shade)

    def blob(self, points: Sequence[Point], colour: RGB, *, shade: float = 0.22) -> None:
        """Fill a shape with its corners rounded off."""
        self.shape(smooth(points), colour, shade=shade)

    def box(self, x0: float, y0: float, x1: float, y1: float, colour: RGB, *, shade: float = 0.18) -> None:
        """Fill a rectangle."""
        self.shape([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], colour, shade=shade)

    def ball(self, x: float, y: float, rx: float, ry: float, colour: RGB, *, gloss: float = 0.0) -> None:
        """Draw a shaded ellipse."""
        self.canvas.ball(self.at((x, y)), rx * self.scale, ry * self.scale, colour, gloss=gloss)

    def oval(self, x: float, y: float, rx: float, ry: float, colour: RGB, *, turn: float = 0.0) -> None:
        """Draw a flat ellipse, turned by `turn` radians."""
        cos, sin = math.cos(turn), math.sin(turn)
        ring = [(rx * math.cos(a), ry * math.sin(a)) for a in (i * math.tau / 24 for i in range(24))]
        self.shape([(x + u * cos - v * sin, y + u * sin + v * cos) for u, v in ring], colour, shade=0.12)

    def line(self, points: Sequence[Point], width: float, colour: RGB) -> None:
        """Draw a line; its width is in the object's unit."""
        self.canvas.line([self.at(p) for p in points], width * self.scale, colour)

    def ring(self, x: float, y: float, radius: float, width: float, colour: RGB) -> None:
        """Draw the outline of a circle."""
        (cx, cy), r = self.at((x, y)), radius * self.scale
        box = [cx - r, cy - r, cx + r, cy + r]
        self.canvas.brush.ellipse(box, outline=self.canvas.lit(colour), width=max(1, round(width * self.scale)))

    def shadow(self, half_width: float, *, x: float = 0.0, y: float = 0.0, strength: float = 0.75) -> None:
        """Lay the object's soft shadow on the ground."""
        centre = self.at((x, y))
        self.canvas.glow(centre, half_width * 1.35 * self.scale, (12, 14, 20), strength=strength, squash=0.24)

    def glow(self, x: float, y: float, radius: float, colour: RGB, *, strength: float = 1.0) -> None:
        """Lay soft light over a place."""
        self.canvas.glow(self.at((x, y)), radius * self.scale, colour, strength=strength)
