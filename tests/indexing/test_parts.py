"""`index --part K/N`: every file is in one part, and a run touches nothing of the others."""

import os
import shutil
from functools import partial

import permissions
import pytest
from cases import cases
from library_fakes import FakeEncoder, InProcessDecoder, picture, stored_vector

from photomap_cli.errors import BadPath, UsageError
from photomap_cli.indexing import indexer, unmounted_disks
from photomap_cli.indexing.index_options import IndexOptions
from photomap_cli.indexing.parts import Part
from photomap_cli.library.catalog import Catalog
from photomap_cli.library.entities import FoundFile
from photomap_cli.vectors.local_library import LocalLibrary
from photomap_cli.vectors.store import VectorStore

Indexer = partial(indexer.Indexer, open_pool=InProcessDecoder)
PARTS = [Part(number, 3) for number in (1, 2, 3)]


@pytest.fixture
def run(catalog, store):
    return partial(run_over, catalog, store)


def run_over(catalog, store, *roots, part=None, **options):
    run = Indexer(LocalLibrary(catalog, store), FakeEncoder, IndexOptions(jobs=2, part=part, **options))
    list(run.run(roots))
    return run.report


def paths(catalog):
    return {photo.path for photo in catalog.photos(catalog.rows())}


def facts(catalog):
    """Return what the catalogue says of every file, rows included."""
    return catalog.seen_files("/")


def of(part, root, every):
    return {path for path in every if part.below([str(root)])(path)}


@cases(
    ("text", "part"),
    [("1/1", (1, 1)), ("2/4", (2, 4)), ("04/004", (4, 4)), ("999999/999999", (999999, 999999))],
)
def test_a_part_is_written_as_k_of_n(text, part):
    assert Part.parse(text) == part
    assert Part.parse(str(Part.parse(text))) == part


@cases(
    "text",
    [
        *("3/2", "0/4", "a/b", "", "/", "1", "1/", "/2", "-1/2", "1/-2", "1.0/2", "1/2/3", " 1/2", "1/2\n", "٢/٤"),
        *("1/0", "9999999/9999999", "1" * 5000 + "/2"),
    ],
)
def test_anything_else_is_refused(text):
    with pytest.raises(UsageError, match="K/N") as refused:
        Part.parse(text)
    assert len(refused.value.message) < 120
    assert "\n" not in refused.value.message


def test_each_file_is_in_one_part_and_parts_are_of_one_size():
    every = [f"/p/{folder}/img {number}.jpg" for folder in range(30) for number in range(100)]
    taken = [of(part, "/p", every) for part in PARTS]
    assert sorted(path for part in taken for path in part) == sorted(every)
    assert all(900 < len(part) < 1100 for part in taken)


def test_machines_agree_wherever_the_photos_are_and_however_names_are_written():
    part = Part(1, 1000)
    names = [f"Été/IMG_{number}.JPG" for number in range(3000)]
    here = [name for name in names if part.below(["/mnt/nas"])(f"/mnt/nas/{name}")]
    assert here
    assert here == [name for name in names if part.below(["/p/"])(f"/p/{name}")]
    decomposed = [name for name in names if part.below(["/p"])(f"/p/{name}".replace("É", "E\u0301"))]
    assert here == [name for name in names if part.below(["/"])(f"/{name.lower()}")] == decomposed
    # Written down: another version of photomap has to come to the same.
    assert [Part(number, 4).below(["/p"])("/p/2019/a.jpg") for number in (1, 2, 3, 4)].index(True) == 1


def test_a_raw_file_goes_with_the_picture_beside_it_and_odd_names_are_spread():
    for number in range(50):
        holds = [part.below(["/p"]) for part in PARTS]
        assert [each(f"/p/x/{number}.jpg") for each in holds] == [each(f"/p/x/{number}.CR2") for each in holds]
        pixel = [f"/p/x/{number}.RAW-01.COVER.jpg", f"/p/x/{number}.RAW-02.ORIGINAL.dng"]
        assert len({tuple(map(each, pixel)) for each in holds} & {(True, True)}) == 1
    for template in ("/p/sub.dir/IMG_{}", "/p/\udcff{}.jpg"):
        taken = {[part.below(["/p"])(template.format(number)) for part in PARTS].index(True) for number in range(50)}
        assert taken == {0, 1, 2}


def test_the_outermost_root_counts():
    for number in range(20):
        path = f"/p/sub/{number}.jpg"
        assert Part(1, 3).below(["/p/sub", "/p"])(path) == Part(1, 3).below(["/p"])(path)
        assert Part(1, 3).below([path])(path) == Part(1, 3).below(["/p/sub"])(path)


def test_all_parts_together_are_one_run_over_everything(catalog, store, run, photos, tmp_path):
    every = {str(picture(photos / f"{number % 4}/{number}.png", number)) for number in range(40)}
    for part in PARTS:
        report = run(photos, part=part)
        expected = of(part, photos, every)
        assert (report.part, report.scanned, report.added) == (str(part), len(expected), len(expected))
        assert report.to_json()["part"] == str(part)
        assert expected <= paths(catalog)
    assert paths(catalog) == every
    whole = run(photos)
    assert (whole.unchanged, whole.added, whole.removed) == (40, 0, 0)
    assert "part" not in whole.to_json()
    with Catalog.open(tmp_path / "other", create=True) as other, VectorStore(tmp_path / "other", other) as vectors:
        run_over(other, vectors, photos)
        assert dict(zip(sorted(every), map(bytes_of(other), sorted(every)), strict=True)) == dict(
            zip(sorted(every), map(bytes_of(catalog), sorted(every)), strict=True)
        )


