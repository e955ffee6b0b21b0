"""What is asked of a library, whatever keeps it: writing, and reading what was written."""

from __future__ import annotations

import datetime
from dataclasses import replace

import numpy as np
import pytest
from library_fakes import INFO, new_photo, unit_vectors

from photomap_cli.errors import EmptyLibrary, EncoderMismatch
from photomap_cli.library.entities import FoundAgain, FoundFile
from photomap_cli.records import FilterKind, PhotoFilter

NOW = datetime.datetime(2024, 5, 6, 7, 8, 9, tzinfo=datetime.UTC)


def numbered(count, folder="/p", *, seed=0, **facts):
    """Return photos that are called by their numbers, each with a vector of its own."""
    return [
        new_photo(f"{folder}/{number:03}.jpg", vector, mtime_ns=number, size_bytes=100 + number, **facts)
        for number, vector in enumerate(unit_vectors(count, seed=seed))
    ]


def paths_of(library, within=()):
    return sorted(photo.path for photo in library.facts.photos(library.facts.rows(within)))


def row_of(library, path):
    return library.facts.photo_at(path).row


def found(library, vector, k=10, within=(), **how):
    """Return the paths and scores of a search."""
    library.searches.refresh()
    rows, scores = library.searches.search(vector, k, within, **how)
    return [photo.path for photo in library.facts.photos(rows)], scores


def test_there_is_no_library_until_one_is_made(nowhere):
    with pytest.raises(EmptyLibrary), nowhere.opened():
        pass
    with nowhere.opened(create=True) as library:
        assert library.facts.photo_count == 0
        assert library.facts.encoder is None
        assert library.facts.roots() == ()
        assert library.facts.rows().tolist() == []
        assert found(library, unit_vectors(1)[0])[0] == []
        assert library.facts.status().photos == 0


def test_the_first_encoder_is_remembered_and_the_same_one_may_begin_again(nowhere):
    with nowhere.begun() as library:
        library.writes.commit_batch(numbered(3))
    with nowhere.opened() as library:
        library.begin(INFO)
        assert library.facts.photo_count == 3
        made_with = library.facts.encoder
        assert (made_with.spec, made_with.dim, made_with.fingerprint) == (INFO.spec, INFO.dim, INFO.fingerprint)


@pytest.mark.parametrize("other", [{"spec": "another"}, {"dim": 16}, {"fingerprint": "other weights"}])
def test_another_encoder_is_refused_and_nothing_is_lost(nowhere, other):
    with nowhere.begun() as library:
        library.writes.commit_batch(numbered(3))
        with pytest.raises(EncoderMismatch):
            library.begin(replace(INFO, **other))
        assert library.facts.photo_count == 3
        assert library.facts.encoder.spec == INFO.spec


def test_what_was_committed_is_there_for_whoever_opens_the_library_next(place):
    photos = numbered(20, camera="Leica Q2", lens="28mm", taken_at="2020-02-03T04:05:06")
    with place.opened() as library:
        library.writes.commit_batch(photos)
        library.writes.touch_indexed(NOW)
        library.writes.change_roots(["/p", "/q"])
        library_id = library.facts.library_id
    with place.opened() as library:
        assert library.facts.library_id == library_id
        assert library.facts.photo_count == library.facts.count() == 20
        assert paths_of(library) == [each.path for each in photos]
        assert library.facts.roots() == ("/p", "/q")
        status = library.facts.status()
        assert (status.photos, status.encoder, status.dim) == (20, INFO.spec, INFO.dim)
        assert status.last_indexed_at == "2024-05-06T07:08:09+00:00"
        (photo,) = library.facts.photos([row_of(library, "/p/007.jpg")])
        assert (photo.size_bytes, photo.mtime_ns, photo.taken_at) == (107, 7, "2020-02-03T04:05:06")
        assert (photo.width, photo.height, photo.camera) == (4, 3, "Leica Q2")


def test_a_photo_is_found_by_its_vector_as_soon_as_it_is_committed(place):
    photos = numbered(30)
    with place.opened() as library:
        library.writes.commit_batch(photos[:15])
        assert found(library, photos[3].vector, 1)[0] == ["/p/003.jpg"]
        library.writes.commit_batch(photos[15:])
        paths, scores = found(library, photos[20].vector, 5)
        assert paths[0] == "/p/020.jpg"
        expected = np.sort(np.stack([each.vector for each in photos]) @ photos[20].vector)[::-1][:5]
        np.testing.assert_allclose(scores, expected, atol=1e-3)


