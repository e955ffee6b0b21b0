"""An export: nothing overwritten, nothing half, no original lost, and a report that says it all."""

from __future__ import annotations

import errno
import itertools
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torture import kills
from waiting import LONG_SECONDS

from photomap_cli import no_replace
from photomap_cli.errors import BadPath
from photomap_cli.export import transfer
from photomap_cli.export.exporter import export
from photomap_cli.export.names import numbered
from photomap_cli.library.file_types import photo_stem
from photomap_cli.records.export import ExportMode

SHARED_MEMORY = Path("/dev/shm")
INTO_FOLDER = [each for each in ExportMode if each is not ExportMode.ZIP]
LEAVING = [each for each in INTO_FOLDER if each is not ExportMode.MOVE]


def photo(path, content=b"photo"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return str(path)


def names(folder):
    return sorted(each.name for each in folder.iterdir())


def contents(folder):
    return {each.name: each.read_bytes() for each in folder.iterdir()}


@pytest.fixture
def other_disk(tmp_path, monkeypatch):
    """Have every rename out of `tmp_path / "here"` be one to another file system."""
    own = no_replace.rename

    def rename(source, target):
        if source.startswith(str(tmp_path / "here")) and not target.startswith(str(tmp_path / "here")):
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), source)
        own(source, target)

    monkeypatch.setattr(no_replace, "rename", rename)
    return tmp_path / "there"


@pytest.mark.parametrize("how", INTO_FOLDER)
def test_photos_get_into_a_folder_that_is_made(tmp_path, how):
    paths = [photo(tmp_path / "here" / name, name.encode()) for name in ("a.jpg", "été à.jpg", "it's\n odd;$x.png")]
    report = export(paths, tmp_path / "new" / "deep", how)
    assert contents(tmp_path / "new" / "deep") == {Path(path).name: Path(path).name.encode() for path in paths}
    assert [each.source for each in report.done] == paths
    assert (report.failed, report.renamed, report.left, report.is_cancelled) == ((), (), 0, False)
    assert [os.path.lexists(path) for path in paths] == [how is not ExportMode.MOVE] * 3


@pytest.mark.parametrize("how", INTO_FOLDER)
def test_a_name_that_is_taken_gets_a_number(tmp_path, how):
    out = tmp_path / "out"
    photo(out / "a.jpg", b"somebody else's")
    photo(out / "a (2).jpg", b"another's")
    (out / "b.jpg").mkdir()
    (out / "c.jpg").symlink_to("nowhere")
    paths = [photo(tmp_path / "x" / name, name.encode()) for name in ("a.jpg", "b.jpg", "c.jpg")]
    report = export([*paths, photo(tmp_path / "y" / "a.jpg", b"a of y")], out, how)
    found = {name: (out / name).read_bytes() for name in ("a.jpg", "a (2).jpg", "a (3).jpg", "a (4).jpg")}
    assert list(found.values()) == [b"somebody else's", b"another's", b"a.jpg", b"a of y"]
    assert (out / "b (2).jpg").read_bytes() == b"b.jpg"
    assert (out / "c (2).jpg").read_bytes() == b"c.jpg"
    assert str((out / "c.jpg").readlink()) == "nowhere"
    assert [Path(each.target).name for each in report.renamed] == ["a (3).jpg", "b (2).jpg", "c (2).jpg", "a (4).jpg"]


@pytest.mark.parametrize("how", [ExportMode.COPY, ExportMode.MOVE, ExportMode.LINK])
def test_a_thousand_photos_of_few_names(tmp_path, how):
    out = tmp_path / "out"
    before = {f"IMG_{number}.jpg": f"kept {number}".encode() for number in range(0, 20, 2)}
    for name, content in before.items():
        photo(out / name, content)
    paths = [
        photo(tmp_path / str(at) / f"IMG_{at % 20}.jpg", str(at).encode()) for at in range(1000)
    ]  # fifty of each name
    report = export(paths, out, how)
    after = contents(out)
    assert {name: after.pop(name) for name in before} == before
    assert sorted(after.values()) == sorted(str(at).encode() for at in range(1000))
    assert (len(report.done), len(report.renamed), report.left) == (1000, 990, 0)


