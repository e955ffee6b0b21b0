"""Captions: the many ways to say in words what a scene shows, each with the facts it states."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from drawing.scene import KINDS, Kind, Scene

if TYPE_CHECKING:
    import random

TEMPLATES = (
    "{}",
    "{}",
    "{}",
    "a photo of {}",
    "photo of {}",
    "a picture of {}",
    "picture of {}",
    "an image of {}",
    "a picture showing {}",
    "my photo of {}",
    "photos of {}",
    "pictures with {}",
    "an image with {}",
    "there is {}",
    "this is {}",
    "{} in a photo",
)
NUMBERS = {
    1: ("one", "a single"),
    2: ("two", "a couple of", "2"),
    3: ("three", "3"),
    5: ("five", "5"),
    7: ("many", "several", "lots of"),
}
SHADES: Mapping[str, Sequence[str]] = {
    "red": ("crimson", "scarlet", "bright red"),
    "orange": ("bright orange",),
    "yellow": ("golden", "bright yellow"),
    "green": ("bright green", "emerald"),
    "blue": ("bright blue", "azure"),
    "purple": ("violet", "lilac"),
    "pink": ("rose", "light pink"),
    "white": ("snow white",),
    "black": ("dark", "jet black"),
    "brown": ("chestnut", "dark brown"),
}
PLACES: Mapping[str, Sequence[str]] = {
    "road": ("on a road", "on the road", "on the street"),
    "city": ("in the city", "in town", "in front of buildings"),
    "beach": ("on the beach", "by the sea", "on the sand"),
    "field": ("in a field", "in a meadow", "on the grass", "in the countryside"),
    "forest": ("in the forest", "in the woods", "in front of trees"),
    "mountains": ("in the mountains", "in front of mountains"),
    "room": ("in a room", "indoors", "at home", "inside"),
    "table": ("on a table", "indoors"),
    "sky": ("in the sky", "outdoors"),
    "snow": ("in the snow", "outdoors in winter"),
}
WEATHERS: Mapping[str, Sequence[str]] = {
    "rain": ("in the rain", "on a rainy day", "in rainy weather", "while it is raining"),
    "snow": ("in the snow", "in winter", "on a snowy day", "while it is snowing"),
    "cloudy": ("on a cloudy day", "under a grey sky", "under clouds"),
}
TIMES: Mapping[str, Sequence[str]] = {
    "day": ("by day", "during the day", "in daylight"),
    "dusk": ("at sunset", "at dusk", "in the evening", "in evening light"),
    "night": ("at night", "in the dark", "by night"),
}
FAMILIES: Mapping[str, Sequence[tuple[str, str]]] = {
    "land": (("landscape", "landscapes"), ("view of nature", "views of nature")),
    "sky": (("view of the sky", "views of the sky"),),
    "city": (("piece of architecture", "architecture"), ("building", "buildings")),
    "travel": (("{c} vehicle", "{c} vehicles"), ("means of transport", "transport")),
    "plants": (("{c} plant", "{c} plants"),),
    "food": (("something to eat", "food"), ("meal", "meals")),
    "things": (("{c} object", "{c} objects"), ("{c} thing", "{c} things")),
    "animals": (("{c} animal", "{c} animals"), ("{c} creature", "{c} creatures")),
    "people": (("human", "humans"), ("person", "people")),
}


@dataclass(frozen=True)
class Caption:
    """A wording with what it states.  An empty string or 0 means: says nothing about that."""

    text: str
    kind: str = ""
    family: str = ""
    colour: str = ""
    count: int = 0
    place: str = ""
    weather: str = ""
    time: str = ""

    def fits(self, scene: Scene) -> bool:
        """Whether everything stated is true of the scene."""
        facts = (
            (self.kind, scene.kind),
            (self.family, KINDS[scene.kind].family),
            (self.colour, scene.colour),
            (self.count, scene.count),
            (self.place, scene.place),
            (self.weather, scene.weather),
            (self.time, scene.time),
        )
        return all(not stated or stated == true for stated, true in facts)


def article(words: str) -> str:
    """Put the indefinite article before a wording: car -> a car, orange car -> an orange car."""
    return f"{'an' if words[0] in 'aeio' or words.startswith('um') else 'a'} {words}"


def fill(noun: str, colour: str = "") -> str:
    """Put a colour in a noun's `{c}`, or take the gap out."""
    if not colour:
        return noun.replace("{c} ", "")
    return noun.replace("a {c}", article(colour)).replace("{c}", colour)


