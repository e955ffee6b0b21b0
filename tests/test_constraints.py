"""What may be given is told in words, for any kind and its limits."""

from typing import Annotated, Literal

from cases import cases
from pydantic import Field

from photomap_cli import constraints
from photomap_cli.settings import Settings


@cases(
    ("kind", "limits", "words"),
    [
        (bool, (), "true or false"),
        (int, (), "a whole number"),
        (Annotated[int, Field(ge=1, le=10_000)], (), "a whole number from 1 to 10,000"),
        (int, (Field(ge=0).metadata), "a whole number from 0 up"),
        (Annotated[float, Field(gt=0, le=1)], (), "a number above 0, up to 1"),
        (Annotated[float, Field(le=0.5)], (), "a number up to 0.5"),
        (Annotated[float, Field(gt=0)], (), "a number above 0"),
        (Literal["auto"], (), "auto"),
        (Literal["auto", "on", "off"], (), "auto, on or off"),
        (Literal["auto"] | Annotated[float, Field(ge=-1.0, le=1.0)], (), "auto or a number from -1 to 1"),
        (str, (), "a text that is not empty"),
        (tuple[str, ...], (), "a list of texts"),
    ],
)
def test_words(kind, limits, words):
    assert constraints.words(kind, limits) == words


def test_every_setting_has_words():
    told = {name: constraints.words(field.annotation, field.metadata) for name, field in Settings.model_fields.items()}
    assert all(told.values()), told