def test_no_more_hits_than_photos_and_none_for_none(place):
    with place.opened() as library:
        library.writes.commit_batch(numbered(3))
        assert len(found(library, unit_vectors(1)[0], 50)[0]) == 3
        assert found(library, unit_vectors(1)[0], 50, [PhotoFilter(FilterKind.IN, "/nowhere")])[0] == []


def test_what_is_removed_is_found_no_more(place):
    photos = numbered(10)
    with place.opened() as library:
        library.writes.commit_batch(photos)
        gone = [row_of(library, each.path) for each in photos[:4]]
        library.writes.commit_batch([], gone)
        assert library.facts.photo_count == library.facts.count() == 6
        assert paths_of(library) == [each.path for each in photos[4:]]
        assert "/p/002.jpg" not in found(library, photos[2].vector)[0]
        assert library.facts.photos(gone) == []
        assert library.facts.vectors(gone) == {}
        assert library.facts.photo_at("/p/002.jpg") is None


def test_a_photo_at_a_path_that_is_there_takes_its_place(place):
    photos = numbered(5)
    with place.opened() as library:
        library.writes.commit_batch(photos)
        other = unit_vectors(1, seed=9)[0]
        library.writes.commit_batch([replace(photos[2], vector=other, size_bytes=999, camera="Other")])
        assert library.facts.photo_count == library.facts.count() == 5
        photo = library.facts.photo_at("/p/002.jpg")
        assert (photo.size_bytes, photo.camera) == (999, "Other")
        np.testing.assert_allclose(library.facts.vectors([photo.row])[photo.row], other, atol=1e-3)
        assert found(library, other, 1)[0] == ["/p/002.jpg"]


def test_a_batch_that_is_committed_again_changes_nothing(place):
    photos = numbered(8)
    with place.opened() as library:
        for _ in range(3):
            library.writes.commit_batch(photos)
        assert library.facts.photo_count == library.facts.count() == 8
        assert paths_of(library) == [each.path for each in photos]


def test_a_moved_photo_keeps_all_but_its_path(place):
    photos = numbered(6, camera="Leica Q2", rating=4)
    with place.opened() as library:
        library.writes.commit_batch(photos)
        row = row_of(library, "/p/004.jpg")
        library.writes.commit_batch([], [], [FoundAgain(row, "/q/new name.jpg", 77, 88, 99)])
        assert library.facts.photo_count == library.facts.count() == 6
        assert library.facts.photo_at("/p/004.jpg") is None
        moved = library.facts.photo_at("/q/new name.jpg")
        assert (moved.mtime_ns, moved.size_bytes, moved.camera) == (77, 104, "Leica Q2")
        assert library.facts.details("/q/new name.jpg").rating == 4
        assert found(library, photos[4].vector, 1)[0] == ["/q/new name.jpg"]
        assert library.writes.seen_files("/q") == {"/q/new name.jpg": (moved.row, 104, 77, 88, 99)}


def test_photos_that_change_places_are_both_there(place):
    one, other = numbered(2)
    with place.opened() as library:
        library.writes.commit_batch([one, other])
        rows = [row_of(library, each.path) for each in (one, other)]
        library.writes.commit_batch(
            [], [], [FoundAgain(rows[0], "/q/x.jpg", 0), FoundAgain(rows[1], one.path, other.mtime_ns)]
        )
        assert paths_of(library) == ["/p/000.jpg", "/q/x.jpg"]
        assert found(library, one.vector, 1)[0] == ["/q/x.jpg"]
        assert found(library, other.vector, 1)[0] == ["/p/000.jpg"]


def test_one_batch_may_add_remove_and_rename(place):
    photos = numbered(6)
    with place.opened() as library:
        library.writes.commit_batch(photos[:4])
        rows = [row_of(library, each.path) for each in photos[:4]]
        library.writes.commit_batch(photos[4:], rows[:1], [FoundAgain(rows[1], "/p/z.jpg", 5)])
        assert paths_of(library) == ["/p/002.jpg", "/p/003.jpg", "/p/004.jpg", "/p/005.jpg", "/p/z.jpg"]


