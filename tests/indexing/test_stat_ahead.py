"""How the files of a folder on a slow disk are looked at."""

import os
import threading
from itertools import count
from pathlib import Path

import pytest

from photomap_cli.indexing.stat_ahead import SLOW_SECONDS, stat_ahead
from tests.waiting import LONG_SECONDS

FILES = 40


@pytest.fixture
def entries(tmp_path):
    """What is in a folder of photos and other files."""
    for number in range(FILES):
        (tmp_path / f"{number:02}.jpg").touch()
        (tmp_path / f"{number:02}.txt").touch()
    return sorted(os.scandir(tmp_path), key=lambda entry: entry.name)


@pytest.fixture
def looked_at(monkeypatch):
    """The names of the files that the system is asked for."""
    names, real = [], os.stat

    def stat(path, **how):
        names.append(Path(path).name)
        return real(path, **how)

    monkeypatch.setattr(os, "stat", stat)
    return names


def is_photo(name):
    return name.endswith(".jpg")


def clock(seconds):
    """Return a clock by which every look takes so long."""
    ticks = count()
    return lambda: next(ticks) * seconds


def test_a_slow_disk_is_asked_for_photos_alone_and_all_is_yielded_in_order(entries, looked_at):
    assert list(stat_ahead(entries, is_photo, clock=clock(SLOW_SECONDS))) == entries
    assert set(looked_at) == {f"{number:02}.jpg" for number in range(FILES)}


def test_a_fast_disk_is_not_asked_ahead(entries, looked_at):
    assert list(stat_ahead(entries, is_photo, clock=clock(SLOW_SECONDS / 2))) == entries
    assert len(looked_at) < 4


def test_a_folder_of_few_photos_is_left_alone(entries, looked_at):
    few = entries[:8]
    assert list(stat_ahead(few, is_photo, clock=clock(SLOW_SECONDS))) == few
    assert looked_at == []


def test_many_looks_are_under_way_at_once(entries, monkeypatch):
    together, real = threading.Barrier(8, timeout=LONG_SECONDS), os.stat
    main = threading.get_ident()

    def stat(path, **how):
        if threading.get_ident() != main:
            together.wait()  # raises where fewer come
        return real(path, **how)

    monkeypatch.setattr(os, "stat", stat)
    assert list(stat_ahead(entries, is_photo, clock=clock(SLOW_SECONDS))) == entries
    assert not together.broken


def test_a_file_that_went_away_or_a_walk_that_is_given_up_raises_nothing(entries, tmp_path):
    for entry in entries[::2]:
        Path(entry.path).unlink()
    walk = stat_ahead(entries, is_photo, clock=clock(SLOW_SECONDS))
    assert next(walk) == entries[0]
    walk.close()
    assert list(stat_ahead(entries, is_photo, clock=clock(SLOW_SECONDS))) == entries
