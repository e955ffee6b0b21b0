"""What a shared library does that a local one does not: several machines, roots elsewhere, numbers from paths."""

from __future__ import annotations

import datetime
import random
import threading
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest
from library_fakes import DIM, ENCODER, INFO, new_photo, unit_vectors

from photomap_cli.errors import (
    BadPath,
    BadQuery,
    BadSetting,
    EmptyLibrary,
    LibraryFormat,
    LibraryReplaced,
    LibraryUnreachable,
    LibraryUnusable,
    TooManyPhotos,
)
from photomap_cli.library import user_data
from photomap_cli.library.entities import FoundAgain
from photomap_cli.library.shared import collection, facts, newest, photo_records, schema, searches
from photomap_cli.library.shared.address import Address
from photomap_cli.library.shared.store import SharedLibrary
from photomap_cli.records import FilterKind, PhotoFilter
from photomap_cli.settings import Settings

ROOTS = {"archive": "/nas/archive", "phones": "/nas/phones"}


@pytest.fixture
def opened(where_to, tmp_path):
    """Return what opens the library, as a machine with these roots."""
    machines = iter(range(100))

    @contextmanager
    def open_it(roots=None, *, begin=True, where=where_to):
        folder, settings = tmp_path / f"machine{next(machines)}", Settings(roots=ROOTS if roots is None else roots)
        with SharedLibrary.open(folder, str(where), settings, create=begin) as made:
            if begin:
                made.begin(INFO)
            yield made

    return open_it


@pytest.fixture
def library(opened):
    with opened() as made:
        yield made


def photos(*paths, **facts):
    return [new_photo(path, vector, **facts) for path, vector in zip(paths, unit_vectors(len(paths)), strict=True)]


def paths(library, within=()):
    return sorted(each.path for each in library.facts.photos(library.facts.rows(within)))


# Machines. ------------------------------------------------------------------------------------------------------------


def test_each_machine_sees_its_own_paths(opened):
    with opened() as one, opened({"archive": "/Volumes/archive"}) as other:
        one.writes.commit_batch(photos("/nas/archive/2014/a.jpg", "/nas/phones/b.jpg"))
        one.writes.change_roots(["/nas/archive", "/nas/phones"])
        assert paths(other) == ["/Volumes/archive/2014/a.jpg", "phones:b.jpg"]
        assert other.facts.roots() == ("/Volumes/archive", "phones:")
        assert other.facts.photo_at("/Volumes/archive/2014/a.jpg").path == "/Volumes/archive/2014/a.jpg"
        assert other.facts.photo_at("/nas/archive/2014/a.jpg") is None
        assert other.facts.photo_at("phones:b.jpg").row == one.facts.photo_at("/nas/phones/b.jpg").row


def test_photos_of_a_root_that_is_not_here_are_filtered_by_its_name(opened):
    with opened() as one, opened({}) as other:
        one.writes.commit_batch(photos("/nas/archive/2014/a.jpg", "/nas/archive/2015/b.jpg", "/nas/phones/c.jpg"))
        assert paths(other, [PhotoFilter(FilterKind.IN, "archive:/2014")]) == ["archive:2014/a.jpg"]
        assert paths(other, [PhotoFilter(FilterKind.IN, "archive:/")]) == ["archive:2014/a.jpg", "archive:2015/b.jpg"]
        assert paths(one, [PhotoFilter(FilterKind.IN, "archive:/2014")]) == ["/nas/archive/2014/a.jpg"]
        assert other.facts.has_photos("archive:/2014")
        assert not other.facts.has_photos("/nas/archive/2014")


def test_two_machines_that_write_the_same_photos_leave_each_once(opened):
    with opened() as one, opened({"archive": "/Volumes/archive"}) as other:
        one.writes.commit_batch(photos(*(f"/nas/archive/{n}.jpg" for n in range(20)), camera="One"))
        other.writes.commit_batch(photos(*(f"/Volumes/archive/{n}.jpg" for n in range(10, 30)), camera="Other"))
        one.facts._collection.forget()
        assert one.facts.photo_count == len(paths(one)) == 30
        assert one.facts.photo_at("/nas/archive/15.jpg").camera == "Other"


