"""Which library is meant, as a user names it."""

from pathlib import Path

import pytest
from cases import cases

from photomap_cli import directories
from photomap_cli.errors import BadPath, BadSetting
from photomap_cli.library.location import library_directory

ADDRESS = "milvus://photos.example:19530/Team_photos"


@cases(
    "named",
    [
        ADDRESS,
        "MILVUS://Photos.Example/Team_photos",
        "milvus://photos.example:19530/Team_photos/",
    ],
)
def test_an_address_stands_for_one_folder_however_it_is_written(named):
    folder = library_directory(named)
    assert directories.address_in(folder) == directories.library_name(folder) == ADDRESS
    assert library_directory(str(folder)) == library_directory(folder) == folder
    assert not folder.exists()


def test_every_address_has_a_folder_of_its_own():
    named = [
        "milvus://a/b",
        "milvus+tls://a/b",
        "milvus://a:1/b",
        "milvus://a/B",
        "milvus://a.b/b",
        "milvus://a-b/b",
        "milvus://a/b_",
        "milvus://[::1]/b",
        "milvus://127.0.0.1/b",
    ]
    folders = {library_directory(each) for each in named}
    assert len({str(folder).casefold() for folder in folders}) == len(named)
    assert len({directories.library_key(folder) for folder in folders}) == len(named)


def test_the_environment_names_an_address_too(monkeypatch):
    monkeypatch.setenv("PHOTOMAP_LIBRARY", ADDRESS)
    assert directories.library_name(library_directory()) == ADDRESS
    assert library_directory("/p/library") == Path("/p/library")


def test_an_address_is_no_relative_folder_for_processes_elsewhere(monkeypatch):
    assert directories.environment({"PHOTOMAP_LIBRARY": ADDRESS})["PHOTOMAP_LIBRARY"] == ADDRESS


@cases("named", ["http://a/b", "milvus://", "milvus://a", "milvus://me:secret@a/b", f"milvus://{'a' * 250}/b"])
def test_what_is_no_address_is_refused_without_repeating_a_secret(named):
    with pytest.raises(BadSetting) as caught:
        library_directory(named)
    assert "secret" not in f"{caught.value.message} {caught.value.hint}"


@cases("named", ["a:/b", "./milvus://a/b", "./milvus:/a/b", "library"])
def test_everything_else_is_a_folder(named, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = library_directory(named)
    assert folder.is_relative_to(tmp_path)
    assert directories.address_in(folder) is None
    assert directories.library_name(folder) == str(folder)


def test_a_folder_that_cannot_be_is_refused():
    with pytest.raises(BadPath):
        library_directory("x" * 300)


@cases("name", ["milvus", "milvus%3a%2f%2fa%2fb", "%3a%2f%2f", "milvus%3a%2f%2fa%3a19530%2fB"])
def test_a_folder_that_only_looks_like_one_of_an_address_is_a_folder(name, tmp_path):
    assert directories.address_in(tmp_path / "shared" / name) is None
    assert directories.address_in(tmp_path / name) is None
