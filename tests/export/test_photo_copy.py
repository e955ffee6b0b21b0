"""A library copied photo by photo into another one: all of it, on from where it stopped, and not over other vectors."""

from __future__ import annotations

import datetime
from dataclasses import replace

import numpy as np
import pytest
from awkward_photos import PHOTOS
from library_fakes import INFO, new_photo, unit_vectors

from photomap_cli.errors import BadPath, EncoderMismatch
from photomap_cli.export.photo_copy import PhotoCopy
from photomap_cli.library import database, user_data
from photomap_cli.library.entities import FoundFile
from photomap_cli.library.user_data import Member
from photomap_cli.vectors.local_library import LocalLibrary

NOW = datetime.datetime(2024, 5, 6, 7, 8, 9, tzinfo=datetime.UTC)
PHOTOS_BY_PATH = "SELECT photos.*, vector FROM photos JOIN vectors USING (row) ORDER BY path"
SIDES_BY_PATH = "SELECT path, sides FROM photos JOIN side_vectors USING (row) ORDER BY path"


def filled(folder, photos=None):
    """Return an open library with photos of every kind, and all that is known of their folders."""
    library = LocalLibrary.open(folder, create=True)
    library.begin(replace(INFO, fingerprint="weights"))
    vectors = unit_vectors(len(PHOTOS))
    library.writes.commit_batch(
        photos
        or [
            replace(each, vector=vector, sides=unit_vectors(2, seed=at) if at % 9 == 0 else None, inode=at, ctime_ns=at)
            for at, (each, vector) in enumerate(zip(PHOTOS, vectors, strict=True))
        ]
    )
    library.writes.change_roots(["/p", "/q"])
    library.writes.runs.begin(["/q"], NOW)
    library.writes.runs.note_rules(["/p"], ["*.tmp"], hidden=True)
    library.writes.file_notes.note_others({"/p/none": (5, 6)}, ())
    library.writes.touch_indexed(NOW)
    user_data.add(folder, "Best", [Member(PHOTOS[3].path), Member(PHOTOS[4].path)])
    user_data.save_search(folder, "cats", "cat -dog")
    return library


def copied(source, target, progress=lambda done, total: None):
    return PhotoCopy(source, target, progress).run()


def content(folder):
    """Return all that a library says but its rows' numbers and its own name."""
    opened = database.connect(folder, create=False)
    with opened.reading() as connection:
        photos = [record[1:] for record in connection.execute(PHOTOS_BY_PATH)]
        sides = connection.execute(SIDES_BY_PATH).fetchall()
        tables = ("roots", "other_files", "scan_rules")
        found = {table: connection.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall() for table in tables}
        found["unfinished"] = connection.execute("SELECT path FROM unfinished ORDER BY 1").fetchall()
        found["meta"] = connection.execute(
            "SELECT * FROM meta WHERE key NOT IN ('library_id', 'next_row') ORDER BY 1"
        ).fetchall()
    opened.close()
    return photos, sides, found, user_data.every_album(folder), user_data.searches(folder)


def test_all_of_a_library_is_in_its_copy(tmp_path):
    with filled(tmp_path / "a") as source, LocalLibrary.open(tmp_path / "b", create=True) as target:
        steps = []
        assert copied(source, target, lambda *step: steps.append(step)) == (len(PHOTOS), 0)
        assert steps[-1] == (len(PHOTOS), len(PHOTOS))
        assert content(tmp_path / "a") == content(tmp_path / "b")
        query = unit_vectors(1, seed=5)[0]
        found = []
        for library in (source, target):
            library.searches.refresh()
            rows, scores = library.searches.search(query, 9)
            found.append(([photo.path for photo in library.facts.photos(rows)], scores.tolist()))
        assert found[0] == found[1]


def test_what_is_there_already_is_not_written_again(tmp_path):
    with filled(tmp_path / "a") as source, LocalLibrary.open(tmp_path / "b", create=True) as target:
        copied(source, target)
        before = target.facts.change_counter(), target.facts.next_row
        assert copied(source, target) == (len(PHOTOS), len(PHOTOS))
        assert target.facts.next_row == before[1]
        edited = replace(source.writes.whole_photos([7])[0], mtime_ns=99, vector=unit_vectors(1, seed=77)[0])
        source.writes.commit_batch([edited, new_photo("/p/new.jpg")])
        assert copied(source, target) == (len(PHOTOS) + 1, len(PHOTOS) - 1)
        assert content(tmp_path / "a") == content(tmp_path / "b")


def test_a_copy_that_was_interrupted_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr("photomap_cli.library.catalog_facts._FILES_AT_ONCE", 40)

    def stop(done, _total):
        if done >= 80:
            raise KeyboardInterrupt

    with filled(tmp_path / "a") as source, LocalLibrary.open(tmp_path / "b", create=True) as target:
        with pytest.raises(KeyboardInterrupt):
            copied(source, target, stop)
        assert target.facts.photo_count == 80
        assert copied(source, target) == (len(PHOTOS), 80)
        assert content(tmp_path / "a") == content(tmp_path / "b")


@pytest.mark.parametrize("other", [{"spec": "another"}, {"dim": 16}, {"fingerprint": "other weights"}])
def test_vectors_of_another_encoder_are_not_mixed_in(tmp_path, other):
    with filled(tmp_path / "a") as source, LocalLibrary.open(tmp_path / "b", create=True) as target:
        info = replace(INFO, fingerprint="weights")
        info = replace(info, **other)
        target.begin(info)
        target.writes.commit_batch([new_photo("/p/x.jpg", unit_vectors(1, dim=info.dim)[0])])
        with pytest.raises(EncoderMismatch, match="another encoder, or of other weights"):
            copied(source, target)
        assert target.facts.photo_count == 1


def test_an_album_that_is_there_gets_the_photos_that_it_lacks(tmp_path):
    with filled(tmp_path / "a") as source, LocalLibrary.open(tmp_path / "b", create=True) as target:
        user_data.add(tmp_path / "b", "best", [Member("/q/own.jpg")])
        copied(source, target)
        (album,) = user_data.every_album(tmp_path / "b")
        assert {each.path for each in album.members} == {"/q/own.jpg", PHOTOS[3].path, PHOTOS[4].path}


def test_a_photo_whose_root_is_not_here_has_no_path_to_copy_it_to(tmp_path):
    photos = [new_photo("archive:2014/a.jpg")]
    with filled(tmp_path / "a", photos) as source, LocalLibrary.open(tmp_path / "b", create=True) as target:
        with pytest.raises(BadPath, match="archive:2014/a") as error:
            copied(source, target)
        assert "archive = FOLDER" in error.value.hint
        assert target.facts.photo_count == 0


def test_a_copy_of_a_photo_has_the_file_that_it_is_for(tmp_path):
    with filled(tmp_path / "a") as source:
        file = FoundFile("/q/copy.jpg", 11, 12, 13, 14)
        photo = source.writes.copy(9, file)
        assert FoundFile(photo.path, photo.size_bytes, photo.mtime_ns, photo.ctime_ns, photo.inode) == file
        np.testing.assert_array_equal(photo.vector, source.writes.whole_photos([9])[0].vector)
