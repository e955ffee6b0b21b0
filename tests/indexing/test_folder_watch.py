"""Which folders have changed, by looks at a clock of the test's own."""

import os

import pytest

from photomap_cli.indexing.folder_watch import BUSY_SECONDS, LATE_SECONDS, LATE_STEP_SECONDS, QUIET_SECONDS, FolderWatch
from photomap_cli.indexing.scan import ScanRules


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def watch(clock):
    return FolderWatch(lambda root: ScanRules(("Private/",), False, (root,)), clock)


def look(watch, clock, *roots, after=QUIET_SECONDS):
    clock.now += after
    return watch.look([str(root) for root in roots])


def age(*paths, seconds=2 * LATE_SECONDS):
    """Have files and folders be older than what is looked at more closely."""
    for path in paths:
        info = path.stat()
        os.utime(path, (info.st_atime - seconds, info.st_mtime - seconds))


def settled(watch, clock, root):
    """Look until nothing is reported any more."""
    while look(watch, clock, root) or not watch.is_settled:
        pass


def test_what_was_there_is_not_reported_unless_it_has_just_changed(watch, clock, photos):
    (photos / "old").mkdir()
    (photos / "new").mkdir()
    age(photos, photos / "old")
    assert look(watch, clock, photos) == []
    assert look(watch, clock, photos) == [str(photos / "new")]
    assert look(watch, clock, photos) == []


def test_a_new_file_is_reported_once_when_it_is_quiet(watch, clock, photos):
    settled(watch, clock, photos)
    (photos / "a.jpg").write_bytes(b"1")
    assert look(watch, clock, photos) == []
    assert not watch.is_settled
    assert look(watch, clock, photos) == [str(photos)]
    assert watch.is_settled
    assert look(watch, clock, photos) == []


def test_a_file_that_grows_is_left_until_it_does_not(watch, clock, photos):
    settled(watch, clock, photos)
    with (photos / "a.jpg").open("wb") as file:
        for _ in range(5):
            file.write(b"more")
            file.flush()
            assert look(watch, clock, photos) == []
    assert look(watch, clock, photos) == [str(photos)]


def test_a_file_that_goes_on_growing_after_a_halt_is_reported_again(watch, clock, photos):
    settled(watch, clock, photos)
    file = photos / "a.jpg"
    file.write_bytes(b"half")
    look(watch, clock, photos)
    assert look(watch, clock, photos) == [str(photos)]
    assert look(watch, clock, photos, after=LATE_STEP_SECONDS) == []
    with file.open("ab") as opened:
        opened.write(b"whole")
    assert look(watch, clock, photos, after=LATE_STEP_SECONDS) == []
    assert look(watch, clock, photos) == [str(photos)]


def test_a_folder_that_never_rests_is_reported_for_what_is_whole(watch, clock, photos):
    settled(watch, clock, photos)
    reports = 0
    for number in range(int(3 * BUSY_SECONDS)):
        (photos / f"{number}.jpg").write_bytes(b"1")
        reports += bool(look(watch, clock, photos, after=1.0))
    assert reports == 2
    assert [look(watch, clock, photos) for _ in range(3)] == [[str(photos)], [], []]


def test_new_folders_are_watched_and_excluded_and_hidden_ones_are_not(watch, clock, photos):
    settled(watch, clock, photos)
    for name in ("2026/Italy", "Private/x", ".thumbnails"):
        (photos / name).mkdir(parents=True)
    look(watch, clock, photos)
    assert look(watch, clock, photos) == [str(photos), str(photos / "2026"), str(photos / "2026/Italy")]
    for name in ("2026/Italy", "Private/x", ".thumbnails"):
        (photos / name / "a.jpg").write_bytes(b"1")
    look(watch, clock, photos)
    assert look(watch, clock, photos) == [str(photos / "2026/Italy")]


def test_an_ignore_file_counts(watch, clock, photos):
    (photos / ".photomapignore").write_text("drafts/\n")
    (photos / "drafts").mkdir()
    settled(watch, clock, photos)
    (photos / "drafts" / "a.jpg").write_bytes(b"1")
    look(watch, clock, photos)
    assert look(watch, clock, photos) == []


def test_a_root_that_goes_and_comes_back_is_reported(watch, clock, photos):
    (photos / "a.jpg").write_bytes(b"1")
    settled(watch, clock, photos)
    away = photos.rename(photos.with_name("away"))
    assert [look(watch, clock, photos) for _ in range(3)] == [[], [], []]
    away.rename(photos)
    look(watch, clock, photos)
    assert look(watch, clock, photos) == [str(photos)]


def test_a_root_that_is_not_there_yet_is_reported_when_it_comes(watch, clock, photos):
    later = photos / "later"
    assert look(watch, clock, later) == []
    later.mkdir()
    look(watch, clock, later)
    assert look(watch, clock, later) == [str(later)]


def test_a_folder_behind_a_link_counts_and_a_loop_does_not_hang(watch, clock, photos, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (photos / "link").symlink_to(elsewhere)
    (elsewhere / "loop").symlink_to(photos)
    settled(watch, clock, photos)
    (elsewhere / "a.jpg").write_bytes(b"1")
    look(watch, clock, photos)
    assert look(watch, clock, photos) == [str(photos / "link")]


def test_what_could_not_be_done_is_reported_again(watch, clock, photos):
    settled(watch, clock, photos)
    watch.report([str(photos)])
    assert not watch.is_settled
    assert look(watch, clock, photos) == [str(photos)]


def test_a_folder_that_is_gone_is_forgotten(watch, clock, photos):
    gone = photos / "gone"
    gone.mkdir()
    settled(watch, clock, photos)
    (gone / "a.jpg").write_bytes(b"1")
    look(watch, clock, photos)
    (gone / "a.jpg").unlink()
    gone.rmdir()
    look(watch, clock, photos)
    assert look(watch, clock, photos) == [str(photos)]
    assert watch.is_settled