@given(
    taken=st.lists(st.sampled_from(["a.jpg", "a (2).jpg", "A.JPG", "b", "a", "a (3).jpg"]), unique=True),
    wanted=st.lists(
        st.tuples(st.sampled_from("xyz"), st.sampled_from(["a.jpg", "a (2).jpg", "b", "A.JPG"])), max_size=9
    ),
    how=st.sampled_from(INTO_FOLDER),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_clashes_every_content_is_there_once(tmp_path_factory, taken, wanted, how):
    root = tmp_path_factory.mktemp("clash")
    out = root / "out"
    before = {name: f"kept {name}".encode() for name in taken}
    for name, content in before.items():
        photo(out / name, content)
    paths = list(dict.fromkeys(photo(root / folder / name, f"{folder}/{name}".encode()) for folder, name in wanted))
    report = export(paths, out, how)
    after = contents(out) if out.exists() else {}
    assert {name: after.pop(name) for name in before} == before
    assert sorted(after.values()) == sorted(os.path.relpath(path, root).encode() for path in paths)
    assert len(report.done) == len(paths)


@pytest.mark.parametrize("how", LEAVING)
def test_the_same_export_again_brings_nothing_twice(tmp_path, how):
    paths = [photo(tmp_path / "x" / "a.jpg", b"1"), photo(tmp_path / "y" / "a.jpg", b"2")]
    first = export(paths, tmp_path / "out", how)
    again = export(paths, tmp_path / "out", how)
    assert (len(first.done), first.there) == (2, ())
    assert (again.done, again.there) == ((), tuple(paths))
    assert names(tmp_path / "out") == ["a (2).jpg", "a.jpg"]


def test_copies_of_one_photo_in_two_places_are_two(tmp_path):
    paths = [photo(tmp_path / folder / "a.jpg", b"same") for folder in "xy"]
    shutil.copystat(*paths)
    assert len(export(paths, tmp_path / "out", ExportMode.COPY).done) == 2


@pytest.mark.parametrize("how", INTO_FOLDER)
def test_a_photo_into_its_own_folder_is_there_already(tmp_path, how):
    path = photo(tmp_path / "a.jpg")
    (tmp_path / "link").symlink_to(tmp_path)
    for folder in (tmp_path, tmp_path / "link"):
        report = export([path], folder, how)
        assert (report.done, report.there) == ((), (path,))
    assert names(tmp_path) == ["a.jpg", "link"]


def test_a_moved_photo_does_not_take_a_link_to_it_for_itself(tmp_path):
    path = photo(tmp_path / "x" / "a.jpg")
    export([path], tmp_path / "out", ExportMode.LINK)
    export([path], tmp_path / "out", ExportMode.MOVE)
    assert (tmp_path / "out" / "a (2).jpg").read_bytes() == b"photo"


@pytest.mark.parametrize("how", ExportMode)
def test_what_cannot_go_is_reported_and_the_rest_goes(tmp_path, how):
    gone, folder = str(tmp_path / "gone.jpg"), tmp_path / "folder.jpg"
    folder.mkdir()
    os.mkfifo(tmp_path / "pipe.jpg")
    dangling = tmp_path / "dangling.jpg"
    dangling.symlink_to("nowhere")
    good = photo(tmp_path / "x" / "good.jpg")
    asked = [gone, str(folder), str(tmp_path / "pipe.jpg"), str(dangling), "\0", good]
    report = export(asked, tmp_path / "out", how)
    assert [each.source for each in report.done] == [good]
    assert [each.path for each in report.failed] == asked[:-1]
    assert report.failed[0].reason == "it is not there any more"
    assert report.failed[1].reason == "it is not a regular file"
    assert report.left == 0


def test_links_lead_to_absolute_paths_and_hard_links_share_the_file(tmp_path):
    path = photo(tmp_path / "x" / "a.jpg")
    export([path], tmp_path / "soft", ExportMode.LINK)
    export([path], tmp_path / "hard", ExportMode.HARDLINK)
    assert str((tmp_path / "soft" / "a.jpg").readlink()) == path
    assert (tmp_path / "hard" / "a.jpg").samefile(path)
    assert not (tmp_path / "hard" / "a.jpg").is_symlink()


@pytest.mark.parametrize("how", [ExportMode.COPY, ExportMode.REFLINK, ExportMode.HARDLINK])
def test_of_a_link_goes_the_photo_that_it_leads_to(tmp_path, how):
    photo(tmp_path / "x" / "real.jpg")
    (tmp_path / "x" / "a.jpg").symlink_to("real.jpg")
    export([str(tmp_path / "x" / "a.jpg")], tmp_path / "out", how)
    assert not (tmp_path / "out" / "a.jpg").is_symlink()
    assert (tmp_path / "out" / "a.jpg").read_bytes() == b"photo"


def test_a_link_that_is_moved_still_leads_to_its_photo(tmp_path):
    photo(tmp_path / "real.jpg")
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "a.jpg").symlink_to("../real.jpg")
    export([str(tmp_path / "x" / "a.jpg")], tmp_path / "deep" / "er", ExportMode.MOVE)
    assert (tmp_path / "deep" / "er" / "a.jpg").is_symlink()
    assert (tmp_path / "deep" / "er" / "a.jpg").read_bytes() == b"photo"
    assert not os.path.lexists(tmp_path / "x" / "a.jpg")


