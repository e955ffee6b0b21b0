import os
import unicodedata
from pathlib import Path

import pytest
from folding_disk import FoldingDisk

from photomap_cli.errors import UsageError
from photomap_cli.indexing.roots import covers
from photomap_cli.indexing.scan import OtherFile, ScanRules, UnclearFile, is_bare, scan
from photomap_cli.library.entities import FoundFile
from photomap_cli.records import IndexFailure


def touch(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def names(folder, *roots, **rules):
    """Return the photos that a scan finds, as paths below `folder`, and fail on failures."""
    found = list(scan([str(root) for root in roots or (folder,)], ScanRules(**rules)))
    assert not [each for each in found if isinstance(each, IndexFailure)]
    found = [each for each in found if isinstance(each, FoundFile)]
    assert len(found) == len({each.path for each in found})
    return sorted(os.path.relpath(each.path, folder) for each in found)


def test_files_are_photos_by_extension_in_any_case(photos):
    raster = "jpg JPG jpeg jpe jfif MPO png apng webp gif tif tiff bmp dib jp2 j2k jpx pnm pbm pgm ppm"
    extensions = f"{raster} avif heic HEIF hif".split()
    wanted = [f"a.{extension}" for extension in extensions]
    touch(photos, *wanted, "a.txt", "a.mp3", "jpg", "a.jpg.part", "a")
    assert names(photos) == sorted([*wanted])


def test_a_file_comes_with_its_size_and_time(photos):
    touch(photos, "sub/ä b.jpg")
    path = photos / "sub/ä b.jpg"
    os.utime(path, ns=(1, 123_456_789))
    info = path.stat()
    (found,) = scan([str(photos)], ScanRules())
    assert found == FoundFile(str(path), 1, 123_456_789, info.st_ctime_ns, info.st_ino)


def test_hidden_files_and_folders_are_left_out_unless_wanted(photos):
    touch(photos, "a.jpg", ".b.jpg", ".hidden/c.jpg", "d/.e/f.jpg")
    assert names(photos) == ["a.jpg"]
    assert names(photos, hidden=True) == sorted(["a.jpg", ".b.jpg", ".hidden/c.jpg", "d/.e/f.jpg"])


def test_junk_is_always_left_out(photos):
    junk = [
        "@eaDir/a.jpg",
        ".Trash-1000/a.jpg",
        ".Trashes/a.jpg",
        "x/node_modules/a.jpg",
        "._a.jpg",
        "$RECYCLE.BIN/a.jpg",
    ]
    touch(photos, *junk, "lost+found/a.jpg", ".thumbnails/a.jpg", "SYNOFILE_THUMB_M.jpg", "ok/a.jpg")
    assert names(photos, hidden=True) == ["ok/a.jpg"]


JUNK = [
    "$RECYCLE.BIN/a.jpg",
    "#recycle/a.jpg",
    "@Recycle/a.jpg",
    "RECYCLER/S-1/a.jpg",
    ".Trash/a.jpg",
    ".Trash-1000/files/a.jpg",
    ".trashed-1-a.jpg",
    ".dtrash/a.jpg",
    "lost+found/a.jpg",
    "files_trashbin/a.jpg",
    "files_versions/a.jpg",
    "appdata_oc1x/preview/a.jpg",
    ".pending-1-a.jpg",
    "@eaDir/a.jpg/SYNOPHOTO_THUMB_XL.jpg",
    ".@__thumb/a.jpg",
    "@__thumb/a.jpg",
    ".thumbnails/a.jpg",
    ".picasaoriginals/a.jpg",
    "Previews.lrdata/a.jpg",
    "Smart_Previews.lrdata/0/a.dng",
    "Films.imovielibrary/a.jpg",
    "#snapshot/a.jpg",
    ".snapshots/1/a.jpg",
]


@pytest.mark.parametrize("name", JUNK)
def test_what_other_programs_put_aside_is_nobodys_photo(photos, name):
    touch(photos, name, f"sub/{name}", "ok.jpg")
    assert names(photos, hidden=True) == ["ok.jpg"]


LIBRARY = [
    "originals/1/a.heic",
    "Originals/2009/b.jpg",
    "Masters/2014/01/c.jpg",
    "resources/derivatives/1/a.jpeg",
    "database/icon.png",
    "d.jpg",
    "resources/derivatives/masters/1/a.jpeg",
    "resources/renders/1/a.jpeg",
    "Thumbnails/2014/c.jpg",
    "Previews/2014/c.jpg",
    "Data.noindex/b.jpg",
    "Modified/2009/b.jpg",
    "private/x/a.jpeg",
    "scopes/a.jpeg",
]


@pytest.mark.parametrize(
    "name", ["A.photoslibrary", "B.PhotoLibrary", "c.aplibrary", "d.migratedphotolibrary", "e.migratedaplibrary"]
)
def test_of_another_programs_library_the_originals_are_photos(photos, name):
    touch(photos / name, *LIBRARY)
    wanted = [f"{name}/Masters/2014/01/c.jpg", f"{name}/Originals/2009/b.jpg", f"{name}/originals/1/a.heic"]
    assert names(photos) == wanted
    assert names(photos, photos / name) == wanted
    assert names(photos, photos, photos / name / "Previews") == sorted([*wanted, f"{name}/Previews/2014/c.jpg"])


def test_a_folder_of_another_programs_library_that_is_named_is_a_root_of_its_own(photos):
    library = photos / "A.photoslibrary"
    assert covers(str(photos), str(library / "originals/1"))
    assert covers(str(library), str(library / "Masters"))
    for inside in ("resources/derivatives", "Thumbnails"):
        assert not covers(str(photos), str(library / inside))
        assert not covers(str(library), str(library / inside))


def test_files_that_are_no_photos_and_those_that_may_be_are_told_apart(photos):
    touch(
        photos,
        "a.jpg",
        "b.psd",
        "c.MP3",
        "IMG_1",
        "d.jpg_large",
        "e.jpg~",
        "f.jpg_original",
        ".hidden.psd",
        "Thumbs.db",
    )
    touch(photos, "sub/g.txt", "sub/.photomapignore", "@eaDir/h.mp4", "left/i.mp4", "left/j")
    (photos / "k.lnk").symlink_to(photos / "b.psd")
    os.mkfifo(photos / "pipe")
    found = list(scan([str(photos)], ScanRules(("left/",))))
    inside = {
        sort: sorted(
            os.path.relpath(getattr(each, "file", each).path, photos) for each in found if isinstance(each, sort)
        )
        for sort in (FoundFile, UnclearFile, OtherFile)
    }
    assert inside == {
        FoundFile: ["a.jpg"],
        UnclearFile: ["IMG_1", "d.jpg_large", "e.jpg~"],
        OtherFile: ["b.psd", "c.MP3", "f.jpg_original", "k.lnk", "sub/g.txt"],
    }


def test_a_hidden_root_is_scanned_when_it_is_named(photos):
    touch(photos, ".hidden/a.jpg")
    assert names(photos, photos / ".hidden") == [".hidden/a.jpg"]


@pytest.mark.parametrize(
    ("exclude", "left"),
    [
        (("*.png",), ["a.jpg", "raw/c.jpg", "x/raw/d.jpg"]),
        (("raw/",), ["a.jpg", "b.png"]),
        (("/raw",), ["a.jpg", "b.png", "x/raw/d.jpg"]),
        (("x/**/d.jpg",), ["a.jpg", "b.png", "raw/c.jpg"]),
        (("*.jpg", "!a.jpg"), ["a.jpg", "b.png"]),
        ((), ["a.jpg", "b.png", "raw/c.jpg", "x/raw/d.jpg"]),
    ],
)
def test_exclude_patterns_are_those_of_a_gitignore_at_the_root(photos, exclude, left):
    touch(photos, "a.jpg", "b.png", "raw/c.jpg", "x/raw/d.jpg")
    assert names(photos, exclude=exclude) == left


def test_a_pattern_that_is_none_is_a_usage_error():
    with pytest.raises(UsageError, match="--exclude"):
        ScanRules(exclude=("!",))


def test_links_to_folders_are_followed_once(photos, tmp_path):
    touch(tmp_path / "elsewhere", "a.jpg", "deep/b.jpg")
    touch(photos, "c.jpg")
    (photos / "link").symlink_to(tmp_path / "elsewhere")
    (photos / "same").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "back").symlink_to(photos)
    (photos / "loop").symlink_to(photos)
    assert names(photos) == ["c.jpg", "link/a.jpg", "link/deep/b.jpg"]


