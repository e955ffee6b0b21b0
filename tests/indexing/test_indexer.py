import os
import shutil
import sys
import threading
import unicodedata
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from itertools import count
from pathlib import Path

import numpy as np
import pytest
import videos
from library_fakes import DIM, FakeEncoder, InProcessDecoder, expected_blob, picture, stored_vector
from PIL import Image

from photomap_cli.doctor import library
from photomap_cli.errors import BadPath, EncoderFailed, EncoderMismatch, LibraryBusy, NoProcess, UsageError
from photomap_cli.images import exif as exif_tags
from photomap_cli.images.thumbnail_cache import ThumbnailCache
from photomap_cli.indexing import indexer, plan, unmounted_disks
from photomap_cli.indexing.index_options import IndexOptions
from photomap_cli.library import compaction, database
from photomap_cli.library.catalog import Catalog
from photomap_cli.library.file_lock import only_writer
from photomap_cli.records import FilterKind, IndexProgress, PhotoFilter, StageTimes
from photomap_cli.vectors import pq_training
from photomap_cli.vectors.local_library import LocalLibrary
from photomap_cli.vectors.pq_file import PqFile
from photomap_cli.vectors.store import VectorStore

TOLD = {"com.apple.quicktime.creationdate": "2023-05-06T19:11:12+0900"}

Indexer = partial(indexer.Indexer, open_pool=InProcessDecoder)


@pytest.fixture
def run(catalog, store):
    """Index roots with a fake encoder (or the one given); return the report."""

    def run(*roots, encoder=FakeEncoder, **options):
        index_run = Indexer(LocalLibrary(catalog, store), encoder, IndexOptions(jobs=2, **options))
        list(index_run.run(roots))
        return index_run.report

    return run


def no_encoder():
    pytest.fail("the encoder was opened")


def other_encoder(**changes):
    encoder = FakeEncoder()
    encoder.info = replace(encoder.info, **changes)
    return lambda: encoder


def counts(report):
    names = ("scanned", "added", "updated", "moved", "removed", "unchanged")
    return {name: getattr(report, name) for name in names if getattr(report, name)}


def reasons(report):
    return [(os.path.basename(failure.path), failure.reason) for failure in report.failures]  # noqa: PTH119


def paths(catalog):
    return [photo.path for photo in catalog.photos(catalog.rows())]


def assert_sound(catalog, store):
    """Check that every photo has the vector of its file, and that the search finds it there."""
    store.refresh()
    for photo in catalog.photos(catalog.rows()):
        blob = next(catalog.vectors_from(photo.row))
        assert blob == (photo.row, expected_blob(Path(photo.path)))
        rows, scores = store.search(stored_vector(catalog, photo.row), catalog.photo_count)
        assert photo.row in rows
        assert scores[0] == pytest.approx(1, abs=2e-3)


def test_photos_are_added_then_unchanged_then_edited_then_gone(catalog, store, run, photos):
    for number in range(5):
        picture(photos / f"sub/{number}.png", number)
    assert counts(run(photos)) == {"scanned": 5, "added": 5}
    assert_sound(catalog, store)
    assert counts(run(photos, encoder=no_encoder)) == {"scanned": 5, "unchanged": 5}
    picture(photos / "sub/1.png", 77)
    (photos / "sub/2.png").unlink()
    picture(photos / "new.png", 78)
    report = run(photos)
    assert counts(report) == {"scanned": 5, "added": 1, "updated": 1, "removed": 1, "unchanged": 3}
    assert (catalog.photo_count, catalog.next_row, report.failures) == (5, 7, ())
    assert_sound(catalog, store)


def test_facts_of_the_files_are_stored(catalog, run, photos):
    path = picture(photos / "Ünï.png", 1, size=(30, 20))
    os.utime(path, ns=(0, 1_700_000_000_123_456_789))
    run(photos)
    photo = catalog.photo_at(str(path))
    assert (photo.width, photo.height, photo.size_bytes) == (30, 20, path.stat().st_size)
    assert (photo.mtime_ns, photo.taken_at) == (1_700_000_000_123_456_789, None)
    assert photo.dated_at == datetime.fromtimestamp(1_700_000_000).isoformat()


def test_a_rating_that_changes_is_noticed_as_any_change_is_and_copies_have_it_too(catalog, run, photos):
    path = picture(photos / "a.jpg", 1)

    def rate(stars):
        exif = Image.Exif()
        exif[exif_tags.RATING] = stars
        Image.open(path).save(path, exif=exif, quality="keep")
        os.utime(path, (1_700_000_000 + stars,) * 2)

    def rated(value):
        return [photo.path for photo in catalog.photos(catalog.rows([PhotoFilter(FilterKind.RATING, value)]))]

    rate(3)
    run(photos)
    assert rated("3") == [str(path)]
    rate(5)
    assert counts(run(photos)) == {"scanned": 1, "updated": 1}
    assert (rated("3"), rated(">=5")) == ([], [str(path)])
    shutil.copy(path, photos / "copy.jpg")
    run(photos, encoder=no_encoder)
    assert sorted(rated("5")) == [str(path), str(photos / "copy.jpg")]
    assert catalog.details(str(path)).rating == 5


def test_removing_alone_needs_no_encoder(catalog, run, photos):
    for number in range(2):
        picture(photos / f"{number}.png", number)
    run(photos)
    (photos / "0.png").unlink()
    assert counts(run(photos, encoder=no_encoder)) == {"scanned": 1, "removed": 1, "unchanged": 1}


def test_files_that_cannot_be_decoded_are_reported_each_time_and_open_no_encoder(catalog, run, photos):
    (photos / "text.jpg").write_text("no picture")
    (photos / "empty.png").touch()
    for _ in range(2):
        report = run(photos, encoder=no_encoder)
        assert counts(report) == {"scanned": 2}
        assert reasons(report) == [
            ("empty.png", "the file is empty"),
            ("text.jpg", "not a picture, or in a format that can't be read"),
        ]
    picture(photos / "text.jpg", 1)
    assert counts(run(photos)) == {"scanned": 2, "added": 1}


