import json
import os

import numpy as np
import pytest

from photomap_cli.encoder.fingerprint import WeightsFile

MB = 1 << 20
SIZES = (1, 8, MB - 1, MB, MB + 1, 3 * MB + 17)


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


@pytest.mark.parametrize("size", [8, MB])
def test_bytes_that_are_cut_off_or_change_places_are_noticed(path, size):
    parts = [content(size), content(size)[::-1], bytes(size)]
    seen = set()
    for order in ([0, 1, 2], [1, 0, 2], [0, 1], [0, 1, 2, 2]):
        path.write_bytes(b"".join(parts[number] for number in order) * (2 * MB // size))
        seen.add(fingerprint(path))
    assert len(seen) == 4


def test_it_is_the_same_on_every_computer(path):
    path.write_bytes(bytes(range(256)) * (MB // 128) + b"rest")
    assert fingerprint(path) == "cc8f73446113c00f8fa17b3b2bf11828"


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