def test_a_copy_keeps_times_and_mode_but_no_set_user_id(tmp_path):
    path = tmp_path / "x" / "a.jpg"
    photo(path)
    path.chmod(0o4640)
    os.utime(path, ns=(1, 1_600_000_000_123_456_789))
    export([str(path)], tmp_path / "out", ExportMode.COPY)
    info = (tmp_path / "out" / "a.jpg").stat()
    assert (stat.S_IMODE(info.st_mode), info.st_mtime_ns) == (0o640, 1_600_000_000_123_456_789)


def test_a_reflink_that_cannot_be_is_a_copy_and_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(transfer, "clone", lambda source, target: False)
    report = export([photo(tmp_path / "a.jpg")], tmp_path / "out", ExportMode.REFLINK)
    assert report.copied_instead == 1
    assert (tmp_path / "out" / "a.jpg").read_bytes() == b"photo"


# -- sidecars --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", [*INTO_FOLDER, ExportMode.ZIP])
def test_sidecars_go_along_under_the_photos_name(tmp_path, how):
    for folder in "xy":
        photo(tmp_path / folder / "a.jpg", folder.encode())
        photo(tmp_path / folder / "a.xmp", b"lightroom " + folder.encode())
        photo(tmp_path / folder / "a.jpg.xmp", b"darktable " + folder.encode())
    report = export([str(tmp_path / folder / "a.jpg") for folder in "xy"], tmp_path / "out", how)
    assert report.sidecars == 4
    if how is ExportMode.ZIP:
        with zipfile.ZipFile(report.folder) as packed:
            found = {name: packed.read(name) for name in packed.namelist()}
    else:
        found = contents(tmp_path / "out")
    assert found == {
        "a.jpg": b"x",
        "a.xmp": b"lightroom x",
        "a.jpg.xmp": b"darktable x",
        "a (2).jpg": b"y",
        "a (2).xmp": b"lightroom y",
        "a (2).jpg.xmp": b"darktable y",
    }
    assert [each.is_renamed for each in report.done] == [False, True]
    assert (tmp_path / "x" / "a.xmp").exists() is (how is not ExportMode.MOVE)


def test_a_photo_keeps_off_the_sidecar_of_another(tmp_path):
    photo(tmp_path / "out" / "a.xmp", b"another's")
    photo(tmp_path / "x" / "a.xmp", b"own")
    export([photo(tmp_path / "x" / "a.jpg")], tmp_path / "out", ExportMode.COPY)
    assert contents(tmp_path / "out") == {"a.xmp": b"another's", "a (2).jpg": b"photo", "a (2).xmp": b"own"}