def test_there_is_no_library_before_one_is_begun(opened):
    with pytest.raises(EmptyLibrary, match="there is no library milvus://"), opened(begin=False):
        pass


def test_of_several_machines_that_make_a_library_at_once_one_does(where_to, tmp_path, client):
    made, failed = [], []

    def begin(number):
        try:
            with SharedLibrary.open(
                tmp_path / str(number), str(where_to), Settings(roots=ROOTS), create=True
            ) as library:
                library.begin(INFO)
                made.append(library.facts.library_id)
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=begin, args=(number,)) for number in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert failed == []
    assert len(set(made)) == 1
    names = client.call("list_collections")
    assert len([each for each in names if each.startswith(where_to.name)]) == 1


def test_a_file_is_known_by_its_ctime_and_inode_to_the_machine_alone_that_has_seen_it(opened):
    with opened() as one, opened() as other:
        one.writes.commit_batch(photos("/nas/archive/a.jpg", ctime_ns=5, inode=6))
        (seen,) = one.writes.seen_files("/nas/archive").values()
        assert seen[3:] == (5, 6)
        (seen,) = other.writes.seen_files("/nas/archive").values()
        assert seen[3:] == (0, 0)
        other.writes.note_signs([FoundAgain(seen.row, "/nas/archive/a.jpg", 0, 8, 9)])
        (seen,) = other.writes.seen_files("/nas/archive").values()
        assert seen[3:] == (8, 9)


def test_a_folder_that_no_root_covers_cannot_be_indexed(library):
    for write in (
        lambda: library.writes.commit_batch(photos("/home/me/a.jpg")),
        lambda: library.writes.change_roots(["/home/me"]),
        lambda: library.writes.runs.begin(["/home/me"], None),
    ):
        with pytest.raises(BadPath, match="none of the shared library's roots"):
            write()
    assert library.facts.photo_count == 0
    assert library.writes.seen_files("/home/me") == {}
    assert library.writes.count_below("/home/me") == 0


# Numbers. -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def _few_numbers(monkeypatch):
    """Have most paths share their numbers with others."""
    true = photo_records.number
    monkeypatch.setattr(photo_records, "number", lambda stored, part=0: true(stored, part) % 7)


@pytest.mark.usefixtures("_few_numbers")
def test_paths_that_share_a_number_are_photos_of_their_own(library):
    every = [f"/nas/archive/{n}.jpg" for n in range(30)]
    dice = random.Random(4)
    for _ in range(4):
        library.writes.commit_batch(photos(*dice.sample(every, 15)))
    library.writes.commit_batch(photos(*every))
    assert paths(library) == sorted(every)
    assert library.facts.photo_count == 30
    assert [library.facts.photo_at(each).path for each in every] == every
    asked = [*every, "/nas/archive/none.jpg", "/elsewhere/a.jpg"]
    assert {path: each.path for path, each in library.facts.contents.at(asked).items()} == {
        each: each for each in every
    }
    gone = dice.sample(every, 12)
    library.writes.commit_batch([], [library.facts.photo_at(each).row for each in gone])
    assert paths(library) == sorted({*every} - {*gone})
    assert [each for each in gone if library.facts.photo_at(each)] == []


@pytest.mark.usefixtures("_few_numbers")
def test_a_photo_whose_number_is_free_by_now_is_there_once(library):
    number = photo_records.number
    pairs = ((a, b) for a in range(9) for b in range(a) if number(f"archive:{a}") == number(f"archive:{b}"))
    a, b = next(pairs)
    library.writes.commit_batch(photos(f"/nas/archive/{a}"))
    library.writes.commit_batch(photos(f"/nas/archive/{b}"))
    library.writes.commit_batch([], [library.facts.photo_at(f"/nas/archive/{a}").row])
    assert library.facts.photo_at(f"/nas/archive/{b}").path == f"/nas/archive/{b}"
    library.writes.commit_batch(photos(f"/nas/archive/{b}"))
    assert paths(library) == [f"/nas/archive/{b}"]