def test_files_are_seen_as_they_were_below_a_folder(place):
    with place.opened() as library:
        photos = [*numbered(3, "/p/a"), *numbered(2, "/p/a b"), *numbered(2, "/q", ctime_ns=5, inode=6)]
        library.writes.commit_batch(photos)
        seen = library.writes.seen_files("/p/a")
        assert {path: file[1:] for path, file in seen.items()} == {
            f"/p/a/{number:03}.jpg": (100 + number, number, 0, 0) for number in range(3)
        }
        assert {file[3:] for file in library.writes.seen_files("/q").values()} == {(5, 6)}
        assert library.facts.files_of([file.row for file in seen.values()]) == {
            file.row: file for file in seen.values()
        }
        assert [library.writes.count_below(folder) for folder in ("/p", "/p/a", "/p/a b", "/q", "/p/nothing")] == [
            *(5, 3, 2, 2, 0)
        ]
        assert library.writes.count_below("/p/a/001.jpg") == 1
        assert [library.facts.has_photos(path) for path in ("/p/a", "/p/a/001.jpg", "/p/a/9.jpg", "/p/b")] == [
            *(True, True, False, False)
        ]


def test_signs_are_noted_for_a_photo_that_is_as_it_was(place):
    with place.opened() as library:
        library.writes.commit_batch(numbered(2))
        seen = library.writes.seen_files("/p")["/p/001.jpg"]
        library.writes.note_signs([FoundAgain(seen.row, "/p/001.jpg", seen.mtime_ns, 12, 13)])
        assert library.writes.seen_files("/p")["/p/001.jpg"][1:] == (101, 1, 12, 13)
        assert found(library, unit_vectors(2)[1], 1)[0] == ["/p/001.jpg"]


def test_photos_are_known_by_their_bytes(place):
    with place.opened() as library:
        photos = numbered(4)
        twin = replace(photos[1], path="/q/twin.jpg", mtime_ns=50)
        library.writes.commit_batch([*photos, twin])
        alike = library.facts.contents.photos(101, photos[1].content_hash)
        assert sorted(alike.values()) == [("/p/001.jpg", 1), ("/q/twin.jpg", 50)]
        assert library.facts.contents.photos(101, photos[2].content_hash) == {}
        assert library.writes.known_sizes([99, 100, 101, 2**40]) == {100, 101}
        assert library.facts.rows_like(FoundFile("/elsewhere.jpg", 101, 50)) == [row_of(library, "/q/twin.jpg")]
        assert library.facts.contents.photo(101, photos[1].content_hash, row_of(library, "/q/twin.jpg"))[1][1] == 50
        assert library.facts.contents.photo(101, photos[2].content_hash) is None
        contents = library.facts.contents.at(["/q/twin.jpg", "/p/9.jpg"])
        assert contents["/q/twin.jpg"].content_hash == photos[1].content_hash
        assert list(contents) == ["/q/twin.jpg"]
        sets = library.facts.contents.copies_of(library.facts.rows())
        assert sets == [sorted(row_of(library, path) for path in ("/p/001.jpg", "/q/twin.jpg"))]


def test_a_copy_of_a_file_has_all_that_its_photo_has(place):
    sides = unit_vectors(2, seed=4)
    with place.opened() as library:
        photo = replace(numbered(1, camera="Leica Q2", latitude=1.5, longitude=-2.5, rating=3)[0], sides=sides)
        library.writes.commit_batch([photo])
        copied = library.writes.copy(row_of(library, photo.path), FoundFile("/q/copy.jpg", 100, 9, 8, 7))
        assert (copied.path, copied.mtime_ns, copied.ctime_ns, copied.inode) == ("/q/copy.jpg", 9, 8, 7)
        assert (copied.camera, copied.latitude, copied.longitude, copied.rating) == ("Leica Q2", 1.5, -2.5, 3)
        assert copied.content_hash == photo.content_hash
        np.testing.assert_allclose(np.asarray(copied.vector, np.float32), photo.vector, atol=1e-3)
        np.testing.assert_allclose(np.asarray(copied.sides, np.float32), sides, atol=1e-3)
        library.writes.commit_batch([copied])
        assert paths_of(library) == ["/p/000.jpg", "/q/copy.jpg"]
        with pytest.raises(KeyError):
            library.writes.copy(12345, FoundFile("/q/other.jpg", 100, 9))


