"""Moved photos stay in the library: with their vectors, and without any encoding."""

import os
from pathlib import Path

import pytest
from library_fakes import stored_vector

from photomap_cli.errors import LibraryBusy
from photomap_cli.export.exporter import export
from photomap_cli.images.thumbnail_cache import ThumbnailCache
from photomap_cli.indexing.index_options import IndexOptions
from photomap_cli.indexing.relocation import Relocation
from photomap_cli.library.catalog import Catalog
from photomap_cli.records import SearchRequest
from photomap_cli.records.export import Exported, ExportMode
from photomap_cli.session.libraries import open_library


def moved(session, paths, folder):
    with open_library(session.catalog.folder) as library, Relocation(library) as relocation:
        place, is_new = relocation.adopt(str(folder))
        report = export([str(path) for path in paths], Path(place), ExportMode.MOVE, on_done=relocation.note)
    return report, is_new, relocation.has_failed


def vectors(session):
    return {
        Path(path).name: stored_vector(session.catalog, session.catalog.photo_at(path).row).tobytes()
        for path in session.catalog.paths()
    }


@pytest.mark.parametrize("is_outside", [True, False])
def test_a_moved_photo_keeps_its_vector_and_is_found_at_once(session, encoder, photos, tmp_path, is_outside):
    folder = tmp_path / "elsewhere" if is_outside else photos / "new"
    before = vectors(session)
    report, is_new, has_failed = moved(session, [photos / "red/red.png", photos / "blue/blue.png"], folder)
    assert (len(report.done), is_new, has_failed) == (2, is_outside, False)
    assert vectors(session) == before
    found = session.search(SearchRequest("dog", cwd=str(folder)))
    assert sorted(hit.path for hit in found.hits) == [f"{folder}/blue.png", f"{folder}/red.png"]
    encoder.calls.clear()
    for roots in ([photos, folder], [folder]):
        events = session.indexer(IndexOptions()).run(roots)
        assert [event.total for event in events][-1:] in ([0], [])
    assert encoder.calls == []
    assert vectors(session) == before


def test_a_move_that_was_not_written_down_is_found_by_the_next_run(session, encoder, photos):
    before = vectors(session)
    encoder.calls.clear()
    export([str(photos / "red/red.png")], photos / "new", ExportMode.MOVE)
    indexer = session.indexer(IndexOptions())
    list(indexer.run([photos]))
    assert (indexer.report.moved, indexer.report.added) == (1, 0)
    assert vectors(session) == before
    assert encoder.calls == []


def test_a_photo_that_was_changed_before_its_move_is_encoded_anew(session, photos):
    path = photos / "red/red.png"
    os.utime(path, ns=(1, 1))
    path.write_bytes((photos / "blue/blue.png").read_bytes())
    moved(session, [path], photos / "new")
    indexer = session.indexer(IndexOptions())
    list(indexer.run([photos]))
    assert indexer.report.unchanged == 3


def test_thumbnails_follow(session, photos, tmp_path):
    path, mtime_ns = photos / "red/red.png", (photos / "red/red.png").stat().st_mtime_ns
    with ThumbnailCache(session.catalog.folder, max_bytes=10**6) as cache:
        cache.put([(str(path), mtime_ns, b"webp")])
        moved(session, [path], tmp_path / "new")
        assert cache.get(str(tmp_path / "new/red.png"), mtime_ns) == b"webp"
        assert cache.get(str(path), mtime_ns) is None


def test_a_renamed_photo_takes_no_other_photos_place(session, photos):
    (photos / "new").mkdir()
    (photos / "new/red.png").write_bytes(b"another")
    report, _, _ = moved(session, [photos / "red/red.png"], photos / "new")
    assert [each.target for each in report.renamed] == [f"{photos}/new/red (2).png"]
    assert session.catalog.photo_at(f"{photos}/new/red (2).png") is not None


def test_what_has_not_moved_and_is_not_known_changes_nothing(session, photos, tmp_path):
    before = session.catalog.paths()
    (tmp_path / "stranger.png").write_bytes(b"x")
    with open_library(session.catalog.folder) as library, Relocation(library) as relocation:
        relocation.note(Exported(str(photos / "red/red.png"), str(photos / "blue/blue.png")))
        relocation.note(Exported(str(tmp_path / "gone.png"), str(tmp_path / "stranger.png")))
    assert session.catalog.paths() == before


def test_a_library_that_cannot_be_told_costs_no_photo(session, photos, monkeypatch):
    def busy(*_args):
        raise LibraryBusy("another process is writing")

    monkeypatch.setattr(Catalog, "commit_batch", busy)
    report, _, has_failed = moved(session, [photos / "red/red.png"], photos / "new")
    assert (len(report.done), has_failed) == (1, True)
    assert (photos / "new/red.png").exists()