def test_the_raw_file_of_a_picture_moves_with_it_and_is_not_copied(tmp_path):
    for folder in "xy":
        for name in ("a.jpg", "a.NEF", "a.NEF.xmp", "a.xmp"):
            photo(tmp_path / folder / name, f"{folder} {name}".encode())
    paths = [str(tmp_path / folder / "a.jpg") for folder in "xy"]
    export(paths, tmp_path / "copies", ExportMode.COPY)
    assert names(tmp_path / "copies") == ["a (2).jpg", "a (2).xmp", "a.jpg", "a.xmp"]
    report = export(paths, tmp_path / "out", ExportMode.MOVE)
    assert (report.sidecars, len(report.done), report.failed) == (6, 2, ())
    assert (names(tmp_path / "x"), names(tmp_path / "y")) == ([], [])
    assert {name: content.decode() for name, content in contents(tmp_path / "out").items()} == {
        **{name: f"x {name}" for name in ("a.jpg", "a.NEF", "a.NEF.xmp", "a.xmp")},
        **{f"a (2){ending}": f"y a{ending}" for ending in (".jpg", ".NEF", ".NEF.xmp", ".xmp")},
    }


def test_what_else_is_one_photo_with_a_picture_moves_with_it(tmp_path):
    pixel, live = "PXL_1.RAW-01.COVER.jpg", "IMG_2.HEIC"
    beside = {pixel: "PXL_1.RAW-02.ORIGINAL.dng", live: "IMG_2.MOV"}
    for folder in "xy":
        for name in (*beside, *beside.values()):
            photo(tmp_path / folder / name, f"{folder} {name}".encode())
    report = export([str(tmp_path / at / name) for at in "xy" for name in beside], tmp_path / "out", ExportMode.MOVE)
    assert (report.sidecars, len(report.done), report.failed) == (4, 4, ())
    assert (names(tmp_path / "x"), names(tmp_path / "y")) == ([], [])
    second = (
        "PXL_1.RAW-01.COVER (2).jpg",
        "PXL_1.RAW-01.COVER (2).RAW-02.ORIGINAL.dng",
        "IMG_2 (2).HEIC",
        "IMG_2 (2).MOV",
    )
    assert names(tmp_path / "out") == sorted((*beside, *beside.values(), *second))
    assert photo_stem(second[0]) == photo_stem(second[1])


def test_a_sidecar_that_two_files_share_stays_with_the_other_and_is_not_doubled(tmp_path):
    paths = [photo(tmp_path / "x" / name, name.encode()) for name in ("a.jpg", "a.png")]
    sidecar = tmp_path / "x" / "a.xmp"
    photo(sidecar, b"of both")
    export(paths[:1], tmp_path / "out", ExportMode.MOVE)
    assert sidecar.read_bytes() == b"of both"
    export(paths[1:], tmp_path / "out", ExportMode.MOVE)
    assert contents(tmp_path / "out") == {"a.jpg": b"a.jpg", "a.png": b"a.png", "a.xmp": b"of both"}
    assert names(tmp_path / "x") == []


# -- moves -----------------------------------------------------------------------------------------------------------


def test_a_move_to_another_file_system_copies_then_removes(tmp_path, other_disk):
    path = tmp_path / "here" / "a.jpg"
    photo(path)
    os.utime(path, ns=(5, 1_600_000_000_000_000_007))
    photo(tmp_path / "here" / "a.xmp", b"facts")
    report = export([str(path)], other_disk, ExportMode.MOVE)
    assert contents(other_disk) == {"a.jpg": b"photo", "a.xmp": b"facts"}
    assert (other_disk / "a.jpg").stat().st_mtime_ns == 1_600_000_000_000_000_007
    assert names(tmp_path / "here") == []
    assert report.failed == ()


@pytest.mark.skipif(
    not SHARED_MEMORY.is_dir() or SHARED_MEMORY.stat().st_dev == Path(tempfile.gettempdir()).stat().st_dev,
    reason="needs a second file system",
)
def test_a_move_to_a_real_other_file_system(tmp_path):
    with tempfile.TemporaryDirectory(dir=SHARED_MEMORY) as folder:
        path = photo(tmp_path / "a.jpg", os.urandom(3_000_000))
        content = Path(path).read_bytes()
        report = export([path], Path(folder), ExportMode.MOVE)
        assert contents(Path(folder)) == {"a.jpg": content}
        assert not os.path.lexists(path)
        assert len(report.done) == 1
        [failure] = export([f"{folder}/a.jpg"], tmp_path / "hard", ExportMode.HARDLINK).failed
        assert "another disk" in failure.reason