def test_a_plain_way_to_a_folder_is_preferred_to_a_link(photos):
    touch(photos, "z/a.jpg")
    (photos / "a-link").symlink_to(photos / "z")
    assert names(photos) == ["z/a.jpg"]
    touch(photos, "other/b.jpg")
    assert names(photos, photos / "other", photos / "z") == ["other/b.jpg", "z/a.jpg"]


def test_excluded_links_are_not_followed(photos, tmp_path):
    touch(tmp_path / "elsewhere", "a.jpg")
    (photos / "link").symlink_to(tmp_path / "elsewhere")
    assert names(photos, exclude=("link/",)) == []


def reasons(folder, **rules):
    """Return what a scan reports, by the path below `folder`."""
    found = scan([str(folder)], ScanRules(**rules))
    return {os.path.relpath(each.path, folder): each.reason for each in found if isinstance(each, IndexFailure)}


def test_a_link_to_a_photo_is_one(photos, tmp_path):
    touch(tmp_path, "real.jpg")
    (photos / "link.jpg").symlink_to(tmp_path / "real.jpg")
    assert names(photos) == ["link.jpg"]


def test_links_that_lead_nowhere_are_reported_where_a_photo_should_be(photos):
    (photos / "dangling.jpg").symlink_to(photos / "missing.jpg")
    (photos / "self.jpg").symlink_to(photos / "self.jpg")
    (photos / "lock").symlink_to("somebody@host")
    nowhere = "a broken link"
    assert reasons(photos) == {"dangling.jpg": nowhere, "self.jpg": nowhere}
    assert reasons(photos, exclude=("self.jpg",)) == {"dangling.jpg": nowhere}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the platform has no pipes in folders")
