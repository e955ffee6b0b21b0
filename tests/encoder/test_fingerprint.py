import hashlib
import json
import os
import time

import numpy as np
import pytest

from photomap_cli import directories
from photomap_cli.encoder.fingerprint import WeightsFile

MB = 1 << 20
SIZES = (1, MB, 3 * MB + 17)


def content(size):
    return np.random.default_rng(size).integers(0, 256, size, np.uint8).tobytes()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.safetensors"


def fingerprint(path, config=None):
    return WeightsFile(path, config).fingerprint()


@pytest.mark.parametrize("size", SIZES)
def test_one_bit_anywhere_makes_another_fingerprint(path, size):
    whole = content(size)
    path.write_bytes(whole)
    seen = {fingerprint(path)}
    places = {0, size // 2, size - 1, size - size % MB - 1} & set(range(size))
    for place in places:
        changed = bytearray(whole)
        changed[place] ^= 1
        path.write_bytes(changed)
        seen.add(fingerprint(path))
    assert len(seen) == 1 + len(places)


def test_the_same_bytes_have_the_same_fingerprint_wherever_and_whenever(path, tmp_path):
    for place in (path, tmp_path / "elsewhere"):
        place.write_bytes(content(2 * MB + 5))
    os.utime(path, ns=(1, 1))
    assert fingerprint(path) == fingerprint(tmp_path / "elsewhere")


def test_it_is_the_files_sha256_as_model_hubs_show_it(path):
    path.write_bytes(b"weights")
    assert fingerprint(path) == "9a129038d9a00aed0cf6a7ea059ca50a813449061ab87848cf1a13eafdf33b2c"


@pytest.fixture
def reads(path, monkeypatch):
    """Note each reading of a whole file; the weights were written an hour ago."""
    path.write_bytes(content(100))
    now, noted, digest = time.time_ns() + 3600 * 10**9, [], hashlib.file_digest
    monkeypatch.setattr(time, "time_ns", lambda: now)
    monkeypatch.setattr(hashlib, "file_digest", lambda *given: noted.append(given) or digest(*given))
    return noted


def test_what_was_read_is_remembered_by_path_and_link(path, reads, tmp_path):
    (tmp_path / "link").symlink_to(path)
    assert fingerprint(path) == fingerprint(path) == fingerprint(tmp_path / "link")
    assert len(reads) == 1


def other_bytes_of_the_same_time(path):
    before = path.stat().st_mtime_ns
    path.write_bytes(content(100)[::-1])
    os.utime(path, ns=(before, before))


def another_file(path):
    path.with_name("new").write_bytes(content(100)[::-1])
    path.with_name("new").rename(path)


def through_a_link(path):
    path.with_name("link").symlink_to(path)
    path.with_name("link").write_bytes(content(99))


@pytest.mark.parametrize("change", [other_bytes_of_the_same_time, another_file, through_a_link])
def test_a_change_is_noticed_whatever_is_remembered(path, reads, change):
    first = fingerprint(path)
    change(path)
    assert fingerprint(path) == hashlib.sha256(path.read_bytes()).hexdigest() != first
    assert len(reads) == 2


def test_what_was_written_just_now_is_not_remembered(path, reads, monkeypatch):
    monkeypatch.setattr(time, "time_ns", lambda: path.stat().st_ctime_ns + 10**9)
    assert fingerprint(path) == fingerprint(path)
    assert len(reads) == 2


@pytest.mark.parametrize("spoil", [bytes, lambda kept: kept[:-9], lambda kept: kept.replace(b'"sha256"', b'"sha257"')])
def test_a_damaged_memory_is_none(path, reads, spoil):
    first = fingerprint(path)
    (kept,) = directories.cache_directory().glob("weights-*")
    kept.write_bytes(spoil(kept.read_bytes()) if spoil is not bytes else b"")
    assert fingerprint(path) == first
    assert len(reads) == 2


def test_a_cache_that_cannot_be_written_costs_a_reading(path, reads, monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setattr(directories, "cache_directory", lambda: tmp_path / "file" / "cache")
    assert fingerprint(path) == fingerprint(path)
    assert len(reads) == 2


def test_what_the_configuration_says_counts_and_how_it_is_written_does_not(path, tmp_path):
    path.write_bytes(content(100))
    config = tmp_path / "open_clip_config.json"
    says = {"preprocess_cfg": {"mean": [0.5, 0.5, 0.5], "std": [0.3, 0.3, 0.3]}, "model_cfg": {"embed_dim": 8}}
    config.write_text(json.dumps(says))
    first = fingerprint(path, config)
    config.write_text(json.dumps(dict(reversed(says.items())), indent=4))
    assert fingerprint(path, config) == first
    says["preprocess_cfg"]["mean"][0] = 0.48
    config.write_text(json.dumps(says))
    assert fingerprint(path, config) not in (first, fingerprint(path))


def test_a_file_that_is_written_to_is_told_from_one_that_is_replaced(path, tmp_path):
    path.write_bytes(content(100))
    file = WeightsFile(path)
    assert (file.is_the_same, file.was_written_to) == (True, False)
    (tmp_path / "new").write_bytes(content(101))
    path.rename(tmp_path / "old")  # kept, as what is mapped keeps it: its number is not given away
    (tmp_path / "new").rename(path)
    assert (file.is_the_same, file.was_written_to) == (False, False)
    path.unlink()
    assert (file.is_the_same, file.was_written_to) == (False, False)


def test_a_file_that_is_written_to_is_noticed_by_its_time_or_its_size(path):
    path.write_bytes(content(100))
    file = WeightsFile(path)
    os.utime(path, ns=(1, 1))
    assert (file.is_the_same, file.was_written_to) == (False, True)
    file = WeightsFile(path)
    path.write_bytes(content(101))
    os.utime(path, ns=(1, 1))
    assert (file.is_the_same, file.was_written_to) == (False, True)
