"""What filters can name in a library, as completion reads it."""

import pytest
from library_fakes import new_photo

from photomap_cli.errors import EmptyLibrary
from photomap_cli.library import facets
from photomap_cli.records import Facets
from photomap_cli.search.query import parse

PHOTOS = (
    ("/pictures/Italy/Rome/a.JPG", "NIKON Z 6", "2023-06-15T10:00:00"),
    ("/pictures/Italy/Rome/b.jpg", "NIKON Z 6", "2023-06-01T10:00:00"),
    ("/pictures/Italy/c.heic", "Pixel 7", "2023-05-01T10:00:00"),
    ("/pictures/d.jpg", None, "2021-01-01T10:00:00"),
)


def test_values_are_counted_and_folders_end_at_what_was_indexed(catalog, folder):
    catalog.change_roots(["/pictures"])
    catalog.commit_batch([new_photo(path, camera=camera, taken_at=taken) for path, camera, taken in PHOTOS])
    assert facets.read(folder) == Facets(
        cameras=(("NIKON Z 6", 2), ("Pixel 7", 1)),
        extensions=(("jpg", 3), ("heic", 1)),
        months=(("2023-06", 2), ("2023-05", 1), ("2021-01", 1)),
        folders=(("/pictures", 4), ("/pictures/Italy", 3), ("/pictures/Italy/Rome", 2)),
        suggestions={
            "kind": (("photo", 4),),
            "orientation": (("landscape", 4),),
            "has": (("camera", 3), ("date", 4)),
            "rating": (("0", 4),),
            "size": (("<2mp", 4), ("<500kb", 4)),
        },
    )


def test_every_value_that_is_suggested_finds_as_many_photos_as_it_says(catalog, folder):
    facts = (
        {"rating": 5, "kind": "raw", "width": 8000, "height": 6000, "size_bytes": 30_000_000},
        {"rating": 3, "latitude": 48.86, "longitude": 2.33, "lens": "50mm", "width": 3000, "height": 4000},
        {"rating": -1, "latitude": 48.88, "longitude": 2.31, "lens": "50mm", "width": 900, "height": 900},
        {"latitude": -16.5, "longitude": 179.99, "lens": "EF 24", "width": 9000, "height": 3000},
    )
    catalog.commit_batch([new_photo(f"/pictures/{number}.jpg", **each) for number, each in enumerate(facts)])
    found = facets.read(folder)
    assert found.lenses == (("50mm", 2), ("EF 24", 1))
    assert found.places == (("48.87,2.32,10km", 2), ("-16.50,179.99,10km", 1))
    offered = {**found.suggestions, "lens": found.lenses, "near": found.places}
    for name, values in offered.items():
        for value, count in values:
            (condition,) = parse(f'{name}:"{value}"', cwd="/").filters
            assert (name, value, len(catalog.rows([condition]))) == (name, value, count)
    assert offered["rating"] == (("5", 1), (">=4", 1), (">=3", 2), (">=2", 2), (">=1", 2), ("0", 1), ("-1", 1))
    assert offered["kind"] == (("photo", 4), ("raw", 1))


def test_the_extensions_of_one_kind_are_counted_together_under_the_most_frequent(catalog, folder):
    names = ("a.jpg", "b.JPEG", "c.jpeg", "d.jpe", "e.tif", "f.png", "g.png", "h.hif", "i.heic", "j.heic")
    catalog.commit_batch([new_photo(f"/pictures/{name}") for name in names])
    assert facets.read(folder).extensions == (("jpeg", 4), ("heic", 3), ("png", 2), ("tif", 1))


def test_the_folders_kept_are_those_with_most_photos(catalog, folder, monkeypatch):
    monkeypatch.setattr(facets, "MOST_FOLDERS", 2)
    catalog.change_roots(["/pictures"])
    catalog.commit_batch([new_photo(path) for path, _, _ in PHOTOS])
    assert facets.read(folder).folders == (("/pictures", 4), ("/pictures/Italy", 3))


def test_the_whole_disk_may_be_the_root(catalog, folder):
    catalog.change_roots(["/"], ["/pictures"])
    catalog.commit_batch([new_photo("/pictures/a.jpg")])
    assert facets.read(folder).folders == (("/pictures", 1),)


def test_a_library_without_photos_has_no_words_and_none_at_all_is_said(catalog, folder, tmp_path):
    assert facets.read(folder) == Facets(suggestions={kind.value: () for kind in facets.SUGGESTED})
    with pytest.raises(EmptyLibrary):
        facets.read(tmp_path / "none")