def halved(path, seed):
    """Write a picture of which the lower half is missing."""
    content = picture(path, seed, size=(60, 400)).read_bytes()
    path.write_bytes(content[: len(content) // 2])
    return path


def notes(report):
    return [(os.path.basename(note.path), note.reason) for note in report.notes]  # noqa: PTH119


def test_a_damaged_photo_is_in_and_every_run_says_so_until_it_is_whole(catalog, run, photos):
    path = halved(photos / "sub/half.bmp", 1)
    picture(photos / "whole.png", 2)
    report = run(photos)
    assert (counts(report), report.failures) == ({"scanned": 2, "added": 2}, ())
    half = [("half.bmp", "truncated; 50 % of it can be seen")]
    assert notes(report) == half
    assert notes(run(photos, encoder=no_encoder)) == half
    assert notes(run(photos, encoder=no_encoder, dry_run=True)) == half
    assert notes(run(photos / "whole.png", encoder=no_encoder)) == []
    shutil.copy(path, photos / "copy.bmp")
    path.rename(photos / "moved.bmp")
    assert [name for name, _ in notes(run(photos, encoder=no_encoder))] == ["copy.bmp", "moved.bmp"]
    picture(photos / "copy.bmp", 1)
    (photos / "moved.bmp").unlink()
    assert notes(run(photos)) == []
    assert len(paths(catalog)) == 2


def test_photos_without_a_photos_name_are_found_and_other_files_counted(catalog, run, photos, monkeypatch):
    picture(photos / "a.png", 1).rename(photos / "IMG_1")
    picture(photos / "b.png", 2).rename(photos / "b.jpg_large")
    shutil.copy(photos / "IMG_1", photos / "copy")
    picture(photos / "c.jpg", 3).rename(photos / "c.MPO")
    for name in ("d.psd", "e.psd", "f.mp3", "notes", "g.dat"):
        (photos / name).write_bytes(b"no picture at all")
    report = run(photos)
    assert counts(report) == {"scanned": 4, "added": 4}
    assert report.others == (("psd", 2), ("", 1), ("dat", 1), ("mp3", 1))
    assert paths(catalog) == [str(photos / name) for name in ("IMG_1", "b.jpg_large", "c.MPO", "copy")]
    monkeypatch.setattr("photomap_cli.library.file_types.starts_like_photo", lambda _: pytest.fail("looked into again"))
    again = run(photos, encoder=no_encoder)
    assert (counts(again), again.others) == ({"scanned": 4, "unchanged": 4}, report.others)
    monkeypatch.undo()
    picture(photos / "d.png", 4).rename(photos / "notes")
    (photos / "IMG_1").write_bytes(b"no picture any more")
    report = run(photos, dry_run=True)
    assert report.others == (("psd", 2), ("", 1), ("dat", 1), ("mp3", 1))
    report = run(photos)
    assert counts(report) == {"scanned": 4, "added": 1, "removed": 1, "unchanged": 3}
    assert catalog.file_notes.others(str(photos)).keys() == {str(photos / "IMG_1"), str(photos / "g.dat")}


def test_the_kind_of_a_photo_is_what_it_holds_where_its_name_does_not_say(catalog, run, photos):
    picture(photos / "a.png", 1).rename(photos / "IMG_1")
    picture(photos / "b.jpg", 2).rename(photos / "2021.06.27 lake")
    picture(photos / "c.gif", 3)

    def of_kind(extension):
        rows = catalog.rows([PhotoFilter(FilterKind.EXT, extension)])
        return [os.path.basename(photo.path) for photo in catalog.photos(rows)]  # noqa: PTH119

    run(photos)
    assert [of_kind(kind) for kind in ("png", "jpg", "gif")] == [["IMG_1"], ["2021.06.27 lake"], ["c.gif"]]
    shutil.copy(photos / "IMG_1", photos / "copy")
    (photos / "c.gif").rename(photos / "moved")
    (photos / "2021.06.27 lake").rename(photos / "lake.jpe")
    run(photos, encoder=no_encoder)
    assert [of_kind(kind) for kind in ("png", "jpeg", "gif")] == [["IMG_1", "copy"], ["lake.jpe"], ["moved"]]


def test_a_file_that_somebody_names_is_a_photo_by_its_content(catalog, run, photos):
    picture(photos / "a.png", 1).rename(photos / "IMG_1")
    assert counts(run(photos / "IMG_1")) == {"scanned": 1, "added": 1}
    assert counts(run(photos / "IMG_1", encoder=no_encoder)) == {"scanned": 1, "unchanged": 1}
    (photos / "notes").write_text("no picture")
    with pytest.raises(BadPath, match="isn't a folder or a photo"):
        run(photos / "notes")


def test_what_was_indexed_of_another_programs_library_goes(catalog, run, photos, monkeypatch):
    picture(photos / "A.photoslibrary/originals/a.png", 1)
    picture(photos / "A.photoslibrary/resources/derivatives/a.png", 2)
    with monkeypatch.context() as before:
        before.setattr("photomap_cli.indexing.managed_folders.is_library", lambda _: False)
        assert counts(run(photos)) == {"scanned": 2, "added": 2}
    assert counts(run(photos, encoder=no_encoder)) == {"scanned": 1, "removed": 1, "unchanged": 1}


def raw_beside(path, seed):
    """Write a file of a RAW file's name that needs no rawpy."""
    return shutil.copy(picture(path.with_suffix(".png"), seed), path) and path.with_suffix(".png").unlink()


def test_the_raw_file_beside_a_picture_that_cannot_be_read_is_taken(catalog, run, photos):
    raw_beside(photos / "1.nef", 1)
    (photos / "1.jpg").write_bytes(b"\xff\xd8\xff spoilt")
    picture(photos / "2.png", 2)
    told = [("1.jpg", "a JPEG file that is damaged, or in a format that can't be read; 1.nef is taken instead")]
    report = run(photos)
    assert (counts(report), reasons(report)) == ({"scanned": 3, "added": 2}, told)
    assert paths(catalog) == [str(photos / "1.nef"), str(photos / "2.png")]
    for _ in range(2):
        report = run(photos, encoder=no_encoder)
        assert (counts(report), reasons(report)) == ({"scanned": 3, "unchanged": 2}, told)
    raw_beside(photos / "1.nef", 3)
    assert counts(run(photos)) == {"scanned": 3, "updated": 1, "unchanged": 1}


def test_a_picture_that_can_be_read_again_is_taken_for_its_raw_file(catalog, run, photos):
    raw_beside(photos / "1.nef", 1)
    (photos / "1.png").write_bytes(b"spoilt")
    run(photos)
    assert paths(catalog) == [str(photos / "1.nef")]
    picture(photos / "1.png", 4)
    assert counts(run(photos)) == {"scanned": 1, "added": 1, "removed": 1}
    assert paths(catalog) == [str(photos / "1.png")]
    (photos / "1.png").write_bytes(b"spoilt again")
    report = run(photos)
    assert (paths(catalog), len(report.failures)) == ([str(photos / "1.nef")], 1)


def test_a_picture_and_its_raw_file_that_cannot_be_read_are_both_named(run, photos):
    (photos / "1.nef").write_bytes(b"spoilt")
    (photos / "1.png").write_bytes(b"spoilt")
    report = run(photos, encoder=no_encoder)
    assert [name for name, _ in reasons(report)] == ["1.png", "1.nef"]
    assert counts(report) == {"scanned": 2}


# Videos


def of_kind(catalog, kind):
    return [Path(photo.path).name for photo in catalog.photos(catalog.rows([PhotoFilter(FilterKind.KIND, kind)]))]


def test_a_video_is_a_photo_by_its_still_and_is_found_by_its_kind(catalog, store, run, photos):
    videos.made(photos / "a.mp4", [videos.black()] * 10 + [videos.scene()] * 10, told=TOLD)
    videos.made(photos / "IMG_1.MOV")
    picture(photos / "IMG_1.jpg", 1)
    report = run(photos)
    assert (counts(report), report.others) == ({"scanned": 2, "added": 2}, (("mov of Live Photos", 1),))
    assert (of_kind(catalog, "video"), of_kind(catalog, "photo")) == (["a.mp4"], ["IMG_1.jpg"])
    details = catalog.details(str(photos / "a.mp4"))
    assert (details.extension, details.taken_at, details.seconds) == ("mp4", "2023-05-06T19:11:12", 2.0)
    (photos / "a.mp4").rename(photos / "b.mp4")
    assert counts(run(photos, encoder=no_encoder)) == {"scanned": 2, "moved": 1, "unchanged": 1}


def test_videos_of_the_library_stay_when_their_decoder_has_gone_and_others_are_counted(
    catalog, run, photos, monkeypatch
):
    videos.made(photos / "a.mp4")
    run(photos)
    monkeypatch.setattr("photomap_cli.library.optional_decoders.is_installed", lambda _: False)
    monkeypatch.setitem(sys.modules, "av", None)
    shutil.copy(photos / "a.mp4", photos / "b.mp4")
    report = run(photos, encoder=no_encoder)
    assert (counts(report), report.others) == ({"scanned": 1, "unchanged": 1}, (("mp4", 1),))
    assert paths(catalog) == [str(photos / "a.mp4")]
    (photos / "a.mp4").write_bytes(b"another")
    report = run(photos, encoder=no_encoder)
    assert reasons(report) == [("a.mp4", 'a video: pip install "photomap-cli[video]" reads videos')]


def test_a_video_that_is_named_says_what_reads_it(run, photos, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    (photos / "a.mp4").write_bytes(b"a video")
    report = run(photos / "a.mp4", encoder=no_encoder)
    assert reasons(report) == [("a.mp4", 'a video: pip install "photomap-cli[video]" reads videos')]


def test_a_photo_that_became_unreadable_is_removed_and_reported(catalog, run, photos):
    for number in range(3):
        picture(photos / f"{number}.png", number)
    run(photos)
    (photos / "1.png").write_bytes(b"damaged")
    picture(photos / "2.png", 9)
    report = run(photos)
    assert counts(report) == {"scanned": 3, "updated": 1, "removed": 1, "unchanged": 1}
    assert len(report.failures) == 1
    assert paths(catalog) == [str(photos / "0.png"), str(photos / "2.png")]


def test_a_name_that_is_no_text_is_reported_printable(run, photos):
    try:
        picture(photos / os.fsdecode(b"caf\xe9.png"), 1)
    except OSError:
        pytest.skip("the file system takes only text")
    report = run(photos, encoder=no_encoder)
    assert reasons(report) == [("caf\ufffd.png", "its name is not valid UTF-8")]


def test_progress_counts_photos_to_encode(catalog, store, photos):
    for number in range(5):
        picture(photos / f"{number}.png", number)
    (photos / "3.png").write_bytes(b"damaged")
    index_run = Indexer(LocalLibrary(catalog, store), FakeEncoder, IndexOptions(jobs=2, batch_size=2))
    progress = list(index_run.run([photos]))
    assert progress[0] == IndexProgress(0, 5, 0)
    assert progress[1] == IndexProgress(2, 5, 0, str(photos / "1.png"))
    assert progress[-1] == IndexProgress(5, 5, 1, str(photos / "4.png"))


def test_the_report_measures(catalog, store, photos):
    picture(photos / "a.png", 1)
    now = datetime(2024, 5, 6, tzinfo=UTC)
    ticks = count(1)
    index_run = Indexer(LocalLibrary(catalog, store), FakeEncoder, clock=lambda: float(next(ticks)), now=lambda: now)
    list(index_run.run([photos]))
    report = index_run.report
    assert report.elapsed_ms > 0
    assert 0 < report.images_per_second < 1
    assert report == index_run.report

    assert catalog.status().last_indexed_at == now.isoformat()
    assert report.roots == (os.path.realpath(photos),)


def test_the_report_says_where_the_time_went(catalog, store, photos):
    for number in range(3):
        picture(photos / f"{number}.png", number)
    clock = [0.0]

    class Slow(FakeEncoder):
        def encode_images(self, pixels):
            clock[0] += 3.0
            return super().encode_images(pixels)

    def slow_to_load():
        clock[0] += 5.0
        return Slow()

    index_run = Indexer(LocalLibrary(catalog, store), slow_to_load, IndexOptions(jobs=1), clock=lambda: clock[0])
    progress = list(index_run.run([photos]))
    assert index_run.report.stages == StageTimes(load=5000.0, encode=3000.0)
    assert progress[-1].stages.bottleneck == ("encoding", 1.0)


def test_batches_shrink_until_one_takes_two_seconds(catalog, store, photos):
    for number in range(12):
        picture(photos / f"{number:02}.png", number)
    clock = [0.0]

    class Slow(FakeEncoder):
        def encode_images(self, pixels):
            clock[0] += 0.5 * len(pixels)
            return super().encode_images(pixels)

    encoder = Slow()
    index_run = Indexer(
        LocalLibrary(catalog, store), lambda: encoder, IndexOptions(jobs=1, batch_size=8), clock=lambda: clock[0]
    )
    list(index_run.run([photos]))
    assert encoder.batches == [8, 4]


def test_rules_are_passed_on(catalog, run, photos):
    for name in ("a.png", "skip/b.png", ".h/c.png"):
        picture(photos / name, 1)
    assert counts(run(photos, exclude=("skip/",), hidden=True)) == {"scanned": 2, "added": 2}
    assert counts(run(photos)) == {"scanned": 2, "added": 1, "removed": 1, "unchanged": 1}
    with pytest.raises(UsageError):
        run(photos, exclude=("!",))


def test_pictures_beyond_the_limit_are_reported(run, photos):
    picture(photos / "a.png", 1, size=(100, 100))
    assert reasons(run(photos, max_megapixels=0.001)) == [
        ("a.png", "too large: 0 megapixels, the limit is 0 (max_image_megapixels)")
    ]


# Content that the library has


def rows(catalog):
    return {os.path.basename(photo.path): photo.row for photo in catalog.photos(catalog.rows())}  # noqa: PTH119


def test_moved_and_renamed_photos_keep_their_vectors(catalog, store, run, photos):
    for number in range(3):
        picture(photos / f"sub/{number}.png", number)
    run(photos)
    before = rows(catalog)
    (photos / "sub").rename(photos / "elsewhere")
    (photos / "elsewhere/2.png").rename(photos / "renamed.png")
    assert counts(run(photos, encoder=no_encoder)) == {"scanned": 3, "moved": 3}
    assert rows(catalog) == {"0.png": before["0.png"], "1.png": before["1.png"], "renamed.png": before["2.png"]}
    assert catalog.next_row == 3
    assert_sound(catalog, store)
    assert counts(run(photos, encoder=no_encoder)) == {"scanned": 3, "unchanged": 3}


def test_a_moved_photo_is_found_by_its_new_name_and_date_and_by_what_it_is(catalog, run, photos):
    path = picture(photos / "Old.png", 1)
    run(photos)
    new = path.rename(photos / "New.PNG2.jpg")
    os.utime(new, ns=(0, 1_700_000_000_000_000_000))
    run(photos, encoder=no_encoder)
    (photo,) = catalog.photos(catalog.rows())
    assert (photo.path, photo.mtime_ns) == (str(new), 1_700_000_000_000_000_000)
    assert photo.dated_at == datetime.fromtimestamp(1_700_000_000).isoformat()
    for kind, value in ((FilterKind.NAME, "new*"), (FilterKind.EXT, "png")):
        assert len(catalog.rows([PhotoFilter(kind, value)])) == 1
    assert len(catalog.rows([PhotoFilter(FilterKind.EXT, "jpg")])) == 0


def test_of_equal_photos_each_moves_to_its_own_name(catalog, run, photos):
    for name in ("a.png", "b.png"):
        picture(photos / "old" / name, 1)
    run(photos)
    before = rows(catalog)
    (photos / "old").rename(photos / "new")
    assert counts(run(photos, encoder=no_encoder)) == {"scanned": 2, "moved": 2}
    assert rows(catalog) == before


def test_a_photo_that_moved_to_another_root_is_not_there_twice(catalog, run, photos, tmp_path):
    picture(photos / "a.png", 1)
    picture(photos / "b.png", 2)
    run(photos)
    other = tmp_path / "other"
    other.mkdir()
    (photos / "a.png").rename(other / "a.png")
    assert counts(run(other, encoder=no_encoder)) == {"scanned": 1, "moved": 1}
    assert paths(catalog) == [str(other / "a.png"), str(photos / "b.png")]


def test_a_touched_photo_is_unchanged(catalog, run, photos):
    path = picture(photos / "a.png", 1)
    run(photos)
    os.utime(path, ns=(0, 5_000_000_000))
    assert counts(run(photos, encoder=no_encoder)) == {"scanned": 1, "unchanged": 1}
    assert (catalog.next_row, catalog.photo_at(str(path)).mtime_ns) == (1, 5_000_000_000)


def rewritten(path, content, *, in_place=False):
    """Have other bytes in a file whose size and time stay, as `exiftool -P` does."""
    before = path.stat()
    assert len(content) == before.st_size
    other = path if in_place else path.with_name("new")
    other.write_bytes(content)
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(path)


def dated_picture(path, taken_at):
    exif = Image.Exif()
    exif.get_ifd(exif_tags.DETAILS)[exif_tags.TAKEN] = taken_at
    Image.new("RGB", (40, 30), "red").save(path, exif=exif)
    return path


@pytest.mark.parametrize("in_place", [True, False])
def test_facts_that_change_while_size_and_time_stay_are_noticed(folder, catalog, run, photos, tmp_path, in_place):
    path = dated_picture(photos / "a.jpg", "2020:01:02 03:04:05")
    run(photos)
    rewritten(path, dated_picture(tmp_path / "b.jpg", "2011:01:02 03:04:05").read_bytes(), in_place=in_place)
    assert [check.message for check in library.checks(folder)][-1] == "1 photo, 1 touched since they were indexed"
    assert counts(run(photos, dry_run=True, encoder=no_encoder)) == {"scanned": 1, "updated": 1}
    assert counts(run(photos)) == {"scanned": 1, "updated": 1}
    assert catalog.photo_at(str(path)).taken_at == "2011-01-02T03:04:05"
    assert counts(run(photos, encoder=no_encoder)) == {"scanned": 1, "unchanged": 1}


def test_pixels_that_change_while_size_and_time_stay_are_noticed(catalog, store, run, photos):
    path, other = picture(photos / "a.bmp", 1), picture(photos / "b.bmp", 2)
    os.utime(other, ns=(0, path.stat().st_mtime_ns))
    run(photos, thumbnail_cache_bytes=1 << 20)
    made = thumbnails_in(catalog.folder, catalog)
    content = other.read_bytes()
    rewritten(other, path.read_bytes())
    rewritten(path, content)
    assert run(photos, thumbnail_cache_bytes=1 << 20).failures == ()
    assert_sound(catalog, store)
    assert sorted(thumbnails_in(catalog.folder, catalog)) == sorted(made)


def test_a_file_that_was_only_touched_is_read_once_and_encoded_never(folder, catalog, run, photos, monkeypatch):
    path = picture(photos / "a.png", 1)
    run(photos)
    path.chmod(0o600)
    read = []

    def digest_at(path, really=plan.digest_at):
        read.append(path)
        return really(path)

    monkeypatch.setattr(plan, "digest_at", digest_at)
    for _ in range(2):
        assert counts(run(photos, encoder=no_encoder)) == {"scanned": 1, "unchanged": 1}
    assert (read, catalog.next_row) == ([str(path)], 1)
    assert [check.message for check in library.checks(folder)][-1] == "1 photo, as indexed"


def test_a_recheck_finds_what_nothing_tells_of(catalog, store, run, photos):
    path, same = picture(photos / "a.bmp", 1), picture(photos / "same.bmp", 3)
    run(photos)
    rewritten(path, picture(photos.parent / "b.bmp", 2).read_bytes())
    info = path.stat()
    with catalog._database.writing() as connection:
        signs = (info.st_ctime_ns, info.st_ino, str(path))
        connection.execute("UPDATE photos SET ctime_ns = ?, inode = ? WHERE path = ?", signs)
    assert counts(run(photos, encoder=no_encoder)) == {"scanned": 2, "unchanged": 2}
    assert counts(run(photos, recheck=True)) == {"scanned": 2, "updated": 1, "unchanged": 1}
    assert same.exists()
    assert_sound(catalog, store)


def test_a_recheck_looks_into_files_again_that_were_no_photos(run, photos):
    content, path = picture(photos.parent / "a.png", 1).read_bytes(), photos / "IMG_1"
    path.write_bytes(bytes(len(content)))
    assert counts(run(photos, encoder=no_encoder)) == {}
    rewritten(path, content)
    assert counts(run(photos, encoder=no_encoder)) == {}
    assert counts(run(photos, recheck=True)) == {"scanned": 1, "added": 1}


def test_a_touched_file_that_cannot_be_read_now_keeps_its_photo(catalog, run, photos, monkeypatch):
    path = picture(photos / "a.png", 1)
    run(photos)
    path.chmod(0o600)
    monkeypatch.setattr(plan, "digest_at", lambda _: None)
    report = run(photos, encoder=no_encoder)
    assert (counts(report), catalog.photo_count) == ({"scanned": 1}, 1)
    assert reasons(report) == [("a.png", "can't be read right now; its photo was kept")]


def test_a_clock_that_is_centuries_ahead_costs_nothing(catalog, store, run, photos):
    picture(photos / "a.png", 1)
    ahead = picture(photos / "b.png", 2)
    os.utime(ahead, (15_000_000_000,) * 2)  # the year 2445, in nanoseconds more than SQLite's integers hold
    assert counts(run(photos)) == {"scanned": 2, "added": 2}
    assert counts(run(photos, encoder=no_encoder)) == {"scanned": 2, "unchanged": 2}
    assert catalog.photo_at(str(ahead)).taken_at is None
    assert_sound(catalog, store)
    assert list(library.checks(catalog.folder))[-1].message == "2 photos, as indexed"


def test_photos_that_are_exchanged_have_their_own_vectors(catalog, store, run, photos):
    one, two = picture(photos / "1.png", 1), picture(photos / "2.png", 2)
    run(photos)
    one.rename(photos / "3.png")
    two.rename(one)
    (photos / "3.png").rename(two)
    assert run(photos).failures == ()
    assert_sound(catalog, store)
    assert catalog.photo_count == 2


def test_a_photo_moved_over_another_replaces_it(catalog, store, run, photos):
    one, two = picture(photos / "1.png", 1), picture(photos / "2.png", 2)
    run(photos)
    one.rename(two)
    assert counts(run(photos, encoder=no_encoder)) == {"scanned": 1, "moved": 1}
    assert_sound(catalog, store)
    assert paths(catalog) == [str(two)]


def test_copies_are_encoded_once(catalog, store, run, photos):
    encoder = FakeEncoder()
    for name in ("a.png", "b.png", "sub/c.png"):
        picture(photos / name, 1)
    assert counts(run(photos, encoder=lambda: encoder)) == {"scanned": 3, "added": 3}
    assert encoder.batches == [1]
    picture(photos / "later.png", 1)
    assert counts(run(photos, encoder=no_encoder)) == {"scanned": 4, "added": 1, "unchanged": 3}
    assert (catalog.photo_count, catalog.next_row) == (4, 4)
    assert_sound(catalog, store)


def test_copies_in_later_batches_are_not_encoded_again(catalog, store, photos):
    for number in range(8):
        picture(photos / f"{number}.png", number // 4)
    encoder = FakeEncoder()
    index_run = Indexer(LocalLibrary(catalog, store), lambda: encoder, IndexOptions(jobs=2, batch_size=2))
    list(index_run.run([photos]))
    assert (sum(encoder.batches), catalog.photo_count, index_run.report.added) == (2, 8, 8)
    assert_sound(catalog, store)


def test_copies_count_for_the_rate_as_every_photo_that_is_added(catalog, store, photos):
    for number in range(40):
        picture(photos / f"{number}.png", 1)
    ticks = count(1)
    index_run = Indexer(
        LocalLibrary(catalog, store), FakeEncoder, IndexOptions(jobs=1), clock=lambda: float(next(ticks))
    )
    list(index_run.run([photos]))
    report = index_run.report
    assert report.added == 40
    assert report.images_per_second > 40 / (report.elapsed_ms / 1000)  # the time before the first is not counted


def test_what_is_no_photo_is_reported_and_no_root_from_then_on(catalog, run, photos):
    notes = photos.parent / "notes.txt"
    notes.touch()
    picture(photos / "a.png", 1)
    report = run(photos, notes)
    assert (reasons(report), report.added) == ([("notes.txt", "not a photo file")], 1)
    assert catalog.roots() == (str(photos),)


def test_a_copy_has_the_facts_of_its_photo(catalog, run, photos):
    path = photos / "a.jpg"
    exif = Image.Exif()
    exif[exif_tags.MAKE], exif[exif_tags.MODEL] = "Nikon", "D70"
    exif.get_ifd(exif_tags.DETAILS)[exif_tags.TAKEN] = "2020:01:02 03:04:05"
    Image.new("RGB", (40, 30), "red").save(path, exif=exif)
    run(photos)
    shutil.copy(path, photos / "b.jpg")
    run(photos, encoder=no_encoder)
    one, two = catalog.photos(catalog.rows())
    assert replace(two, row=one.row, path=one.path, mtime_ns=one.mtime_ns) == one
    assert (two.camera, two.taken_at) == ("Nikon D70", "2020-01-02T03:04:05")


def test_thumbnails_move_along_also_in_a_chain(folder, catalog, run, photos):
    for number in range(3):
        picture(photos / f"{number}.png", number)
    run(photos, thumbnail_cache_bytes=1 << 20)
    made = thumbnails_in(folder, catalog)
    for number in (2, 1, 0):
        (photos / f"{number}.png").rename(photos / f"{number + 1}.png")
    run(photos, encoder=no_encoder, thumbnail_cache_bytes=1 << 20)
    assert [photo.path for photo in catalog.photos(catalog.rows())] == [str(photos / f"{n}.png") for n in (1, 2, 3)]
    assert thumbnails_in(folder, catalog) == made


def test_the_thumbnail_moves_along(folder, catalog, run, photos):
    picture(photos / "a.png", 1)
    run(photos, thumbnail_cache_bytes=1 << 20)
    (made,) = thumbnails_in(folder, catalog)
    (photos / "a.png").rename(photos / "b.png")
    shutil.copy2(photos / "b.png", photos / "c.png")
    run(photos, encoder=no_encoder, thumbnail_cache_bytes=1 << 20)
    assert thumbnails_in(folder, catalog) == [made, made]


def thumbnails_in(folder, catalog):
    with ThumbnailCache(folder, max_bytes=1) as cache:
        return [cache.get(photo.path, photo.mtime_ns) for photo in catalog.photos(catalog.rows())]


def test_what_a_dry_run_says_of_known_content_comes_true(catalog, run, photos):
    for number in range(3):
        picture(photos / f"{number}.png", number)
    run(photos)
    (photos / "0.png").rename(photos / "moved.png")
    shutil.copy(photos / "1.png", photos / "copy.png")
    picture(photos / "2.png", 9)
    picture(photos / "new.png", 10)
    forecast = counts(run(photos, encoder=no_encoder, dry_run=True))
    assert forecast == {"scanned": 5, "added": 2, "updated": 1, "moved": 1, "unchanged": 1}
    assert counts(run(photos)) == forecast


# Roots


def test_a_root_that_does_not_exist_stops_everything_before_it_starts(catalog, run, photos, tmp_path):
    picture(photos / "a.png", 1)
    with pytest.raises(BadPath):
        run(photos, tmp_path / "missing", encoder=no_encoder)
    assert (catalog.photo_count, catalog.roots()) == (0, ())


@pytest.mark.parametrize("how", ["vanished", "empty", "unreadable"])
def test_the_photos_of_a_root_that_is_not_there_are_kept(catalog, run, photos, monkeypatch, how):
    picture(photos / "a.png", 1)
    run(photos)
    away = photos.with_name("away")
    if how == "unreadable":
        monkeypatch.setattr(os, "scandir", _refuse_below(str(photos)))
    else:
        photos.rename(away)
    if how == "empty":
        photos.mkdir()
    report = run(photos, encoder=no_encoder)
    assert (len(report.failures), report.removed, catalog.photo_count) == (1, 0, 1)
    assert report.failures[0].path == str(photos)
    monkeypatch.undo()
    if how != "unreadable":
        picture(photos / "b.png", 2)
        assert counts(run(photos)) == {"scanned": 1, "added": 1, "removed": 1}


@pytest.mark.parametrize("how", ["vanished", "empty"])
def test_pruning_removes_the_photos_of_a_root_that_is_not_there(catalog, run, photos, how):
    picture(photos / "a.png", 1)
    run(photos)
    (photos / "a.png").unlink()
    if how == "vanished":
        photos.rmdir()
    report = run(photos, encoder=no_encoder, prune=True)
    assert (report.removed, report.failures, catalog.photo_count) == (1, (), 0)
    assert catalog.roots() == ((str(photos),) if how == "empty" else ())


def test_a_missing_root_without_photos_is_said_once_and_forgotten(catalog, run, photos, tmp_path):
    picture(photos / "a.png", 1)
    run(photos)
    photos.rename(tmp_path / "new")
    assert counts(run(photos, tmp_path / "new", encoder=no_encoder, prune=True)) == {"scanned": 1, "moved": 1}
    catalog.change_roots([*catalog.roots(), str(photos)])
    assert reasons(run(photos, encoder=no_encoder)) == [("photos", "not there")]
    assert catalog.roots() == (str(tmp_path / "new"),)
    with pytest.raises(BadPath):
        run(photos)


@pytest.mark.parametrize(
    ("how", "reason"),
    [("vanished", "not there"), ("empty", "the folder is empty"), ("link", "a broken link")],
)
@pytest.mark.parametrize("together", [True, False])
def test_what_is_out_of_sight_has_not_moved_to_its_backup(catalog, run, photos, tmp_path, how, reason, together):
    root, disk, backup = photos / "disk", tmp_path / "real", tmp_path / "backup"
    for number in range(2):
        picture((disk if how == "link" else root) / f"{number}.png", number)
    if how == "link":
        root.symlink_to(disk)
    indexed = photos if how == "link" else root
    run(indexed)
    before = paths(catalog)
    shutil.copytree(root, backup)
    root.resolve().rename(tmp_path / "away")
    if how == "empty":
        root.mkdir()
    report = run(*([indexed] if together else []), backup, encoder=no_encoder)
    assert counts(report) == {"scanned": 2, "added": 2}
    kept = "its 2 photos were kept in case a disk isn't mounted (--prune removes them)"
    assert reasons(report) == [("disk", f"{reason}; {kept}")]
    assert paths(catalog) == [*before, str(backup / "0.png"), str(backup / "1.png")]


@pytest.mark.parametrize("together", [True, False])
def test_what_is_in_a_locked_folder_has_not_moved_to_its_backup(catalog, run, photos, tmp_path, monkeypatch, together):
    picture(photos / "a.png", 1)
    run(photos)
    shutil.copytree(photos, tmp_path / "backup")
    monkeypatch.setattr(os, "scandir", _refuse_below(str(photos)))
    monkeypatch.setattr(os, "lstat", _refuse_below(str(photos / "a.png"), os.lstat))
    report = run(*([photos] if together else []), tmp_path / "backup", encoder=no_encoder)
    assert counts(report) == {"scanned": 1, "added": 1}
    assert reasons(report) == ([("photos", "permission denied")] if together else [])
    assert paths(catalog) == [str(photos / "a.png"), str(tmp_path / "backup/a.png")]


def test_a_disk_that_goes_while_it_is_looked_through_keeps_its_photos(catalog, run, photos, tmp_path, monkeypatch):
    for name in ("a/1.png", "b/2.png", "b/3.png"):
        picture(photos / name, len(name))
    run(photos)
    scandir = os.scandir

    def pulled(path):
        found = list(scandir(path))
        if path == str(photos / "b"):
            photos.rename(tmp_path / "away")
        return _Listed(found)

    monkeypatch.setattr(os, "scandir", pulled)
    report = run(photos, encoder=no_encoder)
    assert (report.removed, catalog.photo_count) == (0, 3)
    assert len(reasons(report)) == 1


class _Listed(list):
    def __enter__(self):
        return iter(self)

    def __exit__(self, *_exc):
        pass


def test_a_disk_that_goes_while_it_is_read_keeps_its_photos(catalog, run, photos, tmp_path, monkeypatch):
    for number in range(2):
        picture(photos / f"{number}.png", number)
    run(photos)
    for number in range(2):
        picture(photos / f"{number}.png", 10 + number)
    known_sizes = catalog.known_sizes

    def pulled(sizes):
        photos.rename(tmp_path / "away")
        return known_sizes(sizes)

    monkeypatch.setattr(catalog, "known_sizes", pulled)
    report = run(photos, encoder=no_encoder)
    assert (len(report.failures), report.removed, catalog.photo_count) == (2, 0, 2)


def test_what_is_given_up_may_have_moved(catalog, run, photos, tmp_path):
    picture(photos / "a.png", 1)
    run(photos)
    photos.rename(tmp_path / "new")
    report = run(photos, tmp_path / "new", encoder=no_encoder, prune=True)
    assert (counts(report), paths(catalog)) == ({"scanned": 1, "moved": 1}, [str(tmp_path / "new/a.png")])


def test_a_folder_elsewhere_that_is_empty_where_it_had_many_is_a_missing_disk_too(run, photos, tmp_path, monkeypatch):
    monkeypatch.setattr(unmounted_disks, "MANY", 2)
    for name in ("disk/a.png", "disk/b.png", "c.png"):
        picture(photos / name, len(name))
    run(photos)
    shutil.move(photos / "disk", tmp_path / "backup")
    (photos / "disk").mkdir()
    assert counts(run(tmp_path / "backup", encoder=no_encoder)) == {"scanned": 2, "added": 2}


def test_a_link_to_a_folder_on_a_missing_disk_keeps_its_photos(run, photos, tmp_path):
    picture(tmp_path / "disk/2019/a.png", 1)
    picture(photos / "b.png", 2)
    (photos / "album").symlink_to(tmp_path / "disk")
    assert counts(run(photos)) == {"scanned": 2, "added": 2}
    (tmp_path / "disk").rename(tmp_path / "away")
    report = run(photos, encoder=no_encoder)
    assert reasons(report) == [
        ("album", "a broken link; its 1 photo was kept in case a disk isn't mounted (--prune removes it)")
    ]
    assert counts(report) == {"scanned": 1, "unchanged": 1}
    assert counts(run(photos, encoder=no_encoder, prune=True)) == {"scanned": 1, "removed": 1, "unchanged": 1}


def test_a_folder_below_a_root_that_is_empty_where_it_had_many_is_a_missing_disk(catalog, run, photos, monkeypatch):
    monkeypatch.setattr(unmounted_disks, "MANY", 3)
    for name in ("disk/2019/a.png", "disk/b.png", "disk/c.png", "few/d.png", "e.png"):
        picture(photos / name, len(name))
    run(photos)
    shutil.rmtree(photos / "disk")
    (photos / "disk").mkdir()
    (photos / "few/d.png").unlink()
    report = run(photos, encoder=no_encoder)
    assert reasons(report) == [
        ("disk", "the folder is empty; its 3 photos were kept in case a disk isn't mounted (--prune removes them)")
    ]
    assert counts(report) == {"scanned": 1, "removed": 1, "unchanged": 1}
    assert counts(run(photos, encoder=no_encoder, prune=True)) == {"scanned": 1, "removed": 3, "unchanged": 1}


def _refuse_below(folder, really=os.scandir):
    def refuse(path, **how):
        if os.fspath(path).startswith(folder):
            raise PermissionError(13, "Permission denied", path)
        return really(path, **how)

    return refuse


def test_the_photos_of_an_unreadable_folder_are_kept(catalog, run, photos, monkeypatch):
    for name in ("a.png", "secret/b.png"):
        picture(photos / name, 1)
    run(photos)
    (photos / "a.png").unlink()
    monkeypatch.setattr(os, "scandir", _refuse_below(str(photos / "secret")))
    report = run(photos)
    assert (counts(report), reasons(report)) == ({"removed": 1}, [("secret", "permission denied")])
    assert paths(catalog) == [str(photos / "secret/b.png")]


def test_other_roots_are_left_alone(catalog, run, photos, tmp_path):
    picture(photos / "a.png", 1)
    other = picture(tmp_path / "photos2/b.png", 2)
    run(photos, other.parent)
    other.unlink()
    assert counts(run(photos)) == {"scanned": 1, "unchanged": 1}
    assert catalog.roots() == (str(photos), str(other.parent))


def test_roots_that_another_covers_are_not_remembered(catalog, run, photos):
    for name in ("a.png", "sub/b.png", ".hidden/c.png"):
        picture(photos / name, 1)
    run(photos / "sub")
    run(photos)
    run(photos / "sub/b.png", photos / ".hidden")
    assert catalog.roots() == (str(photos), str(photos / ".hidden"))
    assert counts(run(photos, encoder=no_encoder)) == {"scanned": 3, "unchanged": 3}


def test_a_root_may_be_a_file(catalog, run, photos):
    path = picture(photos / "a.png", 1)
    picture(photos / "b.png", 2)
    assert counts(run(path)) == {"scanned": 1, "added": 1}
    assert catalog.roots() == (str(path),)


# Encoders


def test_the_encoder_is_recorded_at_first_use(catalog, run, photos):
    picture(photos / "a.png", 1)
    run(photos, encoder=other_encoder(dtype="bfloat16"))
    assert (catalog.encoder.spec, catalog.encoder.dim, catalog.encoder.precision) == ("fake", DIM, "bfloat16")
    picture(photos / "b.png", 2)
    run(photos)
    assert catalog.encoder.precision == "bfloat16"


@pytest.mark.parametrize("changes", [{"spec": "other/tag"}, {"dim": 7}, {"fingerprint": "new"}])
def test_another_encoder_or_other_weights_are_refused_and_change_nothing(catalog, run, photos, changes):
    picture(photos / "a.png", 1)
    run(photos, encoder=other_encoder(fingerprint="old"))
    (photos / "a.png").unlink()
    picture(photos / "b.png", 2)
    with pytest.raises(EncoderMismatch) as caught:
        run(photos, encoder=other_encoder(**{"fingerprint": "old", **changes}))
    assert "photomap index --rebuild" in caught.value.hint
    assert paths(catalog) == [str(photos / "a.png")]
    assert (catalog.encoder.spec, catalog.encoder.fingerprint) == ("fake", "old")


def test_the_precision_of_the_first_run_is_the_librarys(catalog, run, photos):
    for number, dtype in enumerate(("float32", "bfloat16")):
        picture(photos / f"{number}.png", number)
        run(photos, encoder=other_encoder(dtype=dtype))
    assert (catalog.encoder.precision, catalog.photo_count) == ("float32", 2)


def test_without_room_for_the_encoder_the_run_ends_at_once_and_the_next_one_goes_on(catalog, store, run, photos):
    starts = []

    def open_encoder():
        starts.append(True)
        raise NoProcess("no process can be started: too many open files")

    picture(photos / "a.png", 1)
    refused = indexer.Indexer(
        LocalLibrary(catalog, store), open_encoder, IndexOptions(jobs=2), open_pool=InProcessDecoder
    )
    with pytest.raises(NoProcess):
        list(refused.run([photos]))
    assert (len(starts), refused.report.interrupted) == (1, True)
    assert counts(run(photos)) == {"scanned": 1, "added": 1}


def test_a_library_without_photos_takes_any_encoder(catalog, run, photos):
    path = picture(photos / "a.png", 1)
    picture(photos / "notes.png", 1).rename(photos / "notes.txt")
    run(photos)
    path.unlink()
    run(photos)
    picture(path, 2)
    run(photos, encoder=other_encoder(spec="other/tag"))
    assert (catalog.encoder.spec, catalog.photo_count) == ("other/tag", 1)


def test_a_dry_run_counts_and_writes_nothing(folder, catalog, run, photos):
    for number in range(3):
        picture(photos / f"{number}.png", number)
    assert counts(run(photos, encoder=no_encoder, dry_run=True)) == {"scanned": 3, "added": 3}
    run(photos)
    picture(photos / "0.png", 9)
    (photos / "1.png").unlink()
    before = catalog.change_counter()
    report = run(photos, encoder=no_encoder, dry_run=True)
    assert counts(report) == {"scanned": 2, "updated": 1, "removed": 1, "unchanged": 1}
    assert catalog.change_counter() == before


def test_an_encoder_that_answers_nonsense_is_said(run, photos):
    picture(photos / "a.png", 1)

    class Wrong(FakeEncoder):
        def encode_images(self, pixels):
            return np.zeros((1, 3), np.float32)

    with pytest.raises(EncoderFailed, match="answered"):
        run(photos, encoder=Wrong)


def test_a_vector_that_is_no_number_fails_its_photo_alone(catalog, run, photos):
    for number in range(3):
        picture(photos / f"{number}.png", number)

    class Nan(FakeEncoder):
        def encode_images(self, pixels):
            vectors = super().encode_images(pixels)
            vectors[1] = np.nan
            return vectors

    report = run(photos, encoder=Nan)
    assert (report.added, len(report.failures), catalog.photo_count) == (2, 1, 2)


# Interruptions


class Interrupting(FakeEncoder):
    """Is interrupted while it works on the third batch."""

    def encode_images(self, pixels):
        if len(self.batches) == 2:
            raise KeyboardInterrupt
        return super().encode_images(pixels)


def assert_nothing_is_left_running(folder):
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("decode")]
    with only_writer(folder):
        pass


def test_an_interrupted_run_keeps_what_it_did_and_the_next_goes_on(folder, catalog, store, run, photos):
    for number in range(10):
        picture(photos / f"{number}.png", number)
    index_run = Indexer(LocalLibrary(catalog, store), Interrupting, IndexOptions(jobs=2, batch_size=2))
    with pytest.raises(KeyboardInterrupt):
        list(index_run.run([photos]))
    assert (index_run.report.added, catalog.photo_count) == (4, 4)
    assert (index_run.report.interrupted, index_run.report.left) == (True, 6)
    assert (catalog.status().unfinished, catalog.status().last_indexed_at) == ((str(photos),), None)
    assert_nothing_is_left_running(folder)
    report = run(photos)
    assert counts(report) == {"scanned": 10, "added": 6, "unchanged": 4}
    assert (report.interrupted, report.left, catalog.status().unfinished) == (False, 0, ())
    assert_sound(catalog, store)


def test_a_run_that_ends_while_looking_for_photos_says_so_and_is_remembered(catalog, run, photos, monkeypatch):
    picture(photos / "a.png", 1)

    def interrupted(*_given, **_more):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(indexer, "survey", interrupted)
        for dry_run in (True, False):
            with pytest.raises(KeyboardInterrupt):
                run(photos, dry_run=dry_run)
            assert catalog.status().unfinished == (() if dry_run else (str(photos),))
    run(photos, dry_run=True, encoder=no_encoder)
    assert catalog.status().unfinished == (str(photos),)
    run(photos.parent)
    assert catalog.status().unfinished == ()


def test_a_run_elsewhere_leaves_one_unfinished_that_is_not(catalog, run, photos, tmp_path):
    for folder in ("photos", "photos/sub", "photos2"):
        picture(tmp_path / folder / "a.png", len(folder))
    with pytest.raises(EncoderFailed):
        run(photos, encoder=_failing)
    run(photos / "sub", tmp_path / "photos2")
    assert catalog.status().unfinished == (str(photos),)
    shutil.rmtree(photos)
    run(photos, encoder=no_encoder)  # the same command again, though there is nothing any more
    assert catalog.status().unfinished == ()


def _failing():
    raise EncoderFailed("no")


def test_an_interruption_between_encoding_and_committing_loses_nothing(catalog, store, photos, monkeypatch):
    for number in range(4):
        picture(photos / f"{number}.png", number)
    commit_batch, calls = catalog.commit_batch, []

    def interrupted_once(added, removed_rows, found_again):
        calls.append(len(added))
        if len(calls) == 1:
            raise KeyboardInterrupt
        return commit_batch(added, removed_rows, found_again)

    monkeypatch.setattr(catalog, "commit_batch", interrupted_once)
    index_run = Indexer(LocalLibrary(catalog, store), FakeEncoder, IndexOptions(jobs=2, batch_size=4))
    with pytest.raises(KeyboardInterrupt):
        list(index_run.run([photos]))
    assert (calls, catalog.photo_count, index_run.report.added) == ([4, 4], 4, 4)


def test_a_run_that_is_closed_stops(folder, catalog, store, photos):
    for number in range(10):
        picture(photos / f"{number}.png", number)
    index_run = Indexer(LocalLibrary(catalog, store), FakeEncoder, IndexOptions(jobs=2, batch_size=2))
    with closing(index_run.run([photos])) as progress:
        assert [next(progress).done, next(progress).done] == [0, 2]
        with pytest.raises(LibraryBusy, match=str(os.getpid())):
            list(Indexer(LocalLibrary(catalog, store), FakeEncoder).run([photos]))
    assert (index_run.report.added, catalog.photo_count) == (2, 2)
    assert_nothing_is_left_running(folder)


def test_decoding_does_not_run_far_ahead_of_the_encoder(catalog, store, photos, monkeypatch):
    for number in range(40):
        picture(photos / f"{number:02}.png", number)
    decoded = []
    decode = InProcessDecoder.decode

    def counting(self, path, fit):
        decoded.append(path)
        return decode(self, path, fit)

    monkeypatch.setattr(InProcessDecoder, "decode", counting)
    with closing(
        Indexer(LocalLibrary(catalog, store), FakeEncoder, IndexOptions(jobs=2, batch_size=4)).run([photos])
    ) as progress:
        next(progress)
        next(progress)
        assert len(decoded) <= 1 + 4 + 2 * 4  # the probe, the batch, the limit


def test_another_process_sees_photos_as_they_are_committed(folder, catalog, store, photos):
    for number in range(6):
        picture(photos / f"{number}.png", number)
    with Catalog.open(folder) as reader, VectorStore(folder, reader) as found:
        seen = []
        for _ in Indexer(LocalLibrary(catalog, store), FakeEncoder, IndexOptions(jobs=2, batch_size=2)).run([photos]):
            found.refresh()
            seen.append(len(found.search(np.ones(DIM, np.float32), 9)[0]) if reader.encoder else 0)
    assert seen == [0, 2, 4, 6]


def test_a_run_leaves_nothing_of_photos_that_are_gone(folder, catalog, store, run, photos, monkeypatch):
    monkeypatch.setattr(compaction, "LEAST", 1)
    monkeypatch.setattr(database, "LEAST_FREE_BYTES", 4096)
    for number in range(60):
        picture(photos / f"{number}.png", number)
    run(photos)
    for number in range(10, 60):
        (photos / f"{number}.png").unlink()
    with Catalog.open(folder) as later, VectorStore(folder, later) as session:
        session.refresh()
        report = run(photos)
        session.refresh()
        assert session._view.count == 10
        np.testing.assert_array_equal(
            np.sort(session.search(stored_vector(catalog, catalog.rows()[0]), 60)[0]), catalog.rows()
        )
    assert report.removed == 50
    assert catalog._database._connection.execute("PRAGMA freelist_count").fetchone() == (0,)
    assert_sound(catalog, store)


def test_a_large_library_is_made_quick_to_search_at_the_end_of_a_run(folder, catalog, store, photos, monkeypatch):
    monkeypatch.setattr(pq_training, "ROWS", 64)
    for number in range(70):
        picture(photos / f"{number}.png", number)
    steps = list(Indexer(LocalLibrary(catalog, store), FakeEncoder).run([photos]))
    assert [(step.done, step.total) for step in steps if step.compressing][-1] == (64, 70)
    assert not steps[0].compressing
    assert PqFile(folder).read() is not None


@pytest.mark.parametrize(
    ("name", "time", "dated_at", "source"),
    [
        ("DSC_0001.jpg", "2015:08:22 24:08:19", "2015-08-22T00:00:00", "exif-day"),
        ("DSC_0001.jpg", "2015:08:22 10:11:60", "2015-08-22T00:00:00", "exif-day"),
        ("DSC_0001.jpg", "2015-08-22T10:11:12+02:00", "2015-08-22T10:11:12", "exif"),
        ("IMG-20180514-WA0007.jpg", "0000:00:00 00:00:00", "2018-05-14T00:00:00", "name-day"),
        ("IMG-20180514-WA0007.jpg", "2015:08:22 24:08:19", "2015-08-22T00:00:00", "exif-day"),
        ("IMG-20180514-WA0007.jpg", "9999:12:31 23:59:59", "2018-05-14T00:00:00", "name-day"),
    ],
)
def test_the_best_date_there_is_gets_into_the_library(catalog, run, tmp_path, name, time, dated_at, source):
    tags = Image.Exif()
    tags.get_ifd(exif_tags.DETAILS)[exif_tags.TAKEN] = time
    picture(tmp_path / "p" / name, 1)
    Image.open(tmp_path / "p" / name).save(tmp_path / "p" / name, exif=tags)
    run(tmp_path / "p")
    (photo,) = catalog.photos(catalog.rows())
    assert (photo.taken_at, photo.dated_at) == (dated_at, dated_at)
    assert catalog.details(photo.path).date_source == source


ETE, APART = "Été", unicodedata.normalize("NFD", "Été")


@pytest.mark.parametrize("typed", [ETE, APART])
def test_a_folder_is_one_root_in_whatever_form_it_is_typed(catalog, run, tmp_path, typed):
    picture(tmp_path / APART / "a.jpg", 1)
    run(tmp_path / APART)
    report = run(tmp_path / typed)
    assert report.roots == catalog.roots() == (f"{tmp_path}/{APART}",)
    assert counts(report) == {"scanned": 1, "unchanged": 1}


def test_two_folders_of_the_same_letters_are_two(catalog, run, tmp_path):
    picture(tmp_path / ETE / "a.jpg", 1)
    picture(tmp_path / APART / "a.jpg", 2)
    run(tmp_path / ETE)
    run(tmp_path / APART)
    assert set(catalog.roots()) == {f"{tmp_path}/{ETE}", f"{tmp_path}/{APART}"}
    assert catalog.photo_count == 2


def test_a_single_photo_and_a_missing_root_are_known_by_their_letters(catalog, run, tmp_path):
    picture(tmp_path / "p" / f"{APART}.jpg", 1)
    picture(tmp_path / APART / "a.jpg", 2)
    run(tmp_path / "p" / f"{ETE}.jpg", tmp_path / ETE)
    assert catalog.roots() == tuple(sorted((f"{tmp_path}/p/{APART}.jpg", f"{tmp_path}/{APART}")))
    (tmp_path / APART).rename(tmp_path / "away")
    assert counts(run(tmp_path / ETE, prune=True)) == {"removed": 1}
    assert catalog.roots() == (f"{tmp_path}/p/{APART}.jpg",)
