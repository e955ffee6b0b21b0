"""Figures: whole people, small enough to stand in any scene."""

from __future__ import annotations

from drawing.canvas import RGB, Pen, scaled

SKINS: tuple[RGB, ...] = ((244, 208, 178), (226, 178, 142), (190, 136, 98), (140, 92, 64), (98, 64, 46))
HAIRS: tuple[RGB, ...] = ((44, 32, 28), (92, 58, 36), (150, 98, 54), (222, 184, 110), (172, 74, 40), (176, 174, 172))
CLOTHES: tuple[RGB, ...] = (
    (190, 50, 54),
    (50, 92, 168),
    (64, 130, 88),
    (236, 232, 224),
    (60, 62, 74),
    (224, 168, 66),
    (140, 90, 150),
)


def figure(pen: Pen, shirt: RGB, trousers: RGB, *, stride: float = 0.0, raised: float = 0.0) -> None:
    """Draw a whole person, one unit high."""
    rng = pen.canvas.rng
    skin, hair = rng.choice(SKINS), rng.choice(HAIRS)
    pen.shadow(0.2)
    for side in (-1, 1):
        foot = side * (0.055 + stride)
        pen.line(
            [(side * 0.05, -0.46), (foot, -0.24), (foot - stride * 0.5 * side, -0.03)],
            0.09,
            scaled(trousers, 0.95 if side > 0 else 0.8),
        )
        pen.ball(foot + 0.02 - stride * 0.5 * side, -0.015, 0.055, 0.025, (40, 38, 40))
    pen.blob(
        [(-0.13, -0.42), (-0.15, -0.76), (-0.06, -0.82), (0.06, -0.82), (0.15, -0.76), (0.13, -0.42)], shirt, shade=0.3
    )
    for side in (-1, 1):
        hand = (side * (0.22 + raised * 0.1), -0.46 - raised * 0.55)
        pen.line([(side * 0.14, -0.74), (side * 0.2, -0.6 - raised * 0.12), hand], 0.062, scaled(shirt, 0.88))
        pen.ball(hand[0], hand[1], 0.034, 0.034, skin)
    pen.line([(0, -0.82), (0, -0.86)], 0.06, scaled(skin, 0.85))
    pen.ball(0, -0.92, 0.082, 0.095, skin)
    long_hair = rng.random() < 0.45
    low = -0.84 if long_hair else -0.92
    pen.blob([(-0.09, low), (-0.1, -0.98), (0, -1.05), (0.1, -0.98), (0.09, low), (0.06, -0.96), (-0.06, -0.96)], hair)