def bytes_of(catalog):
    return lambda path: stored_vector(catalog, catalog.photo_at(path).row).tobytes()


def test_a_run_leaves_the_files_of_other_parts_alone(catalog, run, photos):
    every = [picture(photos / f"{number}.png", number) for number in range(60)]
    run(photos)
    before = facts(catalog)
    for number, path in enumerate(every):
        if number % 2:
            path.unlink()
        else:
            picture(path, 1000 + number, size=(30, 20))
    for number in range(60, 70):
        picture(photos / f"{number}.png", number)
    part = PARTS[0]
    report = run(photos, part=part)
    after = facts(catalog)
    own = of(part, photos, before)
    assert {path: file for path, file in after.items() if path not in of(part, photos, after)} == {
        path: file for path, file in before.items() if path not in own
    }
    assert (report.removed, report.updated) == (
        sum(not os.path.exists(path) for path in own),  # noqa: PTH110
        sum(os.path.exists(path) for path in own),  # noqa: PTH110
    )
    assert report.removed
    assert report.updated
    for other in PARTS[1:]:
        run(photos, part=other)
    assert paths(catalog) == {str(each) for each in photos.iterdir()}


def test_a_dry_run_counts_one_part(catalog, run, photos):
    every = [str(picture(photos / f"{number}.png", number)) for number in range(20)]
    report = run(photos, part=PARTS[1], dry_run=True)
    assert (report.added, catalog.photo_count) == (len(of(PARTS[1], photos, every)), 0)


def test_files_that_failed_or_are_no_photos_are_told_by_their_own_part(catalog, run, photos):
    for number in range(12):
        (photos / f"broken{number}.png").write_bytes(b"no picture")
        (photos / f"link{number}.jpg").symlink_to("nowhere")
        (photos / f"unclear{number}").write_bytes(b"text")
        (photos / f"{number}.psd").write_bytes(b"text")
    reports = [run(photos, part=part) for part in PARTS]
    assert [len({each.path for each in report.failures}) for report in reports] == [report.failed for report in reports]
    assert sum(report.failed for report in reports) == 24
    assert sum(count for report in reports for _, count in report.others) == 24
    assert len(catalog.file_notes.others(str(photos))) == 12
    # What the first run could not read is known after the last one still.
    assert all(catalog.runs.was_refused(FoundFile.of(str(each), each.stat())) for each in photos.glob("broken*"))


def test_a_photo_that_moved_to_another_part_is_found_there_without_the_encoder(catalog, run, photos):
    every = [picture(photos / f"{number}.png", number) for number in range(12)]
    run(photos)
    for path in every:
        path.rename(path.with_name(f"moved-{path.name}"))
    reports = [run(photos, part=part) for part in PARTS]
    assert paths(catalog) == {str(each) for each in photos.iterdir()}
    assert sum(report.failed for report in reports) == 0


def test_a_folder_that_looks_like_a_missing_disk_keeps_its_photos_in_every_part(catalog, run, photos, monkeypatch):
    monkeypatch.setattr(unmounted_disks, "MANY", 20)
    for number in range(30):
        picture(photos / f"disk/{number}.png", number)
        picture(photos / f"{number}.png", 100 + number)
    run(photos)
    shutil.rmtree(photos / "disk")
    (photos / "disk").mkdir()
    for part in PARTS:
        report = run(photos, part=part)
        assert report.removed == 0
        assert [each.reason for each in report.failures] == [
            "the folder is empty; its 30 photos were kept in case a disk isn't mounted (--prune removes them)"
        ]
    assert catalog.photo_count == 60
    assert sum(run(photos, part=part, prune=True).removed for part in PARTS) == 30


def test_a_root_that_is_gone_is_forgotten_with_its_last_part(catalog, run, photos):
    for number in range(30):
        picture(photos / f"{number}.png", number)
    run(photos)
    shutil.rmtree(photos)
    for part in PARTS:
        assert catalog.roots() == (str(photos),)
        assert run(photos, part=part).removed == 0
    for part in PARTS:
        assert catalog.roots() == (str(photos),)
        assert run(photos, part=part, prune=True).removed > 0
    assert (catalog.photo_count, catalog.roots()) == (0, ())
    with pytest.raises(BadPath):
        run(photos, part=PARTS[0])


def test_a_folder_that_cannot_be_read_is_told_by_every_part(catalog, run, photos):
    for number in range(12):
        picture(photos / f"locked.jpg/{number}.png", number)
    run(photos)
    (photos / "locked.jpg").chmod(0)
    with permissions.obeyed():
        reports = [run(photos, part=part) for part in PARTS]
    (photos / "locked.jpg").chmod(0o700)
    assert [(report.failed, report.removed) for report in reports] == [(1, 0)] * 3
    assert catalog.photo_count == 12