def test_pipes_are_reported_where_a_photo_should_be(photos):
    os.mkfifo(photos / "pipe.jpg")
    os.mkfifo(photos / "pipe")
    (photos / "link.jpg").symlink_to(photos / "pipe.jpg")
    (photos / "null.jpg").symlink_to(os.devnull)
    (photos / "folder.jpg").mkdir()
    no_file = "a pipe or device, not a file"
    assert reasons(photos) == {"link.jpg": no_file, "null.jpg": no_file, "pipe.jpg": no_file}
    assert reasons(photos, exclude=("*.jpg",)) == {}


def test_roots_inside_one_another_yield_each_file_once(photos):
    touch(photos, "a.jpg", "sub/b.jpg", "sub/.h/c.jpg")
    assert names(photos, photos / "sub", photos, photos / "sub/b.jpg") == ["a.jpg", "sub/b.jpg"]
    assert names(photos, photos, photos / "sub/.h", photos / "sub/.h/c.jpg") == ["a.jpg", "sub/.h/c.jpg", "sub/b.jpg"]


def test_a_root_may_be_one_file(photos):
    touch(photos, "a.jpg", "b.jpg", "notes.txt")
    assert names(photos, photos / "a.jpg") == ["a.jpg"]
    assert list(scan([str(photos / "notes.txt")], ScanRules())) == [
        IndexFailure(str(photos / "notes.txt"), "not a photo file")
    ]


