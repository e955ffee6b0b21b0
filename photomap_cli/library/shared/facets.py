"""Owns the facets of a shared library: the values that filters can have, with counts extrapolated from a sample."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from photomap_cli.library.facets import MOST_CAMERAS, MOST_PLACES, SUGGESTED, kinds, with_those_above
from photomap_cli.library.shared.collection import PHOTOS
from photomap_cli.library.shared.expressions import both
from photomap_cli.library.shared.photo_records import last_of
from photomap_cli.library.shared.schema import NO_PLACE
from photomap_cli.records import Facets, PhotoFilter

if TYPE_CHECKING:
    from photomap_cli.library.shared.collection import Collection
    from photomap_cli.library.shared.facts import SharedFacts
    from photomap_cli.library.shared.roots import Roots
    from photomap_cli.records import Counted

SAMPLE = 20_000
_FIELDS = ("path", "camera", "lens", "ext", "dated_at", "latitude", "longitude")


def facets_of(facts: SharedFacts, collection: Collection, roots: Roots) -> Facets:
    """Return the values that filters can have, each with its approximate number of photos."""
    total = facts.photo_count
    sampled = sample(collection, total)
    times = max(1.0, total / len(sampled)) if sampled else 1.0

    def counted(values: Iterable[Any], most: int | None = None) -> Counted:
        counts = Counter(each for each in values if each)
        return tuple((value, round(times * count)) for value, count in counts.most_common(most))

    folders = [(_folder(roots.here(each["path"])), 1) for each in sampled]
    return Facets(
        cameras=counted((each["camera"] for each in sampled), MOST_CAMERAS),
        extensions=kinds(counted(each["ext"] for each in sampled)),
        months=tuple(sorted(counted(each["dated_at"][:7] for each in sampled), reverse=True)),
        folders=tuple((path, round(times * count)) for path, count in with_those_above(folders, facts.roots())),
        lenses=counted((each["lens"] for each in sampled), MOST_CAMERAS),
        places=_places(sampled, times),
        suggestions=_suggestions(facts),
    )


def sample(collection: Collection, total: int) -> list[dict[str, Any]]:
    """Return an even sample of a library of `total` photos: those with the lowest rows, as rows are hashes."""
    condition = both(PHOTOS, f"row <= {last_of(SAMPLE, total)}")
    return [each for page in collection.pages(condition, _FIELDS, count=min(total, SAMPLE)) for each in page]


def _suggestions(facts: SharedFacts) -> dict[str, Counted]:
    """Return the suggested values that find photos, each with their exact number."""
    counts = {
        kind: [(value, facts.count([PhotoFilter(kind, value)])) for value in SUGGESTED[kind]] for kind in SUGGESTED
    }
    return {kind.value: tuple(each for each in values if each[1]) for kind, values in counts.items()}


def _places(sampled: list[dict[str, Any]], times: float) -> Counted:
    """Return the mean position of the photos in each square of a tenth of a degree, fullest squares first."""
    fields: dict[tuple[float, float], list[tuple[float, float]]] = {}
    for each in sampled:
        if each["latitude"] != NO_PLACE:
            place = each["latitude"], each["longitude"]
            fields.setdefault((round(place[0], 1), round(place[1], 1)), []).append(place)
    largest = sorted(fields.values(), key=len, reverse=True)[:MOST_PLACES]
    middles = ((*(sum(each) / len(field) for each in zip(*field, strict=True)), len(field)) for field in largest)
    return tuple(
        (f"{latitude:.2f},{longitude:.2f},10km", round(times * count)) for latitude, longitude, count in middles
    )


def _folder(path: str) -> str:
    """Return the folder of a path, with its trailing separator."""
    return path[: max(path.rfind(os.sep), path.rfind("/")) + 1] or path[: path.find(":") + 1]
