"""Scene: everything a picture is made from and a caption may say; and the registry of kinds it chooses from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random

    from drawing.canvas import RGB, Canvas

COLOURS: dict[str, RGB] = {
    "red": (204, 34, 36),
    "orange": (240, 128, 24),
    "yellow": (247, 214, 44),
    "green": (46, 150, 60),
    "blue": (40, 92, 214),
    "purple": (126, 56, 172),
    "pink": (246, 134, 184),
    "white": (244, 244, 242),
    "black": (30, 30, 34),
    "brown": (120, 72, 38),
}
ALL_COLOURS = tuple(COLOURS)
INDOORS = frozenset({"room", "table"})
TIMES = ("day", "day", "dusk", "night")
WEATHERS = ("clear", "clear", "clear", "cloudy", "rain", "snow")

# Pairs that training never sees, neither as pictures nor as captions: what is measured on them is understanding.
HELD_OUT: frozenset[tuple[str, str]] = frozenset(
    {
        ("car", "purple"),
        ("car", "yellow"),
        ("flower", "blue"),
        ("balloons", "green"),
        ("hot-air balloon", "orange"),
        ("fish", "pink"),
        ("bird", "purple"),
        ("butterfly", "white"),
        ("umbrella", "brown"),
        ("bicycle", "green"),
        ("bus", "pink"),
        ("tent", "red"),
        ("house", "blue"),
        ("cup", "black"),
        ("book", "yellow"),
        ("guitar", "orange"),
    }
)


@dataclass(frozen=True)
class Scene:
    """What a picture shows.  Empty strings mean: does not apply."""

    kind: str
    colour: str = ""
    count: int = 1
    place: str = ""
    weather: str = ""
    time: str = ""
    seed: int = 0

    @property
    def rgb(self) -> RGB:
        """The colour in numbers; grey where the scene has none."""
        return COLOURS.get(self.colour, (150, 150, 150))

    @property
    def mood(self) -> str:
        """The sky this scene stands under: day, dusk, night or grey."""
        wet = self.weather in {"cloudy", "rain", "snow"}
        return "grey" if wet and self.time != "night" else self.time or "day"


@dataclass(frozen=True)
class Kind:
    """One kind of scene: how it is named, what may vary, and how it is drawn."""

    name: str
    nouns: tuple[tuple[str, str], ...]
    draw: Callable[[Canvas, Scene], None]
    family: str = ""
    phrases: tuple[str, ...] = ()
    colours: tuple[str, ...] = ()
    counts: tuple[int, ...] = (1,)
    places: tuple[str, ...] = ("",)
    times: tuple[str, ...] = ("",)
    weathers: tuple[str, ...] = ("",)


KINDS: dict[str, Kind] = {}


def kind(
    name: str,
    *nouns: tuple[str, str],
    family: str = "",
    phrases: tuple[str, ...] = (),
    colours: tuple[str, ...] = (),
    counts: tuple[int, ...] = (1,),
    places: tuple[str, ...] = ("",),
    times: tuple[str, ...] = ("",),
    weathers: tuple[str, ...] = ("",),
) -> Callable[[Callable[[Canvas, Scene], None]], Callable[[Canvas, Scene], None]]:
    """Register a drawing under a name.

    A noun is (singular, plural) and may hold `{c}` for the colour; a phrase is a whole wording without either.
    The family is what a general word covers (an animal, a plant); unless given it is the module's.
    The first noun, or the first phrase where there is no noun, is the canonical one.
    """

    def register(draw: Callable[[Canvas, Scene], None]) -> Callable[[Canvas, Scene], None]:
        group = family or draw.__module__.rsplit("_", 1)[-1]
        KINDS[name] = Kind(name, nouns, draw, group, phrases, colours, counts, places, times, weathers)
        return draw

    return register


def sample(rng: random.Random, *, kind_name: str | None = None, colour: str | None = None) -> Scene:
    """Choose a scene at random.  Pairs in HELD_OUT are chosen only if both kind and colour are given."""
    chosen = KINDS[kind_name] if kind_name else rng.choice(list(KINDS.values()))
    allowed = [c for c in chosen.colours if (chosen.name, c) not in HELD_OUT] or [""]
    place, weather, time = rng.choice(chosen.places), rng.choice(chosen.weathers), rng.choice(chosen.times)
    if place in INDOORS:
        weather = time = ""
    if weather in {"cloudy", "rain", "snow"} and time == "dusk":
        time = "day"  # a grey sky hides the evening
    if weather == "cloudy" and time == "night":
        weather = "clear"
    return Scene(
        kind=chosen.name,
        colour=colour or rng.choice(allowed),
        count=rng.choice(chosen.counts),
        place=place,
        weather=weather,
        time=time,
        seed=rng.getrandbits(32),
    )