def test_what_cannot_be_read_is_reported_and_the_rest_goes_on(photos, monkeypatch):
    touch(photos, "a.jpg", "secret/b.jpg", "z/c.jpg")
    scandir = os.scandir

    def refuse(path):
        if os.fspath(path).endswith("secret"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    found = list(scan([str(photos), str(photos / "gone")], ScanRules()))
    assert [each.reason for each in found if isinstance(each, IndexFailure)] == [
        "permission denied",
        "no such file or directory",
    ]
    assert len(found) == 4


def test_names_that_are_no_text_are_found_all_the_same(photos):
    try:
        (photos / os.fsdecode(b"caf\xe9.jpg")).write_bytes(b"x")
    except OSError:
        pytest.skip("the file system takes only text")
    assert len(names(photos)) == 1


def test_a_folder_with_nothing_visible_is_bare(photos):
    assert is_bare(str(photos))
    touch(photos, ".DS_Store", "Thumbs.db")
    assert is_bare(str(photos))
    touch(photos, "notes.txt")
    assert not is_bare(str(photos))
    assert not is_bare(str(photos / "notes.txt"))


# Ignore files


def ignore(folder, *lines):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ".photomapignore").write_text("\n".join(lines), encoding="utf-8")


@pytest.mark.parametrize(
    ("lines", "left"),
    [
        (("*.png",), ["a.jpg", "raw/c.jpg", "x/raw/d.jpg"]),
        (("# a comment", "", "raw/"), ["a.jpg", "b.png"]),
        (("/raw",), ["a.jpg", "b.png", "x/raw/d.jpg"]),
        (("*.jpg", "!a.jpg"), ["a.jpg", "b.png"]),
        (("x/raw",), ["a.jpg", "b.png", "raw/c.jpg"]),
        (("\ufeffb.png", "Ärger/"), ["a.jpg", "raw/c.jpg", "x/raw/d.jpg"]),
    ],
)
def test_an_ignore_file_leaves_out_what_it_matches(photos, lines, left):
    touch(photos, "a.jpg", "b.png", "raw/c.jpg", "x/raw/d.jpg")
    ignore(photos, *lines)
    assert names(photos) == left
    assert names(photos, hidden=True) == left


def test_the_innermost_ignore_file_that_says_anything_counts(photos):
    touch(photos, "a.png", "x/b.png", "x/y/c.png", "x/y/d.jpg", "z/c.png")
    ignore(photos, "*.png")
    ignore(photos / "x", "!*.png", "/y/d.jpg")
    ignore(photos / "x/y", "c.*")
    assert names(photos) == ["x/b.png"]


def test_nothing_below_an_ignored_folder_comes_back(photos):
    touch(photos, "x/a.jpg")
    ignore(photos, "x/")
    ignore(photos / "x", "!a.jpg")
    assert names(photos) == []


def test_the_command_line_counts_before_ignore_files(photos):
    touch(photos, "a.jpg", "b.jpg")
    ignore(photos, "!a.jpg")
    assert names(photos, exclude=("a.jpg",)) == ["b.jpg"]


def test_ignore_files_above_a_root_count_but_not_against_it(photos):
    touch(photos, "2023/a.jpg", "2023/b.png", "scans/c.jpg", "scans/d.png")
    ignore(photos, "*.png", "scans/")
    assert names(photos, photos / "2023") == ["2023/a.jpg"]
    assert names(photos, photos / "scans") == ["scans/c.jpg", "scans/d.png"]
    assert names(photos, photos / "scans/d.png") == ["scans/d.png"]


def test_what_is_behind_a_link_is_ignored_by_the_files_around_the_link(photos, tmp_path):
    touch(tmp_path / "elsewhere", "a.jpg", "b.png")
    ignore(photos, "*.png")
    (photos / "link").symlink_to(tmp_path / "elsewhere")
    assert names(photos) == ["link/a.jpg"]


def test_a_line_that_is_no_pattern_is_reported_and_the_others_count(photos):
    touch(photos, "a.jpg", "b.png")
    ignore(photos, "!", "*.png")
    found = list(scan([str(photos)], ScanRules()))
    assert found[0] == IndexFailure(str(photos / ".photomapignore"), "not a pattern: !")
    assert [each.path for each in found[1:]] == [str(photos / "a.jpg")]


