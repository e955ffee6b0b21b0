"""Two machines with their own homes, roots and folders index into one library at once, and find each other's photos."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from indexing_machine import index
from library_fakes import INFO, picture
from library_places import SHARED, Place, place_of
from waiting import LONG_SECONDS, in_thread

from photomap_cli.errors import EncoderMismatch
from photomap_cli.records import FilterKind, PhotoFilter

PHOTOS = 24


@pytest.fixture
def machines(kind, request, tmp_path):
    """Return two places for one library: each machine has a folder of its own, and both have `both` somewhere."""
    address = place_of(kind, request, tmp_path).address
    found = []
    for number, name in enumerate(("one", "two")):
        home = tmp_path / name
        for at in range(PHOTOS):
            picture(home / name / f"{at % 3}" / f"{at:02}.png", 100 * number + at)
        found.append(Place(home / "library", address, {name: str(home / name), "both": str(home / "both")}))
    return found


def own_folder(machine):
    return Path(next(iter(machine.roots.values())))


def report_of(machine, *folders, **options):
    *_, report = index(machine, folders or [own_folder(machine)], **options)
    return report


def paths_of(machine, *within):
    with machine.opened() as library:
        return sorted(photo.path for photo in library.facts.photos(library.facts.rows(within)))


def files_in(folder):
    return sorted(map(str, folder.rglob("*.png")))


@pytest.mark.parametrize("kind", SHARED)
def test_each_finds_the_photos_of_both_under_its_own_paths(machines):
    one, two = machines
    reports = []
    threads = [in_thread(lambda machine=machine: reports.append(report_of(machine))) for machine in machines]
    for thread in threads:
        thread.join(LONG_SECONDS)
    assert [(each.added, each.failed) for each in reports] == [(PHOTOS, 0)] * 2
    theirs = sorted(f"two:{Path(path).relative_to(own_folder(two)).as_posix()}" for path in files_in(own_folder(two)))
    assert paths_of(one) == sorted([*files_in(own_folder(one)), *theirs])
    assert paths_of(one, PhotoFilter(FilterKind.IN, "two:/1")) == [path for path in theirs if path.startswith("two:1/")]
    with one.opened() as here, two.opened() as there:
        wanted = there.facts.photo_at(files_in(own_folder(two))[5])
        vector = there.facts.vectors([wanted.row])[wanted.row]
        here.searches.refresh()
        rows, scores = here.searches.search(vector, 1)
        assert (rows.tolist(), scores[0]) == ([wanted.row], pytest.approx(1, abs=1e-3))
        assert set(here.facts.roots()) == {str(own_folder(one)), "two:"}
        assert here.facts.library_id == there.facts.library_id


def test_what_one_has_indexed_the_other_need_not(machines):
    one, two = machines
    for machine in machines:
        for at in range(8):
            picture(Path(machine.roots["both"]) / f"{at}.png", 500 + at)
    shutil.rmtree(two.roots["both"])
    shutil.copytree(one.roots["both"], two.roots["both"])  # as another machine mounts the same disk
    assert report_of(one, Path(one.roots["both"])).added == 8
    again = report_of(two, Path(two.roots["both"]))
    assert (again.added, again.updated, again.removed, again.unchanged) == (0, 0, 0, 8)
    (Path(two.roots["both"]) / "3.png").unlink()
    (Path(two.roots["both"]) / "4.png").rename(Path(two.roots["both"]) / "moved.png")
    changed = report_of(two, Path(two.roots["both"]))
    assert (changed.removed, changed.moved) == (1, 1)
    expected = sorted(f"{one.roots['both']}/{name}.png" for name in (0, 1, 2, 5, 6, 7, "moved"))
    assert paths_of(one, PhotoFilter(FilterKind.IN, one.roots["both"])) == expected


def test_a_copy_of_another_machines_photo_does_not_take_it_away(machines):
    one, two = machines
    report_of(two)
    shutil.copytree(own_folder(two), own_folder(one) / "copied")
    report = report_of(one)
    assert (report.added + report.moved, report.moved, report.removed) == (2 * PHOTOS, 0, 0)
    assert len(paths_of(two)) == 3 * PHOTOS


@pytest.mark.parametrize("kind", SHARED)
def test_one_that_is_killed_and_started_again_leaves_nothing_out_and_nothing_twice(machines):
    one, two = machines
    roots = [f"{name}={folder}" for name, folder in one.roots.items()]
    script = Path(__file__).with_name("indexing_machine.py")
    command = [sys.executable, script, one.folder, one.address, own_folder(one), *roots]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as killed:
        other = in_thread(lambda: report_of(two))
        while int(killed.stdout.readline()) < 8:
            killed.stdin.write("\n")
            killed.stdin.flush()
        killed.kill()
    other.join(LONG_SECONDS)
    between = len(paths_of(one, PhotoFilter(FilterKind.IN, str(own_folder(one)))))
    assert between < PHOTOS
    with one.opened() as library:
        assert library.writes.runs.unfinished() == (str(own_folder(one)),)
    report = report_of(one)
    assert (report.added, report.unchanged) == (PHOTOS - between, between)
    assert len(paths_of(one)) == 2 * PHOTOS
    with two.opened() as library:
        assert library.writes.runs.unfinished() == ()
        assert library.facts.count() == library.facts.photo_count == 2 * PHOTOS


def test_another_encoder_is_refused_before_anything_is_written(machines):
    one, two = machines
    report_of(one)
    with two.opened() as library, pytest.raises(EncoderMismatch):
        library.begin(replace(INFO, fingerprint="other weights"))
    assert len(paths_of(one)) == PHOTOS
