"""Owns showing invisible characters, and those that reverse text, in the line being typed."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING

from prompt_toolkit.formatted_text.utils import fragment_list_to_text
from prompt_toolkit.layout.processors import Processor, Transformation
from prompt_toolkit.layout.utils import explode_text_fragments

from photomap_cli.views.output import printable

if TYPE_CHECKING:
    from prompt_toolkit.layout.processors import TransformationInput


class UnseenAsEscapes(Processor):
    """Shows such characters as escapes, whether pasted, completed or from the history.

    prompt_toolkit itself shows control characters: escape as `^[`.
    """

    def apply_transformation(self, transformation_input: TransformationInput) -> Transformation:
        """Return the line as shown, and the mapping of positions between the two."""
        line = fragment_list_to_text(transformation_input.fragments)
        if printable(line) == line:
            return Transformation(transformation_input.fragments)
        shown = [(each[0], _shown(each[1])) for each in explode_text_fragments(transformation_input.fragments)]
        starts = list(accumulate((len(text) for _, text in shown), initial=0))
        return Transformation(
            list(shown),
            source_to_display=lambda place: starts[min(place, len(shown))] + max(0, place - len(shown)),
            display_to_source=lambda place: max(0, bisect_right(starts, place) - 1),
        )


def _shown(letter: str) -> str:
    return letter if letter < "\xa0" else printable(letter)