def test_an_original_stays_where_its_copy_is_not_as_it_is(tmp_path, other_disk, monkeypatch):
    path = photo(tmp_path / "here" / "a.jpg")
    monkeypatch.setattr(transfer, "_digest", lambda number, checkpoint: b"other")
    [failure] = export([path], other_disk, ExportMode.MOVE).failed
    assert failure.reason == "the copy is not as the original"
    assert (names(tmp_path / "here"), names(other_disk)) == (["a.jpg"], [])


def test_what_cannot_be_removed_is_not_left_in_two_places(tmp_path, other_disk, monkeypatch):
    path, own = photo(tmp_path / "here" / "a.jpg"), os.unlink

    def unlink(name, *others, **named):
        if name == path:
            raise PermissionError(errno.EACCES, "Permission denied", name)
        own(name, *others, **named)

    monkeypatch.setattr(os, "unlink", unlink)
    [failure] = export([path], other_disk, ExportMode.MOVE).failed
    assert failure.reason == "permission denied"
    assert (names(tmp_path / "here"), names(other_disk)) == (["a.jpg"], [])


@pytest.mark.parametrize("how", [ExportMode.COPY, ExportMode.MOVE])
def test_a_photo_that_is_written_to_meanwhile_is_not_taken(tmp_path, other_disk, how, monkeypatch):
    path, own = photo(tmp_path / "here" / "a.jpg"), transfer.write_all

    def write_all(number, data):
        own(number, data)
        Path(path).write_bytes(b"longer than before")

    monkeypatch.setattr(transfer, "write_all", write_all)
    [failure] = export([path], other_disk, how).failed
    assert failure.reason == "it was changed meanwhile"
    assert (names(tmp_path / "here"), names(other_disk)) == (["a.jpg"], [])


# -- interruptions ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", [ExportMode.COPY, ExportMode.REFLINK, ExportMode.MOVE])
@pytest.mark.parametrize("room", [0, 1, 12_000, 25_000])
def test_a_full_disk_leaves_nothing_half_and_ends_the_export(tmp_path, other_disk, how, room, monkeypatch):
    paths = [photo(tmp_path / "here" / f"{at}.jpg", bytes([at]) * 10_000) for at in range(5)]
    left, own = [room], os.write

    def write(number, data):
        if left[0] <= 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written = own(number, data[: left[0]])
        left[0] -= written
        return written

    monkeypatch.setattr(os, "write", write)
    monkeypatch.setattr(transfer, "clone", lambda source, target: False)
    report = export(paths, other_disk, how)
    monkeypatch.undo()
    whole = room // 10_000
    assert [Path(each.target).name for each in report.done] == [f"{at}.jpg" for at in range(whole)]
    assert [each.reason for each in report.failed] == ["the disk is full"]
    assert report.left == 4 - whole
    assert contents(other_disk) == {f"{at}.jpg": bytes([at]) * 10_000 for at in range(whole)}
    kept = range(whole if how is ExportMode.MOVE else 0, 5)
    assert contents(tmp_path / "here") == {f"{at}.jpg": bytes([at]) * 10_000 for at in kept}


@pytest.mark.parametrize("how", ExportMode)
def test_a_cancelled_export_says_how_many_are_left(tmp_path, how):
    paths = [photo(tmp_path / "x" / f"{at}.jpg", str(at).encode()) for at in range(5)]
    done = []
    report = export(
        paths,
        tmp_path / "out",
        how,
        on_progress=lambda at, total: done.append((at, total)),
        cancelled=lambda: len(done) > 2,
    )
    assert report.is_cancelled
    assert (len(report.done), report.left) == ((0, 5) if how is ExportMode.ZIP else (2, 3))
    assert names(tmp_path / "out") == ([] if how is ExportMode.ZIP else ["0.jpg", "1.jpg"])
    assert done[0] == (0, 5)


