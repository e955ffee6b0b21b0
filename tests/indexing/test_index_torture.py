"""Runs that are killed, or whose disk is full, at any moment; see torture.py."""

import os
import random
import shutil
import subprocess
import sys
from itertools import count
from pathlib import Path

import pytest
from library_fakes import picture, rows_on_disk
from torture import kills
from waiting import LONG_SECONDS

from photomap_cli.doctor.library import checks
from photomap_cli.library import database
from photomap_cli.records import CheckState

KILLS = kills()
RUN = Path(__file__).with_name("killed_run.py")

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="kill -9, and a library to preload")


@pytest.fixture
def changed_photos(folder, photos):
    """Return photos of which the library knows a third: since then some moved, some were edited, some are gone."""
    for number in range(0, 180, 3):
        picture(photos / f"{number:03}.png", number)
    assert run(folder, photos) == 0
    for number in range(180):
        picture(photos / f"new/{number:03}.png", number + (0 if number % 10 == 0 else 1000))  # copies among them
    for number in range(0, 30, 3):
        (photos / f"{number:03}.png").rename(photos / f"moved-{number:03}.png")
        picture(photos / f"{number + 60:03}.png", 5000 + number)
        (photos / f"{number + 90:03}.png").unlink()
    return photos


def start(folder, photos, **environment):
    return subprocess.Popen(
        [sys.executable, RUN, folder, photos], stdout=subprocess.PIPE, text=True, env={**os.environ, **environment}
    )


def run(folder, photos, **environment):
    """Run to the end; return the exit status."""
    process = start(folder, photos, **environment)
    process.communicate(timeout=LONG_SECONDS)
    return process.returncode


def content(folder):
    """Return all that the library says of each path, but for the numbers of its rows."""
    opened = database.connect(folder, create=False)
    with opened.reading() as connection:
        records = connection.execute("SELECT photos.*, vector FROM photos JOIN vectors USING (row)").fetchall()
    opened.close()
    return {record[1]: record[2:] for record in records}


def assert_sound(folder):
    assert [check for check in checks(folder) if check.state is CheckState.FAULT] == []


def assert_rows_match(folder):
    opened = database.connect(folder, create=False)
    with opened.reading() as connection:
        blobs = connection.execute("SELECT row, vector FROM vectors").fetchall()
    opened.close()
    rows = rows_on_disk(folder)
    assert [row for row, blob in blobs if rows[row] != blob] == []


def copy_of(folder, name):
    return Path(shutil.copytree(folder, folder.with_name(name)))


def test_a_run_that_is_killed_at_any_moments_ends_as_an_undisturbed_one(folder, changed_photos):
    undisturbed = copy_of(folder, "undisturbed")
    assert run(undisturbed, changed_photos) == 0
    expected, rng, kills = content(undisturbed), random.Random(1), 0
    for turn in count():
        victim = copy_of(folder, f"victim{turn}")
        committed: set[str] = set()
        while kills < KILLS and killed(victim, changed_photos, rng):
            kills += 1
            assert_sound(victim)
            now = {path for path, facts in content(victim).items() if facts == expected.get(path)}
            assert committed <= now
            committed = now
        assert run(victim, changed_photos) == 0
        assert_sound(victim)
        assert_rows_match(victim)
        assert content(victim) == expected
        if kills >= KILLS:
            break


def killed(folder, photos, rng):
    """Start a run and kill it some time later; return whether it was still running."""
    process = start(folder, photos)
    for _ in range(rng.choice((0, 1, 2, 5))):
        process.stdout.readline()
    try:
        process.wait(timeout=rng.random() * rng.choice((0.01, 0.3)))
    except subprocess.TimeoutExpired:
        process.kill()
    process.stdout.close()
    return process.wait() < 0


def test_a_run_whose_disk_is_full_now_and_then_ends_as_an_undisturbed_one(folder, changed_photos, full_disk):
    undisturbed = copy_of(folder, "undisturbed")
    assert run(undisturbed, changed_photos) == 0
    expected, failed = content(undisturbed), 0
    for seed in range(KILLS):
        victim = copy_of(folder, f"victim{seed % 4}")
        status = run(
            victim,
            changed_photos,
            LD_PRELOAD=full_disk,
            FULL_DISK=str(victim),
            FULL_DISK_ONE_IN=str(3 ** (1 + seed % 6)),
            FULL_DISK_SEED=str(seed),
        )
        assert status in (0, 2)
        failed += status == 2
        assert_sound(victim)
        assert run(victim, changed_photos) == 0
        assert_sound(victim)
        assert_rows_match(victim)
        assert content(victim) == expected
        shutil.rmtree(victim)
    assert failed >= KILLS // 4
