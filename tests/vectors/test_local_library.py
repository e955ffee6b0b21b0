"""A library as the rest of photomap sees it, kept on this computer."""

from dataclasses import replace

import pytest
from library_fakes import DIM, INFO, new_photo, stored_vector, unit_vectors

from photomap_cli.errors import EmptyLibrary, EncoderMismatch, LibraryBusy
from photomap_cli.library.catalog import Catalog
from photomap_cli.library.entities import LibraryEncoder
from photomap_cli.vectors.local_library import LocalLibrary
from photomap_cli.vectors.vector_file import FILE_NAME


@pytest.fixture
def library(folder):
    with LocalLibrary.open(folder, create=True) as opened:
        yield opened


def test_the_first_encoder_is_noted_and_the_same_one_may_go_on(library):
    library.begin(INFO)
    assert library.facts.encoder == LibraryEncoder("fake", DIM, "float32")
    library.writes.commit_batch([new_photo("/p/a.jpg")])
    library.begin(INFO)
    assert library.facts.photo_count == 1


@pytest.mark.parametrize("other", [{"spec": "other"}, {"dim": DIM + 1}, {"fingerprint": "other"}])
def test_another_encoder_is_refused_and_removes_nothing(library, other):
    library.begin(INFO)
    library.writes.commit_batch([new_photo("/p/a.jpg")])
    with pytest.raises(EncoderMismatch):
        library.begin(replace(INFO, **other))
    assert (library.facts.photo_count, library.facts.encoder.spec) == (1, "fake")


def test_what_is_left_in_a_library_without_photos_gives_way_to_another_encoder(library, folder):
    library.begin(INFO)
    library.writes.commit_batch([new_photo("/p/a.jpg")])
    library.writes.change_roots(["/p"])
    list(library.upkeep())
    assert (folder / FILE_NAME).exists()
    library.writes.commit_batch([], [0])
    library.begin(replace(INFO, spec="other", dim=8))
    assert (library.facts.encoder, library.facts.roots()) == (LibraryEncoder("other", 8, "float32"), ("/p",))
    assert not (folder / FILE_NAME).exists()
    library.writes.commit_batch([new_photo("/p/b.jpg", unit_vectors(1, dim=8)[0])])
    library.searches.refresh()
    assert library.searches.search(stored_vector(library.facts, 0), 5)[0].tolist() == [0]


def test_one_run_at_a_time_writes(library):
    with (
        library.only_writer(),
        LocalLibrary.open(library.facts.folder) as other,
        pytest.raises(LibraryBusy),
        other.only_writer(),
    ):
        pass
    with library.only_writer():
        pass


def test_a_library_that_is_only_read_opens_no_search(library, folder):
    library.begin(INFO)
    with LocalLibrary.open(folder) as other:
        assert other.facts.photo_count == 0
    assert "searches" not in vars(other)


def test_there_has_to_be_one(folder):
    with pytest.raises(EmptyLibrary):
        LocalLibrary.open(folder)
    assert not folder.exists()


def test_it_is_closed_with_what_is_in_it(folder):
    library = LocalLibrary.open(folder, create=True)
    library.searches.refresh()
    library.close()
    library.close()
    with Catalog.open(folder) as catalog:
        assert catalog.photo_count == 0