def test_an_ignore_file_that_cannot_be_read_is_reported(photos):
    touch(photos, "a.jpg")
    (photos / ".photomapignore").mkdir()
    found = list(scan([str(photos)], ScanRules()))
    assert found[0] == IndexFailure(str(photos / ".photomapignore"), "not a regular file")
    assert len(found) == 2


# RAW


def test_a_raw_file_beside_its_picture_is_one_photo(photos):
    touch(photos, "1.CR2", "1.JPG", "2.nef", "2.heic", "3.dng", "4.arw", "sub/3.jpg", "5.raf", "5.xmp")
    assert names(photos) == ["1.JPG", "2.heic", "3.dng", "4.arw", "5.raf", "sub/3.jpg"]
    assert names(photos, exclude=("*.JPG",)) == ["1.CR2", "2.heic", "3.dng", "4.arw", "5.raf", "sub/3.jpg"]
    assert names(photos, photos / "1.CR2") == ["1.CR2"]


def test_a_picture_comes_with_the_raw_file_beside_it(photos):
    touch(photos, "1.CR2", "1.JPG", "1.dng", "1.png", "2.nef", "2.heic", "3.jpg")
    (photos / "4.jpg").symlink_to(photos / "nowhere")
    touch(photos, "4.nef")
    found = [each for each in scan([str(photos)], ScanRules()) if isinstance(each, FoundFile)]
    raws = {Path(each.path).name: each.raw and Path(each.raw.path).name for each in found}
    assert raws == {"1.JPG": "1.dng", "1.png": None, "2.heic": "2.nef", "3.jpg": None, "4.nef": None}


ETE, APART = "Été", unicodedata.normalize("NFD", "Été")


@pytest.mark.parametrize("there", [ETE, APART])
@pytest.mark.parametrize("written", [ETE, APART])
def test_patterns_mean_names_by_their_letters(photos, there, written):
    touch(photos, f"{there}/a.jpg", f"b/{there}.jpg", "c.jpg")
    assert names(photos, exclude=(written, f"{written}.jpg")) == ["c.jpg"]
    assert names(photos, exclude=(f"/{written}/",)) == sorted([f"b/{there}.jpg", "c.jpg"])
    (photos / ".photomapignore").write_text(f"{written}/\n{written}.*\n", encoding="utf-8")
    assert names(photos) == ["c.jpg"]
    (photos / ".photomapignore").write_text(f"*.jpg\n!{written}.jpg\n", encoding="utf-8")
    assert names(photos) == [f"b/{there}.jpg"]


def test_an_ignore_file_above_the_root_means_names_by_their_letters(photos):
    touch(photos, f"{APART}/x/a.jpg", f"{APART}/b.jpg")
    (photos / ".photomapignore").write_text(f"/{ETE}/x\n", encoding="utf-8")
    assert names(photos, photos / APART) == [f"{APART}/b.jpg"]


@pytest.mark.parametrize(("written", "kept"), [(ETE, APART), (APART, ETE)])
def test_a_pattern_means_the_folder_of_its_own_bytes_where_there_are_two(photos, written, kept):
    touch(photos, f"{ETE}/a.jpg", f"{APART}/a.jpg")
    assert names(photos, exclude=(written,)) == [f"{kept}/a.jpg"]
    (photos / ".photomapignore").write_text(f"{written}/a.jpg\n", encoding="utf-8")
    assert names(photos) == [f"{kept}/a.jpg"]


def test_case_counts_in_patterns_unless_the_disk_folds_it(photos):
    touch(photos, "Italy/a.jpg", f"{APART}/b.jpg", "c.jpg")
    rules = ScanRules(("italy", ETE.lower()))
    assert len(list(scan([str(photos)], rules))) == 3
    assert [each.path for each in scan([str(photos)], rules, FoldingDisk(photos))] == [f"{photos}/c.jpg"]


def test_a_raw_file_and_its_picture_may_be_written_in_two_forms(photos):
    touch(photos, f"{ETE}.CR2", f"{APART}.jpg")
    assert names(photos) == [f"{APART}.jpg"]


