"""Folders and pictures that queries name in other letters' forms than the disk does."""

import shutil
import unicodedata

import pytest
from PIL import Image

from photomap_cli.errors import BadImage, BadPath
from photomap_cli.indexing.index_options import IndexOptions
from photomap_cli.records import SearchRequest

ETE, APART = "Été", unicodedata.normalize("NFD", "Été")


@pytest.fixture
def indexed(make_session, tmp_path):
    """Return a function that makes a library of one picture in each of these folders."""

    def index(*folders):
        for number, folder in enumerate(folders):
            (tmp_path / "photos" / folder).mkdir(parents=True)
            picture = Image.effect_noise((40, 30), 20 + number)
            picture.save(tmp_path / "photos" / folder / "é.png")
        session = make_session()
        list(session.indexer(IndexOptions()).run([tmp_path / "photos"]))
        return session

    return index


def found(session, tmp_path, text="dog", **request):
    request = {"cwd": str(tmp_path), **request}
    hits = session.search(SearchRequest(text, **request)).hits
    return {hit.path.removeprefix(f"{tmp_path}/photos/").rpartition("/")[0] for hit in hits}


@pytest.mark.parametrize("there", [ETE, APART])
@pytest.mark.parametrize("typed", [ETE, APART])
def test_a_folder_is_met_in_whatever_form_it_is_typed(indexed, tmp_path, there, typed):
    session = indexed(there, f"{there}/{there}", "other")
    folder = f"{tmp_path}/photos/{typed}"
    below = {there, f"{there}/{there}"}
    assert found(session, tmp_path, f"dog in:{folder}") == below
    assert found(session, tmp_path, f"dog -in:{folder}") == {"other"}
    assert found(session, tmp_path, f"dog in:photos/{typed}/{typed}/") == {f"{there}/{there}"}
    assert found(session, tmp_path, folder=folder) == below
    assert found(session, tmp_path, cwd=folder) == below


def test_of_two_folders_the_one_that_is_typed_is_meant(indexed, tmp_path):
    session = indexed(ETE, APART)
    for typed in (ETE, APART):
        folder = f"{tmp_path}/photos/{typed}"
        assert found(session, tmp_path, f"dog in:{folder}") == {typed}
        assert found(session, tmp_path, folder=folder) == {typed}


def test_a_folder_that_is_there_is_no_other_that_is_indexed(indexed, tmp_path):
    session = indexed(APART)
    (tmp_path / "photos" / ETE).mkdir()
    assert found(session, tmp_path, f"dog in:{tmp_path}/photos/{ETE}") == set()


def test_a_folder_on_a_missing_disk_is_met_too(indexed, tmp_path):
    session = indexed(APART, "other")
    shutil.rmtree(tmp_path / "photos" / APART)
    assert found(session, tmp_path, f"dog in:{tmp_path}/photos/{ETE}") == {APART}
    assert found(session, tmp_path, f"dog in:{tmp_path}/photos/{ETE}x") == set()
    assert found(session, tmp_path, folder=f"{tmp_path}/photos/{ETE}") == {APART}
    with pytest.raises(BadPath, match="isn't a folder"):
        found(session, tmp_path, folder=f"{tmp_path}/photos/{ETE}x")


def test_case_counts_where_the_disk_tells_it(indexed, tmp_path):
    session = indexed("Italy")
    assert found(session, tmp_path, f"dog in:{tmp_path}/photos/italy") == set()


@pytest.mark.parametrize("typed", [ETE, APART])
def test_a_picture_is_the_librarys_own_in_whatever_form_it_is_typed(indexed, tmp_path, encoder, typed):
    session = indexed(APART, "other")
    name = "é.png" if typed == ETE else unicodedata.normalize("NFD", "é.png")
    assert found(session, tmp_path, f"./photos/{typed}/{name}") == {"other"}  # not in its own results
    with pytest.raises(BadImage, match="there is no file"):
        found(session, tmp_path, f"./photos/{typed}/è.png")
