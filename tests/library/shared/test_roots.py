"""Paths of this machine, and what a shared library keeps of them."""

import datetime
import os
from pathlib import Path

import pytest
from cases import cases
from hypothesis import given
from hypothesis import strategies as st

from photomap_cli.errors import BadPath
from photomap_cli.library.shared.roots import Roots, Span
from photomap_cli.search.filter_values import FILTER_VALUES, Here

ROOTS = Roots({"archive": "/mnt/nas/archive", "trips": "/mnt/nas/archive/trips", "phones": "/home/me/phones/"}, sep="/")
WINDOWS = Roots({"archive": "N:\\archive", "drive": "P:\\"}, sep="\\")


@pytest.mark.parametrize(
    ("here", "stored"),
    [
        ("/mnt/nas/archive", "archive:"),
        ("/mnt/nas/archive/2014/a.jpg", "archive:2014/a.jpg"),
        ("/mnt/nas/archive/trips", "trips:"),
        ("/mnt/nas/archive/trips/b.jpg", "trips:b.jpg"),
        ("/mnt/nas/archive/trips2/b.jpg", "archive:trips2/b.jpg"),
        ("/home/me/phones/x:y/c.jpg", "phones:x:y/c.jpg"),
    ],
)
def test_a_path_and_how_it_is_kept(here, stored):
    assert ROOTS.stored(here) == stored
    assert ROOTS.here(stored) == here


@pytest.mark.parametrize(
    ("here", "stored"),
    [("N:\\archive\\2014\\a.jpg", "archive:2014/a.jpg"), ("P:\\x.jpg", "drive:x.jpg"), ("P:\\", "drive:")],
)
def test_separators_are_kept_as_slashes_on_every_system(here, stored):
    assert WINDOWS.stored(here) == stored
    assert WINDOWS.here(stored) == here


@cases("path", ["/mnt/nas", "/mnt/nas/archive2/x", "/", "archive/x", "/home/me/phone"])
def test_a_path_below_no_root_has_no_place_and_the_hint_names_the_setting(path):
    with pytest.raises(BadPath, match="none of the shared library's roots") as caught:
        ROOTS.stored(path)
    assert "[roots]" in caught.value.hint
    assert ROOTS.stored_if_any(path) is None


def test_a_photo_of_a_root_that_is_not_here_is_shown_as_it_is_kept():
    assert ROOTS.here("elsewhere:2014/a.jpg") == "elsewhere:2014/a.jpg"


@cases("written", ["elsewhere:2014", "elsewhere:/2014", "elsewhere:2014/", "elsewhere://2014//"])
def test_a_folder_of_a_root_that_is_not_here_is_named_by_the_root(written):
    assert ROOTS.stored_if_any(written) == "elsewhere:2014"
    assert ROOTS.below(written) == [Span("elsewhere:2014/", "elsewhere:20140")]


def test_a_root_that_is_here_can_be_named_too():
    assert ROOTS.below("archive:/2014") == ROOTS.below("/mnt/nas/archive/2014")
    assert ROOTS.below("archive:/") == ROOTS.below("/mnt/nas/archive")


def test_below_a_folder_are_the_roots_in_it():
    assert ROOTS.below("/mnt/nas/archive/2014") == [Span("archive:2014/", "archive:20140")]
    assert ROOTS.below("/mnt/nas/archive") == [Span("archive:", "archive;"), Span("trips:", "trips;")]
    assert ROOTS.below("/mnt/nas") == ROOTS.below("/mnt/nas/archive")
    assert ROOTS.below("/") == [Span("archive:", "archive;"), Span("phones:", "phones;"), Span("trips:", "trips;")]
    assert ROOTS.below("/srv") == []


NAMES = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1).filter(
    lambda name: name not in (".", "..")
)
PATHS = st.lists(NAMES, min_size=1, max_size=4).map(lambda names: "/mnt/nas/archive/" + "/".join(names))


@given(PATHS)
def test_every_path_comes_back(path):
    assert ROOTS.here(ROOTS.stored(path)) == path


@given(st.lists(NAMES, min_size=1, max_size=3), PATHS)
def test_what_is_below_a_folder_lies_in_its_span_and_nothing_else_does(names, path):
    folder = "/mnt/nas/archive/" + "/".join(names)
    spans = ROOTS.below(folder)
    for each in (path, f"{folder}/{path.rpartition('/')[2]}", folder):
        kept = ROOTS.stored(each).encode()
        is_in = any(span.first.encode() <= kept < span.end.encode() for span in spans)
        assert is_in == (each.startswith(folder + "/")), each


def test_roots_of_the_settings_are_without_links_as_indexed_folders_are(tmp_path, monkeypatch):
    (tmp_path / "disk" / "photos").mkdir(parents=True)
    (tmp_path / "link").symlink_to("disk")
    monkeypatch.setenv("HOME", str(tmp_path))
    roots = Roots.of_settings({"one": str(tmp_path / "link"), "gone": "/not/there"})
    assert roots.stored(str(tmp_path / "disk" / "photos" / "a.jpg")) == "one:photos/a.jpg"
    assert roots.here("gone:a.jpg") == os.path.normpath("/not/there/a.jpg")
    assert Roots.of_settings({"home": "~"}).stored(str(tmp_path / "disk")) == "home:disk"


def test_a_filter_may_name_a_root():
    here = Here("/somewhere", datetime.date(2024, 1, 1))
    read = FILTER_VALUES["in"].read
    assert read("archive:/2014", here) == "archive:/2014"
    assert read("archive", here) == str(Path("/somewhere/archive"))
    assert read("a:/x", here) == str(Path("/somewhere/a:/x"))