def canonical(kind: Kind, colour: str = "") -> str:
    """The plainest query for a kind, with or without a colour."""
    if colour or not kind.phrases or not kind.nouns:
        return article(fill(kind.nouns[0][0], colour)) if kind.nouns else kind.phrases[0]
    plain = kind.nouns[0][0]
    return kind.phrases[0] if "with a {c}" in plain else article(fill(plain))


def caption(scene: Scene, rng: random.Random) -> Caption:
    """Word a scene in one of very many ways, saying more or less of what is known about it."""
    roll = rng.random()
    if roll < 0.03:
        mood = _mood_only(scene, rng)
        if mood is not None:
            return mood
    kind = KINDS[scene.kind]
    if roll > 0.95:
        return _worded(scene, rng, rng.choice(FAMILIES[kind.family]), family=kind.family)
    if not kind.nouns or (kind.phrases and rng.random() < 0.25):
        return _finished(rng.choice(kind.phrases), scene, rng, kind=kind.name)
    return _worded(scene, rng, rng.choice(kind.nouns), kind=kind.name)


def _mood_only(scene: Scene, rng: random.Random) -> Caption | None:
    choices: list[Caption] = []
    if scene.colour:
        words = (f"something {scene.colour}", scene.colour, f"a {scene.colour} thing")
        choices.append(Caption(rng.choice(words), colour=scene.colour))
    if scene.weather in WEATHERS:
        plain = {"rain": "rain", "snow": "snow", "cloudy": "grey clouds"}[scene.weather]
        choices.append(Caption(rng.choice((plain, *WEATHERS[scene.weather])), weather=scene.weather))
    if scene.time == "night":
        choices.append(Caption(rng.choice(("night", "at night", "a picture taken at night")), time="night"))
    return rng.choice(choices) if choices else None


def _worded(scene: Scene, rng: random.Random, noun: tuple[str, str], *, kind: str = "", family: str = "") -> Caption:
    colour = scene.colour if "{c}" in noun[0] and rng.random() < 0.72 else ""
    shade = rng.choice(SHADES[colour]) if colour and rng.random() < 0.12 else colour
    said = 0
    if scene.count > 1 and rng.random() < 0.6:
        words, said = f"{rng.choice(NUMBERS[scene.count])} {fill(noun[1], shade)}", scene.count
    elif scene.count > 1 or rng.random() < 0.15:
        words = fill(noun[1], shade)
    elif rng.random() < 0.04 and not family:
        words, said = f"{rng.choice(NUMBERS[1])} {fill(noun[0], shade)}", 1
    else:
        words = article(fill(noun[0], shade))
        if colour and noun[0].startswith("{c} ") and rng.random() < 0.06:
            words = f"{article(fill(noun[0]))} that is {shade}"
        elif rng.random() < 0.35:
            words = words.split(" ", 1)[1]
        elif rng.random() < 0.1:
            words = f"the {words.split(' ', 1)[1]}"
    return _finished(words, scene, rng, kind=kind, family=family, colour=colour, count=said)


def _finished(
    words: str,
    scene: Scene,
    rng: random.Random,
    *,
    kind: str = "",
    family: str = "",
    colour: str = "",
    count: int = 0,
) -> Caption:
    place = scene.place if scene.place in PLACES and rng.random() < 0.3 else ""
    weather = scene.weather if scene.weather in WEATHERS and rng.random() < 0.35 else ""
    time = scene.time if scene.time in TIMES and rng.random() < (0.12 if scene.time == "day" else 0.35) else ""
    tails = [rng.choice(table[key]) for table, key in ((PLACES, place), (WEATHERS, weather), (TIMES, time)) if key]
    rng.shuffle(tails)
    text = rng.choice(TEMPLATES).format(" ".join([words, *tails]))
    return Caption(text, kind=kind, family=family, colour=colour, count=count, place=place, weather=weather, time=time)