def test_a_large_file_is_cancelled_in_its_middle(tmp_path, monkeypatch):
    monkeypatch.setattr(transfer, "CHUNK_BYTES", 10)
    asked = []
    report = export(
        [photo(tmp_path / "a.jpg", b"x" * 100)],
        tmp_path / "out",
        ExportMode.COPY,
        cancelled=lambda: asked.append(1) or len(asked) > 5,
    )
    assert (report.left, names(tmp_path / "out")) == (1, [])


KILLED = """
import errno, os, pathlib, signal, sys
from photomap_cli import no_replace
from photomap_cli.export import transfer
from photomap_cli.export.exporter import export
from photomap_cli.records.export import ExportMode

here, there, how, where, moment = sys.argv[1:]
moments = 0

def come_to_one():
    global moments
    moments += 1
    if moments == int(moment):
        os.kill(os.getpid(), signal.SIGKILL)

def dying(work):
    def before_and_after(*args, **named):
        come_to_one()
        done = work(*args, **named)
        come_to_one()
        return done
    return before_and_after

own = no_replace.rename
def rename(source, target):
    if where == "across" and source.startswith(here):
        raise OSError(errno.EXDEV, "", source)
    own(source, target)

transfer.CHUNK_BYTES = 4000
transfer.clone = lambda source, target: False
no_replace.rename = dying(rename)
for name in ("write", "fsync", "unlink", "symlink", "link"):
    setattr(os, name, dying(getattr(os, name)))
export(sorted(map(str, pathlib.Path(here).glob("*.jpg"))), pathlib.Path(there), ExportMode(how))
print(moments)
"""


@pytest.mark.parametrize(
    ("how", "where"), [("copy", "same"), ("move", "same"), ("move", "across"), ("link", "same"), ("zip", "same")]
)
def test_kill_9_at_any_moment_leaves_nothing_half_and_loses_nothing(tmp_path, how, where):
    here, there = tmp_path / "here", tmp_path / "there"
    wanted = {f"{at}.jpg": bytes([at]) * 10_000 for at in range(3)} | {"1.xmp": b"facts"}

    def run(moment):
        for folder in (here, there):
            shutil.rmtree(folder, ignore_errors=True)
        for name, content in wanted.items():
            photo(here / name, content)
        program = [sys.executable, "-c", KILLED, str(here), str(there), how, where, str(moment)]
        return subprocess.run(program, capture_output=True, check=False, timeout=LONG_SECONDS)

    moments = int(run(0).stdout)
    runs = min(moments, kills(8))
    for moment in {1 + at * moments // runs for at in range(runs)}:
        assert run(moment).returncode == -signal.SIGKILL
        found = {name: content for name, content in contents(there).items() if not name.startswith(".")}
        if how == "zip":
            assert all(zipfile.ZipFile(there / name).testzip() is None for name in found)
            assert contents(here) == wanted
        else:
            assert all(wanted[name] == content for name, content in found.items())
            assert {**contents(here), **found} == wanted


def test_what_a_killed_export_left_goes_with_the_next(tmp_path, monkeypatch):
    photo(tmp_path / "out" / ".photomap-dead.part", b"half")
    photo(tmp_path / "out" / ".photomap-mine", b"another file")
    path = photo(tmp_path / "a.jpg")
    with transfer.draft(str(tmp_path / "out" / "b.jpg")) as (_, held):
        monkeypatch.setattr("photomap_cli.export.folder._ABANDONED_SECONDS", -1.0)
        export([path], tmp_path / "out", ExportMode.COPY)
        assert sorted(names(tmp_path / "out")) == sorted([".photomap-mine", Path(held).name, "a.jpg"])


# -- names and places ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["file", "file/below", "x" * 300, "\0"])
def test_a_place_that_can_be_no_folder_is_refused(tmp_path, place):
    (tmp_path / "file").write_bytes(b"a file")
    for how in (ExportMode.COPY, ExportMode.ZIP):
        with pytest.raises(BadPath):
            export([photo(tmp_path / "a.jpg")], tmp_path / place, how)
    assert (tmp_path / "file").read_bytes() == b"a file"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_to_is_refused(tmp_path):
    (tmp_path / "out").mkdir(mode=0o500)
    with pytest.raises(BadPath, match="cannot be written to"):
        export([photo(tmp_path / "a.jpg")], tmp_path / "out", ExportMode.COPY)


@given(name=st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1))
def test_numbered_names_are_no_longer_than_the_file_system_allows(name):
    longest = max(255, len(Path(name).suffix.encode()) + 20)
    found = list(itertools.islice(numbered(name), 12))
    assert found[0] == (1, name)
    assert all(len(written.encode()) <= longest and f" ({number})" in written for number, written in found[1:])