def test_of_a_panorama_the_best_of_its_vectors_counts_and_it_is_one_hit(place):
    vectors = unit_vectors(12, seed=5)
    with place.opened() as library:
        wide = new_photo("/p/wide.jpg", vectors[0], sides=vectors[1:3])
        library.writes.commit_batch([wide, *(new_photo(f"/p/{n}.jpg", each) for n, each in enumerate(vectors[3:]))])
        for vector in vectors[:3]:
            paths, scores = found(library, vector, 10)
            assert paths[0] == "/p/wide.jpg"
            assert scores[0] == pytest.approx(1, abs=1e-3)
            assert len(paths) == len(set(paths)) == 10
        row = row_of(library, "/p/wide.jpg")
        np.testing.assert_allclose(library.facts.sides(library.facts.rows().tolist())[row], vectors[1:3], atol=1e-3)
        assert list(library.facts.sides(library.facts.rows().tolist())) == [row]
        library.writes.commit_batch([replace(wide, sides=None)])
        assert found(library, vectors[1], 1)[1][0] < 0.99
        library.writes.commit_batch([], [row_of(library, "/p/wide.jpg")])
        assert len(found(library, vectors[0], 20)[0]) == 9


def test_roots_come_and_go_one_by_one(place):
    with place.opened() as library:
        library.writes.change_roots(["/p/b", "/q"])
        library.writes.change_roots(["/p/a"])
        library.writes.change_roots([], ["/q"])
        assert library.facts.roots() == ("/p/a", "/p/b")
        library.writes.change_roots(["/p"], ["/p/a", "/p/b"])
        assert library.facts.roots() == ("/p",)


def test_a_run_is_unfinished_until_it_ends(place):
    with place.opened() as library:
        runs = library.writes.runs
        runs.begin(["/p/a", "/q"], NOW)
        assert runs.unfinished() == ("/p/a", "/q")
        refused = FoundFile("/p/a/broken.jpg", 5, 6)
        runs.end(["/p/a"], [refused], lambda _path: True)
        assert runs.unfinished() == ("/q",)
        assert runs.was_refused(refused)
        assert not runs.was_refused(replace(refused, mtime_ns=7))
        runs.note_rules(["/p/a"], ["*.tmp"], hidden=True)
        assert runs.rules("/p/a") == (("*.tmp",), True)
        assert runs.rules("/p") is None


def test_vectors_are_given_as_they_are_stored(place):
    photos = numbered(9)
    with place.opened() as library:
        library.writes.commit_batch(photos)
        rows = library.facts.rows()
        stored_rows, stored = library.facts.stored_vectors(rows)
        assert stored_rows.tolist() == rows.tolist()
        assert stored.dtype == np.float16
        by_row = library.facts.vectors(rows.tolist())
        for row, vector in zip(stored_rows.tolist(), stored, strict=True):
            np.testing.assert_allclose(by_row[row], vector.astype(np.float32), atol=1e-3)
            assert by_row[row].dtype == np.float32


def test_a_sample_is_of_photos_and_always_the_same(place):
    photos = numbered(60)
    with place.opened() as library:
        library.writes.commit_batch(photos)
        library.searches.refresh()
        some = library.searches.sample(20)
        assert some.shape[1] == INFO.dim
        assert 5 <= len(some) <= 20
        np.testing.assert_array_equal(some, library.searches.sample(20))
        best = (some @ np.stack([each.vector for each in photos]).T).max(axis=1)
        np.testing.assert_allclose(best, 1, atol=1e-3)
        assert len(library.searches.sample(1000)) == 60


def test_to_start_over_leaves_the_roots_alone(nowhere):
    with nowhere.begun() as library:
        library.writes.commit_batch(numbered(3))
        library.writes.change_roots(["/p"])
        library.start_over()
        assert (library.facts.photo_count, library.facts.encoder, library.facts.roots()) == (0, None, ("/p",))
        library.begin(replace(INFO, spec="another"))
        library.writes.commit_batch(numbered(2, seed=1))
        assert len(found(library, unit_vectors(1)[0])[0]) == 2


def test_closing_twice_and_writing_by_turns_do_no_harm(place):
    with place.opened() as library:
        with library.only_writer():
            library.writes.commit_batch(numbered(3))
        library.shrink()
        list(library.upkeep())
        assert library.facts.photo_count == 3
        library.close()
