"""The map's files: whole or not at all, few, and never in the way."""

from __future__ import annotations

import os

import numpy as np
import pytest

from photomap_cli.map.npz_cache import NpzCache, key

ARRAYS = {"places": np.arange(6, dtype=np.float32).reshape(3, 2), "labels": np.array([1, 0, 1])}


def test_arrays_come_back_as_they_were(tmp_path):
    NpzCache(tmp_path, "map").put("a", ARRAYS)
    back = NpzCache(tmp_path, "map").get("a")
    assert {name: (each.tolist(), each.dtype) for name, each in back.items()} == {
        name: (each.tolist(), each.dtype) for name, each in ARRAYS.items()
    }
    assert NpzCache(tmp_path, "map").get("b") is None
    assert NpzCache(tmp_path, "phrases").get("a") is None


@pytest.mark.parametrize("damage", [b"", b"no archive", b"PK\x05\x06" + bytes(18)])
def test_a_damaged_file_is_none(tmp_path, damage):
    kept = NpzCache(tmp_path, "map")
    kept.put("a", ARRAYS)
    (file,) = tmp_path.iterdir()
    file.write_bytes(damage)
    assert kept.get("a") is None


def test_a_file_cut_short_is_none(tmp_path):
    kept = NpzCache(tmp_path, "map")
    kept.put("a", ARRAYS)
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:-40])
    assert kept.get("a") is None


def test_only_the_last_few_are_kept_and_no_drafts(tmp_path):
    kept = NpzCache(tmp_path, "map")
    (tmp_path / "catalog.sqlite").touch()
    for number in range(12):
        kept.put(str(number), ARRAYS)
        os.utime(tmp_path / f"map-{number}.npz", (number, number))
    kept.put("last", ARRAYS)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"catalog.sqlite", "map-last.npz", *(f"map-{number}.npz" for number in range(5, 12))}


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path):
    kept = NpzCache(tmp_path / "not there", "map")
    kept.put("a", ARRAYS)
    assert kept.get("a") is None


def test_everything_a_file_depends_on_is_in_its_name():
    assert len({key("a", "bc"), key("ab", "c"), key("a", b"bd"), key("a"), key()}) == 5
    assert key("a", "b") == key(b"a", b"b")