def test_a_long_name_that_is_taken_is_cut(tmp_path):
    name = "é" * 125 + ".jpg"
    paths = [photo(tmp_path / folder / name, folder.encode()) for folder in "xyz"]
    report = export(paths, tmp_path / "out", ExportMode.COPY)
    assert (len(report.done), report.failed) == (3, ())
    assert sorted(contents(tmp_path / "out").values()) == [b"x", b"y", b"z"]


@pytest.mark.parametrize("code", [errno.ENOSYS, errno.EINVAL])
@pytest.mark.parametrize("has_links", [True, False])
def test_a_file_system_without_a_rename_that_replaces_nothing(tmp_path, monkeypatch, code, has_links):
    def no_link(*_args, **_named):
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(no_replace, "_call", lambda: lambda source, target: code)
    if not has_links:
        monkeypatch.setattr(os, "link", no_link)
    photo(tmp_path / "out" / "a.jpg", b"kept")
    for how in (ExportMode.COPY, ExportMode.MOVE):
        export([photo(tmp_path / "x" / "a.jpg", how.encode())], tmp_path / "out", how)
    assert contents(tmp_path / "out") == {"a.jpg": b"kept", "a (2).jpg": b"copy", "a (3).jpg": b"move"}
    assert names(tmp_path / "x") == []


# -- zip files -------------------------------------------------------------------------------------------------------


def test_a_zip_file_holds_each_photo_once_and_takes_no_name(tmp_path):
    photo(tmp_path / "set.zip", b"kept")
    paths = [photo(tmp_path / folder / name, folder.encode()) for folder, name in ("xa", "yA", "zé")]
    report = export(paths, tmp_path / "set.zip", ExportMode.ZIP)
    assert report.folder == str(tmp_path / "set (2).zip")
    assert (tmp_path / "set.zip").read_bytes() == b"kept"
    with zipfile.ZipFile(report.folder) as packed:
        assert packed.testzip() is None
        assert {name: packed.read(name) for name in packed.namelist()} == {"a": b"x", "A (2)": b"y", "é": b"z"}
    assert [each.target for each in report.renamed] == [f"{report.folder}/A (2)"]


def test_a_zip_file_in_a_folder_is_named_by_the_day(tmp_path):
    report = export([photo(tmp_path / "a.jpg")], tmp_path / "out", ExportMode.ZIP)
    assert names(tmp_path / "out") == [Path(report.folder).name]
    assert Path(report.folder).name.startswith("photos-20")


def test_of_a_photo_that_breaks_off_nothing_is_in_the_zip_file(tmp_path, monkeypatch):
    bad, good = photo(tmp_path / "bad.jpg", b"1234567"), photo(tmp_path / "good.jpg", b"7654321")
    states = iter([(7, 1), (8, 1)])
    monkeypatch.setattr(transfer, "CHUNK_BYTES", 3)
    monkeypatch.setattr(transfer, "state", lambda file: next(states, (7, 2)))
    report = export([bad, good], tmp_path / "a.zip", ExportMode.ZIP)
    assert [each.reason for each in report.failed] == ["it was changed meanwhile"]
    with zipfile.ZipFile(report.folder) as packed:
        assert packed.testzip() is None
        assert {name: packed.read(name) for name in packed.namelist()} == {"good.jpg": b"7654321"}


def test_a_full_disk_leaves_no_zip_file(tmp_path, monkeypatch):
    def full(self, data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    path = photo(tmp_path / "a.jpg", b"x" * 100)
    monkeypatch.setattr(zipfile._ZipWriteFile, "write", full)
    with pytest.raises(BadPath, match="the disk is full"):
        export([path], tmp_path / "out", ExportMode.ZIP)
    assert names(tmp_path / "out") == []