def test_the_side_of_a_panorama_has_a_number_that_no_photo_has_by_its_path():
    assert len({photo_records.number("archive:a", part) for part in range(3)}) == 3
    assert photo_records.number("archive:a") == photo_records.number("archive:a")
    assert photo_records.number("archive:é") != photo_records.number("archive:e\u0301")


# Batches. -------------------------------------------------------------------------------------------------------------


def failing_once(monkeypatch, library, method, after=0):
    """Have a call of the client that writes fail once, after so many that succeed."""
    client = library.writes._collection.client
    true, left = getattr(client, method), [after]

    def call(*values, **named):
        left[0] -= 1
        if left[0] == -1:
            raise LibraryUnreachable("away")
        return true(*values, **named)

    monkeypatch.setattr(client, method, call)


@pytest.mark.parametrize(("method", "after"), [("upsert", 0), ("delete", 0)])
def test_a_batch_that_failed_midway_may_be_committed_again(library, monkeypatch, method, after):
    one, other, new = photos("/nas/archive/1.jpg", "/nas/archive/2.jpg", "/nas/archive/1.jpg", camera="Old")
    library.writes.commit_batch([one, other])
    rows = [library.facts.photo_at(each.path).row for each in (one, other)]
    again = [FoundAgain(rows[0], "/nas/archive/moved.jpg", 5)]
    failing_once(monkeypatch, library, method, after)
    with pytest.raises(LibraryUnreachable):
        library.writes.commit_batch([replace(new, camera="New")], [rows[1]], again)
    library.writes.commit_batch([replace(new, camera="New")], [rows[1]], again)
    assert paths(library) == ["/nas/archive/1.jpg", "/nas/archive/moved.jpg"]
    cameras = [library.facts.photo_at(f"/nas/archive/{name}.jpg").camera for name in ("1", "moved")]
    assert cameras == ["New", "Old"]
    moved = library.facts.photo_at("/nas/archive/moved.jpg")
    np.testing.assert_allclose(library.facts.vectors([moved.row])[moved.row], one.vector, atol=1e-3)


def test_a_panorama_that_moves_takes_its_sides_along(library):
    vectors = unit_vectors(3)
    library.writes.commit_batch([new_photo("/nas/archive/w.jpg", vectors[0], sides=vectors[1:])])
    row = library.facts.photo_at("/nas/archive/w.jpg").row
    library.writes.commit_batch([], [], [FoundAgain(row, "/nas/phones/w.jpg", 1)])
    moved = library.facts.photo_at("/nas/phones/w.jpg").row
    np.testing.assert_allclose(library.facts.sides([moved])[moved], vectors[1:], atol=1e-3)
    assert library.facts.sides([row]) == {}
    assert library.facts._collection.count("part >= 0") == 3


def test_all_that_is_known_of_a_photo_is_kept(library):
    photo = new_photo(
        "/nas/archive/IMG_20200102.JPG",
        **{"taken_at": "2019-05-06T07:08:09", "is_day": True, "camera": "NIKON D90", "lens": "50mm", "rating": -1},
        **{"latitude": 1.25, "longitude": -2.5, "orientation": 6, "damage": "cut short", "kind": "raw"},
        **{"extension": "nef", "seconds": 1.5, "ctime_ns": 3, "inode": -4, "mtime_ns": 2**62, "size_bytes": 2**40},
    )
    library.writes.commit_batch([photo])
    (kept,) = library.writes.whole_photos([library.facts.photo_at(photo.path).row])
    names = [each for each in photo.__dataclass_fields__ if each != "vector"]
    assert {name: getattr(kept, name) for name in names} == {name: getattr(photo, name) for name in names}
    plain = new_photo("/nas/archive/b.jpg")
    library.writes.commit_batch([plain])
    (kept,) = library.writes.whole_photos([library.facts.photo_at(plain.path).row])
    names = [each for each in names if each != "extension"]  # which the name says
    assert {name: getattr(kept, name) for name in names} == {name: getattr(plain, name) for name in names}


# Reading. -------------------------------------------------------------------------------------------------------------


DATED = [f"20{year:02}-0{month}-15T12:00:00" for year in range(10, 20) for month in range(1, 7)]