def test_both_files_of_a_pixel_phone_are_one_photo_and_both_of_an_edited_one_are_two(photos):
    pixel = "PXL_20240102_030405678"
    touch(photos, f"{pixel}.RAW-01.COVER.jpg", f"{pixel}.RAW-02.ORIGINAL.dng", "PXL_2.RAW-01.MP.COVER.jpg")
    touch(photos, "PXL_2.RAW-02.ORIGINAL.dng", "PXL_3.RAW-02.ORIGINAL.dng", "IMG_1234.JPG", "IMG_E1234.JPG")
    found = [each for each in scan([str(photos)], ScanRules()) if isinstance(each, FoundFile)]
    assert {Path(each.path).name: each.raw and Path(each.raw.path).name for each in found} == {
        f"{pixel}.RAW-01.COVER.jpg": f"{pixel}.RAW-02.ORIGINAL.dng",
        "PXL_2.RAW-01.MP.COVER.jpg": "PXL_2.RAW-02.ORIGINAL.dng",
        **dict.fromkeys(["PXL_3.RAW-02.ORIGINAL.dng", "IMG_1234.JPG", "IMG_E1234.JPG"]),
    }


# Videos, and what else takes a decoder


@pytest.fixture
def decoders(monkeypatch):
    """Return the set of extras that are installed; a test fills it."""
    installed = set()
    monkeypatch.setattr("photomap_cli.library.optional_decoders.is_installed", installed.__contains__)
    return installed


def kinds(folder, **more):
    """Return what a scan takes each file for: True for a photo, else what kind of other file it is."""
    found = scan([str(folder)], ScanRules(), **more)
    return {os.path.relpath(each.path, folder): getattr(each, "kind", True) for each in found}


def test_a_file_is_a_photo_where_there_is_a_decoder_for_it(photos, decoders):
    touch(photos, "a.mp4", "b.JXL", "c.jpg")
    assert kinds(photos) == {"a.mp4": "", "b.JXL": "", "c.jpg": True}
    decoders.add("video")
    assert kinds(photos) == {"a.mp4": True, "b.JXL": "", "c.jpg": True}
    decoders.add("jxl")
    assert kinds(photos) == {"a.mp4": True, "b.JXL": True, "c.jpg": True}


def test_a_photo_of_the_library_stays_one_when_its_decoder_has_gone(photos, decoders):
    touch(photos, "a.mp4", "b.mp4")
    assert kinds(photos, seen={str(photos / "a.mp4")}) == {"a.mp4": True, "b.mp4": ""}


def test_a_file_without_a_decoder_takes_no_raw_file_with_it(photos, decoders):
    touch(photos, "a.jxl", "a.dng", "b.mp4", "b.nef")
    assert kinds(photos) == {"a.jxl": "", "a.dng": True, "b.mp4": "", "b.nef": True}
    decoders.update({"jxl", "video"})
    assert kinds(photos) == {"a.jxl": True, "b.mp4": True, "b.nef": True}


@pytest.mark.parametrize("installed", [(), ("video",)])
def test_the_video_of_a_live_photo_is_a_part_of_it(photos, decoders, installed):
    decoders.update(installed)
    touch(photos, "1.HEIC", "1.MOV", "2.jpg", "2.mov", "3.heic", "3.mp4", "4.JPG", "4.MP4", "5.png", "5.mov", "6.mov")
    (photos / "7.jpg").write_bytes(b"x")
    with (photos / "7.mov").open("wb") as long:
        long.truncate(40 << 20)
    own = True if installed else ""
    assert kinds(photos) == {
        **dict.fromkeys(["1.HEIC", "2.jpg", "3.heic", "4.JPG", "5.png", "7.jpg"], True),
        **dict.fromkeys(["1.MOV", "2.mov"], "mov of Live Photos"),
        "3.mp4": "mp4 of Live Photos",
        **dict.fromkeys(["4.MP4", "5.mov", "6.mov", "7.mov"], own),
    }
