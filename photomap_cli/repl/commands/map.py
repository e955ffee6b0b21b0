"""Owns `:map`: drawing the map, and listing one of its groups.  views/map.py draws it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from photomap_cli.errors import UsageError
from photomap_cli.records.maps import LETTERS, MapRequest
from photomap_cli.views.formatting import photos
from photomap_cli.views.output import printable

if TYPE_CHECKING:
    from photomap_cli.records.maps import MapCluster, PhotoMap
    from photomap_cli.repl.state import SearchState

DRAWING, LISTING = "drawing the map…", "looking up photos…"


def draw_or_list(state: SearchState, rest: str) -> None:
    """Draw a map of all photos or of those that meet filters; `rest` may also name a group to list."""
    if not rest or ":" in rest or rest.startswith("@@"):
        _draw(state, rest)
        return
    drawn = state.drawn or _drawn(state, "")
    cluster = group_called(drawn, rest)
    state.front.tell(f"{cluster.letter}, {cluster.name}: {photos(cluster.count)}, the most typical first")
    state.list_group(cluster, LISTING)


def _draw(state: SearchState, filters: str) -> None:
    from photomap_cli.views import map

    drawn = _drawn(state, filters)
    for notice in drawn.notices:
        state.front.tell(notice)
    map.show(drawn, state.console, hint=f":map {drawn.clusters[0].letter} lists that group's photos")


def _drawn(state: SearchState, filters: str) -> PhotoMap:
    state.query_text = filters
    request = MapRequest(cwd=str(state.cwd), folder=state.folder, filters=filters)
    drawn = state.request(lambda backend: backend.map(request), DRAWING)
    state.drawn, state.map_request = drawn, request
    return drawn


def group_called(drawn: PhotoMap, word: str, *, shows: str = ":map") -> MapCluster:
    """Return a group by its letter, number or name; `shows` is the command that shows the map."""
    if named := [cluster for cluster in drawn.clusters if cluster.name.lower() == word.lower()]:
        return named[0]
    letters = LETTERS[: len(drawn.clusters)]
    letter = word if word in letters else word.upper()
    if len(letter) == 1 and letter in letters:
        return drawn.clusters[letters.index(letter)]
    if word.isascii() and word.isdigit() and 1 <= int(word[:9]) <= len(letters):
        return drawn.clusters[int(word) - 1]
    raise UsageError(
        f"{printable(word)!r} isn't a group of the map",
        hint=f"groups go from {letters[0]} to {letters[-1]}; {shows} shows them",
    )
