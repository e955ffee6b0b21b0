import os

import pytest

from photomap_cli.images.thumbnail_cache import FILE_NAME, ThumbnailCache


def test_one_is_kept_until_the_file_changes(tmp_path):
    with ThumbnailCache(tmp_path, max_bytes=1_000_000) as cache:
        assert cache.get("/photo", 1) is None
        cache.put([("/photo", 1, b"small")])
        assert cache.get("/photo", 1) == b"small"
        assert cache.get("/photo", 2) is None


def test_the_oldest_go_when_there_are_too_many(tmp_path):
    with ThumbnailCache(tmp_path, max_bytes=200_000) as cache:
        for number in range(100):
            cache.put([(f"/photo{number}", 1, os.urandom(10_000))])
        kept = [number for number in range(100) if cache.get(f"/photo{number}", 1)]
        assert 0 not in kept
        assert 99 in kept
        assert len(kept) <= 20
    assert (tmp_path / FILE_NAME).stat().st_size < 300_000


def test_none_are_kept_where_none_are_wanted(tmp_path):
    with ThumbnailCache(tmp_path, max_bytes=0) as cache:
        cache.put([("/photo", 1, b"small")])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("junk", [b"no database at all" * 100, b""])
def test_a_damaged_cache_is_as_good_as_an_empty_one(junk, tmp_path):
    (tmp_path / FILE_NAME).write_bytes(junk)
    with ThumbnailCache(tmp_path, max_bytes=1_000_000) as cache:
        assert cache.get("/photo", 1) is None
        cache.put([("/photo", 1, b"small")])
        assert cache.get("/photo", 1) == b"small"
