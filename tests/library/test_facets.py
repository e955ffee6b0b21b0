"""What filters can name in a library, as completion reads it."""

import pytest
from library_fakes import new_photo

from photomap_cli.errors import EmptyLibrary
from photomap_cli.library import facets
from photomap_cli.records import Facets

PHOTOS = (
    ("/pictures/Italy/Rome/a.JPG", "NIKON Z 6", "2023-06-15T10:00:00"),
    ("/pictures/Italy/Rome/b.jpg", "NIKON Z 6", "2023-06-01T10:00:00"),
    ("/pictures/Italy/c.heic", "Pixel 7", "2023-05-01T10:00:00"),
    ("/pictures/d.jpg", None, "2021-01-01T10:00:00"),
)


def test_values_are_counted_and_folders_end_at_what_was_indexed(catalog, folder):
    catalog.set_roots(["/pictures"])
    catalog.commit_batch([new_photo(path, camera=camera, taken_at=taken) for path, camera, taken in PHOTOS])
    assert facets.read(folder) == Facets(
        cameras=(("NIKON Z 6", 2), ("Pixel 7", 1)),
        extensions=(("jpg", 3), ("heic", 1)),
        months=(("2023-06", 2), ("2023-05", 1), ("2021-01", 1)),
        folders=(("/pictures", 4), ("/pictures/Italy", 3), ("/pictures/Italy/Rome", 2)),
    )


def test_the_extensions_of_one_kind_are_counted_together_under_the_most_frequent(catalog, folder):
    names = ("a.jpg", "b.JPEG", "c.jpeg", "d.jpe", "e.tif", "f.png", "g.png", "h.hif", "i.heic", "j.heic")
    catalog.commit_batch([new_photo(f"/pictures/{name}") for name in names])
    assert facets.read(folder).extensions == (("jpeg", 4), ("heic", 3), ("png", 2), ("tif", 1))


def test_the_folders_kept_are_those_with_most_photos(catalog, folder, monkeypatch):
    monkeypatch.setattr(facets, "MOST_FOLDERS", 2)
    catalog.set_roots(["/pictures"])
    catalog.commit_batch([new_photo(path) for path, _, _ in PHOTOS])
    assert facets.read(folder).folders == (("/pictures", 4), ("/pictures/Italy", 3))


def test_the_whole_disk_may_be_the_root(catalog, folder):
    catalog.set_roots(["/"])
    catalog.commit_batch([new_photo("/pictures/a.jpg")])
    assert facets.read(folder).folders == (("/pictures", 1),)


def test_a_library_without_photos_has_no_words_and_none_at_all_is_said(catalog, folder, tmp_path):
    assert facets.read(folder) == Facets()
    with pytest.raises(EmptyLibrary):
        facets.read(tmp_path / "none")