@pytest.fixture
def dated(library):
    dice = random.Random(2)
    dates = [*DATED, *["2015-03-15T12:00:00"] * 60]
    dice.shuffle(dates)
    library.writes.commit_batch([new_photo(f"/nas/archive/{n}.jpg", taken_at=date) for n, date in enumerate(dates)])
    return library


@pytest.mark.parametrize("sorted_at_once", [4, 16, 2048])
def test_the_newest_come_page_by_page_however_many_share_a_second(dated, monkeypatch, sorted_at_once):
    monkeypatch.setattr(newest, "_SORTED", sorted_at_once)
    monkeypatch.setattr(newest, "MOST_AT_ONCE", max(sorted_at_once, 16))
    every = [(each.dated_at, each.row) for each in dated.facts.photos(dated.facts.rows())]
    found, behind = [], None
    while page := dated.facts.newest(limit=7, behind=behind):
        found += [(each.dated_at, each.row) for each in page]
        behind = found[-1]
    assert found == sorted(every, reverse=True)


def test_the_newest_of_what_filters_leave(dated):
    within = [PhotoFilter(FilterKind.YEAR, "2015"), PhotoFilter(FilterKind.MONTH, "3", negated=True)]
    months = [each.dated_at[5:7] for each in dated.facts.newest(within, limit=10)]
    assert months == ["06", "05", "04", "02", "01"]
    assert dated.facts.newest([PhotoFilter(FilterKind.YEAR, "1999")], limit=10) == []


@pytest.mark.parametrize("per_page", [1, 10, 1000])
def test_pages_hold_everything_once_whatever_a_page_holds(dated, monkeypatch, per_page):
    monkeypatch.setattr(collection, "MOST_AT_ONCE", 20)
    true = dated.facts._collection.client.query
    few = lambda *values, **named: true(*values, **{"limit": 20, **named})[:20]  # noqa: E731
    monkeypatch.setattr(dated.facts._collection.client, "query", few)
    pages = dated.facts._collection.pages("part == 0", ["row"], count=120, per_page=per_page)
    rows = [each["row"] for page in pages for each in page]
    assert len(rows) == len(set(rows)) == 120


def test_a_map_of_many_photos_is_of_some_that_are_always_the_same(dated, monkeypatch):
    every = dated.facts.rows()
    rows, count = dated.facts.spread()
    assert (rows.tolist(), count) == (every.tolist(), 120)
    monkeypatch.setattr(facts, "MOST_SPREAD", 50)
    monkeypatch.setattr(facts, "_SPREAD_MORE", 1.5)
    rows, count = dated.facts.spread()
    assert (rows.tolist(), count) == (every[:50].tolist(), 120)
    year = [PhotoFilter(FilterKind.YEAR, "2015")]
    rows, count = dated.facts.spread(year)
    assert 40 <= len(rows) <= 50
    assert count == 66
    assert {*rows.tolist()} <= {*dated.facts.rows(year).tolist()}


def test_what_is_derived_of_vectors_is_of_no_use_once_a_run_has_ended(library):
    library.writes.commit_batch(photos("/nas/archive/a.jpg"))
    before = library.facts.vectors_id, library.facts.library_id
    library.writes.touch_indexed(datetime.datetime(2024, 1, 2, tzinfo=datetime.UTC))
    assert library.facts.vectors_id != before[0]
    assert library.facts.library_id == before[1]


def test_more_photos_than_can_be_listed_are_refused(dated, monkeypatch):
    monkeypatch.setattr(facts, "MOST_LISTED", 100)
    with pytest.raises(TooManyPhotos, match="120 photos are too many") as caught:
        dated.facts.rows()
    assert caught.value.hint
    assert len(dated.facts.rows([PhotoFilter(FilterKind.YEAR, "2015")])) == 66


def test_more_hits_than_a_search_can_have_are_cut_and_said(dated, monkeypatch):
    monkeypatch.setattr(searches, "MOST_AT_ONCE", 50)
    rows, _ = dated.searches.search(unit_vectors(1)[0], 80)
    assert len(rows) == 50
    assert dated.searches.drain_notices() == ["a shared library gives 50 photos at once at most; these are the best"]
    assert dated.searches.drain_notices() == []


def test_only_a_search_without_filters_goes_through_less_than_all(opened, where_to, tmp_path, monkeypatch):
    with opened() as library:
        library.writes.commit_batch(photos("/nas/archive/a.jpg"))
    some, every = {"nprobe": 1000, "reorder_k": 400}, {"nprobe": 4000, "reorder_k": 400}
    with SharedLibrary.open(tmp_path, str(where_to), Settings(roots=ROOTS, shared_probe=0.25)) as library:
        state, asked = library.facts._collection.state, []
        large = replace(state, index=schema.Index("SCANN", 4000))
        monkeypatch.setattr(collection.Collection, "state", large)
        monkeypatch.setattr(collection.Collection, "search", lambda *_, params, **more: asked.append(params) or [])
        for within, exact in (((), False), ([PhotoFilter(FilterKind.EXT, "jpg")], False), ((), True)):
            library.searches.search(unit_vectors(1)[0], 5, within, exact=exact)
    assert asked == [some, every, every | {"reorder_k": 4000}]


def test_equal_scores_come_by_row_and_none_is_cut_off_in_the_middle(library):
    vector = unit_vectors(1)[0]
    library.writes.commit_batch([new_photo(f"/nas/archive/{n}.jpg", vector) for n in range(100)])
    every = library.facts.rows().tolist()
    assert library.searches.search(vector, 10)[0].tolist() == every[:10]


def test_what_filters_can_name(opened):
    with opened() as library:
        some = photos(*(f"/nas/archive/2014/{n}.jpg" for n in range(3)), camera="NIKON D90", lens="50mm", rating=5)
        more = photos("/nas/phones/x/c.png", latitude=48.86, longitude=2.35, taken_at="2020-01-02T03:04:05")
        library.writes.commit_batch([*some, *more])
        library.writes.change_roots(["/nas/archive", "/nas/phones"])
        found = library.facts.facets()
        assert (found.cameras, found.lenses) == ((("NIKON D90", 3),), (("50mm", 3),))
        assert found.extensions == (("jpg", 3), ("png", 1))
        assert found.places == (("48.86,2.35,10km", 1),)
        assert ("2020-01", 1) in found.months
        assert dict(found.folders) == {"/nas/archive": 3, "/nas/archive/2014": 3, "/nas/phones": 1, "/nas/phones/x": 1}
        assert found.suggestions["rating"] == (("5", 3), (">=4", 3), (">=3", 3), (">=2", 3), (">=1", 3), ("0", 1))
    with opened({"archive": "/nas/archive"}) as other:
        assert ("phones:x", 1) in other.facts.facets().folders


def test_a_filter_that_the_server_cannot_answer_is_answered_here_if_the_library_is_not_too_large(library, monkeypatch):
    library.writes.commit_batch(photos("/nas/archive/a1.jpg", "/nas/archive/b2.jpg", camera="NIKON D90"))
    for within in ([PhotoFilter(FilterKind.NAME, "[ab]1*")], [PhotoFilter(FilterKind.NAME, "[!b]*")]):
        assert paths(library, within) == ["/nas/archive/a1.jpg"]
    client = library.facts._collection.client
    monkeypatch.setattr(client, "_abilities", client.abilities._replace(has_infix=False))
    assert library.facts.count([PhotoFilter(FilterKind.CAMERA, "d9")]) == 2
    library.writes.commit_batch(photos("/nas/archive/c.jpg", camera="Canon"))
    assert library.facts.count([PhotoFilter(FilterKind.CAMERA, "can")]) == 1
    monkeypatch.setattr(facts, "_FEW_TEXTS", 2)
    with pytest.raises(BadQuery, match="more than the library's server can do"):
        library.facts.count([PhotoFilter(FilterKind.CAMERA, "can")])
    assert library.facts.count([PhotoFilter(FilterKind.NAME, "a*")]) == 1


def test_an_album_is_the_users_own_and_filters_all_the_same(opened):
    with opened() as one, opened() as other:
        one.writes.commit_batch(photos("/nas/archive/a.jpg", "/nas/archive/b.jpg"))
        user_data.add(one.facts.folder, "Best", [user_data.Member("/nas/archive/b.jpg")])
        assert paths(one, [PhotoFilter(FilterKind.ALBUM, "best")]) == ["/nas/archive/b.jpg"]
        assert one.facts.count([PhotoFilter(FilterKind.ALBUM, "best", negated=True)]) == 1
        rows, _ = one.searches.search(unit_vectors(1)[0], 5, [PhotoFilter(FilterKind.ALBUM, "Best")])
        assert len(rows) == 1
        assert user_data.albums(other.facts.folder) == ()


def test_a_moved_photo_is_known_by_the_other_form_of_its_letters(library):
    library.writes.commit_batch(photos("/nas/archive/e\u0301/a.jpg"))
    assert library.facts.spelled("/nas/archive/é") == "/nas/archive/e\u0301"
    assert library.facts.spelled("/nas/archive/ü") == "/nas/archive/ü"


def test_the_status_names_the_address_and_no_secret(opened, where_to, monkeypatch):
    monkeypatch.setenv("PHOTOMAP_LIBRARY_TOKEN", "me:secret")
    with opened() as library:
        library.writes.commit_batch(photos("/nas/archive/a.jpg"))
        status = library.facts.status()
        assert (status.path, status.photos, status.encoder, status.dim) == (str(where_to), 1, ENCODER.spec, DIM)
        assert "secret" not in repr(status) + repr(vars(library)) + str(status.to_json())


# What is no library, or no longer. ------------------------------------------------------------------------------------


def test_a_collection_that_is_no_library_is_refused(opened, where_to, client):
    client.create(where_to.name, schema.fields(4, is_half=False), schema.Index("FLAT"), {"mine": "yes"})
    for begin in (False, True):
        with pytest.raises(LibraryFormat), opened(begin=begin):
            pass
    assert client.describe(where_to.name).properties["mine"] == "yes"


def test_a_library_with_an_index_that_loses_photos_is_refused(opened, where_to, client):
    with opened() as library:
        name = library.facts._collection.require().name
    client.make_index(name, schema.Index("HNSW"))
    with pytest.raises(LibraryUnusable, match="the index HNSW"), opened():
        pass


def test_a_library_takes_the_place_of_another_under_its_address(opened, where_to):
    draft = replace(where_to, name=f"{where_to.name}_rebuild")
    with opened() as library, opened(where=draft) as rebuilt:
        library.writes.commit_batch(photos("/nas/archive/a.jpg", "/nas/archive/b.jpg"))
        old = library.facts.library_id
        rebuilt.writes.commit_batch(photos("/nas/archive/a.jpg"))
        rebuilt.take_place_of(where_to)
        assert paths(library) == ["/nas/archive/a.jpg"]  # it asks for the old collection, which has gone
        assert library.facts.library_id not in ("", old)
    with pytest.raises(EmptyLibrary), opened(begin=False, where=draft):
        pass


def test_a_library_that_somebody_removed_but_for_its_name_can_be_made_anew(opened, client):
    with opened() as library:
        client.drop(library.facts._collection.require().name)
    with opened() as library:
        library.writes.commit_batch(photos("/nas/archive/a.jpg"))
        assert library.facts.photo_count == 1


def test_a_library_that_somebody_removes_is_said_to_be_gone(opened, client):
    with opened() as library:
        library.writes.commit_batch(photos("/nas/archive/a.jpg"))
        name = library.facts._collection.require().name
        client.unname(library.address.name)
        client.drop(name)
        with pytest.raises(LibraryReplaced):
            library.facts.rows()


@pytest.mark.parametrize("text", ["milvus://me:secret@127.0.0.1/p", "milvus://nas/p", "nonsense://x"])
def test_what_cannot_be_opened_is_refused_before_anybody_is_asked(text, tmp_path):
    with pytest.raises(BadSetting) as caught:
        SharedLibrary.open(tmp_path / "own", text, Settings(), create=True)
    assert "secret" not in caught.value.message
    assert not (tmp_path / "own").exists()


def test_a_server_that_is_not_there_is_said_to_be_away(tmp_path):
    nowhere = Address("127.0.0.1", 9, "photos")
    with pytest.raises(LibraryUnreachable):
        SharedLibrary.open(tmp_path / "own", str(nowhere), Settings())
